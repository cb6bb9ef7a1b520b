"""Every example and every command line of the README and of docs/ is run.

* Blocks of Python on a page are run one after the other, in one process a page, as a reader would
  type them.
* A block whose fence names a file (``python train.py``) is that file.
* Lines that begin with ``$`` in a ``console`` block are command lines. Those below one heading are
  a test: they run in one folder that holds the page's files, in the order of the page. So what a
  heading tells can be done without the others. What the page shows below a command is real output
  of another day, so only the exit code is compared: 0, or what a comment says.
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
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), ROOT / "CONTRIBUTING.md"]
SECTION = re.compile(r"^## +(.*)$", re.MULTILINE)
FENCE = re.compile(r"^```(\w+)(?: +(\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"^\$ (.*(?:\\\n.*)*)$", re.MULTILINE)
EXIT_CODE = re.compile(r"# exit code (\d+)$")
NARROWED = {
    # A whole run takes minutes; the same command line over little is what a test can afford. make
    # takes these from the environment.
    "SCENARIOS": "hello_matmul",
    "BUDGET": "5s",
    "PASSES": "1",
    "TESTS": "tests/unit/test_cells.py",
}
A_BUDGET = re.compile(r"--budget \d+s")
"""Likewise: the line is the page's, and takes less long."""
JUDGES_SPEED = "--fail-over"
"""Whether such a command succeeds depends on how busy the machine is: it only has to judge."""


@dataclass
class Section:
    """The command lines below one heading of a page."""

    page: Path
    title: str
    commands: list[str]


@dataclass
class Page:
    """What is to be run of a page."""

    path: Path
    code: list[str] = field(default_factory=list)
    files: dict[str, str] = field(default_factory=dict)
    sections: list[Section] = field(default_factory=list)

    @property
    def is_for_a_checkout(self) -> bool:
        """Whether its commands are those of somebody who has the repository."""
        lines = [line for section in self.sections for line in section.commands]
        return self.path.parent == ROOT or any(line.startswith("make ") for line in lines)


def read(path: Path) -> Page:
    page = Page(path)
    text = path.read_text(encoding="utf-8")
    for language, name, block in FENCE.findall(text):
        if name:
            page.files[name] = block
        elif language == "python":
            page.code.append(block)
    title, *parts = SECTION.split(text)
    for heading, part in zip(["", *parts[::2]], [title, *parts[1::2]], strict=True):
        consoles = [block for language, _, block in FENCE.findall(part) if language == "console"]
        if commands := COMMAND.findall("".join(consoles)):
            page.sections.append(Section(path, heading, commands))
    return page


READ = {path: read(path) for path in PAGES}
WITH_CODE = [page for page in READ.values() if page.code]
SECTIONS = [section for page in READ.values() for section in page.sections]


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
        "TF_CPP_MIN_LOG_LEVEL": "3",
    }


@pytest.mark.parametrize("page", WITH_CODE, ids=lambda page: page.path.name)
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


@pytest.mark.parametrize(
    "section", SECTIONS, ids=lambda section: f"{section.page.stem}:{section.title}"
)
def test_commands_of_a_section(section: Section, tmp_path: Path, tools: Path) -> None:
    page = READ[section.page]
    lay_out(page, tmp_path)
    for line in section.commands:
        command = A_BUDGET.sub("--budget 5s --passes 1", EXIT_CODE.sub("", line).strip())
        wanted = {int(found[1]) if (found := EXIT_CODE.search(line)) else 0}
        if JUDGES_SPEED in line:
            wanted = {0, 1, 3}
        done = subprocess.run(
            ["sh", "-c", command],
            cwd=tmp_path,
            env=environment(tools, checkout=page.is_for_a_checkout),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode in wanted, f"$ {line}\n{done.stdout}{done.stderr}"


def lay_out(page: Page, folder: Path) -> None:
    files = page.files
    if page.is_for_a_checkout:
        files = {**READ[ROOT / "docs" / "tutorial.md"].files, **files}
        copy_checkout(folder)
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")


def copy_checkout(folder: Path) -> None:
    """A checkout after `make`, with the environment that runs these tests."""
    keep = shutil.ignore_patterns(".git", ".venv", "build", "results", ".*_cache", "__pycache__")
    shutil.copytree(ROOT, folder, ignore=keep, dirs_exist_ok=True)
    (folder / ".venv").mkdir()
    for part in Path(sys.prefix).iterdir():
        if part.name not in {"installed", "linked"}:
            (folder / ".venv" / part.name).symlink_to(part)
    for name in ("installed", "linked"):  # newer than what they are made from: nothing to install
        (folder / ".venv" / name).touch()


def test_pages_were_found() -> None:
    assert len(WITH_CODE) >= 3
    assert sum(len(section.commands) for section in SECTIONS) >= 25
    for path in PAGES:
        text = path.read_text(encoding="utf-8")
        assert text.count("```") % 2 == 0, path
        shown = [block for language, _, block in FENCE.findall(text) if language == "console"]
        assert len(COMMAND.findall("".join(shown))) == sum(
            len(section.commands) for section in READ[path].sections
        )
