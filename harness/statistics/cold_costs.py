"""Cold costs: what building and the first call of a program take."""

from __future__ import annotations

import numpy as np
import pandas as pd

from eager_vs_graph.statistics.intervals import quantiles_t
from eager_vs_graph.statistics.moderation import moderate


def estimate_costs(passes: pd.DataFrame) -> pd.DataFrame:
    """Cold costs of every cell: geometric mean over passes, with moderated 95% interval.

    Args:
        passes: one row for each pass and cell: ``cell``, ``build_s``, ``first_call_s``.

    Returns:
        By cell: ``build_s, build_low_s, build_high_s, first_call_s, first_call_low_s,
        first_call_high_s``, in seconds; bounds are NaN for fewer than two passes.
    """
    by_cell = {what: _costs(passes, what) for what in ("build", "first_call")}
    return pd.concat(by_cell.values(), axis=1)


def _costs(passes: pd.DataFrame, what: str) -> pd.DataFrame:
    measured = passes[passes[f"{what}_s"] > 0]
    values = pd.Series(np.log(measured[f"{what}_s"].astype(float)), index=measured.index)
    logs = values.groupby(measured["cell"], sort=False)
    count = np.asarray(logs.size(), dtype=np.float64)
    moderated = moderate(np.asarray(logs.var(ddof=1), dtype=np.float64), count - 1)
    quantile = quantiles_t(0.975, moderated.degrees)
    half = np.where(count > 1, quantile * np.sqrt(moderated.variance / count), np.nan)
    mean = logs.mean()
    columns = {"_s": mean, "_low_s": mean - half, "_high_s": mean + half}
    return pd.DataFrame({f"{what}{end}": np.exp(log_s) for end, log_s in columns.items()})
