"""A Python process of the harness: its command, its environment, and how it ended."""

from __future__ import annotations

import os
import re
import signal
import sys
import sysconfig
from pathlib import Path

_GREETING = re.compile(r"[IW]\d{4} |WARNING: All log messages before absl::InitializeLog")
"""What TensorFlow says whenever it starts: not why a process ended."""
SILENCE_S = "EAGER_VS_GRAPH_SILENCE_S"
"""Variable in a child's environment: its ``Limits.silence_s``. A mode that waits for a process of
its own stops waiting sooner, so that it can say why."""
DEFAULT_SILENCE_S = 120.0


def child_environment() -> dict[str, str]:
    """The environment variables of a process of the harness."""
    path = os.pathsep.join(filter(None, [*_own_path(), os.environ.get("PYTHONPATH", "")]))
    # A pass is a pytest session of its own, whatever session it is started from: in a worker of
    # pytest-xdist, pytest-benchmark would measure nothing.
    ours = {name: text for name, text in os.environ.items() if not name.startswith("PYTEST_")}
    return {"TF_CPP_MIN_LOG_LEVEL": "2", **ours, "PYTHONPATH": path}


def python_module(name: str) -> list[str]:
    """The command that runs a module of the harness in a process of its own.

    Without ``-P`` the working directory would come first on its path, and a user's ``random.py``
    or ``statistics.py`` there would take the place of the standard library's.
    """
    return [sys.executable, "-P", "-m", name]


def _own_path() -> list[str]:
    """The folder that the harness was imported from, where a new process would not look.

    Installed packages are left where they are: behind the standard library.
    """
    root = str(Path(__file__).parents[2])
    return [] if root in {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")} else [root]


def how_it_ended(code: int) -> str:
    """What a return code of ``subprocess`` says."""
    if code < 0:
        return f"the process was ended by {signal.Signals(-code).name}"
    return f"the process ended with exit code {code}"


def last_lines(log: str, count: int = 3) -> str:
    """The last words of a process's output, to be put behind how it ended."""
    lines = [line.strip() for line in log.splitlines()]
    told = [line for line in lines if line and not _GREETING.match(line)][-count:]
    return f": {' | '.join(told)}" if told else ""
