"""One log ratio a block, one estimate a pass, one interval a comparison."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from eager_vs_graph.results.cells import CONTROL
from eager_vs_graph.statistics.intervals import quantiles_t
from eager_vs_graph.statistics.moderation import moderate
from eager_vs_graph.statistics.passes import Passes, locate, reduce
from eager_vs_graph.statistics.verdicts import Judged, judge, noise_floor

DRIFT = 0.006
"""Two runs of one grid, minutes apart on one machine, differ by more than the spread of their
passes explains: from one five minutes to the next the machine treats Python, threads and kernels a
little differently, all of a mode's cells alike, and the more the further their ratio is from 1.
This is the part of one run, as a standard deviation of the log ratio of two modes relative to that
log ratio (tests/benchmarks/agreement.py; README.md has the runs)."""

COLUMNS = [
    *("latency_s", "latency_low_s", "latency_high_s", "speedup", "speedup_low", "speedup_high"),
    *("within_passes", "between_passes", "median_s", "noise_floor", "verdict", "verdict_detail"),
    *("rounds", "passes"),
]


def estimate_cells(
    blocks: pd.DataFrame,
    baseline: str = "eager",
    margin: float = 0.03,
    control_of: str | None = None,
) -> pd.DataFrame:
    """Latency, speed-up and verdict of every cell.

    The latency of a mode that was timed beside the baseline is the baseline's divided by the
    mode's speed-up: what its call takes in the moments in which the baseline's takes its latency.

    Args:
        blocks: one row a turn: ``pass``, ``cell``, ``group``, ``mode``, ``block``; of its rounds
            ``fastest_s`` and ``median_s``, in seconds per call, and their number, ``rounds``.
        baseline: the mode that speed-ups refer to.
        margin: the equivalence margin, as a fraction.
        control_of: the mode that the A/A control repeats; its speed-up refers to that mode.

    Returns:
        By cell: ``latency_s, latency_low_s, latency_high_s`` (seconds per call), ``speedup,
        speedup_low, speedup_high`` (above 1: faster than the baseline); what its uncertainty is
        made of, as log ratios: ``within_passes`` (standard error from the scatter within passes,
        which longer passes make smaller) and ``between_passes`` (standard deviation of what the
        ratio itself moved, which only further passes average out); ``noise_floor`` (a log ratio,
        one for the run), ``verdict, verdict_detail, rounds, passes``. NaN where there is none.
    """
    return estimate_passes(reduce(locate(blocks), baseline, control_of), baseline, margin)


def estimate_passes(passes: Passes, baseline: str = "eager", margin: float = 0.03) -> pd.DataFrame:
    """Likewise, of blocks that are reduced to passes."""
    table = _latencies(passes)
    compared = compare_passes(passes)
    verdicts = judge(compared, margin)
    cell_of = passes.cell_of
    judged = pd.DataFrame.from_dict(
        {cell_of[key]: _row(verdict) for key, verdict in verdicts.items()},
        orient="index",
        columns=_SPEEDUP,
    )
    table.loc[judged.index, _SPEEDUP] = judged
    _beside_baseline(table, passes, verdicts)
    of_cells = compared.set_axis([cell_of[key] for key in compared.index])
    table["within_passes"] = of_cells["noise"] / np.sqrt(of_cells["passes"])
    table["between_passes"] = of_cells["movement"].where(of_cells["passes"] > 1)
    table["noise_floor"] = noise_floor(compared)
    table.loc[passes.cells.index[passes.cells["mode"] == baseline], "speedup"] = 1.0
    return table.reindex(columns=COLUMNS)


_LATENCY = ["latency_s", "latency_low_s", "latency_high_s"]
_SPEEDUP = ["speedup", "speedup_low", "speedup_high", "verdict", "verdict_detail"]


def _row(judged: Judged) -> list[Any]:
    return [
        *(math.exp(each) for each in (judged.mean, judged.low, judged.high)),
        judged.verdict,
        judged.detail,
    ]


def _beside_baseline(
    table: pd.DataFrame, passes: Passes, verdicts: Mapping[tuple[str, str], Judged]
) -> None:
    """Put the latency of a compared mode where the baseline's and its speed-up have it.

    The width of its interval stays what it is.
    """
    compared = [key for key in verdicts if key[1] != CONTROL]
    if not compared:
        return
    cell_of = passes.cell_of
    these = [cell_of[key] for key in compared]
    baseline_s = table.loc[[passes.reference[key] for key in compared], "latency_s"].to_numpy()
    paired_s = baseline_s / np.exp([verdicts[key].mean for key in compared])
    factors = paired_s / table.loc[these, "latency_s"].to_numpy()
    table.loc[these, _LATENCY] = table.loc[these, _LATENCY].mul(factors, axis=0)


def compare_modes(
    located: pd.DataFrame, baseline: str, control_of: str | None, drift: float = DRIFT
) -> pd.DataFrame:
    """Every comparison of the run, from its blocks: see ``compare_passes``.

    Args:
        located: as ``locate`` returns it.
        baseline: the mode that ratios refer to.
        control_of: the mode that the A/A control repeats; its ratio refers to that mode.
        drift: see ``compare_passes``.
    """
    return compare_passes(reduce(located, baseline, control_of), drift)


def compare_passes(passes: Passes, drift: float = DRIFT) -> pd.DataFrame:
    """Every comparison of the run: mean, standard error and degrees of freedom over passes.

    Args:
        passes: the run, reduced to its passes.
        drift: how far one run is from another, as a standard deviation of a log ratio relative
            to it. A control has none: what slows one program of a mode slows the other.

    Returns:
        By (group, mode): ``mean`` (log ratio, above 0: faster), ``deviation`` (between passes),
        ``drift``, ``error`` (of the mean, with both), ``degrees``, ``passes``; and what the
        deviation is made of: ``noise`` (what the scatter within passes explains; NaN where it is
        not known) and ``movement`` (what the ratio itself moved, as a standard deviation).
    """
    ratios = passes.ratios
    count = np.asarray(ratios.count(axis=1), dtype=np.float64)
    means = ratios.mean(axis=1).to_numpy(dtype=np.float64)
    variances = ratios.var(axis=1, ddof=1).to_numpy(dtype=np.float64)
    moderated = moderate(variances, count - 1)
    of_modes = (ratios.index.get_level_values("mode") != CONTROL).astype(np.float64)
    drifts = of_modes * drift * np.abs(means)
    noise = np.sqrt((passes.errors**2).mean(axis=1)).to_numpy(dtype=np.float64)
    movement = np.sqrt(np.maximum(0.0, variances - np.nan_to_num(noise) ** 2))
    return pd.DataFrame(
        {
            "mean": means,
            "deviation": np.sqrt(moderated.variance),
            "drift": drifts,
            "error": np.sqrt(moderated.variance / count + drifts**2),
            "degrees": moderated.degrees,
            "passes": count,
            "noise": noise,
            "movement": movement,
        },
        index=ratios.index,
    )


def _latencies(passes: Passes) -> pd.DataFrame:
    """Seconds per call of every cell by itself: geometric mean over passes of the median block."""
    count = np.asarray(passes.latencies.count(axis=1), dtype=np.float64)
    variances = passes.latencies.var(axis=1, ddof=1).to_numpy(dtype=np.float64)
    moderated = moderate(variances, count - 1)
    half = quantiles_t(0.975, moderated.degrees) * np.sqrt(moderated.variance / count)
    half = np.where(count > 1, half, np.nan)
    mean = passes.latencies.mean(axis=1)
    table = pd.DataFrame(
        {
            "latency_s": np.exp(mean),
            "latency_low_s": np.exp(mean - half),
            "latency_high_s": np.exp(mean + half),
            "median_s": np.exp(passes.medians.mean(axis=1)),
            "rounds": passes.cells["rounds"],
            "passes": count.astype(np.int64),
        }
    )
    empty = {"speedup": np.nan, "speedup_low": np.nan, "speedup_high": np.nan}
    return table.assign(**empty, verdict="", verdict_detail="")
