"""Scripts that show a disagreement of adopted code, run as a stranger runs them: in its folder."""

from __future__ import annotations

import shutil
import time

import pytest
from commands import REPOSITORY, harness, python

from eager_vs_graph.catalog.user_code import entries_of
from eager_vs_graph.child.adopt.loading import load
from eager_vs_graph.child.explain import engine
from eager_vs_graph.child.explain.reproduce import script
from eager_vs_graph.child.parity import check as parity
from eager_vs_graph.results.cells import Cell
from eager_vs_graph.results.scripts import head

OTHERS = REPOSITORY / "tests" / "reports_of_others"


def explained(program, *arguments, mode="function"):
    entry = entries_of(program, arguments=arguments, path=[str(OTHERS)])[0]
    scenario = load(entry)
    (size,) = entry.sizes
    subject = parity.subject(scenario, size)
    cell = Cell(entry.name, size, mode, "CPU:0", "resident")
    found = engine.explain(subject, [cell], time.monotonic() + 600, lambda _cell: None)
    return subject, next(each for each in found if each.cell == cell.id)


@pytest.fixture
def project(tmp_path):
    """A folder with the code and nothing else."""
    for file in OTHERS.glob("*.py"):
        shutil.copy(file, tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("program", "arguments", "mode", "lines"),
    [
        (
            "python_side:make_queue",
            ("float32[4]",),
            "function",
            ["different: float32(4,) and float32(4,)"],
        ),
        (
            "optimised:smallest_of_relu",
            ("inputs:ties",),
            "function",
            ["eager: 1", "function: 2", "function without arithmetic_optimization: 1"],
        ),
        (
            "compiled:best",
            ("inputs:with_nan",),
            "xla",
            ["eager: 1", "different: int64() and int64()"],
        ),
        (
            "python_side:widens",
            ("float32[64,64]",),
            "function",
            ["different: float32(64, 64) and float64(64, 64)"],
        ),
        (
            "python_side:variable_in_call",
            ("float32[4]",),
            "function",
            ["different: one raises"],
        ),
    ],
)
def test_a_script_shows_the_difference_in_the_folder_of_the_code(
    project, program, arguments, mode, lines
):
    subject, explanation = explained(program, *arguments, mode=mode)
    text = f"{head(explanation)}{script(subject, explanation)}"
    (project / "why.py").write_text(text, encoding="utf-8")
    done = python("why.py", cwd=project)
    assert done.returncode == 0, done.stderr
    printed = done.stdout.splitlines()
    assert any(each.startswith("different") for each in printed), done.stdout
    for line in lines:
        assert line in printed


def test_the_command_line_writes_it(project):
    asked = ("optimised:smallest_of_relu", "--arg", "inputs:ties", "--modes", "function")
    done = harness("explain", *asked, "--reproduce", "why.py", cwd=project)
    assert done.returncode == 1, done.stderr
    assert "script: why.py" in done.stdout
    assert "function: 2" in python("why.py", cwd=project).stdout.splitlines()


def test_what_a_script_cannot_run_is_said():
    subject, explanation = explained("optimised:smallest_of_relu", "inputs:ties", mode="session")
    with pytest.raises(ValueError, match="mode session of adopted code cannot be reproduced"):
        script(subject, explanation)
