"""Which cells may carry a speed-up: those that compute what eager computes, with as much work.

Anything else would compare two different computations. A cell that may not keeps its latency, and
gets the reason in one sentence.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from eager_vs_graph.results.cells import CONTROL
from eager_vs_graph.results.explanation import UNEQUAL_WORK
from eager_vs_graph.results.record import AGREEING, NO_DIGIT, NOT_CHECKED

BASELINE = "eager"
GROUP = ["scenario", "size", "device", "inputs"]
"""The columns that the cells of one comparison share."""

COMPARISON = ["speedup", "speedup_low", "speedup_high"]
BREAK_EVEN = ["break_even_calls", "break_even_low_calls", "break_even_high_calls"]


def comparable(row: Any) -> bool:
    """Whether a cell's own outputs, work and traces let it be compared with another cell."""
    return row.status in AGREEING and not row.unequal_work and not count_of(row.retraces)


def may_repay(row: Any) -> bool:
    """Whether a break-even means anything: not where a mode may be as fast as eager."""
    return row.verdict not in ("same", "unclear")


def withhold_speedups(table: pd.DataFrame) -> None:
    """Empty the comparison of every cell that may carry no speed-up, and give the reason.

    Args:
        table: rows of the summary, changed in place.
    """
    baselines = table[table["mode"] == BASELINE]
    eager: dict[tuple[str, ...], Any] = {
        tuple(group): row
        for group, row in zip(baselines[GROUP].to_numpy(), baselines.itertuples(), strict=True)
    }
    rows: list[Any] = list(table.itertuples())
    obstacles = [_obstacle(row, eager) for row in rows]
    withheld = np.array([bool(each) for each in obstacles]) | table["speedup"].isna().to_numpy()
    table.loc[withheld, [*COMPARISON, *BREAK_EVEN]] = np.nan
    table.loc[withheld, ["verdict", "verdict_detail", "baseline"]] = ""
    unequal = [bool(row.unequal_work) and row.status in AGREEING for row in rows]
    table.loc[unequal, "verdict"] = UNEQUAL_WORK
    table["reason"] = [
        "; ".join(filter(None, [obstacle, row.reason]))
        if differs_in_work
        else row.reason or ("" if row.known_difference else obstacle)
        for row, obstacle, differs_in_work in zip(rows, obstacles, unequal, strict=True)
    ]


def _obstacle(row: Any, eager: Mapping[tuple[str, ...], Any]) -> str:
    """Say why a cell can carry no speed-up; empty where it can."""
    if row.status not in AGREEING:
        return str(row.reason) or "no speed-up: the outputs differ from eager's"
    if row.unequal_work:
        return f"{UNEQUAL_WORK}: {row.unequal_work}"
    if np.isnan(row.latency_s):
        return "not timed: no block of it was completed"
    if retraces := count_of(row.retraces):
        return f"no speed-up: traced again {_times(retraces)} while it was timed"
    return "" if row.mode in (BASELINE, CONTROL) else _obstacle_of_eager(row, eager)


def _obstacle_of_eager(row: Any, eager: Mapping[tuple[str, ...], Any]) -> str:
    """Say why nothing in a cell's group can be compared with eager."""
    base = eager.get(tuple(getattr(row, name) for name in GROUP))
    if base is None:
        return "no speed-up: eager was not run"
    if base.status not in AGREEING or count_of(base.retraces):
        return f"no speed-up: the status of eager is {displayed_status(base)}"
    return "no speed-up: eager was not timed" if np.isnan(base.latency_s) else ""


def displayed_status(row: Any) -> str:
    """Give the status as reports show it, marked where there is more to know of it."""
    if row.known_difference and row.status == row.parity_status and row.status not in AGREEING:
        return f"{row.status} (known)"
    if row.unequal_work and row.status in AGREEING:
        return f"{row.status} ({UNEQUAL_WORK})"
    if row.lost_digits and row.status in AGREEING:
        return f"{row.status} ({NO_DIGIT})"
    return f"{row.status} (retraced)" if count_of(row.retraces) else str(row.status) or NOT_CHECKED


def count_of(value: Any) -> int:
    """Return a count, zero where there is none."""
    return 0 if pd.isna(value) else int(value)


def _times(number: int) -> str:
    return {1: "once", 2: "twice"}.get(number, f"{number} times")
