"""The guide's "Object Oriented Metrics": a mean that goes on from call to call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from eager_vs_graph import Scenario, Size
from eager_vs_graph.scenario import Array, Feed, State


class Mean(tf.Module):
    """The mean of all values it was called with, kept in two variables as the guide's is."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.total = tf.Variable(0.0)
        self.count = tf.Variable(0)

    def __call__(self, values: Any) -> None:
        """Take more values, float32 of any shape, into the mean."""
        self.total.assign_add(tf.reduce_sum(values))
        self.count.assign_add(tf.size(values))

    def result(self) -> Any:
        """Return the mean of all values so far."""
        return self.total / tf.cast(self.count, tf.float32)


class Metrics(Scenario):
    """Keep a streaming mean, with a Keras metric and with one's own.

    Each step takes some more values and returns the mean of all so far. What is under test is the
    state: updates happen once a step, before the result is read, without an output that needs them.
    """

    name = "metrics"
    concept = "metrics with state"
    sizes = {
        "small": Size(n=1_000),
        "large": Size(n=1_000_000),
        "guide": Size(losses=((0.0, 5.0), (8.0, 9.0))),
    }
    default_sizes = ("small",)

    def inputs(self, rng: np.random.Generator) -> Sequence[Feed]:
        if "losses" in self.size:
            return [{"losses": np.array(losses, np.float32)} for losses in self.size.losses]
        return [{"losses": rng.uniform(0, 1, self.size.n).astype(np.float32)} for _ in range(3)]

    def build(self) -> None:
        self.keras_mean = tf.keras.metrics.Mean(name="loss")
        self.own_mean = Mean(name="loss")

    def step(self, losses: Any) -> Mapping[str, Any]:
        self.keras_mean.update_state(losses)
        self.own_mean(losses)
        return {"keras_mean": self.keras_mean.result(), "own_mean": self.own_mean.result()}

    def reference(self, state: State, losses: Array) -> Mapping[str, Array]:
        means = {}
        for name in ("keras_mean", "own_mean"):
            state[f"{name}/total"] = state[f"{name}/total"] + losses.sum()
            state[f"{name}/count"] = state[f"{name}/count"] + losses.size
            means[name] = state[f"{name}/total"] / state[f"{name}/count"]
        return means
