"""How this command line was started: hints must name what the user can type again."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

SCRIPT = "eager-vs-graph"
"""The console command that the distribution installs."""


def name() -> str:
    """``eager-vs-graph`` where that was typed, else ``python -m`` and the name of the package."""
    typed = Path(sys.argv[0])
    if typed.stem == SCRIPT:
        return SCRIPT
    # In a checkout, the package's folder is called harness.
    return f"python -m {'harness' if typed.parent.name == 'harness' else 'eager_vs_graph'}"


def line(*arguments: object) -> str:
    """A command line that does what the arguments say, quoted for a shell."""
    return f"{name()} {shlex.join(map(str, arguments))}"
