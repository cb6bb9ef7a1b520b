"""One row a cell: the frame behind ``summary.csv``, and all that tables and charts are made of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import pandas as pd

from eager_vs_graph.results.cells import CONTROL, Cell
from eager_vs_graph.results.frames import Frames
from eager_vs_graph.results.mode_kinds import EXECUTION, kinds_of
from eager_vs_graph.results.record import AGREEING, STATUSES, CellParity, PassCell, TensorComparison
from eager_vs_graph.results.request import RunRequest
from eager_vs_graph.statistics import estimate_costs
from eager_vs_graph.statistics.break_even import break_even_of
from eager_vs_graph.statistics.estimates import estimate_passes
from eager_vs_graph.statistics.feeding import feeding_costs
from eager_vs_graph.statistics.passes import Passes, locate, reduce
from eager_vs_graph.statistics.speedup_rule import (
    BASELINE,
    COMPARISON,
    GROUP,
    comparable,
    withhold_speedups,
)

NO_REFERENCE = "no reference"
"""Stands for the status against the reference where only eager was there to compare with."""

FEEDING = ["feeding_s", "feeding_low_s", "feeding_high_s"]
LATENCIES = ["latency_s", "latency_low_s", "latency_high_s", "median_s", "rounds", "passes"]
"""What every timed cell has, compared or not."""

COLUMNS = {
    "scenario": "name of the workload",
    "size": "name of its parameter set",
    "mode": "execution mode; `control` is the A/A control, a mode timed under a second name",
    "device": "logical device",
    "inputs": "`resident` (on the device when the clock starts) or `fed` (handed over each call)",
    "status": "what became of the cell: that of its outputs, or how it failed while it was timed",
    "latency_s": "seconds of a call that nothing disturbs; of a mode with a speed-up, eager's "
    "latency divided by it",
    "latency_low_s": "lower end of its 95% interval",
    "latency_high_s": "upper end",
    "median_s": "seconds of the median round, whatever disturbed it",
    "speedup": "the baseline's time over the mode's; empty where they must not be compared",
    "speedup_low": "lower end of its 95% interval",
    "speedup_high": "upper end",
    "within_passes": "what the scatter within passes leaves uncertain of it: standard error, as a "
    "fraction; longer passes make it smaller",
    "between_passes": "what the speed-up itself moved from pass to pass: standard deviation, as a "
    "fraction; only further passes average it out",
    "baseline": "what the speed-up refers to: eager, or of the A/A control its own mode",
    "verdict": "`faster`, `slower`, `same`, `unclear`, `unequal work`, or empty",
    "verdict_detail": "of `unclear`: what would settle it",
    "noise_floor": "what the A/A controls of the run differ by, as a fraction",
    "break_even_calls": "calls after which building and first call are repaid; 0: ahead from the "
    "first call, inf: never",
    "break_even_low_calls": "lower end of its 95% interval",
    "break_even_high_calls": "upper end",
    "reason": "why a cell failed, differs or carries no speed-up",
    "parity_status": "status of its outputs and variables, before anything was timed",
    "status_vs_eager": "their status against eager alone",
    "status_vs_reference": "their status against the reference alone",
    "max_ulp_vs_eager": "their largest distance from eager, in units in the last place",
    "max_ulp_vs_reference": "their largest distance from the reference, likewise",
    "max_scaled_vs_eager": "their largest distance from eager, as a part of the tensor's "
    "largest value",
    "max_scaled_vs_reference": "their largest distance from the reference, likewise",
    "known_difference": "the reason that the scenario declares for a difference",
    "unequal_work": "why the mode does not do the same amount of work as eager",
    "lost_digits": "where no digit is right although the tolerance is kept",
    "build_s": "seconds to build the program: variables, graph, session; geometric mean",
    "build_low_s": "lower end of its 95% interval",
    "build_high_s": "upper end",
    "first_call_s": "seconds of the first call: tracing, Grappler, first execution; geometric mean",
    "first_call_low_s": "lower end of its 95% interval",
    "first_call_high_s": "upper end",
    "feeding_s": "seconds that a call with fed inputs takes longer than with resident ones",
    "feeding_low_s": "lower end of its 95% interval",
    "feeding_high_s": "upper end",
    "traces": "traces of the Python body until the last timed call; 0 for eager",
    "retraces": "those of them that happened while it was timed",
    "rounds": "timed rounds, of all passes",
    "passes": "passes (fresh processes) that timed the cell",
    "peak_memory_bytes": "growth of the process's peak resident memory in the parity check",
    "parameters": "of the size, such as `n=8, products=20`",
    "mode_kind": "`execution`, `deployment` or `distribution`",
}
"""The columns of the summary and of ``summary.csv``. Seconds end in ``_s``, bytes in ``_bytes``,
calls in ``_calls``; a field without a value is empty, never zero."""

TEXTS = [
    *("status", "verdict", "verdict_detail", "reason", "baseline", "parity_status"),
    *("status_vs_eager", "status_vs_reference", "known_difference", "unequal_work", "lost_digits"),
    *("parameters", "mode_kind"),
]
COUNTS = ["traces", "retraces", "rounds", "passes", "peak_memory_bytes"]


def summarise(frames: Frames) -> pd.DataFrame:
    """One row a cell in the run's order, indexed by cell id, with ``COLUMNS``.

    ``speedup_rule`` has which of them carry a speed-up.
    """
    history = _history(frames)
    records = [_record_row(cell, frames, history.get(cell.id, [])) for cell in frames.cells]
    table = pd.DataFrame(records, index=pd.Index([cell.id for cell in frames.cells], name="cell"))
    if len(frames.blocks):
        passes = reduce(locate(frames.blocks), BASELINE, frames.control_of)
        # A comparison that is withheld must not count among those that are judged together.
        judged = [row.Index for row in summary_rows(table) if comparable(row)]
        table = table.join(estimate_passes(passes, BASELINE)[LATENCIES])
        table = table.join(_comparisons(passes.only(judged), frames))
    table = table.join(_costs(frames))
    table = table.reindex(columns=list(COLUMNS))
    table[TEXTS] = table[TEXTS].astype(object).where(table[TEXTS].notna(), "")
    table[COUNTS] = table[COUNTS].astype("Int64")
    numbers = table.columns.difference([*TEXTS, *COUNTS, *GROUP, "mode"])
    table[numbers] = table[numbers].astype(float)
    withhold_speedups(table)
    return table


def summary_rows(summary: pd.DataFrame) -> Iterator[Any]:
    """Iterate over rows as named tuples; pandas' own types would have every field be anything."""
    return iter(summary.itertuples())


