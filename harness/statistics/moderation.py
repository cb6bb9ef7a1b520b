"""Variances from few passes, each borrowing strength from all the others.

With five passes a cell's own standard deviation is known to within a factor of two, and the t
quantile that has to make up for it is wide. Many cells are measured alike in one run, so each
variance is shrunk towards what is typical of the run: Smyth, "Linear models and empirical Bayes
methods for assessing differential expression in microarray experiments" (2004), sections 3 and 6.2.
The prior variance s0² and its degrees of freedom d0 are estimated from the run; where cells really
differ in noise, d0 comes out small and little is borrowed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import digamma, polygamma

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Moderated:
    """Posterior variances and their degrees of freedom, one for each comparison."""

    variance: Floats
    degrees: Floats


def moderate(variance: Floats, degrees: Floats) -> Moderated:
    """Shrink sample variances towards the run's.

    Args:
        variance: sample variances; NaN where there is one value only.
        degrees: their degrees of freedom, 0 where there is one value only.
    """
    usable = (degrees > 0) & (variance > 0)
    if usable.sum() < 3:
        return Moderated(variance, degrees)
    prior_variance, prior_degrees = _prior(variance[usable], degrees[usable])
    own = np.where(usable, variance, 0.0)
    total = np.minimum(prior_degrees + degrees, degrees[usable].sum())
    if math.isinf(prior_degrees):
        return Moderated(np.full_like(variance, prior_variance), total)
    weight = prior_degrees + degrees
    posterior = (prior_degrees * prior_variance + degrees * own) / weight
    return Moderated(posterior, total)


def _prior(variance: Floats, degrees: Floats) -> tuple[float, float]:
    """Smyth (2004), section 6.2: s0² and d0 from the moments of the log variances."""
    half = degrees / 2
    e = np.log(variance) - digamma(half) + np.log(half)
    spread = float(e.var(ddof=1) - polygamma(1, half).mean())
    if spread <= 0:  # no more spread than equal variances would show
        return float(np.exp(e.mean())), math.inf
    prior_degrees = 2 * _inverse_trigamma(spread)
    half_prior = prior_degrees / 2
    return float(np.exp(e.mean() + digamma(half_prior) - math.log(half_prior))), prior_degrees


def _inverse_trigamma(value: float) -> float:
    """Solve trigamma(y) = value by Newton's method (Smyth 2004, appendix)."""
    y = 0.5 + 1 / value
    for _ in range(50):
        tri = float(polygamma(1, y))
        step = tri * (1 - tri / value) / float(polygamma(2, y))
        y += step
        if -step / y < 1e-8:
            break
    return y
