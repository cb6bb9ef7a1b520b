"""Scalars for TensorBoard, written by the step every so many global steps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from eager_vs_graph import Scenario, Size
from eager_vs_graph.scenario import Array, Feed, State

LEARNING_RATE = 0.01


class Summaries(Scenario):
    """Descend a gradient and write the loss as a summary every n steps.

    The guide's loop: count the global step, and record while it is a multiple of n. One step is one
    update. (Were the updates in a loop inside the step, a graph would put the loop's name scope
    before the tag: ``while/loss`` where eager writes ``loss``.)
    """

    name = "summaries"
    concept = "summaries and TensorBoard"
    sizes = {
        "small": Size(examples=100, every=20),
        "guide": Size(examples=1_000, every=100),
    }
    default_sizes = ("small",)
    parity_steps = 200  # two summaries at the guide's every 100 steps

    def inputs(self, rng: np.random.Generator) -> Sequence[Feed]:
        x = rng.standard_normal(self.size.examples, dtype=np.float32)
        noise = rng.standard_normal(self.size.examples, dtype=np.float32)
        return [{"x": x, "y": np.float32(3) * x + np.float32(2) + noise}]

    def build(self) -> None:
        self.weight = tf.Variable(5.0)
        self.bias = tf.Variable(10.0)
        self.global_step = tf.Variable(0, dtype=tf.int64)
        self.writer = tf.summary.create_file_writer(str(self.folder))

    def step(self, x: Any, y: Any) -> Mapping[str, Any]:
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(self.weight * x + self.bias - y))
        d_weight, d_bias = tape.gradient(loss, [self.weight, self.bias])
        self.weight.assign_sub(LEARNING_RATE * d_weight)
        self.bias.assign_sub(LEARNING_RATE * d_bias)
        step = self.global_step.assign_add(1)
        recorded = tf.equal(step % self.size.every, 0)
        with self.writer.as_default(), tf.summary.record_if(recorded):
            tf.summary.scalar("loss", loss, step=step)
        return {"loss": loss}

    def reference(self, state: State, x: Array, y: Array) -> Mapping[str, Array]:
        error = state["weight"] * x + state["bias"] - y
        state["weight"] = state["weight"] - LEARNING_RATE * 2 * np.mean(error * x)
        state["bias"] = state["bias"] - LEARNING_RATE * 2 * np.mean(error)
        state["global_step"] += 1
        return {"loss": np.mean(error**2)}

    def reference_written(self, outputs: Sequence[Mapping[str, Array]]) -> Mapping[str, Array]:
        steps = np.arange(self.size.every, len(outputs) + 1, self.size.every)
        losses = np.array([outputs[step - 1]["loss"] for step in steps])
        return {"summary of loss": losses, "steps of loss": steps}
