"""The parent's side of ``why``: the process that watches, its limits, and what it found."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import msgspec

from eager_vs_graph.catalog.selection import Selection
from eager_vs_graph.catalog.variables import variables_of
from eager_vs_graph.errors import UsageError
from eager_vs_graph.processes.jobs import WhyJob
from eager_vs_graph.processes.journal import Event
from eager_vs_graph.processes.supervise import Limits, Outcome, run_child
from eager_vs_graph.results.cells import Cell
from eager_vs_graph.results.why import CellWhy, Why, with_measured
from eager_vs_graph.runs.progress import Progress

SECONDS = 30.0
"""Wall seconds for one question."""
WHOLE = "why"
"""The stage in which a cell's call is watched; without it there is no answer."""
_MAX_LOST = 5


@dataclass(frozen=True)
class WhyRequest:
    """What to look into."""

    selection: Selection
    limits: Limits = field(default_factory=Limits)
    seconds: float = SECONDS
    trace: Path | None = None
    """File for the profiles, as Perfetto reads them."""


def why(request: WhyRequest, folder: Path, progress: Progress) -> Why:
    """Find out where the time of cells' calls goes.

    Args:
        request: the cells.
        folder: for plans, journals and output of the process.
        progress: is told.

    Raises:
        UsageError: a scenario breaks its contract, or the process ends before any cell.
        Interrupted: the user stopped it.
    """
    began = time.monotonic()
    progress.stage("importing TensorFlow")
    found: dict[str, CellWhy] = {}
    left_out: dict[str, list[str]] = {}
    for attempt in range(_MAX_LOST):
        job = WhyJob(
            request.selection,
            seconds=request.seconds - (time.monotonic() - began),
            done=[cell for cell in found if not found[cell].error or cell not in left_out],
            left_out=left_out,
            trace=str(request.trace or ""),
        )
        listen = _listener(found, progress)
        outcome = run_child(
            job,
            folder,
            f"why-{attempt}",
            listen,
            request.limits,
            progress.tick,
            variables_of(request.selection.entries),
        )
        if outcome.status == "complete":
            break
        if outcome.cell is None or outcome.stage == "loading":
            raise UsageError(f"the process that watches {outcome.status}: {outcome.reason}")
        _note_lost(outcome, found, left_out)
    parts = {e.name: e.target.part for e in request.selection.entries if e.target is not None}
    cells = (replace(c, part=parts.get(Cell.parse(c.cell).scenario, "")) for c in found.values())
    return Why(with_measured(tuple(cells)), time.monotonic() - began)


def _listener(found: dict[str, CellWhy], progress: Progress) -> Callable[[Event], None]:
    def listen(event: Event) -> None:
        match event.pop("event"):
            case "grid":
                progress.stage("watching calls", len(event["cells"]))
            case "cell":
                progress.cell(event["cell"])
            case "why":
                cell = msgspec.convert(event, CellWhy)
                found[cell.cell] = cell
                progress.advance()

    return listen


def _note_lost(outcome: Outcome, found: dict[str, CellWhy], left_out: dict[str, list[str]]) -> None:
    """Leave out the stage that ended the process; where it was the whole, the cell."""
    cell = outcome.cell or ""
    before = found.get(cell, CellWhy(cell))
    found[cell] = replace(before, error=f"{outcome.status}: {outcome.reason}")
    if outcome.stage != WHOLE:
        left_out.setdefault(cell, []).append(outcome.stage)
