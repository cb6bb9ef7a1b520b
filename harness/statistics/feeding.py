"""What feeding costs: a call whose inputs are handed over against one whose inputs are there."""

from __future__ import annotations

import numpy as np
import pandas as pd

from eager_vs_graph.results.cells import CONTROL
from eager_vs_graph.statistics.estimates import locate, pass_latencies
from eager_vs_graph.statistics.intervals import quantile_t
from eager_vs_graph.statistics.moderation import moderate

COLUMNS = ["feeding_s", "feeding_low_s", "feeding_high_s"]


def feeding_costs(blocks: pd.DataFrame) -> pd.DataFrame:
    """Fed minus resident latency of every cell that was timed under both policies.

    The two policies are never in one block, so they are paired by pass: each pass has one log ratio
    of its median blocks, whose spread is moderated as that of speed-ups is. In seconds, it is what
    the ratio adds to the resident latency.

    Returns:
        By fed cell: ``feeding_s`` with its 95% interval, in seconds per call; the limits are NaN
        for a single pass.
    """
    located = locate(blocks[blocks["mode"] != CONTROL])
    keys = ["scenario", "size", "mode", "device"]
    by_pass = pass_latencies(located, [*keys, "inputs"]).unstack("inputs")
    if not {"fed", "resident"} <= set(by_pass.columns):
        return pd.DataFrame(columns=COLUMNS, dtype=float)
    both = by_pass.dropna(subset=["fed", "resident"])
    ratios = (both["fed"] - both["resident"]).groupby(keys, sort=False)
    counts = np.asarray(ratios.size(), dtype=np.float64)
    moderated = moderate(np.asarray(ratios.var(ddof=1), dtype=np.float64), counts - 1)
    quantiles = [quantile_t(0.975, d) if d > 0 else np.nan for d in moderated.degrees]
    half = np.where(counts > 1, quantiles * np.sqrt(moderated.variance / counts), np.nan)
    mean = ratios.mean().to_numpy(dtype=np.float64)
    resident_s = np.exp(both["resident"].groupby(keys, sort=False).mean().to_numpy(dtype=float))
    added = [resident_s * np.expm1(exponent) for exponent in (mean, mean - half, mean + half)]
    index = ratios.size().index.to_frame(index=False).assign(inputs="fed")
    cells = index[["scenario", "size", "mode", "device", "inputs"]].agg("/".join, axis=1)
    return pd.DataFrame(dict(zip(COLUMNS, added, strict=True)), index=list(cells))
