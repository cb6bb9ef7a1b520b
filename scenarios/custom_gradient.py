"""The guide's custom gradient: log(1 + eˣ), naively and with the gradient rewritten."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from eager_vs_graph import KnownDifference, Scenario, Size, Tolerance
from eager_vs_graph.scenario import Array, Feed, State

REWRITTEN = (
    "at x = −20 Grappler's arithmetic optimization has rewritten log(1 + e) to log1p(e), which "
    "keeps 2.06e-9, where eager's 1 + e rounds to 1 and its logarithm is 0"
)


def log1pexp_naive(x: Any) -> Any:
    """Return log(1 + eˣ), differentiated operation by operation."""
    return tf.math.log(1 + tf.exp(x))


@tf.custom_gradient
def log1pexp_custom(x: Any) -> Any:
    """Return log(1 + eˣ) and its gradient in a form that survives the overflow of eˣ."""
    e = tf.exp(x)

    def grad(dy: Any) -> Any:
        return dy * (1 - 1 / (1 + e))

    return tf.math.log(1 + e), grad


def value_and_gradient(function: Callable[[Any], Any], x: Any) -> tuple[Any, Any]:
    """Return ``function(x)`` and the gradient of its sum with respect to ``x``."""
    with tf.GradientTape() as tape:
        tape.watch(x)
        value = function(x)
    return value, tape.gradient(value, x)


class CustomGradient(Scenario):
    """Differentiate log(1 + eˣ) with and without a custom gradient.

    Size ``guide`` holds the guide's points 0 and 100, where float32 loses the naive gradient, and
    −20, where eager and graph disagree about the value. The other sizes keep to −3 ≤ x ≤ 3, where
    the four outputs are accurate; the graph differs there in the last digits only, because Grappler
    turns log(1 + e) into log1p(e) and 1/(1 + e) into a Reciprocal, which is another kernel.
    """

    name = "custom_gradient"
    concept = "custom gradients"
    sizes = {
        "small": Size(n=1_000),
        "large": Size(n=1_000_000),
        "guide": Size(x=(0.0, 100.0, -20.0)),
    }
    default_sizes = ("small", "guide")
    # In float32, 1 − 1/(1 + eˣ) cancels: at x = −3 one rounding of u = 2⁻²⁴ in the quotient becomes
    # 21 u in the gradient. This allows eight of them. An absolute tolerance as small as 1e-8 would
    # let the 0 that eager returns at −20 pass for 2.06e-9.
    tolerance = Tolerance(rtol=1e-5, atol=0.0)
    # The rewrite to log1p needs the shape of e. In a session, Grappler disregards the shape of what
    # is fed: fed inputs give eager's 0 there, resident ones 2.06e-9. XLA compiles the graph as it
    # was traced, without Grappler, and gives eager's 0.
    known_differences = (
        KnownDifference(
            ("naive_value", "custom_value"),
            REWRITTEN,
            against=("eager",),
            modes=("function", "concrete", "saved_model"),
            sizes=("guide",),
        ),
        KnownDifference(
            ("naive_value", "custom_value"),
            REWRITTEN,
            against=("eager",),
            modes=("session", "session_remote", "saved_model_session"),
            sizes=("guide",),
            inputs=("resident",),
        ),
        KnownDifference(
            ("naive_value", "custom_value"),
            "at x = 100 e = eˣ overflows float32, so that log(1 + e) is inf instead of 100; at "
            "x = −20, without the rewrite to log1p(e), it is log(1) = 0 instead of 2.06e-9",
            against=("reference",),
            sizes=("guide",),
        ),
        KnownDifference(
            ("naive_gradient",),
            "at x = 100 e = eˣ overflows float32, so that the derivative e · 1/(1 + e) is "
            "inf · 0 = nan instead of 1",
            against=("reference",),
            sizes=("guide",),
        ),
        KnownDifference(
            ("custom_gradient",),
            "at x = −20 1 + e rounds to 1, so that 1 − 1/(1 + e) is 0 instead of 2.06e-9",
            against=("reference",),
            sizes=("guide",),
        ),
    )

    def inputs(self, rng: np.random.Generator) -> Sequence[Feed]:
        if "x" in self.size:
            return [{"x": np.array(self.size.x, np.float32)}]
        return [{"x": rng.uniform(-3, 3, self.size.n).astype(np.float32)}]

    def step(self, x: Any) -> Mapping[str, Any]:
        naive_value, naive_gradient = value_and_gradient(log1pexp_naive, x)
        custom_value, custom_gradient = value_and_gradient(log1pexp_custom, x)
        return {
            "naive_value": naive_value,
            "naive_gradient": naive_gradient,
            "custom_value": custom_value,
            "custom_gradient": custom_gradient,
        }

    def reference(self, state: State, x: Array) -> Mapping[str, Array]:
        value = np.logaddexp(0, x)
        gradient = np.exp(-np.logaddexp(0, -x))
        return {
            "naive_value": value,
            "naive_gradient": gradient,
            "custom_value": value,
            "custom_gradient": gradient,
        }
