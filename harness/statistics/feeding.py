"""What feeding costs: a call whose inputs are handed over against one whose inputs are there."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from eager_vs_graph.results.cells import CONTROL, Cell
from eager_vs_graph.statistics.intervals import quantiles_t
from eager_vs_graph.statistics.moderation import moderate
from eager_vs_graph.statistics.passes import Passes

COLUMNS = ["feeding_s", "feeding_low_s", "feeding_high_s"]


def feeding_costs(passes: Passes) -> pd.DataFrame:
    """Fed minus resident latency of every cell that was timed under both policies.

    The two policies are never in one block, so they are paired by pass: each pass has one log ratio
    of its median blocks, whose spread is moderated as that of speed-ups is. In seconds, it is what
    the ratio adds to the resident latency.

    Returns:
        By fed cell: ``feeding_s`` with its 95% interval, in seconds per call; the limits are NaN
        for a single pass.
    """
    there = set(passes.latencies.index)
    cells = {name: Cell.parse(name) for name in passes.latencies.index}
    pairs = {
        replace(cell, inputs="resident").id: name
        for name, cell in cells.items()
        if cell.inputs == "fed" and cell.mode != CONTROL
    }
    pairs = {resident: fed for resident, fed in pairs.items() if resident in there}
    if not pairs:
        return pd.DataFrame(columns=COLUMNS, dtype=float)
    fed = passes.latencies.loc[list(pairs.values())]
    resident = passes.latencies.loc[list(pairs)].set_axis(fed.index)
    ratios = fed - resident
    counts = np.asarray(ratios.count(axis=1), dtype=np.float64)
    variances = ratios.var(axis=1, ddof=1).to_numpy(dtype=np.float64)
    moderated = moderate(variances, counts - 1)
    half = quantiles_t(0.975, moderated.degrees) * np.sqrt(moderated.variance / counts)
    half = np.where(counts > 1, half, np.nan)
    mean = ratios.mean(axis=1).to_numpy(dtype=np.float64)
    paired = resident.where(ratios.notna())
    resident_s = np.exp(paired.mean(axis=1).to_numpy(dtype=np.float64))
    added = [resident_s * np.expm1(exponent) for exponent in (mean, mean - half, mean + half)]
    table = pd.DataFrame(dict(zip(COLUMNS, added, strict=True)), index=fed.index)
    return table[counts > 0]
