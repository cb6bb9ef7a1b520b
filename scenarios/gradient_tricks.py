"""Custom gradients that change what is learned: clipping, and a straight-through estimator."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from eager_vs_graph import Scenario, Size
from eager_vs_graph.scenario import Array, Feed, State


@tf.custom_gradient
def clip_gradient_by_norm(x: Any, norm: Any) -> Any:
    """Return ``x``, whose gradient is made no longer than ``norm`` on its way back.

    The custom gradient of TensorFlow's own guide to eager execution.
    """
    y = tf.identity(x)

    def grad(dy: Any) -> Any:
        return tf.clip_by_norm(dy, norm), None

    return y, grad


@tf.custom_gradient
def round_straight_through(x: Any) -> Any:
    """Round to the nearest integer, with the gradient of the identity."""

    def grad(dy: Any) -> Any:
        return dy

    return tf.round(x), grad


class GradientClipping(Scenario):
    """Clip a gradient to a norm on its way back, with a custom gradient.

    The loss is ½ Σ x², whose gradient is x itself, so that the clipped one is x scaled to the norm
    or, where it is short enough, x as it is. Size ``guide`` has the gradient (3, 4) of norm 5.
    """

    name = "gradient_clipping"
    concept = "custom gradients"
    sizes = {
        "small": Size(n=1_000),
        "large": Size(n=1_000_000),
        "guide": Size(x=(3.0, 4.0)),
    }
    default_sizes = ("small",)

    def inputs(self, rng: np.random.Generator) -> Sequence[Feed]:
        if "x" in self.size:
            x = np.array(self.size.x, np.float32)
        else:
            x = rng.standard_normal(self.size.n, dtype=np.float32)
        # Below the gradient's own norm, just above it, and with a gradient of zero.
        longer = np.float32(1.001 * np.linalg.norm(x))
        return [
            {"x": x, "norm": np.array(1, np.float32)},
            {"x": x, "norm": np.array(longer, np.float32)},
            {"x": np.zeros_like(x), "norm": np.array(1, np.float32)},
        ]

    def step(self, x: Any, norm: Any) -> Mapping[str, Any]:
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(x)
            plain = tf.reduce_sum(tf.square(x)) / 2.0
            clipped = tf.reduce_sum(tf.square(clip_gradient_by_norm(x, norm))) / 2.0
        return {
            "value": clipped,
            "plain_gradient": tape.gradient(plain, x),
            "clipped_gradient": tape.gradient(clipped, x),
        }

    def reference(self, state: State, x: Array, norm: Array) -> Mapping[str, Array]:
        return {
            "value": np.sum(x**2) / 2,
            "plain_gradient": x,
            "clipped_gradient": x * norm / max(np.linalg.norm(x), norm),
        }


class StraightThrough(Scenario):
    """Differentiate through rounding with a straight-through estimator, written in two ways.

    Rounding has no useful gradient: TensorFlow's is None. The estimator passes on the gradient that
    arrives as if rounding were the identity (Bengio, Léonard & Courville, "Estimating or
    Propagating Gradients Through Stochastic Neurons", 2013): once as a custom gradient, once as
    x + stop_gradient(round(x) − x). The loss is Σ w · round(x)², so the gradient is 2 w · round(x).
    """

    name = "straight_through"
    concept = "custom gradients"
    sizes = {
        "small": Size(n=1_000),
        "large": Size(n=1_000_000),
        "guide": Size(x=(0.4, 0.6, 1.5, 2.5, -1.2, -0.4), w=(1.0, 1.0, 1.0, 2.0, 1.0, 1.0)),
    }
    default_sizes = ("small",)

    def inputs(self, rng: np.random.Generator) -> Sequence[Feed]:
        if "x" in self.size:
            x, w = np.array(self.size.x, np.float32), np.array(self.size.w, np.float32)
        else:
            x = rng.uniform(-8, 8, self.size.n).astype(np.float32)
            w = rng.standard_normal(self.size.n, dtype=np.float32)
        return [{"x": x, "w": w}]

    def step(self, x: Any, w: Any) -> Mapping[str, Any]:
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(x)
            custom = round_straight_through(x)
            stopped = x + tf.stop_gradient(tf.round(x) - x)
            custom_loss = tf.reduce_sum(w * tf.square(custom))
            stopped_loss = tf.reduce_sum(w * tf.square(stopped))
        return {
            "custom_value": custom,
            "stopped_value": stopped,
            "custom_gradient": tape.gradient(custom_loss, x),
            "stopped_gradient": tape.gradient(stopped_loss, x),
        }

    def reference(self, state: State, x: Array, w: Array) -> Mapping[str, Array]:
        rounded = np.round(x)  # halves to even, as TensorFlow does
        # round(x) − x is exact in floating point, and so is its sum with x; but where x rounds to
        # −0, the sum is +0.
        stopped = x + (rounded - x)
        return {
            "custom_value": rounded,
            "stopped_value": stopped,
            "custom_gradient": 2 * w * rounded,
            "stopped_gradient": 2 * w * stopped,
        }
