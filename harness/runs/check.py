"""Checks the parity of every cell, in as many child processes as it takes."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import msgspec

from eager_vs_graph.errors import UsageError
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
    adopted: dict[str, dict[str, Any]] = field(default_factory=dict)
    """By scenario: the arguments and notes of what was adopted (``Scenario.adopted``)."""

    def in_order(self) -> list[CellParity]:
        """The parity of the cells in the order of the grid."""
        return [self.parity[cell.id] for cell in self.cells if cell.id in self.parity]


def check(request: Request, folder: Path, progress: Progress) -> CheckResult:
    """Check the parity of every cell, in as many processes as it takes.

    Args:
        request: what to check.
        folder: for plans, journals and output of the processes; what the compared steps wrote is
            left in its subfolder ``FILES``.
        progress: is told.

    Raises:
        UsageError: nothing to check, or a scenario breaks its contract.
        Interrupted: the user stopped it.
    """
    checked = CheckResult()

    def listen(event: Event) -> None:
        match event.pop("event"):
            case "imported":
                checked.startup_s = event["startup_s"]
            case "adopted":
                checked.adopted[event["scenario"]] = event
            case "grid":
                checked.cells = [Cell.parse(text) for text in event["cells"]]
                checked.devices, checked.absent = event["devices"], event["absent"]
                checked.environment = event["environment"]
                progress.stage("parity", len(checked.cells))
            case "parity":
                checked.parity[event["cell"]] = msgspec.convert(event, CellParity)
                progress.advance(event["cell"])
            case "work":
                cell = checked.parity[event["cell"]]
                checked.parity[event["cell"]] = replace(cell, unequal_work=event["unequal_work"])
            case "checkpoint":
                checked.checkpoints[event["wrote"], event["read"]] = msgspec.convert(
                    event, CheckpointParity
                )
            case "checked":
                checked.finished.append([event["scenario"], event["size"]])

    progress.stage("importing TensorFlow")
    for attempt in range(_MAX_LOST):
        job = CheckJob(
            request.selection,
            excluded=[
                cell.cell for cell in checked.parity.values() if cell.status in (CRASHED, TIMEOUT)
            ],
            done=list(checked.parity),
            finished=checked.finished,
            uncounted=checked.uncounted,
            files=str(folder / FILES),
        )
        outcome = run_child(job, folder, f"check-{attempt}", listen, request.limits, progress.tick)
        if outcome.status == "complete":
            return checked
        _record_crash(outcome, checked, progress)
    raise UsageError(
        f"{_MAX_LOST} cells crashed their process; run fewer scenarios or modes to find out why"
    )


def _record_crash(outcome: Outcome, checked: CheckResult, progress: Progress) -> None:
    if outcome.cell is None:
        raise UsageError(f"the process that checks parity {outcome.status}: {outcome.reason}")
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
