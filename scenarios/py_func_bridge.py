"""The guide's "eager execution in graph mode": a Python function called from a graph."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from eager_vs_graph import Scenario, Size
from eager_vs_graph.scenario import Array, Feed, State


def square(x: Any) -> Any:
    """Return the matrix product of ``x`` with itself; runs eagerly, even inside a graph."""
    return tf.matmul(x, x)


class PyFuncBridge(Scenario):
    """Call back into Python from a graph, and differentiate through it.

    ``tf.py_function`` runs TensorFlow code eagerly, so that a gradient tape outside sees through
    it; ``tf.numpy_function`` hands over NumPy arrays and has no gradient. Both hide the shape of
    their result from the graph, and ``tf.ensure_shape`` restores it.
    """

    name = "py_func_bridge"
    concept = "eager functions inside a graph"
    sizes = {
        "small": Size(n=64),
        "large": Size(n=512),
        "guide": Size(x=((2.0,),)),
    }
    default_sizes = ("small",)

    def inputs(self, rng: np.random.Generator) -> Sequence[Feed]:
        if "x" in self.size:
            return [{"x": np.array(self.size.x, np.float32)}]
        n = self.size.n
        # Scaled so that row sums, and with them the gradient, are of order one at every size.
        return [{"x": (rng.standard_normal((n, n)) / n**0.5).astype(np.float32)}]

    def step(self, x: Any) -> Mapping[str, Any]:
        with tf.GradientTape() as tape:
            tape.watch(x)
            eager_call = tf.ensure_shape(tf.py_function(square, [x], tf.float32), x.shape)
            total = tf.reduce_sum(eager_call)
        numpy_call = tf.ensure_shape(tf.numpy_function(np.matmul, [x, x], tf.float32), x.shape)
        return {
            "eager_call": eager_call,
            "gradient": tape.gradient(total, x),
            "numpy_call": numpy_call,
        }

    def reference(self, state: State, x: Array) -> Mapping[str, Array]:
        product = x @ x
        # The derivative of Σᵢₖⱼ xᵢₖ xₖⱼ by x[a, b] is the sum of row b plus the sum of column a.
        gradient = x.sum(axis=1) + x.sum(axis=0)[:, np.newaxis]
        return {"eager_call": product, "gradient": gradient, "numpy_call": product}
