"""Checks the parity of every cell, in as many child processes as it takes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import msgspec

from eager_vs_graph.catalog.variables import variables_of
from eager_vs_graph.errors import Interrupted, UsageError
from eager_vs_graph.processes.jobs import CheckJob
from eager_vs_graph.processes.journal import Event
from eager_vs_graph.processes.supervise import Outcome, run_child
from eager_vs_graph.results.cells import Cell
from eager_vs_graph.results.record import CRASHED, TIMEOUT, CellParity, CheckpointParity
from eager_vs_graph.runs.progress import Progress
from eager_vs_graph.runs.request import Request

FILES = "files"
_MAX_LOST = 20
"""Processes that may crash before the check ends."""
_MAX_UNEXPLAINED = 3
"""Of these, processes that ended between cells, such as one that was killed from outside."""


@dataclass
class CheckResult:
    """What the check found."""

    cells: list[Cell] = field(default_factory=list)
    devices: list[str] = field(default_factory=list)
    absent: list[str] = field(default_factory=list)
    environment: dict[str, Any] = field(default_factory=dict)
    parity: dict[str, CellParity] = field(default_factory=dict)
    checkpoints: dict[tuple[str, str], CheckpointParity] = field(default_factory=dict)
    """By the cell that wrote and the cell that restored."""
    finished: list[list[str]] = field(default_factory=list)
    """Scenario and size of the cells that need no further look."""
    uncounted: list[list[str]] = field(default_factory=list)
    """Scenario and size whose work could not be compared."""
    startup_s: float = 0.0
    lost_s: float = 0.0
    """Seconds that went into cells that hung or crashed: they are not taken from the timing."""
    interrupted: bool = False
    """Whether the user stopped the check before every cell had its status."""
    adopted: dict[str, dict[str, Any]] = field(default_factory=dict)
    """By scenario: the arguments and notes of what was adopted (``Scenario.adopted``)."""

    def hear(self, event: Event, progress: Progress) -> None:
        """Take in what the child's journal says."""
        match event.pop("event"):
            case "imported":
                self.startup_s = event["startup_s"]
            case "adopted":
                self.adopted[event["scenario"]] = event
            case "grid":
                self.cells = [Cell.parse(text) for text in event["cells"]]
                self.devices, self.absent = event["devices"], event["absent"]
                self.environment = self.environment or event["environment"]
                progress.stage("checking outputs", len(self.cells) - len(self.parity))
            case "cell":
                progress.cell(event["cell"])
            case "parity":
                parity = msgspec.convert(event, CellParity)
                self.parity[parity.cell] = parity
                progress.advance()
            case "work":
                cell = self.parity[event["cell"]]
                self.parity[event["cell"]] = replace(cell, unequal_work=event["unequal_work"])
            case "checkpoint":
                pair = msgspec.convert(event, CheckpointParity)
                self.checkpoints[pair.wrote, pair.read] = pair
            case "checked":
                self.finished.append([event["scenario"], event["size"]])

    def has_hung(self, cell: str) -> bool:
        """Whether the same scenario and size has hung in another mode."""
        like = cell.split("/")[:2]
        return any(
            parity.status == TIMEOUT and parity.cell.split("/")[:2] == like
            for parity in self.parity.values()
        )

    def notes(self) -> list[str]:
        """What adopting the user's code noted: each note once, with the workloads it holds for."""
        found: dict[str, list[str]] = {}
        for name, about in self.adopted.items():
            for note in about["notes"]:
                found.setdefault(note, []).append(name)
        return [f"{', '.join(names)}: {note}" for note, names in found.items()]

    def in_order(self) -> list[CellParity]:
        """The parity of the cells in the order of the grid."""
        return [self.parity[cell.id] for cell in self.cells if cell.id in self.parity]


def check(
    request: Request,
    folder: Path,
    progress: Progress,
    known: CheckResult | None = None,
    imported: Callable[[], None] = lambda: None,
) -> CheckResult:
    """Check the parity of every cell, in as many processes as it takes.

    Args:
        request: what to check.
        folder: for jobs, journals and output of the processes; what the compared steps wrote is
            left in its subfolder ``FILES``.
        progress: is told what is being done.
        known: an interrupted check to continue.
        imported: is called when a process of the check has imported TensorFlow.

    Returns:
        What was found. When the user interrupted it after the grid was known, it holds what was
        finished, and says so.

    Raises:
        UsageError: nothing to check, or a scenario breaks its contract.
        Interrupted: the user stopped it before anything was known.
    """
    checked = known or CheckResult()
    checked.interrupted = False
    broken: dict[str, list[str]] = {}
    unexplained_ends = 0

    def listen(event: Event) -> None:
        if event["event"] == "imported":
            imported()
        checked.hear(event, progress)

    progress.stage("importing TensorFlow")
    for attempt in range(_MAX_LOST):
        ended = (CRASHED, TIMEOUT)
        job = CheckJob(
            request.selection,
            excluded=[cell.cell for cell in checked.parity.values() if cell.status in ended],
            done=list(checked.parity),
            finished=checked.finished,
            uncounted=checked.uncounted,
            broken=broken,
            files=str(folder / FILES),
        )
        name = f"check-{attempt}"
        try:
            outcome = run_child(
                job,
                folder,
                name,
                listen,
                request.limits,
                progress.tick,
                variables_of(request.selection.entries),
                checked.has_hung,
            )
        except Interrupted:
            if not checked.parity:
                raise
            checked.interrupted = True
            return checked
        if outcome.status == "complete":
            return checked
        checked.lost_s += outcome.silent_s + checked.startup_s
        if outcome.stage == "loading":
            _record_broken(request, outcome, broken, progress)
        elif outcome.cell is None:
            unexplained_ends += 1
            if unexplained_ends > _MAX_UNEXPLAINED:
                raise UsageError(f"the process that checks parity {outcome.reason}")
            progress.note(f"the process that checks parity was restarted: {outcome.reason}")
        else:
            _record_crash(outcome, checked, progress)
    raise UsageError(
        f"{_MAX_LOST} cells crashed their process; run fewer scenarios or modes to find out why"
    )


def _record_broken(
    request: Request, outcome: Outcome, broken: dict[str, list[str]], progress: Progress
) -> None:
    """All scenarios of a file whose import ended or stopped the process."""
    entries = request.selection.entries
    file = next(entry.file for entry in entries if entry.name == outcome.cell)
    reason = f"importing {file}: {outcome.reason}"
    names = [entry.name for entry in entries if entry.file == file]
    broken.update({name: [outcome.status, reason] for name in names})
    if len(broken) == len(entries):
        raise UsageError(reason)
    progress.note(f"{', '.join(names)}: {outcome.status}: {reason}")


def _record_crash(outcome: Outcome, checked: CheckResult, progress: Progress) -> None:
    assert outcome.cell is not None
    if outcome.cell in checked.parity and outcome.stage == "work":
        # Its outputs are known; the process ended when its work was compared.
        cell = Cell.parse(outcome.cell)
        checked.uncounted.append([cell.scenario, cell.size])
        progress.note(
            f"{outcome.cell}: could not check that it does the same amount of work as eager"
        )
        return
    checked.parity[outcome.cell] = CellParity(outcome.cell, outcome.status, outcome.reason)
    progress.note(f"{outcome.cell}: {outcome.status}: {outcome.reason}")
