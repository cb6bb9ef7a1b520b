"""Every example and every command line of the README and of docs/ is run.

* Blocks of Python on a page are run one after the other, in one process a page, as a reader would
  type them.
* A block whose fence names a file (``python train.py``) is that file.
* Lines that begin with ``$`` in a ``console`` block are command lines. They run in an empty folder
  that holds the page's files, in the order of the page; what the page shows below them is real
  output of another day, so only the exit code is compared: 0, or what a comment says.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
FENCE = re.compile(r"^```(\w+)(?: +(\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
EXIT_CODE = re.compile(r"# exit code (\d+)$")
NARROWED = {
    # A whole run takes minutes; the same command line over little is what a test can afford. make
    # takes the first two from the environment, and pytest the last.
    "SCENARIOS": "hello_matmul",
    "BUDGET": "5s",
    "PYTEST_ADDOPTS": "tests/unit/test_cells.py",
}
A_BUDGET = re.compile(r"(?<=--budget )\d+s")
"""Likewise: the line is the page's, and takes less long."""


@dataclass
class Page:
    """What is to be run of a page."""

    path: Path
    code: list[str] = field(default_factory=list)
    files: dict[str, str] = field(default_factory=dict)
    commands: list[str] = field(default_factory=list)


def read(path: Path) -> Page:
    page = Page(path)
    for language, name, text in FENCE.findall(path.read_text(encoding="utf-8")):
        if language == "console":
            page.commands += re.findall(r"^\$ (.*(?:\\\n.*)*)$", text, re.MULTILINE)
        elif name:
            page.files[name] = text
        elif language == "python":
            page.code.append(text)
    return page


def written(pages: list[Path]) -> list[Page]:
    """Pages that have something to run."""
    return [page for page in map(read, pages) if page.code or page.commands]


def names(pages: list[Page]) -> list[str]:
    return [page.path.name for page in pages]


WITH_CODE = [page for page in written(PAGES) if page.code]
WITH_COMMANDS = [page for page in written(PAGES) if page.commands]


@pytest.fixture(scope="module")
def tools(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the commands that an installed wheel has, and a `python` that finds it."""
    folder = tmp_path_factory.mktemp("bin")
    for name, start in {
        "eager-vs-graph": 'exec "{python}" -c "from eager_vs_graph.cli import main; main()" "$@"',
        "python": 'exec "{python}" "$@"',
        "pytest": 'exec "{python}" -m pytest -p no:cacheprovider "$@"',
    }.items():
        script = folder / name
        script.write_text(f"#!/bin/sh\n{start.format(python=sys.executable)}\n", encoding="utf-8")
        script.chmod(0o755)
    return folder


def environment(tools: Path, checkout: bool = False) -> dict[str, str]:
    ours = {name: text for name, text in os.environ.items() if not name.startswith("PYTEST_")}
    return {
        **ours,
        **(NARROWED if checkout else {}),
        "PATH": f"{tools}{os.pathsep}{ours['PATH']}",
        "PYTHONPATH": str(ROOT),
        "TF_CPP_MIN_LOG_LEVEL": "3",
    }


@pytest.mark.parametrize("page", WITH_CODE, ids=names(WITH_CODE))
def test_code_of_a_page_runs(page: Page, tmp_path: Path, tools: Path) -> None:
    lay_out(page, tmp_path)
    script = tmp_path / "page_as_a_script.py"
    # A page's examples may start processes that import this script again.
    script.write_text("\n".join(page.code), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, str(script)],
        cwd=tmp_path,
        env=environment(tools),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("page", WITH_COMMANDS, ids=names(WITH_COMMANDS))
def test_commands_of_a_page_run(page: Page, tmp_path: Path, tools: Path) -> None:
    lay_out(page, tmp_path)
    for line in page.commands:
        command = A_BUDGET.sub(NARROWED["BUDGET"], EXIT_CODE.sub("", line).strip())
        wanted = int(found[1]) if (found := EXIT_CODE.search(line)) else 0
        done = subprocess.run(
            ["sh", "-c", command],
            cwd=tmp_path,
            env=environment(tools, checkout=page.path.parent == ROOT),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == wanted, f"$ {line}\n{done.stdout}{done.stderr}"


def lay_out(page: Page, folder: Path) -> None:
    files = page.files
    if page.path.parent == ROOT:
        files = {**read(ROOT / "docs" / "tutorial.md").files, **files}
        # The README's commands are for a checkout: a copy of this one.
        keep = shutil.ignore_patterns(".git", ".venv", "results", ".*_cache", "__pycache__")
        shutil.copytree(ROOT, folder, ignore=keep, dirs_exist_ok=True)
        (folder / ".venv").symlink_to(Path(sys.prefix))
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")


def test_pages_were_found() -> None:
    assert len(WITH_CODE) >= 3
    assert sum(len(page.commands) for page in WITH_COMMANDS) >= 15
    for page in map(read, PAGES):
        fences = page.path.read_text(encoding="utf-8").count("```")
        assert fences % 2 == 0, page.path
