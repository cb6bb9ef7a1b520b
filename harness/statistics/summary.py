"""One row a cell: the frame behind ``summary.csv``, and all that tables and charts are made of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import pandas as pd

from eager_vs_graph.results.cells import CONTROL, Cell
from eager_vs_graph.results.explanation import UNEQUAL_WORK
from eager_vs_graph.results.frames import Frames
from eager_vs_graph.results.mode_kinds import EXECUTION, kinds_of
from eager_vs_graph.results.record import AGREEING, NO_DIGIT, STATUSES, CellParity, TensorComparison
from eager_vs_graph.results.request import RunRequest
from eager_vs_graph.statistics import estimate_cells, estimate_costs
from eager_vs_graph.statistics.break_even import break_even
from eager_vs_graph.statistics.feeding import feeding_costs

BASELINE = "eager"
NO_REFERENCE = "no reference"
"""Stands for the word against the reference where answers were held against eager alone."""

COLUMNS = [
    *("scenario", "size", "mode", "device", "inputs", "status"),
    *("median_s", "ci_low_s", "ci_high_s", "speedup", "speedup_low", "speedup_high"),
    *("verdict", "noise_floor", "build_s", "first_call_s", "traces", "rounds", "passes"),
    *(
        "parity",
        "known_difference",
        "max_ulp_eager",
        "max_ulp_reference",
        "reason",
        "verdict_detail",
    ),
    *("baseline", "retraces", "status_vs_eager", "status_vs_reference"),
    *("build_low_s", "build_high_s", "first_call_low_s", "first_call_high_s", "peak_memory_bytes"),
    "parameters",
    *("break_even_calls", "break_even_low", "break_even_high"),
    *("feeding_s", "feeding_low_s", "feeding_high_s"),
    *("kind", "unequal_work", "lost_digits"),
]
TEXTS = [
    *("status", "verdict", "parity", "known_difference", "reason", "verdict_detail"),
    *("baseline", "status_vs_eager", "status_vs_reference", "parameters", "kind", "unequal_work"),
    "lost_digits",
]
COUNTS = ["traces", "rounds", "passes", "retraces", "peak_memory_bytes"]
COMPARISON = ["speedup", "speedup_low", "speedup_high"]
BREAK_EVEN = ["break_even_calls", "break_even_low", "break_even_high"]
FEEDING = ["feeding_s", "feeding_low_s", "feeding_high_s"]
GROUP = ["scenario", "size", "device", "inputs"]


def summarise(frames: Frames) -> pd.DataFrame:
    """One row a cell in the run's order, indexed by cell id, with ``COLUMNS``.

    A speed-up is carried only by a cell that agrees and does eager's work, in a group whose eager
    cell agrees, without a retrace inside the timed blocks: anything else would compare two
    different computations.
    The A/A control's ``baseline`` is its twin, every other cell's is eager.
    """
    records = [_record_row(cell, frames) for cell in frames.cells]
    table = pd.DataFrame(records, index=pd.Index([cell.id for cell in frames.cells], name="cell"))
    blocks = frames.blocks
    # A comparison that is withheld must not count among those that are judged together.
    judged = blocks[blocks["cell"].isin(table.index[[_agrees(row) for row in summary_rows(table)]])]
    for estimates in (_latencies(blocks), _comparisons(judged, frames), _costs(frames)):
        table = table.join(estimates)
    table = table.reindex(columns=COLUMNS)
    table[TEXTS] = table[TEXTS].astype(object).where(table[TEXTS].notna(), "")
    table[COUNTS] = table[COUNTS].astype("Int64")
    numbers = table.columns.difference([*TEXTS, *COUNTS, *GROUP, "mode"])
    table[numbers] = table[numbers].astype(float)
    _withhold_speedups(table)
    return table


def summary_rows(summary: pd.DataFrame) -> Iterator[Any]:
    """Iterate over rows as named tuples; pandas' own types would have every field be anything."""
    return iter(summary.itertuples())


