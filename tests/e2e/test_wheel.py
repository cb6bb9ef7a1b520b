"""The wheel carries what it needs, and a folder full of hostile names does not get in its way."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from configparser import ConfigParser
from email.parser import Parser
from pathlib import Path

import pytest
from commands import REPOSITORY

from eager_vs_graph.runs import command

PACKAGES = {
    "harness": "eager_vs_graph",
    "scenarios": "eager_vs_graph/scenarios",
    "reports": "eager_vs_graph/reports",
}
"""By folder of the repository: where its files are once they are installed."""
NAMES = ("random", "statistics", "typing", "json", "numpy", "tensorflow", "tests", "conftest")
HOSTILE = "raise SystemExit('imported from the working directory')\n"


@pytest.fixture(scope="session")
def site(wheel, tmp_path_factory) -> Path:
    """The wheel's content as an installer lays it out."""
    folder = tmp_path_factory.mktemp("site")
    with zipfile.ZipFile(wheel) as content:
        content.extractall(folder)
    return folder


@pytest.fixture
def hostile(tmp_path) -> Path:
    """A working directory in which everything is named like something that is imported."""
    for name in NAMES:
        (tmp_path / f"{name}.py").write_text(HOSTILE, encoding="utf-8")
    for name in ("scenarios", "reports"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text(HOSTILE, encoding="utf-8")
    return tmp_path


def run(site: Path, cwd: Path, *command: str, path: str = "") -> subprocess.CompletedProcess[str]:
    """Python with nothing but the wheel's content on its path, and what is given before it."""
    path = os.pathsep.join(filter(None, [path, str(site)]))
    return subprocess.run(
        [sys.executable, *command],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": path, "COLUMNS": "200", "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )


def console(*arguments: str) -> tuple[str, ...]:
    """The console command: as an installer's script starts it, without the working directory."""
    start = (
        "import sys; sys.argv[0] = 'eager-vs-graph'; from eager_vs_graph.cli import main; main()"
    )
    return ("-P", "-c", start, *arguments)


def test_the_wheel_holds_one_package_its_data_and_nothing_else(wheel):
    files = {
        str(Path(place, file.relative_to(REPOSITORY / folder)))
        for folder, place in PACKAGES.items()
        for file in (REPOSITORY / folder).rglob("*")
        if file.is_file() and "__pycache__" not in file.parts
    }
    with zipfile.ZipFile(wheel) as content:
        names = {name for name in content.namelist() if ".dist-info/" not in name}
    assert names == files
    assert {Path(name).parts[0] for name in names} == {"eager_vs_graph"}
    assert {Path(name).suffix for name in names} >= {".py", ".typed", ".npz", ".css", ".j2"}


def test_the_wheel_says_what_it_is(site):
    (info,) = site.glob("*.dist-info")
    metadata = Parser().parsestr((info / "METADATA").read_text(encoding="utf-8"))
    assert metadata["Name"] == "eager-vs-graph"
    assert metadata.get_all("Provides-Extra") == ["gpu"]
    required = metadata.get_all("Requires-Dist")
    assert [each for each in required if "and-cuda" in each and 'extra == "gpu"' in each]
    assert not [each for each in required if "and-cuda" in each and "extra" not in each]
    licences = {str(file.relative_to(info)) for file in (info / "licenses").rglob("*.*")}
    assert "licenses/scenarios/data/README.md" in licences
    assert (info / "licenses" / "LICENSE").read_bytes() == (REPOSITORY / "LICENSE").read_bytes()
    points = ConfigParser()
    points.read(info / "entry_points.txt", encoding="utf-8")
    assert dict(points["console_scripts"]) == {"eager-vs-graph": "eager_vs_graph.cli:main"}
    assert dict(points["pytest11"]) == {"eager_vs_graph": "eager_vs_graph.pytest_plugin.plugin"}


def test_a_run_of_the_wheel_in_a_hostile_folder(site, hostile):
    (hostile / "harness.py").write_text(HOSTILE, encoding="utf-8")
    options = ("--scenarios", "hello_matmul", "--passes", "1", "--allow-concurrent")
    done = run(site, hostile, *console("bench", *options))
    assert done.returncode == 0, done.stderr
    assert done.stdout.rstrip().endswith("report.html")
    record = json.loads((hostile / "results/latest/environment.json").read_text("utf-8"))
    assert record["request"]["command"] == f"eager-vs-graph bench {' '.join(options)}"
    assert record["environment"]["revision"] == ""
    assert record["request"]["entries"][0]["file"].startswith(str(site))
    for made in ("report.html", "summary.csv"):
        (hostile / "results" / "latest" / made).unlink()
    again = run(site, hostile, *console("report"), path=str(hostile / "nowhere"))
    assert again.returncode == 0, again.stderr
    assert (hostile / "results" / "latest" / "report.html").exists()


def test_helper_processes_of_the_modes_and_sibling_imports_of_the_scenarios(site, hostile):
    names = "--scenarios", "mnist_training_loop", "--sizes", "small"
    modes = "--modes", "eager,saved_model,session_remote"
    done = run(site, hostile, *console("parity", *names, *modes), path=str(hostile / "scenarios"))
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("close") == 3, done.stdout


def test_python_m_in_a_hostile_folder(site, hostile):
    done = run(site, hostile, "-m", "eager_vs_graph", "list")
    assert (done.returncode, done.stderr) == (0, "")
    done = run(site, hostile, "-m", "eager_vs_graph", "report")
    assert done.stderr.endswith("make one with `python -m eager_vs_graph bench`\n")
    done = run(site, hostile, *console("report"))
    assert done.stderr.endswith("make one with `eager-vs-graph bench`\n")


def test_packages_of_the_users_own_path_are_not_taken_for_ours(site, tmp_path):
    (tmp_path / "reports.py").write_text(HOSTILE, encoding="utf-8")
    (tmp_path / "run").mkdir()
    done = run(site, tmp_path, *console("report", "run"), path=str(tmp_path))
    assert done.returncode == 2
    assert done.stderr.endswith("environment.json: no such file; is this the folder of a run?\n")
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("/env/bin/eager-vs-graph", "eager-vs-graph"),
        ("eager-vs-graph.exe", "eager-vs-graph"),
        ("/repository/harness/__main__.py", "python -m harness"),
        ("/env/lib/site-packages/eager_vs_graph/__main__.py", "python -m eager_vs_graph"),
        ("-c", "python -m eager_vs_graph"),
    ],
)
def test_a_hint_names_the_command_that_was_typed(typed, name, monkeypatch):
    monkeypatch.setattr(sys, "argv", [typed])
    assert command.name() == name
    assert command.line("bench", "--resume", "a run") == f"{name} bench --resume 'a run'"
