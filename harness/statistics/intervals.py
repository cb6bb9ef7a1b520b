"""Student's t intervals for means over passes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Interval:
    """A mean with its confidence interval; the bounds are NaN for fewer than two values."""

    value: float
    low: float
    high: float

    @property
    def half_width(self) -> float:
        """Half the distance of the bounds, in the unit of the value."""
        return (self.high - self.low) / 2

    def exp(self) -> Interval:
        """The interval of the exponential: a log ratio's interval becomes a ratio's."""
        return Interval(math.exp(self.value), math.exp(self.low), math.exp(self.high))


def mean_interval(values: Sequence[float], confidence: float = 0.95) -> Interval:
    """Mean of independent values and its two-sided t interval (Kalibera & Jones 2013, eq. 3)."""
    array = np.asarray(values, dtype=np.float64)
    count = len(array)
    if count == 0:
        return Interval(math.nan, math.nan, math.nan)
    mean = float(array.mean())
    if count == 1:
        return Interval(mean, math.nan, math.nan)
    half = quantile_t(0.5 + confidence / 2, count - 1) * float(array.std(ddof=1)) / math.sqrt(count)
    return Interval(mean, mean - half, mean + half)


def joint_half_width(
    error_a: Floats, degrees_a: Floats, error_b: Floats, degrees_b: Floats
) -> Floats:
    """Half-width of the 95% interval of the difference of two independent means (Welch 1947).

    Args:
        error_a: standard errors of the first means.
        degrees_a: their degrees of freedom; infinite where the error is known.
        error_b: standard errors of the second means.
        degrees_b: their degrees of freedom.

    Returns:
        In the unit of the errors; NaN where there is none.
    """
    a, b = error_a**2, error_b**2
    degrees = (a + b) ** 2 / (a**2 / degrees_a + b**2 / degrees_b)
    half: Floats = stdtrit(degrees, 0.975) * np.sqrt(a + b)
    return half


def quantile_t(probability: float, degrees: float) -> float:
    """Quantile of Student's t distribution."""
    return float(stdtrit(degrees, probability))


def quantiles_t(probability: float, degrees: Floats) -> Floats:
    """Quantiles of Student's t distributions; NaN where there are no degrees of freedom."""
    has = degrees > 0
    quantiles: Floats = np.full(len(degrees), np.nan)
    quantiles[has] = stdtrit(degrees[has], probability)
    return quantiles
