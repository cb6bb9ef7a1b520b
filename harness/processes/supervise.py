"""Child processes: started, followed through their journals, stopped when they hang or grow.

One cell can take a process with it (a hang, an abort, all the memory). The journal says which cell
the process was at, so that cell is given up and the rest goes on in a new process.
"""

from __future__ import annotations

import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from eager_vs_graph.errors import Interrupted, UsageError
from eager_vs_graph.processes import jobs
from eager_vs_graph.processes.jobs import Job
from eager_vs_graph.processes.journal import Event, Follower
from eager_vs_graph.processes.python import (
    DEFAULT_SILENCE_S,
    SILENCE_S,
    child_environment,
    how_it_ended,
    last_lines,
    python_module,
)
from eager_vs_graph.results.record import CRASHED, TIMEOUT

_POLL_S = 0.25
_GRACE_S = 10.0
_IMPORT_S = 300.0


@dataclass(frozen=True)
class Limits:
    """What a child may take."""

    silence_s: float = DEFAULT_SILENCE_S
    """Seconds without a word in the journal, i.e. for one cell's build, parity or block."""
    memory_bytes: int = int(psutil.virtual_memory().total * 0.9)


@dataclass(frozen=True)
class Outcome:
    """How a child ended."""

    status: str
    """``complete``, ``crashed`` or ``timeout``."""
    reason: str = ""
    cell: str | None = None
    """The cell it was at, when it did not complete."""
    stage: str = ""
    """What was done with that cell."""


def run_child(
    plan: Job,
    folder: Path,
    name: str,
    listen: Callable[[Event], None],
    limits: Limits,
    tick: Callable[[], None] = lambda: None,
    environment: Mapping[str, str] | None = None,
) -> Outcome:
    """Run a plan in a child process until it ends.

    Args:
        plan: what to do.
        folder: where plan, journal and output are kept, as ``<name>.plan`` and so on.
        name: tells this child from others in the folder.
        listen: is given every event of the journal, in order.
        limits: what the child may take before it is killed.
        tick: is called while waiting, some times a second.
        environment: variables besides those of this process.

    Raises:
        UsageError: the child found the user's mistake.
        Interrupted: Ctrl-C, a hang-up or a termination signal; the child was ended first.
    """
    plan_file, journal, log = (folder / f"{name}.{kind}" for kind in ("plan", "jsonl", "log"))
    jobs.write(plan, plan_file)
    journal.unlink(missing_ok=True)
    follower = Follower(journal)
    watch = _Watch()

    def hear() -> None:
        for event in follower.events():
            watch.hear(event)
            listen(event)

    # What the child's programs write goes with it, however it ends.
    scratch = tempfile.TemporaryDirectory(prefix="eager-vs-graph-", ignore_cleanup_errors=True)
    with scratch, log.open("wb") as output, _signals_interrupt():
        process = subprocess.Popen(
            [*python_module("eager_vs_graph.child"), str(plan_file), str(journal)],
            stdout=output,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            # Ctrl-C goes to this process only, which then lets the child finish its block.
            start_new_session=True,
            env={
                **child_environment(),
                SILENCE_S: str(limits.silence_s),
                "TMPDIR": scratch.name,
                **(environment or {}),
            },
        )
        killed = ""
        try:
            while process.poll() is None:
                time.sleep(_POLL_S)
                hear()
                tick()
                if killed := watch.verdict(process.pid, limits):
                    process.kill()
                    process.wait()
        except KeyboardInterrupt:
            _end(process)
            hear()
            raise Interrupted from None
        except BaseException:
            process.kill()
            raise
    hear()
    if watch.usage_error:
        raise UsageError(watch.usage_error)
    if killed:
        status = TIMEOUT if "no sign of progress" in killed else CRASHED
        return Outcome(status, killed, watch.cell, watch.stage)
    if process.returncode != 0 or not watch.finished:
        how = how_it_ended(process.returncode)
        told = last_lines(log.read_text(encoding="utf-8", errors="replace"))
        return Outcome(CRASHED, f"{how}{told}", watch.cell, watch.stage)
    return Outcome("complete")


class _Watch:
    """Knows what a child is at, and when it has been at it for too long."""

    def __init__(self) -> None:
        self.cell: str | None = None
        self.stage = ""
        self.usage_error = ""
        self.finished = False
        self._heard = time.monotonic()
        self._imported = False

    def hear(self, event: Event) -> None:
        self._heard = time.monotonic()
        match event["event"]:
            case "imported":
                self._imported = True
            case "cell":
                self.cell, self.stage = event["cell"], event.get("stage", "")
            case "blocks" | "built" | "parity" | "work":
                self.cell = None
            case "usage_error":
                self.usage_error = event["message"]
            case "finished" | "done":
                self.finished = True

    def verdict(self, pid: int, limits: Limits) -> str:
        """Why the child must be killed; empty when it may go on."""
        silent = time.monotonic() - self._heard
        # A cell's limit says nothing about how long TensorFlow's import takes.
        if silent > (limits.silence_s if self._imported else max(limits.silence_s, _IMPORT_S)):
            return f"no sign of progress for {silent:.0f} s"
        try:
            resident = psutil.Process(pid).memory_info().rss
        except psutil.Error:
            return ""
        if resident > limits.memory_bytes:
            return (
                f"took {resident / 2**30:.1f} GiB of memory; the limit is "
                f"{limits.memory_bytes / 2**30:.1f} GiB"
            )
        return ""


def _end(process: subprocess.Popen[bytes]) -> None:
    """Let the child finish its block and write its rounds; kill it when it does not."""
    process.send_signal(signal.SIGINT)
    try:
        process.wait(_GRACE_S)
    except (subprocess.TimeoutExpired, KeyboardInterrupt):
        process.kill()
        process.wait()


@contextmanager
def _signals_interrupt() -> Iterator[None]:
    """Treat a closed terminal and a termination request like Ctrl-C."""

    def interrupt(_number: int, _frame: Any) -> None:
        raise KeyboardInterrupt

    try:
        before = {s: signal.signal(s, interrupt) for s in (signal.SIGTERM, signal.SIGHUP)}
    except ValueError:  # not in the main thread: signals are somebody else's business
        before = {}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
