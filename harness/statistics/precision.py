"""How precise the groups of an unfinished run are so far: what the next pass is planned with."""

from __future__ import annotations

import math
from dataclasses import dataclass

import pandas as pd

from eager_vs_graph.results.cells import CONTROL
from eager_vs_graph.statistics.estimates import compare_modes
from eager_vs_graph.statistics.intervals import quantile_t
from eager_vs_graph.statistics.passes import locate

NEAR_ONE = math.log(1.25)
NEAR_ONE_COUNTS = 2.0
"""Noise counts so much more where the ratio is near 1: there it decides."""
MAX_WEIGHT = 4.0
"""The noisiest group gets at most so many times the time of the median one, and the quietest at
least its inverse: after few passes noise is itself only roughly known."""


@dataclass(frozen=True)
class GroupPrecision:
    """How precisely the comparisons of a group have been measured so far."""

    passes: int
    half_width: float
    """The largest half-width of its log ratios' 95% intervals, after its last pass or after the one
    before: an interval that is narrow for the first time is so by luck in part, and a run that
    stopped there would claim too much (tests/benchmarks/coverage.py). inf with one pass."""
    weight: float
    """Its share of the next pass, relative to other groups."""


def precision_of_groups(
    blocks: pd.DataFrame, baseline: str = "eager", control_of: str | None = None
) -> dict[str, GroupPrecision]:
    """Passes, widest interval and weight of every group so far.

    Longer passes only help against noise within passes, and its variance is inversely
    proportional to the time that goes into it: so a group's weight is that variance relative to
    the run's median one. What the ratio itself moves from pass to pass takes further passes.

    Args:
        blocks: as for ``estimate_cells``.
        baseline: the mode that ratios refer to.
        control_of: the mode that the A/A control repeats; controls need no precision of their own.

    The drift between runs is left out: no pass of this run can make it smaller.
    """
    if blocks.empty:
        return {}
    passes = blocks.groupby("group")["pass"].nunique()
    located = locate(blocks)
    compared, half = _comparisons(located, baseline, control_of)
    last = located.groupby("group")["pass"].transform("max")
    _, before = _comparisons(located[located["pass"] < last], baseline, control_of)
    half = half.clip(lower=before.reindex(half.index, fill_value=math.inf))
    far = compared["mean"].abs() > NEAR_ONE
    noise = compared["noise"].where(far, compared["noise"] * NEAR_ONE_COUNTS)
    # A group with one mode compares nothing: its passes are all that can be asked for.
    widest = _largest(half).reindex(passes.index, fill_value=0.0)
    counting = _largest(noise.dropna())
    weights = ((counting / counting.median()) ** 2).clip(1 / MAX_WEIGHT, MAX_WEIGHT)
    of_groups = weights.reindex(passes.index).fillna(1.0)
    return {
        str(group): GroupPrecision(
            int(passes[group]), float(widest[group]), float(of_groups[group])
        )
        for group in passes.index
    }


def _comparisons(
    located: pd.DataFrame, baseline: str, control_of: str | None
) -> tuple[pd.DataFrame, pd.Series[float]]:
    """Every comparison but the controls, and the half-width of its interval."""
    compared = compare_modes(located, baseline, control_of, drift=0.0)
    compared = compared[compared.index.get_level_values("mode") != CONTROL]
    half = pd.Series(
        [
            quantile_t(0.975, row["degrees"]) * row["error"] if row["degrees"] > 0 else math.inf
            for _, row in compared.iterrows()
        ],
        index=compared.index,
        dtype=float,
    )
    return compared, half


def _largest(of_comparisons: pd.Series[float]) -> pd.Series[float]:
    largest: pd.Series[float] = of_comparisons.groupby(level=0).max()
    return largest
