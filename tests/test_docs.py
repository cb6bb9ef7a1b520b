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
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
FENCE = re.compile(r"^```(\w+)(?: +(\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
EXIT_CODE = re.compile(r"# exit code (\d+)$")
NARROWED = {
    # A whole run takes minutes; the same command line over little is what a test can afford. make
    # takes these from the environment.
    "SCENARIOS": "hello_matmul,custom_gradient",
    "BUDGET": "15s",
    "EAGER_VS_GRAPH_BUDGET_IN_DOCS": "15s",
}


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
