"""How this command line was started: hints must name what the user can type again."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

MODULE = "python -m harness"
SCRIPT = "eager-vs-graph"
"""The console command that the distribution installs."""


def name() -> str:
    """``eager-vs-graph`` where the console command was typed, else ``python -m harness``."""
    return SCRIPT if Path(sys.argv[0]).stem == SCRIPT else MODULE


def line(*arguments: object) -> str:
    """A command line that does what the arguments say, quoted for a shell."""
    return f"{name()} {shlex.join(map(str, arguments))}"
