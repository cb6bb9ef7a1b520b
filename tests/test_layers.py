"""Who may import whom: read from the source, and measured in fresh processes."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest
from workbench import REPOSITORY, python

BOTH = {"numpy", "tensorflow"}
REPORTS_MAY = (
    "eager_vs_graph.results.record",
    "eager_vs_graph.results.frames",
    "eager_vs_graph.statistics.run_comparison",
    "eager_vs_graph.results.cells",
    "eager_vs_graph.errors",
    "eager_vs_graph.results.explanation",
    "eager_vs_graph.statistics",
)


def modules(folder: str) -> list[Path]:
    found = sorted((REPOSITORY / folder).rglob("*.py"))
    assert found
    return found


def imports(file: Path) -> set[str]:
    """Every module that a file imports, anywhere in it; relative ones made absolute."""
    package = file.relative_to(REPOSITORY).with_suffix("").parts
    names: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = [*package[: len(package) - node.level]] if node.level else []
            module = ".".join([*base, *filter(None, [node.module])])
            # `from eager_vs_graph import Scenario` names a class, `from eager_vs_graph import grid` a module.
            names |= {
                f"{module}.{alias.name}" if is_module(module, alias.name) else module
                for alias in node.names
            }
    return names


def is_module(package: str, name: str) -> bool:
    place = REPOSITORY.joinpath(*package.split("."), name)
    return place.with_suffix(".py").exists() or (place / "__init__.py").exists()


def within(name: str, *packages: str) -> bool:
    return any(name == package or name.startswith(f"{package}.") for package in packages)


def own(names: set[str]) -> set[str]:
    return {name for name in names if within(name, "harness", "scenarios", "reports")}


@pytest.mark.parametrize("file", modules("scenarios"), ids=lambda file: file.stem)
def test_scenarios_import_the_contract_tensorflow_and_numpy(file):
    names = imports(file)
    siblings = {name for name in own(names) if within(name, "scenarios")}  # a shared model
    assert own(names) - siblings <= {"harness", "eager_vs_graph.scenario"}
    others = {name.partition(".")[0] for name in names - own(names)}
    assert others - sys.stdlib_module_names <= BOTH


@pytest.mark.parametrize("file", modules("harness"), ids=str)
def test_nothing_in_the_harness_imports_a_scenario(file):
    assert not [name for name in imports(file) if within(name, "scenarios")]


@pytest.mark.parametrize("file", modules("harness/runners"), ids=lambda file: file.stem)
def test_runners_know_neither_reports_nor_clock(file):
    assert not [
        name
        for name in imports(file)
        if within(name, "scenarios", "reports", "eager_vs_graph.child.bench", "time")
    ]


@pytest.mark.parametrize("file", modules("reports"), ids=str)
def test_reports_import_the_record_and_statistics_and_never_tensorflow(file):
    names = imports(file)
    assert not [name for name in names if within(name, "tensorflow", "keras", "scenarios")]
    assert not [name for name in own(names) if not within(name, "reports", *REPORTS_MAY)]


@pytest.mark.parametrize(
    "place",
    [
        "record.py",
        "explanation.py",
        "frames.py",
        "comparison.py",
        "grid.py",
        "errors.py",
        "statistics",
    ],
)
def test_what_reports_import_is_free_of_tensorflow(place):
    path = REPOSITORY / "harness" / place
    for file in [path] if path.is_file() else sorted(path.rglob("*.py")):
        assert not [name for name in imports(file) if within(name, "tensorflow", "keras")]
        assert all(within(name, *REPORTS_MAY) for name in own(imports(file))), file


@pytest.mark.parametrize("file", modules("harness/statistics"), ids=lambda file: file.stem)
def test_statistics_know_only_the_record(file):
    assert not [name for name in own(imports(file)) if not within(name, *REPORTS_MAY)]


def test_the_check_sees_a_forbidden_import(tmp_path, monkeypatch):
    monkeypatch.setattr(sys.modules[__name__], "REPOSITORY", tmp_path)
    (tmp_path / "harness" / "runners").mkdir(parents=True)
    (tmp_path / "harness" / "grid.py").touch()
    file = tmp_path / "harness" / "runners" / "eager.py"
    file.write_text(
        "from eager_vs_graph import grid, Scenario\ndef f():\n    import tensorflow.keras as k\n"
        "    from .. import state\n    from . import session\n"
    )
    assert imports(file) == {
        "harness",
        "eager_vs_graph.results.cells",
        "tensorflow.keras",
        "eager_vs_graph.modes",
    }


LIGHT = [
    "import harness",
    "import eager_vs_graph.cli, eager_vs_graph.results.record, "
    "eager_vs_graph.results.cells, eager_vs_graph.catalog.find, eager_vs_graph.processes.jobs",
    "import eager_vs_graph.statistics",
    "import eager_vs_graph.runs.bench",
    "import eager_vs_graph.pytest_plugin.plugin, eager_vs_graph.pytest_plugin.recording",
    "import reports",
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
