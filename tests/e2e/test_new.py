"""``new`` writes a scenario that passes its own parity, and never over anything."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from commands import harness
from workbench import words

from eager_vs_graph.catalog import find as catalog
from eager_vs_graph.child.adopt.loading import load
from eager_vs_graph.cli.new import new
from eager_vs_graph.errors import UsageError
from eager_vs_graph.modes import DEFAULT_MODES


def written(folder: Path, name: str = "my_step") -> Path:
    new(name, folder, package=False)
    return folder / f"{name}.py"


def test_the_template_passes_its_own_parity(tmp_path):
    (entry,) = catalog.entries([written(tmp_path)])
    assert (entry.name, entry.class_name) == ("my_step", "MyStep")
    assert entry.summary == "Fit a line by gradient descent."
    for size in entry.sizes:
        found = words(load(entry), (*DEFAULT_MODES, "xla", "saved_model"), size=size)
        assert {cell.status for cell in found.values()} <= {"identical", "close"}, found
        assert {t.kind for t in found["eager"].tensors} == {"output", "variable"}


@pytest.mark.parametrize("verb", [["format", "--check"], ["check"]], ids=["format", "check"])
def test_the_template_is_formatted_and_passes_ruff(tmp_path, verb):
    """It must in a project that has set nothing, where the harness is somebody else's package."""
    done = subprocess.run(
        [sys.executable, "-m", "ruff", *verb, "--isolated", "--stdin-filename", "mine.py"],
        input=written(tmp_path).read_text("utf-8"),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_package_declares_its_scenario(tmp_path, capsys):
    new("my_step", tmp_path, package=True)
    root = tmp_path / "eager-vs-graph-my-step"
    project = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))
    assert project["project"]["name"] == "eager-vs-graph-my-step"
    points = project["project"]["entry-points"]["eager_vs_graph.scenarios"]
    assert points == {"my_step": "eager_vs_graph_my_step"}
    assert project["tool"]["setuptools"]["packages"] == ["eager_vs_graph_my_step"]
    (entry,) = catalog.entries([root / "eager_vs_graph_my_step"])
    assert entry.name == "my_step"
    assert f"pip install --editable {root}" in capsys.readouterr().out


def test_it_says_what_to_run_next(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["/env/bin/eager-vs-graph"])
    file = written(tmp_path / "new folder")
    assert capsys.readouterr().out.splitlines() == [
        f"written: {file}",
        "next:",
        f"  eager-vs-graph parity --scenarios '{file}'",
        f"  eager-vs-graph bench --scenarios '{file}' --budget 60s",
    ]


@pytest.mark.parametrize(
    ("name", "suggested"),
    [
        ("My-Step", "my_step"),
        ("2fast", "fast"),
        ("a b", "a_b"),
        ("class", "my_step"),
        ("_hidden", "hidden"),
        ("../up", "up"),
        ("näh", "n_h"),
        ("", "my_step"),
        ("step.py", "step"),
    ],
)
def test_a_bad_name_is_refused_with_a_better_one(tmp_path, name, suggested):
    with pytest.raises(UsageError, match=f"try '{suggested}'$") as raised:
        new(name, tmp_path, package=False)
    assert str(raised.value).startswith(f"the name is {name!r}, but should begin with a-z")
    assert not list(tmp_path.iterdir())


def test_the_name_of_a_built_in_scenario_is_refused(tmp_path):
    with pytest.raises(UsageError, match=r"'mnist_step' is the name of a built-in scenario"):
        new("mnist_step", tmp_path, package=False)


@pytest.mark.parametrize("package", [False, True])
def test_nothing_is_overwritten(tmp_path, package):
    new("my_step", tmp_path, package=package)
    (file,) = tmp_path.rglob("my_step.py")
    file.write_text("mine\n", "utf-8")
    with pytest.raises(UsageError, match="exists already"):
        new("my_step", tmp_path, package=package)
    assert file.read_text("utf-8") == "mine\n"


def test_a_folder_that_is_a_file_is_told(tmp_path):
    (tmp_path / "taken").write_text("", "utf-8")
    with pytest.raises(UsageError, match="cannot be written: "):
        new("my_step", tmp_path / "taken", package=False)


def test_from_the_command_line(tmp_path):
    done = harness("new", "mine", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert [file.name for file in tmp_path.iterdir()] == ["mine.py"]
    command = done.stdout.splitlines()[2].split()
    assert command[:3] == ["python", "-m", "eager_vs_graph"]
    assert harness(*command[3:], cwd=tmp_path).returncode == 0
    again = harness("new", "mine", cwd=tmp_path)
    assert (again.returncode, again.stderr) == (
        2,
        "error: mine.py: exists already; choose another name or --folder\n",
    )
