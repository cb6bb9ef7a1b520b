"""A Python process of the harness: its command, its environment, and how it ended."""

from __future__ import annotations

import os
import re
import signal
import sys
import sysconfig
from pathlib import Path

_LOG = re.compile(
    r"[IWE]\d{4} |\d{4}-\d\d-\d\d [\d:.]+: [IWE] |WARNING: All log messages before absl|"
    r"Extension modules: |To enable the following instructions"
)
"""What TensorFlow logs whenever it starts, and what Python lists after a fatal error: not why a
process ended. Fatal messages of TensorFlow's begin with F."""
_FATAL = "Fatal Python error: "
_CURRENT = "Current thread "
_INSTALLED = re.compile(r'site-packages|/lib/python3\.|File "<')
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
    """The end of a process's output, to be put behind how it ended; empty where it says nothing.

    After a fatal error, Python prints the stack of every thread: of that, the error and, of the
    thread that it happened in, the innermost frame outside of installed packages are enough.
    """
    lines = [line.strip() for line in log.splitlines()]
    lines = [line for line in lines if line and not _LOG.match(line)]
    fatal = next((n for n, line in enumerate(lines) if line.startswith(_FATAL)), None)
    if fatal is not None:
        stack = lines[fatal:]
        current = next((n for n, line in enumerate(stack) if line.startswith(_CURRENT)), 0)
        frames = [line for line in stack[current:] if line.startswith('File "')]
        own = [frame for frame in frames if not _INSTALLED.search(frame)]
        lines = [*lines[max(0, fatal - 1) : fatal + 1], *(own or frames)[:1]]
    return f": {' | '.join(lines[-count:])}" if lines else ""
