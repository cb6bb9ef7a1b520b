"""Verdicts on comparisons, with the rate of false verdicts controlled over the whole run."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import stdtr

from eager_vs_graph.results.cells import CONTROL
from eager_vs_graph.statistics.intervals import quantile_t, quantiles_t
from eager_vs_graph.statistics.moderation import Floats

FALSE_VERDICTS = 0.01
"""Of the verdicts in a run, the share that may be false (Benjamini & Hochberg 1995)."""
MAX_PASSES = 200


@dataclass(frozen=True)
class Judged:
    """A comparison with its interval (log ratios) and its verdict."""

    mean: float
    low: float
    high: float
    verdict: str
    """``faster``, ``slower``, ``same``, ``unclear``; empty with fewer than two passes."""
    detail: str = ""


def judge(
    compared: pd.DataFrame, margin: float, widening: float | None = None
) -> dict[tuple[str, str], Judged]:
    """Give a verdict on every comparison.

    ``faster`` or ``slower``: the mean differs from zero. ``same``: it does not, and lies inside
    the margin by two one-sided tests (Schuirmann 1987). Both families of tests are corrected for
    the number of comparisons. Anything else is ``unclear``, with what would settle it.

    Args:
        compared: as ``compare_modes`` returns it.
        margin: the equivalence margin, as a fraction.
        widening: the factor on every standard error; default: ``calibration``.
    """
    edge = math.log1p(margin)
    testable = (compared["passes"] > 1) & (compared["degrees"] > 0)
    rows = compared[testable]
    scale = calibration(compared) if widening is None else widening
    # Passes that agree to the last bit, as in a record made by hand, have no spread at all.
    error = np.maximum(rows["error"].to_numpy(dtype=np.float64) * scale, np.finfo(np.float64).tiny)
    mean = rows["mean"].to_numpy(dtype=np.float64)
    degrees = rows["degrees"].to_numpy(dtype=np.float64)
    differs = adjust(2 * stdtr(degrees, -np.abs(mean) / error)) <= FALSE_VERDICTS
    same = adjust(stdtr(degrees, -(edge - np.abs(mean)) / error)) <= FALSE_VERDICTS
    judged: dict[tuple[str, str], Judged] = {
        key: Judged(mean, math.nan, math.nan, "")  # type: ignore[misc]
        for key, mean in compared.loc[~testable, "mean"].to_dict().items()
    }
    halves = quantiles_t(0.975, degrees) * error
    deviations, drifts = rows["deviation"].to_numpy() * scale, rows["drift"].to_numpy() * scale
    passes = rows["passes"].to_numpy(dtype=int)
    for i, key in enumerate(rows.index):
        verdict, detail = "unclear", ""
        if differs[i]:
            verdict = "faster" if mean[i] > 0 else "slower"
        elif same[i]:
            verdict = "same"
        else:
            detail = what_settles(mean[i], deviations[i], int(passes[i]), edge, drifts[i])
        judged[key] = Judged(mean[i], mean[i] - halves[i], mean[i] + halves[i], verdict, detail)
    return judged


def calibration(compared: pd.DataFrame) -> float:
    """By how much the A/A controls lie further out than their intervals claim; at least 1.

    Every control's true log ratio is zero, so its mean over its standard error should have a mean
    square of the t distribution's variance. What is more than that is noise which the spread
    between passes does not show, and every interval of the run is widened by it.
    """
    controls = compared[
        (compared.index.get_level_values("mode") == CONTROL)
        & (compared["degrees"] > 2)
        & (compared["passes"] > 1)
    ]
    if len(controls) < 5:
        return 1.0
    expected = controls["degrees"] / (controls["degrees"] - 2)
    squares = (controls["mean"] / controls["error"]) ** 2 / expected
    return max(1.0, math.sqrt(float(squares.mean())))


def noise_floor(compared: pd.DataFrame) -> float:
    """The run's noise floor: what two programs of one mode differ by, in 95 of 100 comparisons.

    Returns:
        A log ratio: the 97.5 % quantile of t times the root mean square of the controls' means;
        NaN for fewer than two controls that more than one pass has timed.
    """
    is_control = compared.index.get_level_values("mode") == CONTROL
    means = compared.loc[is_control & (compared["passes"] > 1), "mean"]
    if len(means) < 2:
        return math.nan
    return quantile_t(0.975, len(means)) * math.sqrt(float((means**2).mean()))


def adjust(p: Floats) -> Floats:
    """The p values adjusted for their number, step up (Benjamini & Hochberg 1995)."""
    count = len(p)
    order = np.argsort(p)[::-1]
    ranks = np.arange(count, 0, -1)
    adjusted = np.empty(count)
    adjusted[order] = np.minimum(1.0, np.minimum.accumulate(p[order] * count / ranks))
    return adjusted


def what_settles(
    mean: float, deviation: float, passes: int, edge: float, drift: float = 0.0
) -> str:
    """Say how many more passes would decide, if mean and spread stay what they are.

    Args:
        mean: the log ratio.
        deviation: between passes.
        passes: how many there are.
        edge: of the equivalence margin, as a log ratio.
        drift: between runs, which no further pass makes smaller.
    """
    nearest = max(abs(mean), edge - abs(mean))
    # Three standard errors: about what the correction for many comparisons asks for.
    left = (nearest / 3.0) ** 2 - drift**2
    if left <= 0:
        return f"not resolvable: the difference is below the run-to-run drift ({3 * drift:.1%})"
    needed = math.ceil(deviation**2 / left)
    if needed > MAX_PASSES:
        return f"needs more than {MAX_PASSES} passes"
    more = max(1, needed - passes)
    return f"needs about {more} more pass{'es' * (more > 1)}"
