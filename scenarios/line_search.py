"""The guide's "Dynamic Model": a line search that halves its rate until the value is low enough."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from eager_vs_graph import Scenario, Size
from eager_vs_graph.scenario import Array, Feed, State


def line_search_step(
    function: Callable[[Any], Any], init_x: Any, rate: Any
) -> tuple[Any, Any, Any, Any]:
    """Descend the gradient by the first of the rates r, r/2, r/4, … that is short enough.

    As in the guide, the value is compared when the rate has been halved already. A rate r is hence
    short enough when f(x − r g) ≤ f(x) − r/2 · |g|²: Armijo's rule with the constant 1/2.

    Args:
        function: from a vector to a scalar.
        init_x: where to start.
        rate: the first rate to try, a positive scalar.

    Returns:
        The new point, its value, half the rate that led there and how many rates were tried. Where
        the gradient is zero, none is tried and the point stays; the guide's code fails there, for
        its loop does not run and nothing has set x.
    """
    with tf.GradientTape() as tape:
        tape.watch(init_x)
        value = function(init_x)
    grad = tape.gradient(value, init_x)
    grad_norm = tf.reduce_sum(grad * grad)
    init_value = value
    x = init_x
    tried = tf.constant(0)
    while value > init_value - rate * grad_norm:
        x = init_x - rate * grad
        value = function(x)
        rate /= 2.0
        tried += 1
    return x, value, rate, tried


class LineSearch(Scenario):
    """Search along the gradient of Σ cᵢ xᵢ², with as many tries as it takes.

    The trip count depends on the data: the larger the curvatures c, the more rates are too long.
    Size ``guide`` has the guide's square: from x = 3, the rate 1 leads to −3 and the rate 1/2 to
    the minimum. Its second feed starts in the minimum, where nothing is tried.
    """

    name = "line_search"
    concept = "dynamic models"
    sizes = {
        "small": Size(n=100),
        "large": Size(n=1_000_000),
        "guide": Size(x=(3.0, 0.0)),
    }
    default_sizes = ("small",)

    def inputs(self, rng: np.random.Generator) -> Sequence[Feed]:
        if "x" in self.size:
            starts = [np.array([x], np.float32) for x in self.size.x]
            curvatures = [np.ones(1, np.float32) for _ in starts]
        else:
            n = self.size.n
            starts = [rng.uniform(-1, 1, n).astype(np.float32) for _ in range(3)]
            curvatures = [rng.uniform(0, largest, n).astype(np.float32) for largest in (1, 10, 100)]
        return [
            {"x": x, "curvatures": c, "rate": np.array(1, np.float32)}
            for x, c in zip(starts, curvatures, strict=True)
        ]

    def step(self, x: Any, curvatures: Any, rate: Any) -> Mapping[str, Any]:
        def function(x: Any) -> Any:
            return tf.reduce_sum(curvatures * x * x)

        x, value, rate, tried = line_search_step(function, x, rate)
        return {"x": x, "value": value, "rate": rate, "tried": tried}

    def reference(
        self, state: State, x: Array, curvatures: Array, rate: Array
    ) -> Mapping[str, Array]:
        start, gradient = np.sum(curvatures * x**2), 2 * curvatures * x
        norm = np.sum(gradient**2)
        new, value, tried = x, start, 0
        if norm > 0:
            # The k-th rate tried is 2⁻ᵏ of the first one; k counts from 0.
            tried = next(
                k + 1
                for k in range(100)
                if np.sum(curvatures * (x - rate * 2.0**-k * gradient) ** 2)
                <= start - rate * 2.0 ** -(k + 1) * norm
            )
            new = x - rate * 2.0 ** -(tried - 1) * gradient
            value = np.sum(curvatures * new**2)
        return {"x": new, "value": value, "rate": rate * 2.0**-tried, "tried": np.array(tried)}
