"""One log ratio a block, one estimate a pass, one interval a comparison."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from eager_vs_graph.results.cells import CONTROL
from eager_vs_graph.statistics.intervals import quantile_t
from eager_vs_graph.statistics.moderation import moderate
from eager_vs_graph.statistics.verdicts import Judged, judge, noise_floor

DRIFT = 0.006
"""Two runs of one grid, minutes apart on one machine, differ by more than the spread of their
passes explains: from one five minutes to the next the machine treats Python, threads and kernels a
little differently, all of a mode's cells alike, and the more the further their ratio is from 1.
This is the part of one run, as a standard deviation of the log ratio of two modes relative to that
log ratio (tests/benchmarks/agreement.py; README.md has the runs)."""

LATENCY_OF_BLOCK = "log_median_s"
RATIO_OF_BLOCK = "log_fastest_s"
"""What stands for a block, in a latency and in a ratio of two modes: columns of ``locate``. This is
the only place where they are chosen. They differ today, so the ratio of two latencies is not the
speed-up beside them (README.md says why)."""

BATCHES = 10
"""Of the blocks of a pass, to tell how well the pass knows its median."""

COLUMNS = [
    *("latency_s", "latency_low_s", "latency_high_s", "speedup", "speedup_low", "speedup_high"),
    *("within_passes", "between_passes", "noise_floor", "verdict", "verdict_detail"),
    *("rounds", "passes"),
]


def estimate_cells(
    blocks: pd.DataFrame,
    baseline: str = "eager",
    margin: float = 0.03,
    control_of: str | None = None,
) -> pd.DataFrame:
    """Latency, speed-up and verdict of every cell.

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
    located = locate(blocks)
    table = _latencies(located)
    compared = compare_modes(located, baseline, control_of)
    verdicts = judge(compared, margin)
    cells = located.groupby(["group", "mode"])["cell"].first()
    for key, verdict in verdicts.items():
        table.loc[cells[key], _SPEEDUP] = _row(verdict)
    of_cells = compared.set_axis([cells[key] for key in compared.index])
    table["within_passes"] = of_cells["noise"] / np.sqrt(of_cells["passes"])
    table["between_passes"] = of_cells["movement"].where(of_cells["passes"] > 1)
    table["noise_floor"] = noise_floor(compared)
    for cell in located.loc[located["mode"] == baseline, "cell"].unique():
        table.loc[cell, "speedup"] = 1.0
    return table.reindex(columns=COLUMNS)


_SPEEDUP = ["speedup", "speedup_low", "speedup_high", "verdict", "verdict_detail"]


def _row(judged: Judged) -> list[Any]:
    bounds = np.exp([judged.mean, judged.low, judged.high]).tolist()
    return [*bounds, judged.verdict, judged.detail]


def locate(blocks: pd.DataFrame) -> pd.DataFrame:
    """The blocks with logarithms of what can stand for a turn.

    Returns:
        ``log_median_s``: of the median round, what a call typically takes; ``log_fastest_s``: of
        the fastest, what it takes when nothing disturbs it.
    """
    return blocks.assign(
        log_median_s=np.log(blocks["median_s"].to_numpy(dtype=np.float64)),
        log_fastest_s=np.log(blocks["fastest_s"].to_numpy(dtype=np.float64)),
    )


@dataclass(frozen=True)
class PassRatios:
    """What the passes say of one comparison."""

    log_ratio: pd.Series[Any]
    """By pass: the median over its blocks of the log ratio, reference over mode."""
    error: pd.Series[Any]
    """By pass: the standard error of that median, from the scatter within the pass; NaN where it
    has too few blocks to tell."""


def pass_ratios(
    located: pd.DataFrame, baseline: str, control_of: str | None
) -> dict[tuple[str, str], PassRatios]:
    """By (group, mode): one log ratio a pass, and how well the pass knows it.

    The two cells are paired block by block, so that what a slow moment does to both cancels; the
    estimate of a pass is the median of its blocks' log ratios. A block counts with its fastest
    round: contention only adds time, and to Python more than to a kernel.
    """
    keys = ["group", "pass", "block"]
    table = located.pivot_table(index=keys, columns="mode", values=RATIO_OF_BLOCK)
    ratios: dict[tuple[str, str], PassRatios] = {}
    for mode in table.columns:
        reference = control_of if mode == CONTROL else baseline
        if mode == baseline or reference not in table:
            continue
        paired = (table[reference] - table[mode]).dropna().groupby(["group", "pass"])
        medians, errors = paired.median(), paired.apply(_error_of_median)
        for group, values in medians.groupby("group"):
            ratios[str(group), str(mode)] = PassRatios(values.droplevel("group"), errors.loc[group])
    return ratios


