"""Which cells are timed, which groups have an A/A control, and a first guess of what each costs."""

from __future__ import annotations

from eager_vs_graph.results.cells import CONTROL, Cell
from eager_vs_graph.results.request import Timed
from eager_vs_graph.runs.check import CheckResult
from eager_vs_graph.runs.passes import Costs

_TRACE_S = 0.3
_PREPARE_S = 0.1
"""Seconds to build and warm a program of negligible calls: a first guess."""
_SHORT_BLOCK_S = 0.012
MAX_CONTROLS = 12
"""Groups that have an A/A control: enough to know the noise floor; the rest of the time is for the
comparisons that were asked for."""
NO_CONTROL_S = 1.0
"""A group with longer calls has no A/A control of its own: it would cost a quarter of its time."""


def timed_cells(checked: CheckResult, control_of: str) -> list[Timed]:
    """What is worth timing: cells that agree or differ as declared, and the A/A controls."""
    worth = {
        cell: parity
        for cell in checked.cells
        if (parity := checked.parity.get(cell.id)) and parity.timed
    }
    twins = [
        cell
        for cell, parity in worth.items()
        if cell.mode == control_of and (parity.call_s or 0.0) < NO_CONTROL_S
    ]
    step = max(1.0, len(twins) / MAX_CONTROLS)  # spread over the grid
    chosen = {twins[int(index * step)] for index in range(min(len(twins), MAX_CONTROLS))}
    timed = []
    for cell in worth:
        timed.append(Timed(cell.id, cell.mode, cell.group))
        if cell in chosen:
            timed.append(Timed(cell.in_mode(CONTROL).id, control_of, cell.group))
    return timed


def first_costs(checked: CheckResult, timed: list[Timed]) -> dict[str, Costs]:
    """Costs guessed from what the check took."""
    costs = {}
    for each in timed:
        parity = checked.parity[Cell.parse(each.cell).in_mode(each.mode).id]
        call_s = parity.call_s or 0.0
        if call_s < _TRACE_S:  # mostly tracing, which _PREPARE_S holds already
            call_s = 0.0
        costs[each.cell] = Costs(_PREPARE_S + 2 * call_s, max(_SHORT_BLOCK_S, call_s))
    return costs
