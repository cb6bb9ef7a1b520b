"""Student's t intervals for means over passes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit


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


def quantile_t(probability: float, degrees: float) -> float:
    """Quantile of Student's t distribution."""
    return float(stdtrit(degrees, probability))
