"""The command line in a process that a test interrupts or kills, and waiting for its events."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import psutil

# A shell may have started the tests with SIGINT ignored, and that is inherited.
LAUNCH = (
    "import signal; signal.signal(signal.SIGINT, signal.default_int_handler);"
    "from eager_vs_graph.cli import main; main()"
)
PATIENCE_S = 1800.0
"""Longer than anything here takes on the busiest machine: it only ends what hangs."""


class Done(NamedTuple):
    code: int
    out: str
    err: str


class Started:
    """``eager-vs-graph`` in a folder, with a lock and temporary files of its own."""

    def __init__(self, folder: Path, *arguments: str | Path) -> None:
        self.temporary = folder / "tmp"
        self.temporary.mkdir(exist_ok=True)
        number = time.monotonic_ns()
        self._out, self._err = (self.temporary / f"{number}.{kind}" for kind in ("out", "err"))
        own = {
            "EAGER_VS_GRAPH_LOCK": str(self.temporary / "lock"),
            "TMPDIR": str(self.temporary),
            "COLUMNS": "200",
            "NO_COLOR": "1",
        }
        with self._out.open("wb") as out, self._err.open("wb") as err:
            self.process = subprocess.Popen(
                [sys.executable, "-c", LAUNCH, *map(str, arguments)],
                cwd=folder,
                env={**os.environ, **own},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
            )

    def done(self) -> Done:
        code = self.process.wait(PATIENCE_S)
        texts = (file.read_text(encoding="utf-8") for file in (self._out, self._err))
        return Done(code, *texts)

    def children(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)

    def until(self, condition: Callable[[], bool], what: str) -> None:
        """Wait for an event; the process may not end before it."""

        def happened() -> bool:
            if condition():
                return True
            assert self.process.poll() is None, (what, self.done())
            return False

        until(happened, what)

    def interrupt(self, number: int = signal.SIGINT) -> Done:
        self.process.send_signal(number)
        return self.done()

    def kill(self) -> None:
        """End the process as nothing can be caught, and wait until its children have ended."""
        family = self.children()
        self.process.kill()
        self.process.wait()
        until(lambda: all(map(is_gone, family)), "a process outlives its parent")


def harness(folder: Path, *arguments: str | Path) -> Done:
    return Started(folder, *arguments).done()


def until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


def is_gone(process: psutil.Process) -> bool:
    """Whether a process has ended; who adopted it may be slow to bury it."""
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def scratch_of(folder: Path) -> list[str]:
    """Temporary folders that are left."""
    return [path.name for path in (folder / "tmp").glob("eager-vs-graph-*")]


def latest(folder: Path) -> Path | None:
    """The folder of the one run that there is; what is not yet a run is hidden."""
    runs = [path for path in (folder / "results").glob("[0-9]*") if not path.is_symlink()]
    assert len(runs) <= 1, runs
    return runs[0] if runs else None