def compared(summary: pd.DataFrame) -> pd.DataFrame:
    """Select the rows that carry a speed-up against eager."""
    return summary[(summary["baseline"] == BASELINE) & (summary["mode"] != BASELINE)]


UNFINISHED = "the run ended before its outputs were compared"


def worst_status(tensors: Iterable[TensorComparison], otherwise: str = "") -> str:
    """Return the worst status of some tensors."""
    return max((tensor.status for tensor in tensors), key=STATUSES.index, default=otherwise)


def worst_ulp(tensors: Iterable[TensorComparison]) -> float | None:
    """Return the largest distance of some tensors; None when none is a floating one."""
    return max((t.max_ulp for t in tensors if t.max_ulp is not None), default=None)


def _history(frames: Frames) -> dict[str, list[tuple[int, PassCell]]]:
    """By cell: what every pass says of it, with the pass's number."""
    found: dict[str, list[tuple[int, PassCell]]] = {}
    for record in frames.passes:
        for cell, entry in record.cells.items():
            found.setdefault(cell, []).append((record.number, entry))
    return found


def _worst_scaled(tensors: Iterable[TensorComparison]) -> float | None:
    """The largest distance of some tensors relative to their scale; None when none has one."""
    return max((t.max_scaled for t in tensors if t.max_scaled is not None), default=None)


def _record_row(cell: Cell, frames: Frames, history: list[tuple[int, PassCell]]) -> dict[str, Any]:
    """Collect what the record says of a cell without any statistics."""
    twin = cell.in_mode(frames.control_of or CONTROL) if cell.mode == CONTROL else cell
    parity = frames.parity.get(cell.id) or frames.parity.get(twin.id)
    row: dict[str, Any] = {
        **vars(cell),
        "baseline": twin.mode if cell.mode == CONTROL else BASELINE,
        "traces": max((e.traces for _, e in history if e.traces is not None), default=None),
        "retraces": max((e.retraces for _, e in history if e.retraces is not None), default=None),
        "parameters": _parameters(frames.request, cell),
        "mode_kind": kinds_of(frames.request).get(twin.mode, EXECUTION),
        **(_parity_row(parity) if parity else {"reason": UNFINISHED}),
    }
    if cell.mode == CONTROL:  # its twin's work is its own
        row["unequal_work"] = ""
    if row["traces"] is None and parity:
        row["traces"] = parity.traces
    row["status"] = row.get("parity_status", "")
    failed = [(number, entry) for number, entry in history if entry.status != "measured"]
    if failed and (row["status"] in (*AGREEING, "") or row["known_difference"]):
        number, entry = failed[0]
        row["status"] = entry.status
        row["reason"] = f"in pass {number}: {entry.reason or entry.status}"
    return row


def _parity_row(parity: CellParity) -> dict[str, Any]:
    eager = [tensor for tensor in parity.tensors if tensor.against == "eager"]
    reference = [tensor for tensor in parity.tensors if tensor.against == "reference"]
    return {
        "parity_status": parity.status,
        "reason": parity.reason,
        "known_difference": parity.known or "",
        "max_ulp_vs_eager": worst_ulp(eager),
        "max_ulp_vs_reference": worst_ulp(reference),
        "max_scaled_vs_eager": _worst_scaled(eager),
        "max_scaled_vs_reference": _worst_scaled(reference),
        "peak_memory_bytes": parity.peak_memory_bytes,
        "status_vs_eager": worst_status(eager),
        "status_vs_reference": worst_status(reference, NO_REFERENCE if eager else ""),
        "unequal_work": parity.unequal_work,
        "lost_digits": "; ".join(
            dict.fromkeys(tensor.lost_detail for tensor in parity.tensors if tensor.lost)
        ),
    }


def _parameters(request: RunRequest, cell: Cell) -> str:
    scenario = request.scenarios.get(cell.scenario)
    return scenario.sizes.get(cell.size, "") if scenario else ""


def _comparisons(passes: Passes, frames: Frames) -> pd.DataFrame:
    """Speed-up, verdict, break-even and cost of feeding of the cells that may be compared."""
    parts = ["within_passes", "between_passes"]
    columns = [*COMPARISON, *parts, "noise_floor", "verdict", "verdict_detail"]
    estimates = estimate_passes(passes, BASELINE)[columns]
    logarithms = [*parts, "noise_floor"]
    estimates[logarithms] = np.expm1(estimates[logarithms].astype(float))
    return estimates.join(break_even_of(frames.pass_cells, passes)).join(feeding_costs(passes))


def _costs(frames: Frames) -> pd.DataFrame:
    columns = [
        f"{cost}{end}_s" for cost in ("build", "first_call") for end in ("", "_low", "_high")
    ]
    measured = frames.pass_cells[frames.pass_cells["build_s"].notna()]
    if measured.empty:
        return pd.DataFrame(columns=columns)
    return estimate_costs(measured).reindex(columns=columns)
