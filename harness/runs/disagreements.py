"""The explanations of a whole check: of every cell that disagrees, within a time limit.

Free of TensorFlow: experiments run in child processes. Whatever goes wrong in them costs the
explanation, never the check or the run.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from eager_vs_graph.errors import UsageError
from eager_vs_graph.results.explanation import OUT_OF_TIME, Explanation
from eager_vs_graph.results.record import (
    CRASHED,
    DIFFERS,
    ERROR,
    NONDETERMINISTIC,
    TIMEOUT,
    CellParity,
)
from eager_vs_graph.runs import explain as inquiry
from eager_vs_graph.runs.progress import Progress

if TYPE_CHECKING:
    from eager_vs_graph.runs.check import CheckResult
    from eager_vs_graph.runs.request import Request

SECONDS = 30.0
"""Wall seconds for the explanations of a check, all together, at most."""
SHARE = 0.35
"""Share of a run's budget that explanations may take, where other cells are timed."""
LEAST_S = 10.0
"""Seconds below which nothing could be found out: TensorFlow's import alone takes some."""
_RESERVE = 0.5
"""Share kept for fresh processes where something changes from run to run: op determinism takes one.
"""
_EXPLAINED = (DIFFERS, NONDETERMINISTIC, ERROR)


def seconds_of(budget_s: float, *, anything_timed: bool, explain_s: float | None = None) -> float:
    """Wall seconds for explanations of a run: kept for them before anything is timed.

    Where no cell agrees, nothing is timed, and all of the budget may go into finding out why.
    """
    if explain_s is not None:
        return explain_s
    return min(SECONDS, budget_s * (SHARE if anything_timed else 1.0))


def explain(
    request: Request,
    checked: CheckResult,
    folder: Path,
    progress: Progress,
    seconds: float | None = None,
) -> list[Explanation]:
    """Explain every cell whose answers do not agree, in the order of the grid.

    Args:
        request: what was checked.
        checked: what the check found.
        folder: for plans, journals and output of the processes.
        progress: is told.
        seconds: wall seconds, default: the request's, or ``SECONDS``; cells for which they do not
            suffice have an explanation that says so.

    Raises:
        Interrupted: the user stopped it.
    """
    cells = disagreeing(checked)
    if not cells:
        return []
    seconds = seconds if seconds is not None else request.limits.explain_s or SECONDS
    if seconds < LEAST_S:
        return [_untried(cell, "no time was left") for cell in cells]
    names = {cell.cell.partition("/")[0] for cell in cells}
    explain_request = inquiry.ExplainRequest(
        selection=replace(
            request.selection,
            entries=[entry for entry in request.selection.entries if entry.name in names],
        ),
        limits=request.limits,
        seconds=seconds,
        reserve_s=seconds * _RESERVE * any(cell.status == NONDETERMINISTIC for cell in cells),
        cells=[cell.cell for cell in cells],
    )
    began = time.monotonic()
    found: dict[str, Explanation] = {}
    try:
        result = inquiry.explain(explain_request, folder, progress)
        found = {each.cell: each for each in result.explanations}
    except UsageError as error:
        progress.note(f"explanations after {time.monotonic() - began:.0f} s: {error}")
    return [_told(cell, found) for cell in _in_order(checked, cells)]


def disagreeing(checked: CheckResult) -> list[CellParity]:
    """The cells that have something to explain.

    What nobody declared comes first, and of that what is quick: it leaves more time to the others.
    A scenario that fails in every mode for one reason, such as a file that does not import, has
    nothing to explain: no mode differs from another.
    """
    fates: dict[str, set[tuple[str, str]]] = {}
    for cell in checked.in_order():
        fates.setdefault(_of(cell), set()).add((cell.status, cell.reason))
    alike = {name for name, fate in fates.items() if len(fate) == 1 and ERROR in next(iter(fate))}
    cells = [
        cell for cell in checked.in_order() if cell.status in _EXPLAINED and _of(cell) not in alike
    ]
    failing = {_of(cell) for cell in cells if cell.failed}
    slowness: dict[str, float] = {}
    for cell in cells:
        took = (cell.call_s or 0.0) * (cell.steps or 1)
        slowness[_of(cell)] = max(took, slowness.get(_of(cell), 0.0))
    return sorted(cells, key=lambda cell: (_of(cell) not in failing, slowness[_of(cell)]))


def _of(cell: CellParity) -> str:
    """Scenario and size."""
    return "/".join(cell.cell.split("/")[:2])


def _in_order(checked: CheckResult, cells: Sequence[CellParity]) -> list[CellParity]:
    chosen = {cell.cell for cell in cells}
    return [cell for cell in checked.in_order() if cell.cell in chosen]


def _told(cell: CellParity, found: Mapping[str, Explanation]) -> Explanation:
    explanation = found.get(cell.cell)
    if explanation is None:
        return _untried(cell, OUT_OF_TIME)
    if explanation.status in (TIMEOUT, CRASHED):  # of the experiments, not of the cell
        return replace(explanation, status=cell.status, reason=cell.reason)
    return explanation


def _untried(cell: CellParity, why: str) -> Explanation:
    return Explanation(cell.cell, cell.status, cell.reason, not_tried=(f"every experiment: {why}",))
