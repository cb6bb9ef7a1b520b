"""Command lines as a user runs them, from another folder."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
SUPPORT = Path(__file__).resolve().parent
UNHURRIED = ("--explain-timeout", "3600")
"""So that no experiment is left out on a busy machine."""


def harness(
    *arguments: str | Path, cwd: Path, timeout: float = 900
) -> subprocess.CompletedProcess[str]:
    """``python -m eager_vs_graph``; the limit only ends what hangs, on the busiest machine too."""
    return python("-m", "eager_vs_graph", *arguments, cwd=cwd, timeout=timeout)


def environment() -> dict[str, str]:
    """The variables of this process; pytest changes one of them while a thread reads them."""
    found = {name: os.environ.get(name) for name in list(os.environ)}
    return {name: text for name, text in found.items() if text is not None}


def python(
    *arguments: str | Path, cwd: Path, timeout: float = 900
) -> subprocess.CompletedProcess[str]:
    """Run this interpreter."""
    return subprocess.run(
        [sys.executable, *map(str, arguments)],
        cwd=cwd,
        env={**environment(), "COLUMNS": "200", "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
