"""Pass after pass of a run, until the intervals are narrow enough or the budget is spent.

Free of TensorFlow. What a pass leaves behind is in the run's folder before the next one starts; a
pass that was cut short leaves its finished blocks, even when this process was killed with it.
"""

from __future__ import annotations

import math
import os
import re
import shutil
import time
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec
import psutil

from eager_vs_graph.catalog.entry import Entry
from eager_vs_graph.errors import Interrupted, UsageError
from eager_vs_graph.processes.children import Children
from eager_vs_graph.processes.jobs import MeasureJob
from eager_vs_graph.processes.journal import Event, Follower
from eager_vs_graph.processes.supervise import Limits, Outcome, run_child
from eager_vs_graph.results import files
from eager_vs_graph.results.record import PassCell, PassRecord
from eager_vs_graph.results.request import Timed
from eager_vs_graph.results.rounds import Rounds, of_journal
from eager_vs_graph.results.run import Run
from eager_vs_graph.results.why import CellWhy, Why
from eager_vs_graph.runs import budget as effort
from eager_vs_graph.runs import command
from eager_vs_graph.runs.progress import Progress

if TYPE_CHECKING:
    from eager_vs_graph.results.frames import Frames
    from eager_vs_graph.statistics import GroupPrecision

AHEAD = 2
"""Children that import TensorFlow at the same time."""
STARTUP_SHARE = 0.6
"""Of the time of TensorFlow's import, what a pass waits for: two children import at a time."""
_FOR_A_VERDICT = 2
"""Passes without which there is no interval."""
_MAX_LOST = 20
"""Passes that may crash before the run stops."""
_MAX_UNEXPLAINED = 3
"""Passes in a row that may end for no reason of their cells', such as a kill from outside."""
_ENOUGH_DISK = 20 * 2**20


class DiskFull(UsageError):
    """There is no space for a further pass."""


@dataclass(frozen=True)
class Schedule:
    """How long to go on."""

    budget_s: float
    """Wall seconds for the passes."""
    precision: float
    """Half-width of a log ratio's interval that is narrow enough; 0 means never."""
    passes: int | None
    """Exactly so many passes; None means as many as it takes."""
    seed: int
    limits: Limits
    logical_cpus: int = 1
    overtime_s: float = 0.0
    """Wall seconds beyond the budget for the passes that a verdict needs."""
    watch_s: float = 0.0
    """Seconds for where the time of calls goes, after the blocks of the first pass."""


@dataclass
class Costs:
    """What building and one block of a cell cost, as far as it is known."""

    prepare_s: float
    block_s: float


