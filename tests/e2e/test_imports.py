"""What importing costs and under which names, in fresh processes.

`make lint` keeps who may import whom.
"""

from __future__ import annotations

import pytest
from commands import REPOSITORY, python
from record_fixture import write_run

LIGHT = [
    "import eager_vs_graph",
    "import eager_vs_graph.cli, eager_vs_graph.results.record, "
    "eager_vs_graph.results.cells, eager_vs_graph.catalog.find, eager_vs_graph.processes.jobs",
    "import eager_vs_graph.statistics",
    "import eager_vs_graph.runs.bench",
    "import eager_vs_graph.pytest_plugin.plugin, eager_vs_graph.pytest_plugin.recording",
    "import eager_vs_graph.reports",
]


@pytest.mark.parametrize("statement", LIGHT)
def test_importing_does_not_import_tensorflow(statement, tmp_path):
    check = f"import sys; {statement}; assert not {{'tensorflow', 'keras'}} & sys.modules.keys()"
    done = python("-c", check, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")


WATCH = """
import atexit, os, sys
from eager_vs_graph.cli import main
def leave():
    heavy = {{"tensorflow", "keras", "matplotlib", "pandas", "scipy", "numpy"}} & sys.modules.keys()
    os._exit(17 if heavy else 0)
atexit.register(leave)
sys.argv = ["harness", *{arguments}]
main()
"""


@pytest.mark.parametrize(
    "arguments", [["--help"], ["list"], ["bench", "--help"], ["--version"], ["new", "--help"]]
)
def test_the_quick_verbs_import_nothing_heavy(arguments, tmp_path):
    done = python("-c", WATCH.format(arguments=arguments), cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")


def test_rendering_does_not_import_tensorflow(tmp_path):
    program = (
        "import sys, pathlib, eager_vs_graph.reports.terminal.run; "
        "eager_vs_graph.reports.render(pathlib.Path(sys.argv[1])); "
        "sys.exit('tensorflow' in sys.modules or 'keras' in sys.modules)"
    )
    done = python("-c", program, write_run(tmp_path / "run"), cwd=tmp_path)
    assert done.returncode == 0, done.stderr


def test_a_checkout_answers_by_its_folder_too():
    for module in ("harness", "eager_vs_graph"):
        done = python("-m", module, "--version", cwd=REPOSITORY)
        assert (done.returncode, done.stderr) == (0, "")
        listed = python("-m", module, "list", cwd=REPOSITORY)
        assert (listed.returncode, listed.stderr) == (0, "")
        assert "hello_matmul" in listed.stdout


FOLDERS = ["harness", "harness.cli", "harness.scenario", "reports", "reports.charts",
           "scenarios", "scenarios.hello_matmul"]  # fmt: skip


@pytest.mark.parametrize("name", FOLDERS)
def test_a_folder_of_the_checkout_is_no_second_name_of_the_package(name):
    done = python("-c", f"import {name}", cwd=REPOSITORY)
    assert done.returncode == 1
    folder = name.partition(".")[0]
    package = "eager_vs_graph" + ("" if folder == "harness" else f".{folder}")
    last = done.stderr.splitlines()[-1]
    assert last.startswith(f"ImportError: {folder} is the folder of ")
    assert package in last


def test_a_scenario_that_is_new_in_the_checkout_is_found_under_its_one_name(tmp_path):
    show = "from eager_vs_graph import scenarios; print(*scenarios.__path__, sep='\\n')"
    found = python("-c", show, cwd=tmp_path).stdout.splitlines()
    assert str(REPOSITORY / "scenarios") in found
