"""The guide's "With Numpy": NumPy on tensors, and the bridge that takes NumPy into a graph."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from eager_vs_graph import Scenario, Size
from eager_vs_graph.scenario import Array, Feed, State


def draw_integers(size: Size, rng: np.random.Generator) -> Sequence[Feed]:
    """Return the matrix that the size gives, or draw one of integers from 0 to 999, int32.

    The product of such a number and its successor fits an int32.
    """
    if "a" in size:
        return [{"a": np.array(size.a, np.int32)}]
    return [{"a": rng.integers(1000, size=(size.n, size.n), dtype=np.int32)}]


def add_and_multiply(a: Array) -> Mapping[str, Array]:
    """Return what both scenarios compute, in NumPy."""
    return {
        "sum": a + 1,
        "product": a * (a + 1),
        "numpy_product": a * (a + 1),
        "numpy_value": a,
    }


class NumpyInterop(Scenario):
    """Use NumPy on tensors in the middle of a step.

    Eager only: NumPy asks a tensor for its value, and a tensor of a graph has none while the step
    is traced. Every graph mode is therefore ``unsupported``, with TensorFlow's own reason;
    ``numpy_bridge`` does the same work in all of them.
    """

    name = "numpy_interop"
    concept = "NumPy on tensors"
    sizes = {
        "small": Size(n=100),
        "large": Size(n=1_000),
        "guide": Size(a=((1, 2), (3, 4))),
    }
    default_sizes = ("small",)

    def inputs(self, rng: np.random.Generator) -> Sequence[Feed]:
        return draw_integers(self.size, rng)

    def step(self, a: Any) -> Mapping[str, Any]:
        b = tf.add(a, 1)
        c = np.multiply(a, b)
        return {
            "sum": b,
            "product": a * b,
            "numpy_product": tf.convert_to_tensor(c),
            "numpy_value": tf.convert_to_tensor(a.numpy()),
        }

    def reference(self, state: State, a: Array) -> Mapping[str, Array]:
        return add_and_multiply(a)


class NumpyBridge(Scenario):
    """Use NumPy in the middle of a step, through tf.numpy_function.

    The work of ``numpy_interop``. The graph holds an op that calls back into the Python process
    when it runs; by then the tensors have values, which the function gets as arrays. What it
    returns has no static shape, and ``tf.ensure_shape`` restores it.
    """

    name = "numpy_bridge"
    concept = "NumPy on tensors"
    sizes = {
        "small": Size(n=100),
        "large": Size(n=1_000),
        "guide": Size(a=((1, 2), (3, 4))),
    }
    default_sizes = ("small",)

    def inputs(self, rng: np.random.Generator) -> Sequence[Feed]:
        return draw_integers(self.size, rng)

    def step(self, a: Any) -> Mapping[str, Any]:
        b = tf.add(a, 1)
        c = tf.numpy_function(np.multiply, [a, b], a.dtype)
        value = tf.numpy_function(np.copy, [a], a.dtype)
        return {
            "sum": b,
            "product": a * b,
            "numpy_product": tf.ensure_shape(c, a.shape),
            "numpy_value": tf.ensure_shape(value, a.shape),
        }

    def reference(self, state: State, a: Array) -> Mapping[str, Array]:
        return add_and_multiply(a)
