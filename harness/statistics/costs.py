"""Cold costs: what building and the first call of a program take."""

from __future__ import annotations

import math

import pandas as pd

from harness.statistics.intervals import mean_interval


def estimate_costs(passes: pd.DataFrame) -> pd.DataFrame:
    """Cold costs of every cell: geometric mean over passes, with 95 % interval.

    Args:
        passes: one row for each pass and cell: ``cell``, ``build_s``, ``first_call_s``.

    Returns:
        By cell: ``build_s, build_low_s, build_high_s, first_call_s, first_call_low_s,
        first_call_high_s``, in seconds.
    """
    rows: dict[str, dict[str, float]] = {}
    for cell, costs in passes.groupby("cell", sort=False):
        row = rows.setdefault(str(cell), {})
        for what in ("build", "first_call"):
            logs = [math.log(value) for value in costs[f"{what}_s"].dropna() if value > 0]
            interval = mean_interval(logs).exp()
            row |= {
                f"{what}_s": interval.value,
                f"{what}_low_s": interval.low,
                f"{what}_high_s": interval.high,
            }
    return pd.DataFrame.from_dict(rows, orient="index")
