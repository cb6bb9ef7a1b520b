"""In an environment with our wheel, other people's projects behave as they do without it.

Two environments find what is installed beside us, by way of a path file, so that nothing is
downloaded; one of them has our wheel on top.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest
import throw_away

UV = Path(sys.executable).parent / "uv"
OURS = re.compile(r"__editable__.*eager_vs_graph|^eager_vs_graph")


def make_environment(folder: Path) -> Path:
    """An environment that finds everything but us."""
    run(UV, "venv", "--quiet", "--python", sys.executable, folder, cwd=folder.parent)
    (site,) = folder.glob("lib/python*/site-packages")
    others = folder / "others" / "site-packages"
    others.mkdir(parents=True)
    for part in Path(sysconfig.get_path("purelib")).iterdir():
        if not OURS.search(part.name):
            (others / part.name).symlink_to(part)
    (site / "others.pth").write_text(f"{others}\n", encoding="utf-8")
    python = folder / "bin" / "python"
    command = (Path(sys.executable).parent / "pytest").read_text(encoding="utf-8")
    start = f"#!{python}\n{command.partition(chr(10))[2]}"
    (folder / "bin" / "pytest").write_text(start, encoding="utf-8")
    (folder / "bin" / "pytest").chmod(0o755)
    return python


def run(*command: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    ours = ("PYTEST_", "PYTHONPATH", "VIRTUAL_ENV")
    environment = {k: v for k, v in os.environ.items() if not k.startswith(ours)}
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env={**environment, "NO_COLOR": "1", "COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done


@pytest.fixture(scope="module")
def without(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_environment(tmp_path_factory.mktemp("without") / "env")


@pytest.fixture(scope="module")
def with_wheel(tmp_path_factory: pytest.TempPathFactory, wheel: Path) -> Path:
    python = make_environment(tmp_path_factory.mktemp("with") / "env")
    install = ("pip", "install", "--quiet", "--offline", "--no-deps", "--python", python, wheel)
    run(UV, *install, cwd=wheel.parent)
    return python


@pytest.fixture
def project(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    throw_away.write(tmp_path, throw_away.PROJECTS[request.param])
    return tmp_path


def outcomes(python: Path, project: Path, how: str) -> list[str]:
    """The tests of a project and how each ended, and the last line without its seconds."""
    start = [python, "-m", "pytest"] if how == "python -m pytest" else [python.parent / "pytest"]
    done = run(*start, "-v", "-p", "no:cacheprovider", cwd=project)
    assert done.stderr == ""
    lines = [line for line in done.stdout.splitlines() if "::" in line]
    return [*lines, re.sub(r" in [\d.]+s", "", done.stdout.splitlines()[-1])]


@pytest.mark.parametrize("how", ["pytest", "python -m pytest"])
@pytest.mark.parametrize("project", throw_away.PROJECTS, indirect=True)
def test_its_tests_run_unchanged(without: Path, with_wheel: Path, project: Path, how: str) -> None:
    found = outcomes(with_wheel, project, how)
    assert found == outcomes(without, project, how)
    assert len(found) > 1


def test_the_first_environment_has_not_our_package_and_the_second_has_the_wheels(
    without: Path, with_wheel: Path, tmp_path: Path
) -> None:
    show = "import importlib.util as u; print(u.find_spec('eager_vs_graph'))"
    assert run(without, "-c", show, cwd=tmp_path).stdout == "None\n"
    assert str(with_wheel.parents[1]) in run(with_wheel, "-c", show, cwd=tmp_path).stdout


@pytest.mark.parametrize("project", ["harness"], indirect=True)
def test_compare_works_in_a_project_with_its_own_harness(with_wheel: Path, project: Path) -> None:
    (project / "compares.py").write_text(throw_away.COMPARES, encoding="utf-8")
    assert run(with_wheel, "compares.py", cwd=project).stdout.endswith("compared\n")


def test_the_command_is_one_and_answers(with_wheel: Path, tmp_path: Path) -> None:
    command = with_wheel.parent / "eager-vs-graph"
    assert "hello_matmul" in run(command, "list", cwd=tmp_path).stdout
    assert run(command, "--version", cwd=tmp_path).stdout.strip()
