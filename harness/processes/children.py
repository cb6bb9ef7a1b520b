"""Child processes that import TensorFlow before there is work for them.

TensorFlow takes seconds to import. A child starts with that, says when it is ready and waits for
its job without using a CPU, so the next pass can begin at once. Children are never started beside a
measurement: they would take a core from it.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType

import psutil

from eager_vs_graph.processes.python import SILENCE_S, child_environment, python_module
from eager_vs_graph.processes.scratch import scratch_folder

_POLL_S = 0.02
IMPORT_S = 300.0
"""Seconds that TensorFlow's import may take, on the busiest machine."""
_MEMORY_OF_A_CHILD = 2**30
"""Bytes that must be available for a child that is started ahead of its work."""


class Child:
    """A process that has imported TensorFlow, or is about to, and waits for its job."""

    def __init__(self, silence_s: float, environment: Mapping[str, str] | None = None) -> None:
        """Start the process.

        Args:
            silence_s: seconds without a sign of progress that it will be allowed.
            environment: variables besides those of this process.
        """
        self._stack = ExitStack()
        # What the child's programs write goes with it, however it ends.
        scratch = self._stack.enter_context(scratch_folder())
        self._log = scratch / "output"
        self._line, theirs = socket.socketpair()
        self._stack.callback(self._line.close)
        self._line.setblocking(False)
        with self._log.open("wb") as output, theirs:
            self.process = subprocess.Popen(
                [*python_module("eager_vs_graph.child"), str(os.getpid())],
                stdout=output,
                stderr=subprocess.STDOUT,
                stdin=theirs.fileno(),
                # Ctrl-C goes to this process only, which then lets the child finish its block.
                start_new_session=True,
                env={
                    **child_environment(),
                    SILENCE_S: str(silence_s),
                    "TMPDIR": str(scratch),
                    **(environment or {}),
                },
            )
        self._ready = False

    def __enter__(self) -> Child:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def is_settled(self) -> bool:
        """Whether it has imported TensorFlow, or has ended."""
        if not self._ready:
            with suppress(BlockingIOError, ConnectionError):
                self._ready = bool(self._line.recv(1))
        return self._ready or self.process.poll() is not None

    def begin(self, job: Path, journal: Path) -> None:
        """Let it read its job and begin, at once or as soon as it is ready."""
        with suppress(ConnectionError):  # it has ended, which its supervisor will see
            self._line.setblocking(True)
            self._line.sendall(json.dumps([str(job), str(journal)]).encode() + b"\n")

    def output(self) -> str:
        """What it has printed."""
        return self._log.read_text(encoding="utf-8", errors="replace")

    def close(self) -> None:
        """End it, unless it has ended, and remove its temporary files."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self._stack.close()


class Children:
    """Children that are ready before their work is."""

    def __init__(self, silence_s: float, environment: Mapping[str, str] | None = None) -> None:
        """Start none yet; the arguments are those of ``Child``."""
        self._silence_s = silence_s
        self._environment = environment
        self._waiting: list[Child] = []

    def __enter__(self) -> Children:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for child in self._waiting:
            child.close()

    def prepare(self, count: int) -> None:
        """Start children until so many wait for work, as far as memory allows.

        Two imports at a time cost little more than one where there are two cores.
        """
        while len(self._waiting) < min(count, os.cpu_count() or 1):
            if psutil.virtual_memory().available < _MEMORY_OF_A_CHILD:
                return
            self._waiting.append(Child(self._silence_s, self._environment))

    def take(self, ahead: int = 1, tick: Callable[[], None] = lambda: None) -> Child:
        """A child for a measurement; returns when no other one is importing beside it.

        Args:
            ahead: where none is waiting, so many are started: this one, and those after it.
            tick: is called while waiting, some times a second.
        """
        if not self._waiting:
            self.prepare(ahead)
        if not self._waiting:
            return Child(self._silence_s, self._environment)
        deadline = time.monotonic() + IMPORT_S
        # After that, a child that hangs is its supervisor's business.
        while (
            not all(child.is_settled() for child in self._waiting) and time.monotonic() < deadline
        ):
            time.sleep(_POLL_S)
            tick()
        return self._waiting.pop(0)
