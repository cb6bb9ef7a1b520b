"""Scripts that show a disagreement of adopted code, run as a stranger runs them: in its folder."""

from __future__ import annotations

import shutil

import pytest
from commands import UNHURRIED, harness, python
from questions import OTHERS, Question, ask

from eager_vs_graph.child.explain.reproduce import script
from eager_vs_graph.results.scripts import head


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A folder with the code and nothing else."""
    folder = tmp_path_factory.mktemp("project")
    for file in OTHERS.glob("*.py"):
        shutil.copy(file, folder)
    return folder


@pytest.mark.parametrize(
    ("question", "line"),
    [
        (Question("python_side:make_queue"), "different: float32(4,) and float32(4,)"),
        (
            Question("compiled:best", ("inputs:with_nan",), "xla"),
            "different: int64() and int64()",
        ),
        (Question("python_side:variable_in_call"), "different: one raises"),
    ],
)
def test_a_script_shows_the_difference_in_the_folder_of_the_code(project, question, line):
    subject, explanation = ask(question)
    text = f"{head(explanation)}{script(subject, explanation)}"
    (project / "shown.py").write_text(text, encoding="utf-8")
    done = python("shown.py", cwd=project)
    assert done.returncode == 0, done.stderr
    assert line in done.stdout.splitlines(), done.stdout


def test_the_command_line_writes_it(project):
    asked = ("optimised:smallest_of_relu", "--arg", "inputs:ties", "--modes", "function")
    done = harness("explain", *asked, *UNHURRIED, "--reproduce", "why.py", cwd=project)
    assert done.returncode == 1, done.stderr
    assert "script: why.py" in done.stdout
    assert "grappler: arithmetic_optimization" in done.stdout
    printed = python("why.py", cwd=project).stdout.splitlines()
    assert {"eager: 1", "function: 2", "function without arithmetic_optimization: 1"} <= {*printed}


def test_what_a_script_cannot_run_is_said():
    subject, explanation = ask(Question("optimised:scaled_twice", ("inputs:rates",), "session"))
    with pytest.raises(ValueError, match="mode session of adopted code cannot be reproduced"):
        script(subject, explanation)
