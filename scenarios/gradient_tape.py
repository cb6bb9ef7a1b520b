"""The guide's "Computing Gradient": a tape is played backwards once, a persistent one often."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from eager_vs_graph import Scenario, Size
from eager_vs_graph.scenario import Array, Feed, State


class GradientTape(Scenario):
    """Differentiate (w x)² by w, and use a tape once more than it can.

    At the guide's w = 1, with x = 1, the derivative of w² is 2. A tape gives one set of gradients
    and raises a RuntimeError when it is asked again. That is Python's error, raised while a graph
    is traced, so that a step can catch it in every mode. A persistent tape can be asked again: it
    differentiates (w x)³ as well.
    """

    name = "gradient_tape"
    concept = "gradient tape"
    sizes = {
        "small": Size(n=100),
        "large": Size(n=1_000),
        "guide": Size(x=((1.0,),)),
    }
    default_sizes = ("small",)

    def inputs(self, rng: np.random.Generator) -> Sequence[Feed]:
        if "x" in self.size:
            return [{"x": np.array(self.size.x, np.float32)}]
        # All positive: the gradients are sums over x, and nothing cancels in them.
        n = self.size.n
        return [{"x": rng.uniform(0, 1, (n, n)).astype(np.float32)} for _ in range(3)]

    def build(self) -> None:
        self.w = tf.Variable([[1.0]])

    def step(self, x: Any) -> Mapping[str, Any]:
        with tf.GradientTape() as tape:
            loss = tf.square(self.w * x)
        gradient = tape.gradient(loss, self.w)
        try:
            tape.gradient(loss, self.w)
            second_use_raises = False
        except RuntimeError:
            second_use_raises = True

        with tf.GradientTape(persistent=True) as lasting:
            wx = self.w * x
            square = tf.square(wx)
            cube = square * wx
        return {
            "gradient": gradient,
            "second_use_raises": tf.constant(second_use_raises),
            "gradient_of_square": lasting.gradient(square, self.w),
            "gradient_of_cube": lasting.gradient(cube, self.w),
        }

    def reference(self, state: State, x: Array) -> Mapping[str, Array]:
        w = state["w"]
        of_square = np.sum(2 * w * x**2, keepdims=True)
        return {
            "gradient": of_square,
            "second_use_raises": np.array(True),
            "gradient_of_square": of_square,
            "gradient_of_cube": np.sum(3 * w**2 * x**3, keepdims=True),
        }