def compared(summary: pd.DataFrame) -> pd.DataFrame:
    """Select the rows that carry a speed-up against eager."""
    return summary[(summary["baseline"] == BASELINE) & (summary["mode"] != BASELINE)]


def displayed_status(row: Any) -> str:
    """Give the status as tables show it: a declared difference and a retrace are marked."""
    if row.known_difference and row.status == row.parity and row.status not in AGREEING:
        return f"{row.status} (known)"
    if row.unequal_work and row.status in AGREEING:
        return f"{row.status} ({UNEQUAL_WORK})"
    if row.lost_digits and row.status in AGREEING:
        return f"{row.status} ({NO_DIGIT})"
    return f"{row.status} (retraced)" if _number(row.retraces) else str(row.status)


def worst_word(tensors: Iterable[TensorComparison], otherwise: str = "") -> str:
    """Find the worst word of some tensors."""
    return max((tensor.status for tensor in tensors), key=STATUSES.index, default=otherwise)


def worst_ulp(tensors: Iterable[TensorComparison]) -> float | None:
    """Find the largest distance of some tensors; None when none is a floating one."""
    return max((t.max_ulp for t in tensors if t.max_ulp is not None), default=None)


def _record_row(cell: Cell, frames: Frames) -> dict[str, Any]:
    """Collect what the record says of a cell without any statistics."""
    twin = cell.in_mode(frames.control_of or CONTROL) if cell.mode == CONTROL else cell
    parity = frames.parity.get(cell.id) or frames.parity.get(twin.id)
    history = [
        (each.number, each.cells[cell.id]) for each in frames.passes if cell.id in each.cells
    ]
    row: dict[str, Any] = {
        **vars(cell),
        "baseline": twin.mode if cell.mode == CONTROL else BASELINE,
        "traces": max((e.traces for _, e in history if e.traces is not None), default=None),
        "retraces": max((e.retraces for _, e in history if e.retraces is not None), default=None),
        "parameters": _parameters(frames.request, cell),
        "kind": kinds_of(frames.request).get(twin.mode, EXECUTION),
        **(_parity_row(parity) if parity else {"reason": "parity was not recorded"}),
    }
    if cell.mode == CONTROL:  # its twin's work is its own
        row["unequal_work"] = ""
    if row["traces"] is None and parity:
        row["traces"] = parity.traces
    row["status"] = row.get("parity", "")
    failed = [(number, entry) for number, entry in history if entry.status != "measured"]
    if (failed and row["status"] in (*AGREEING, "")) or (failed and row["known_difference"]):
        number, entry = failed[0]
        row["status"] = entry.status
        row["reason"] = f"in pass {number}: {entry.reason or entry.status}"
    return row


def _parity_row(parity: CellParity) -> dict[str, Any]:
    eager = [tensor for tensor in parity.tensors if tensor.against == "eager"]
    reference = [tensor for tensor in parity.tensors if tensor.against == "reference"]
    return {
        "parity": parity.status,
        "reason": parity.reason,
        "known_difference": parity.known or "",
        "max_ulp_eager": worst_ulp(eager),
        "max_ulp_reference": worst_ulp(reference),
        "peak_memory_bytes": parity.peak_memory_bytes,
        "status_vs_eager": worst_word(eager),
        "status_vs_reference": worst_word(reference, NO_REFERENCE if eager else ""),
        "unequal_work": parity.unequal_work,
        "lost_digits": "; ".join(
            dict.fromkeys(tensor.lost_detail for tensor in parity.tensors if tensor.lost)
        ),
    }


def _parameters(request: RunRequest, cell: Cell) -> str:
    scenario = request.scenarios.get(cell.scenario)
    return scenario.sizes.get(cell.size, "") if scenario else ""