@dataclass
class PassRunner:
    """The passes of one run."""

    run: Run
    entries: list[Entry]
    timed: list[Timed]
    costs: dict[str, Costs]
    """By cell id: an estimate at first, measured from the first pass on."""
    schedule: Schedule
    progress: Progress
    children: Children
    startup_s: float
    bare_loops: bool = False
    lost: set[str] = field(default_factory=set)
    """Cells that failed; they are not tried again."""

    def measure(self) -> effort.Stop:
        """Measure until it is enough.

        Raises:
            Interrupted: the user stopped it; what was finished is in the record.
            UsageError: the disk is full.
        """
        began = time.monotonic()
        accidents = unexplained = 0
        for number in self.run.pass_numbers():
            self._learn(self.run.pass_record(number))
        while True:
            complete = [n for n in self.run.pass_numbers() if self._is_complete(n)]
            needs = self._needs()
            left_s = self.schedule.budget_s - (time.monotonic() - began)
            asked = self.schedule.passes
            self._say_when_it_ends(left_s, complete)
            overtime_s = self.schedule.overtime_s if len(complete) < _FOR_A_VERDICT else 0.0
            step = effort.next_pass(
                needs,
                remaining_s=left_s + overtime_s,
                startup_s=self.startup_s,
                precision=self.schedule.precision,
                passes_left=None if asked is None else asked - len(complete),
            )
            if isinstance(step, effort.Stop):
                return step
            number = max(self.run.pass_numbers(), default=0) + 1
            ahead = ahead_of(None if asked is None else asked - len(complete))
            record = self._pass(number, step, ahead)
            self._learn(record)
            if record.outcome != "complete":
                accidents += 1
                failed = any(cell.status != "measured" for cell in record.cells.values())
                unexplained = 0 if failed else unexplained + 1
                if accidents >= _MAX_LOST or unexplained >= _MAX_UNEXPLAINED:
                    return effort.Stop(f"{accidents} passes did not complete", reached=False)

    def _say_when_it_ends(self, left_s: float, complete: list[int]) -> None:
        """The budget says it; where passes are counted, those that were made say it."""
        asked = self.schedule.passes
        if asked is None:
            self.progress.ends_in(left_s)
        elif complete:
            seconds = [self.run.pass_record(number).wall_s for number in complete]
            self.progress.ends_in((asked - len(complete)) * sum(seconds) / len(seconds))

    def _is_complete(self, number: int) -> bool:
        return self.run.pass_record(number).outcome == "complete"

    def _needs(self) -> list[effort.Need]:
        """What every group that is not lost still needs."""
        groups: dict[str, list[str]] = defaultdict(list)
        for timed in self.timed:
            if timed.cell not in self.lost:
                groups[timed.group].append(timed.cell)
        known = self._known()
        return [
            effort.Need(
                group=group,
                passes=known[group].passes if group in known else 0,
                half_width=known[group].half_width if group in known else math.inf,
                fixed_s=sum(self.costs[cell].prepare_s for cell in cells),
                block_s=sum(self.costs[cell].block_s for cell in cells),
                weight=known[group].weight if group in known else 1.0,
            )
            for group, cells in groups.items()
        ]

    def _known(self) -> dict[str, GroupPrecision]:
        """What the finished passes say of every group."""
        if not self.run.pass_numbers():
            return {}
        # pandas costs a second; the first pass must not wait for it, and no pass runs meanwhile.
        from eager_vs_graph.results.frames import read
        from eager_vs_graph.statistics import precision_of_groups

        frames = read(self.run.folder)
        self._show(frames)
        return precision_of_groups(frames.blocks, control_of=frames.control_of)

    def _show(self, frames: Frames) -> None:
        """Say what the run has found so far."""
        from eager_vs_graph.reports import tables, wording
        from eager_vs_graph.statistics.summary import summarise

        summary = summarise(frames)
        line = wording.so_far(summary, len(frames.passes))
        self.progress.so_far(line, tables.results(summary, narrow=True))

    def _pass(self, number: int, step: effort.NextPass, ahead: int) -> PassRecord:
        timed = [
            timed
            for timed in self.timed
            if timed.cell not in self.lost and timed.group in step.groups
        ]
        job = MeasureJob(
            entries=self.entries,
            timed=timed,
            number=number,
            seconds=step.timed_s,
            seed=self.schedule.seed,
            logical_cpus=self.schedule.logical_cpus,
            weights=step.weights,
            bare_loops=self.bare_loops,
            watch_s=self.schedule.watch_s if number == 1 else 0.0,
        )
        asked = self.schedule.passes
        what = f"pass {number}" if asked is None else f"pass {number} of {asked}"
        self.progress.stage("importing TensorFlow", of=what)
        listener = PassListener(number, self.progress, programs=len(timed))
        try:
            outcome = run_child(
                job,
                self.run.work,
                f"pass-{number}",
                listener.listen,
                self.schedule.limits,
                self.progress.tick,
                take=lambda: self.children.take(ahead, self.progress.tick),
            )
        except Interrupted:
            listener.save(self.run, Outcome("interrupted"))
            raise
        try:
            record = listener.save(self.run, outcome)
        finally:
            self._require_disk()  # its journal keeps what there was no space for
        self.run.save_why(Why(tuple(listener.why)))
        _forget(self.run, number)
        if outcome.status != "complete":
            what = outcome.cell or f"pass {number}"
            self.progress.note(f"{what}: {outcome.status}: {outcome.reason}")
        return record

    def _require_disk(self) -> None:
        free = shutil.disk_usage(self.run.folder).free
        if free < _ENOUGH_DISK:
            raise DiskFull(
                f"{self.run.folder}: {free / 2**20:.0f} MiB left on the disk; free some space and "
                f"resume with `{command.line('bench', '--resume', self.run.folder)}`"
            )

    def _learn(self, record: PassRecord) -> None:
        for cell, entry in record.cells.items():
            if entry.status != "measured":
                self.lost.add(cell)
            elif entry.prepare_s is not None and entry.block_s is not None:
                self.costs[cell] = Costs(entry.prepare_s, entry.block_s)
        if record.startup_s:
            self.startup_s = STARTUP_SHARE * record.startup_s + 0.5


