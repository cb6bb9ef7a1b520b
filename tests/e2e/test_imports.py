"""What importing costs, measured in fresh processes; `make lint` keeps who may import whom."""

from __future__ import annotations

import pytest
from commands import python

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