def _error_of_median(of_blocks: pd.Series[float]) -> float:
    """Standard error of a median of values that follow each other, by batch means.

    Blocks that were timed at nearly the same time are alike, so that their own scatter would claim
    too much. Batches of successive blocks are nearly independent (Law & Kelton, *Simulation
    Modeling and Analysis*, section 9.5.3).
    """
    values = of_blocks.to_numpy(dtype=np.float64)
    batches = min(BATCHES, len(values) // 2)
    if batches < 2:
        return math.nan
    medians = [float(np.median(part)) for part in np.array_split(values, batches)]
    return float(np.std(medians, ddof=1)) / math.sqrt(batches)


def compare_modes(
    located: pd.DataFrame, baseline: str, control_of: str | None, drift: float = DRIFT
) -> pd.DataFrame:
    """Every comparison of the run: mean, standard error and degrees of freedom over passes.

    Args:
        located: as ``locate`` returns it.
        baseline: the mode that ratios refer to.
        control_of: the mode that the A/A control repeats; its ratio refers to that mode.
        drift: how far one run is from another, as a standard deviation of a log ratio relative
            to it. A control has none: what slows one program of a mode slows the other.

    Returns:
        By (group, mode): ``mean`` (log ratio, above 0: faster), ``deviation`` (between passes),
        ``drift``, ``error`` (of the mean, with both), ``degrees``, ``passes``; and what the
        deviation is made of: ``noise`` (what the scatter within passes explains; NaN where it is
        not known) and ``movement`` (what the ratio itself moved, as a standard deviation).
    """
    of_passes = pass_ratios(located, baseline, control_of)
    ratios = {key: found.log_ratio for key, found in of_passes.items()}
    index = pd.MultiIndex.from_tuples(list(ratios), names=["group", "mode"])
    passes = np.array([len(values) for values in ratios.values()], dtype=np.float64)
    means = np.array([values.mean() for values in ratios.values()], dtype=np.float64)
    variances = np.array([values.var(ddof=1) for values in ratios.values()], dtype=np.float64)
    moderated = moderate(variances, passes - 1)
    of_modes = np.array([mode != CONTROL for _, mode in ratios], dtype=np.float64)
    drifts = of_modes * drift * np.abs(means)
    noise = np.array([_root_mean_square(found.error) for found in of_passes.values()])
    movement = np.sqrt(np.maximum(0.0, variances - np.nan_to_num(noise) ** 2))
    return pd.DataFrame(
        {
            "mean": means,
            "deviation": np.sqrt(moderated.variance),
            "drift": drifts,
            "error": np.sqrt(moderated.variance / passes + drifts**2),
            "degrees": moderated.degrees,
            "passes": passes,
            "noise": noise,
            "movement": movement,
        },
        index=index,
    )


def _root_mean_square(values: pd.Series[Any]) -> float:
    known = values.dropna().to_numpy(dtype=np.float64)
    return float(np.sqrt(np.mean(known**2))) if len(known) else math.nan


def pass_latencies(located: pd.DataFrame, keys: Sequence[str] = ("cell",)) -> pd.Series[Any]:
    """One log latency (seconds per call) a pass: the median over its blocks.

    Args:
        located: as ``locate`` returns it.
        keys: the columns that tell the cells apart.

    Returns:
        By these columns and ``pass``.
    """
    latencies: pd.Series[Any] = located.groupby([*keys, "pass"], sort=False)[
        LATENCY_OF_BLOCK
    ].median()
    return latencies


def _latencies(located: pd.DataFrame) -> pd.DataFrame:
    """Seconds per call of every cell: geometric mean over passes of the median block."""
    passes = pass_latencies(located).groupby("cell", sort=False)
    count = passes.size()
    moderated = moderate(
        np.asarray(passes.var(ddof=1), dtype=np.float64), np.asarray(count, dtype=np.float64) - 1
    )
    degrees = pd.Series(moderated.degrees, index=count.index)
    quantile = np.array([quantile_t(0.975, d) if d > 0 else np.nan for d in degrees])
    half = quantile * np.sqrt(moderated.variance / count.to_numpy(dtype=np.float64))
    half = np.where(count > 1, half, np.nan)
    mean = passes.mean()
    table = pd.DataFrame(
        {
            "latency_s": np.exp(mean),
            "latency_low_s": np.exp(mean - half),
            "latency_high_s": np.exp(mean + half),
            "rounds": located.groupby("cell", sort=False)["rounds"].sum(),
            "passes": count,
        }
    )
    empty = {"speedup": np.nan, "speedup_low": np.nan, "speedup_high": np.nan}
    return table.assign(**empty, verdict="", verdict_detail="")