def ahead_of(passes: int | None) -> int:
    """How many children to start before they are needed, for so many passes (None: any number)."""
    return AHEAD if passes is None else min(AHEAD, passes)


class PassListener:
    """Gathers what the journal of a pass says into its record.

    Attributes:
        why: where the time of calls goes, as far as the pass looked.
    """

    def __init__(self, number: int, progress: Progress, programs: int = 0) -> None:
        self._number = number
        self._progress = progress
        self._programs = programs
        self._cells: dict[str, dict[str, Any]] = {}
        self._startup_s = 0.0
        self._started = _now()
        self._began = time.monotonic()
        self._finished: Event = {}
        self._rounds: list[Rounds] = []
        self.why: list[CellWhy] = []

    def listen(self, event: Event) -> None:
        """Take in one event."""
        match event["event"]:
            case "imported":
                self._startup_s = event["startup_s"]
                self._stage("building", self._programs)
            case "cell":
                self._progress.cell(event["cell"])
            case "built":
                names = ("build_s", "first_call_s", "traces", "prepare_s")
                self._cells[event["cell"]] = {
                    "status": "measured",
                    "retraces": 0,
                    **{name: event[name] for name in names},
                }
                self._progress.advance()
            case "failed":
                self._cells.setdefault(event["cell"], {}).update(
                    status=event["status"], reason=event["reason"]
                )
            case "blocks":
                for cell, block_s in event["block_s"].items():
                    self._cells.setdefault(cell, {"status": "measured"})["block_s"] = block_s
                self._stage("timing", event["total"])
            case "item":
                self._rounds += map(of_journal, event["rounds"])
                self._progress.advance()
            case "why":
                told = {name: value for name, value in event.items() if name != "event"}
                self.why.append(msgspec.convert(told, CellWhy))
            case "finished":
                self._finished = event
                for cell in event["traces"]:
                    self._cells.setdefault(cell, {"status": "measured"}).update(
                        traces=event["traces"][cell], retraces=event["retraces"][cell]
                    )

    def _stage(self, text: str, total: int) -> None:
        """Begin a part of the pass."""
        self._progress.stage(text, total, of=self._progress.stage_of)

    def save(self, run: Run, outcome: Outcome) -> PassRecord:
        """Write the pass."""
        if outcome.cell is not None:
            self._cells.setdefault(outcome.cell, {}).update(
                status=outcome.status, reason=outcome.reason
            )
        run.save_rounds(self._number, self._rounds)
        record = PassRecord(
            number=self._number,
            outcome=outcome.status,
            started=self._started,
            ended=_now(),
            startup_s=self._startup_s,
            blocks_s=self._finished.get("blocks_s", 0.0),
            clock_s=self._finished.get("clock_s", 0.0),
            cells=msgspec.convert(self._cells, dict[str, PassCell]),
            machine=self._finished.get("machine", {}),
            seconds=time.monotonic() - self._began,
        )
        run.save_pass(record)
        return record


def recover(run: Run) -> list[int]:
    """Close the passes whose parent was killed: record them from their journals.

    Returns:
        The numbers of the passes that were recovered.
    """
    # Who made the folder may be somebody else: nothing is removed through a link.
    if run.is_linked or _is_measured(run):
        return []
    recovered = []
    for journal in sorted(run.work.glob("pass-*.jsonl")):
        match = re.fullmatch(r"pass-([1-9][0-9]{0,8})", journal.stem)
        if not match:
            continue
        number = int(match[1])
        if number not in run.pass_numbers():
            listener = PassListener(number, Progress())
            for event in Follower(journal).events():
                with suppress(KeyError, TypeError, ValueError, AttributeError):  # damaged: lost
                    listener.listen(event)
            listener.save(run, Outcome("interrupted"))
            recovered.append(number)
        _forget(run, number)
    return recovered


def _is_measured(run: Run) -> bool:
    """Whether another process is measuring the run at this moment."""
    try:
        holder = int(files.read(run.owner))
        return holder != os.getpid() and psutil.pid_exists(holder)
    except (OSError, ValueError, OverflowError):
        return False


def _forget(run: Run, number: int) -> None:
    """Remove what only an open pass needs."""
    for path in run.work.glob(f"pass-{number}.*"):
        path.unlink()


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