def _agrees(row: Any) -> bool:
    """Whether a cell's own answers, work and traces let it be compared with another cell."""
    return row.status in AGREEING and not row.unequal_work and not _number(row.retraces)


def _latencies(blocks: pd.DataFrame) -> pd.DataFrame:
    """Latency of every timed cell, compared or not."""
    columns = ["median_s", "ci_low_s", "ci_high_s", "rounds", "passes"]
    if blocks.empty:
        return pd.DataFrame(columns=columns)
    return estimate_cells(blocks, baseline=BASELINE).reindex(columns=columns)


def _comparisons(blocks: pd.DataFrame, frames: Frames) -> pd.DataFrame:
    """Speed-up, verdict, break-even and cost of feeding of the cells that may be compared."""
    columns = [*COMPARISON, "noise_floor", "verdict", "verdict_detail"]
    if blocks.empty:
        return pd.DataFrame(columns=[*columns, *BREAK_EVEN, *FEEDING])
    twin = frames.control_of
    comparisons = estimate_cells(blocks, BASELINE, control_of=twin).reindex(columns=columns)
    repaid = break_even(frames.pass_cells, blocks, BASELINE, control_of=twin)
    return comparisons.join(repaid).join(feeding_costs(blocks))


def _costs(frames: Frames) -> pd.DataFrame:
    columns = [
        f"{cost}{end}_s" for cost in ("build", "first_call") for end in ("", "_low", "_high")
    ]
    measured = frames.pass_cells[frames.pass_cells["build_s"].notna()]
    if measured.empty:
        return pd.DataFrame(columns=columns)
    return estimate_costs(measured).reindex(columns=columns)


def _withhold_speedups(table: pd.DataFrame) -> None:
    """Empty the comparison of every cell that may not be compared, and say why."""
    eager = table[table["mode"] == BASELINE].set_index(GROUP)
    for cell, row in table.iterrows():
        reason = _obstacle(row, eager)
        if reason or np.isnan(row["speedup"]):
            table.loc[cell, [*COMPARISON, *BREAK_EVEN]] = np.nan
            table.loc[cell, ["verdict", "verdict_detail", "baseline"]] = ""
        if row["unequal_work"] and row["status"] in AGREEING:
            table.loc[cell, "verdict"] = UNEQUAL_WORK
        told = str(row["reason"]) or str(row["known_difference"])
        if reason.startswith(UNEQUAL_WORK):
            table.loc[cell, "reason"] = "; ".join(filter(None, [reason, row["reason"]]))
        elif reason and not told:
            table.loc[cell, "reason"] = reason


def _obstacle(row: pd.Series[Any], eager: pd.DataFrame) -> str:
    """Say why a cell can carry no speed-up; empty where it can."""
    if row["status"] not in AGREEING:
        return str(row["reason"]) or "no speed-up: its answers do not agree"
    if row["unequal_work"]:
        return f"{UNEQUAL_WORK}: {row['unequal_work']}"
    if np.isnan(row["median_s"]):
        return "no block was timed"
    if _number(row["retraces"]):
        times = _number(row["retraces"])
        return f"no speed-up: {times} retrace{'s'[: times > 1]} in the timed blocks"
    return "" if row["mode"] in (BASELINE, CONTROL) else _obstacle_of_eager(row, eager)


def _obstacle_of_eager(row: pd.Series[Any], eager: pd.DataFrame) -> str:
    """Say why nothing in a cell's group can be compared with eager."""
    group = tuple(row[GROUP])
    if group not in eager.index:
        return "no speed-up: eager was not run"
    base = eager.loc[[group]].iloc[0]
    if base["status"] not in AGREEING or _number(base["retraces"]):
        return f"no speed-up: eager {displayed_status(base)}"
    return "no speed-up: eager was not timed" if np.isnan(base["median_s"]) else ""


def _number(value: Any) -> int:
    """Return a count, zero where there is none."""
    return 0 if pd.isna(value) else int(value)
