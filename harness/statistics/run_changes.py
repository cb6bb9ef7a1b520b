"""What changed between two runs: another TensorFlow, another flag, yesterday."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import stdtr

from eager_vs_graph.statistics.intervals import quantiles_t
from eager_vs_graph.statistics.moderation import moderate
from eager_vs_graph.statistics.passes import OF_BLOCK, locate
from eager_vs_graph.statistics.verdicts import FALSE_VERDICTS, adjust


def machine_factor(before: pd.DataFrame, after: pd.DataFrame) -> float:
    """How much longer the probe, fixed work without TensorFlow, took in the second run."""
    return float(np.exp(_probe(after).mean() - _probe(before).mean()))


def compare_runs(before: pd.DataFrame, after: pd.DataFrame, margin: float = 0.03) -> pd.DataFrame:
    """How the latency of every common cell changed, with the machine's part taken out.

    Each pass's latencies are divided by the time that the probe took in that pass, so that a
    machine which is slower today does not make a slower TensorFlow. Passes of two runs are not
    paired otherwise: the interval is Welch's, with moderated variances.

    Args:
        before: blocks of the first run, with ``probe_s``.
        after: blocks of the second run.
        margin: the equivalence margin, as a fraction.

    Returns:
        By cell: ``before_s, after_s`` (as measured), ``change, change_low, change_high`` (ratio
        of times, above 1: slower, the machine's part taken out) and ``verdict``.
    """
    first, second = _by_cell(before), _by_cell(after)
    cells = first.index.intersection(second.index)
    a, b = first.loc[cells], second.loc[cells]
    change = np.asarray(b["mean"] - a["mean"], dtype=np.float64)
    error = np.asarray(np.hypot(a["error"], b["error"]), dtype=np.float64)
    degrees = np.asarray(a["degrees"] + b["degrees"], dtype=np.float64)
    half = quantiles_t(0.975, degrees) * error
    edge = math.log1p(margin)
    # A cell with one pass in either run cannot be tested, and must not count among the others.
    tested = np.isfinite(half)
    differs, same = np.zeros_like(tested), np.zeros_like(tested)
    freedom, of, size = degrees[tested], error[tested], np.abs(change[tested])
    differs[tested] = adjust(2 * stdtr(freedom, -size / of)) <= FALSE_VERDICTS
    same[tested] = adjust(stdtr(freedom, -(edge - size) / of)) <= FALSE_VERDICTS
    verdicts = np.select(
        [~tested, differs & (change > 0), differs, same],
        ["", "slower", "faster", "same"],
        "unclear",
    )
    return pd.DataFrame(
        {
            "before_s": np.exp(a["log_s"]),
            "after_s": np.exp(b["log_s"]),
            "change": np.exp(change),
            "change_low": np.exp(change - half),
            "change_high": np.exp(change + half),
            "verdict": verdicts,
        },
        index=cells,
    )


def _probe(blocks: pd.DataFrame) -> pd.Series[Any]:
    """By pass: the logarithm of the probe's median."""
    medians = blocks.groupby("pass")["probe_s"].median()
    return medians.map(math.log)


def _by_cell(blocks: pd.DataFrame) -> pd.DataFrame:
    """By cell: mean over passes of the log latency in units of the probe, and its error."""
    located = locate(blocks)
    latencies = located.groupby(["cell", "pass"], sort=False)[OF_BLOCK].median()
    relative = latencies - _probe(blocks).reindex(latencies.index, level="pass")
    passes = relative.groupby("cell", sort=False)
    count = np.asarray(passes.size(), dtype=np.float64)
    moderated = moderate(np.asarray(passes.var(ddof=1), dtype=np.float64), count - 1)
    return pd.DataFrame(
        {
            "log_s": latencies.groupby("cell", sort=False).mean(),
            "mean": passes.mean(),
            "error": np.where(count > 1, np.sqrt(moderated.variance / count), np.nan),
            "degrees": moderated.degrees,
        }
    )
