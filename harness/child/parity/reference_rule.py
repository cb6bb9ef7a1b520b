"""A second chance for a tensor that is out of tolerance: is the mode as right as eager is?

The rule is that of PyTorch's dynamo runner (``torch/_dynamo/utils.py``, ``same``): where the
element-wise test fails, both results are held against a float64 reference, and a result passes when
its root mean square error is at most ``multiplier`` times that of the eager result. The multipliers
are PyTorch's: 2, and 3 for 16-bit floats and for tensors of fewer than 1000 elements, whose error
is noisier.

Two things differ here, both stricter. PyTorch adds ``tol / 10`` to the right side (1e-5 with its
usual tolerance of 1e-4), which hides the loss of every digit in small values; nothing is added
here. And the rule speaks of rounding only: where eager itself has lost more than half of the digits
of its dtype, or anything is NaN or infinite, two answers that are both wrong are not called close.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from eager_vs_graph.child.parity.compare import FLOATS, epsilon
from eager_vs_graph.scenario import Array

MULTIPLIER = 2.0
MULTIPLIER_NOISY = 3.0
SMALL_TENSOR = 1000
_SIXTEEN_BITS = ("float16", "bfloat16")


def passes(value: Array, eager: Array, reference: Array) -> bool:
    """Whether a mode's value is as close to the float64 reference as eager's is.

    Args:
        value: the mode's, of a floating dtype.
        eager: eager's, of the same dtype and shape.
        reference: float64, of the same shape.
    """
    if value.dtype != eager.dtype or value.shape != eager.shape or value.shape != reference.shape:
        return False
    if not value.size or value.dtype.name not in FLOATS:
        return False
    wide = [array.astype(np.float64) for array in (value, eager, reference)]
    if not all(np.isfinite(array).all() for array in wide):
        return False
    errors = _rms(wide[0] - wide[2]), _rms(wide[1] - wide[2])
    if errors[1] > _half_the_digits(value.dtype) * _rms(wide[2]):
        return False
    noisy = value.dtype.name in _SIXTEEN_BITS or value.size < SMALL_TENSOR
    return errors[0] <= (MULTIPLIER_NOISY if noisy else MULTIPLIER) * errors[1]


def _rms(array: Array) -> float:
    return float(np.sqrt(np.mean(np.square(array))))


def _half_the_digits(dtype: Any) -> float:
    """Relative error at which half of a dtype's digits are gone: the root of its epsilon."""
    return float(np.sqrt(epsilon(dtype)))
