"""Child processes: started, followed through their journals, stopped when they hang or grow.

One cell can take a process with it (a hang, an abort, all the memory). The journal says which cell
the process was at, so that cell is recorded as failed, and the rest continues in a new process.
"""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from eager_vs_graph.errors import Interrupted, UsageError
from eager_vs_graph.processes import jobs
from eager_vs_graph.processes.children import IMPORT_S, Child
from eager_vs_graph.processes.cpu_wait import cpu_wait_s, longest_wait_s
from eager_vs_graph.processes.jobs import Job
from eager_vs_graph.processes.journal import Event, Follower
from eager_vs_graph.processes.python import DEFAULT_SILENCE_S, how_it_ended, last_lines
from eager_vs_graph.results.record import CRASHED, TIMEOUT

_POLL_S = 0.25
_GRACE_S = 10.0
_SHORT_S = 8.0
_FINISH_S = 5.0
"""Seconds for a child to end whose work is done."""
_QUIET_S = 1.0
"""Silence after which it is looked at whether the child waits for a CPU."""


@dataclass(frozen=True)
class Limits:
    """What a child may take."""

    silence_s: float = DEFAULT_SILENCE_S
    """Seconds without a word in the journal, i.e. for one cell's build, parity or block. Time that
    the child spends waiting for a CPU, because the machine is busy, does not count."""
    memory_bytes: int = int(psutil.virtual_memory().total * 0.9)
    explain_s: float | None = None
    """Wall seconds for all explanations; None: as many as the verb gives them."""

    @property
    def short_s(self) -> float:
        """Seconds without a word for a cell whose like has hung before."""
        return min(self.silence_s, max(_SHORT_S, self.silence_s / 12))


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
    silent_s: float = 0.0
    """Seconds from its last word to its end: waiting that is no work."""


def run_child(
    job: Job,
    folder: Path,
    name: str,
    listen: Callable[[Event], None],
    limits: Limits,
    tick: Callable[[], None] = lambda: None,
    environment: Mapping[str, str] | None = None,
    impatient: Callable[[str], bool] = lambda _cell: False,
    take: Callable[[], Child] | None = None,
) -> Outcome:
    """Run a job in a child process until it ends.

    Args:
        job: what to do.
        folder: where job and journal are kept, as ``<name>.job`` and ``<name>.jsonl``.
        name: distinguishes this child from others in the folder.
        listen: is given every event of the journal, in order.
        limits: what the child may take before it is killed.
        tick: is called while waiting, some times a second.
        environment: variables besides those of this process.
        impatient: whether a cell has a short limit, ``Limits.short_s``.
        take: gives a child that waits for work, which has the variables of this process only;
            default: one is started.

    Raises:
        UsageError: the child found the user's mistake.
        Interrupted: Ctrl-C, a hang-up or a termination signal; the child was ended first.
    """
    job_file, journal = (folder / f"{name}.{kind}" for kind in ("job", "jsonl"))
    jobs.write(job, job_file)
    journal.unlink(missing_ok=True)
    follower = Follower(journal)
    watch = _Watch(follower, impatient)

    def hear() -> None:
        for event in follower.events():
            watch.hear(event)
            listen(event)

    with ExitStack() as stack:
        stack.enter_context(_signals_interrupt())
        try:
            child = stack.enter_context(take() if take else Child(limits.silence_s, environment))
        except KeyboardInterrupt:
            raise Interrupted from None
        process = child.process
        child.begin(job_file, journal)
        killed = ""
        try:
            while process.poll() is None:
                time.sleep(_POLL_S)
                hear()
                tick()
                if watch.is_overdue():
                    process.kill()  # its work is done and written; a thread of it does not end
                elif killed := watch.verdict(process.pid, limits):
                    process.kill()
                    process.wait()
        except KeyboardInterrupt:
            _end(process)
            hear()
            raise Interrupted from None
        hear()
        printed = child.output()
    if watch.usage_error:
        raise UsageError(watch.usage_error)
    if killed and not watch.finished:
        status = TIMEOUT if "no sign of progress" in killed else CRASHED
        return Outcome(status, killed, watch.cell, watch.stage, watch.silent_s())
    if not watch.finished:
        how = how_it_ended(process.returncode)
        reason = f"{how}{last_lines(printed)}"
        return Outcome(CRASHED, reason, watch.cell, watch.stage, watch.silent_s())
    return Outcome("complete")


class _Watch:
    """Knows what a child is at, and when it has been at it for too long."""

    def __init__(self, follower: Follower, impatient: Callable[[str], bool]) -> None:
        self._follower = follower
        self._impatient = impatient
        self._cell: str | None = None
        self._turns: list[str] = []
        self.stage = ""
        self.usage_error = ""
        self.finished = False
        self._heard = time.monotonic()
        self._waits: dict[str, float] | None = None
        self._imported = False

    @property
    def cell(self) -> str | None:
        """The cell that the child is at."""
        return self._follower.whose_turn(self._turns) if self._turns else self._cell

    def hear(self, event: Event) -> None:
        self._heard = time.monotonic()
        self._waits = None
        match event["event"]:
            case "imported":
                self._imported = True
            case "cell":
                self._cell, self._turns = event["cell"], []
                self.stage = event.get("stage", "")
            case "turns":
                self._turns = event["cells"]
            case "loading":
                self._cell, self.stage = event["scenario"], "loading"
            case "blocks" | "built" | "grid" | "item" | "parity" | "work":
                self._cell, self._turns = None, []
            case "usage_error":
                self.usage_error = event["message"]
            case "finished" | "done":
                self.finished = True

    def silent_s(self) -> float:
        """Seconds since the child's last word."""
        return time.monotonic() - self._heard

    def is_overdue(self) -> bool:
        """Whether the child has written its last word and does not end."""
        return self.finished and self.silent_s() > _FINISH_S

    def verdict(self, pid: int, limits: Limits) -> str:
        """Why the child must be killed; empty when it may go on."""
        silent = self.silent_s()
        if silent > _QUIET_S and self._waits is None:
            self._waits = cpu_wait_s(pid)
        # A cell's limit says nothing about how long TensorFlow's import takes.
        limit = limits.silence_s if self._imported else max(limits.silence_s, IMPORT_S)
        if self.cell is not None and self._impatient(self.cell):
            limit = limits.short_s
        if silent > limit and silent - longest_wait_s(self._waits or {}, pid) > limit:
            return f"no sign of progress for {silent:.0f} s"
        try:
            resident = psutil.Process(pid).memory_info().rss
        except psutil.Error:
            return ""
        if resident > limits.memory_bytes:
            return f"took {_size(resident)} of memory; the limit is {_size(limits.memory_bytes)}"
        return ""


def _size(memory_bytes: float) -> str:
    if memory_bytes < 2**30:
        return f"{memory_bytes / 2**20:.0f} MiB"
    return f"{memory_bytes / 2**30:.1f} GiB"


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
