"""Large arrays as tensors, with one copy: ``tf.constant`` and ``assign`` hold two for a while."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

LARGE_BYTES = 2**26
_ALIGNED = 64
"""Bytes: what TensorFlow's kernels expect of a tensor's address."""


def as_value(array: Any) -> Any:
    """What a variable is to be given for an array: a tensor for a large one of numbers."""
    return tensor_of(array) if is_large(array) else array


def is_large(array: Any) -> bool:
    """Whether an array is worth it, and of a dtype that NumPy can hand over."""
    return (
        isinstance(array, np.ndarray) and array.nbytes >= LARGE_BYTES and array.dtype.kind in "fiu"
    )


def tensor_of(array: Any) -> Any:
    """A tensor with the array's values, in memory that nobody else has."""
    memory = np.empty(array.nbytes + _ALIGNED, np.uint8)
    start = -memory.ctypes.data % _ALIGNED
    copy = memory[start : start + array.nbytes].view(array.dtype).reshape(array.shape)
    copy[...] = array
    return tf.experimental.dlpack.from_dlpack(copy.__dlpack__())
