"""Saving and restoring: the guide's single variable, and a model with its optimizer and counter."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from eager_vs_graph import Scenario, Size
from eager_vs_graph.scenario import Array, Feed, State

RATE = 0.001
BETA_1, BETA_2, EPSILON = 0.9, 0.999, 1e-7
"""Keras' defaults for Adam."""


class Checkpoint(Scenario):
    """Save a variable, assign another value, restore: the saved value is back.

    Writing is ``tf.train.Checkpoint``'s own, inside the step in every mode. Its ``restore`` cannot
    be: in a graph it looks into the file while the step is traced, before anything was written. So
    the step restores with the op that ``restore`` itself uses, under the name that an object-based
    checkpoint gives to a variable. Restoring through ``tf.train.Checkpoint``, from files that any
    mode wrote, is what the harness does with ``self.checkpoint`` (see ``Scenario``).
    """

    name = "checkpoint"
    concept = "object-based saving"
    sizes = {"small": Size(n=1_000), "guide": Size(x=10.0, saved=2.0, assigned=11.0)}
    default_sizes = ("small",)

    @property
    def shape(self) -> tuple[int, ...]:
        """The variable's: the guide has a scalar."""
        return (self.size.n,) if "n" in self.size else ()

    def inputs(self, rng: np.random.Generator) -> Sequence[Feed]:
        if not self.shape:
            literal = {"saved": self.size.saved, "assigned": self.size.assigned}
            return [{name: np.array(value, np.float32) for name, value in literal.items()}]
        return [
            {
                "saved": rng.standard_normal(self.shape, dtype=np.float32),
                "assigned": rng.standard_normal(self.shape, dtype=np.float32),
            }
            for _ in range(3)
        ]

    def build(self) -> None:
        self.x = tf.Variable(tf.fill(self.shape, self.size.get("x", 0.0)))
        self.checkpoint = tf.train.Checkpoint(x=self.x)
        # A checkpoint object keeps the saving op of the first graph that it was used in: the step's
        # function and the graph around it need one each.
        self.in_step = tf.train.Checkpoint(x=self.x)

    def step(self, saved: Any, assigned: Any) -> Mapping[str, Any]:
        self.x.assign(saved)
        path = self.in_step.write(str(self.folder / "in-step"))
        self.x.assign(assigned)
        before = self.x.read_value()
        # The path comes from writing, so that no graph can read before it has written.
        (restored,) = tf.raw_ops.RestoreV2(
            prefix=path,
            tensor_names=["x/.ATTRIBUTES/VARIABLE_VALUE"],
            shape_and_slices=[""],
            dtypes=[tf.float32],
        )
        self.x.assign(tf.ensure_shape(restored, self.shape))
        return {"assigned": before, "restored": self.x.read_value()}

    def reference(self, state: State, saved: Array, assigned: Array) -> Mapping[str, Array]:
        state["x"] = saved
        return {"assigned": assigned, "restored": saved}


class TrainingCheckpoint(Scenario):
    """Train a model with Adam, with a checkpoint of model, optimizer and step counter.

    A step is one update of Adam on the mean squared error of a network with one hidden layer. The
    checkpoint is what the harness writes in each mode and restores in every other (see
    ``Scenario.checkpoint``); the timed step is the training alone.
    """

    name = "training_checkpoint"
    concept = "checkpoint of model, optimizer and step"
    sizes = {
        "small": Size(examples=32, width=8),
        "large": Size(examples=256, width=128),
    }
    default_sizes = ("small",)
    parity_steps = 5

    def inputs(self, rng: np.random.Generator) -> Sequence[Feed]:
        feeds = []
        for _ in range(4):
            x = rng.standard_normal((self.size.examples, 2), dtype=np.float32)
            feeds.append({"x": x, "y": x[:, :1] * x[:, 1:]})
        return feeds

    def build(self) -> None:
        self.model = tf.keras.Sequential(
            [tf.keras.layers.Dense(self.size.width, activation="tanh"), tf.keras.layers.Dense(1)]
        )
        self.model.build((None, 2))
        self.optimizer = tf.keras.optimizers.Adam(RATE)
        self.optimizer.build(self.model.trainable_variables)
        self.steps = tf.Variable(0, dtype=tf.int64)
        self.checkpoint = tf.train.Checkpoint(
            model=self.model, optimizer=self.optimizer, optimizer_step=self.steps
        )

    def step(self, x: Any, y: Any) -> Mapping[str, Any]:
        variables = self.model.trainable_variables
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(self.model(x) - y))
        gradients = tape.gradient(loss, variables)
        self.optimizer.apply_gradients(zip(gradients, variables, strict=True))
        return {"loss": loss, "steps": self.steps.assign_add(1)}

    def reference(self, state: State, x: Array, y: Array) -> Mapping[str, Array]:
        names = ["dense/kernel", "dense/bias", "dense_1/kernel", "dense_1/bias"]
        kernel, bias, kernel_1, bias_1 = (state[f"model/{name}"] for name in names)
        hidden = np.tanh(x @ kernel + bias)
        error = hidden @ kernel_1 + bias_1 - y
        d_answer = 2 * error / error.size
        d_hidden = d_answer @ kernel_1.T * (1 - hidden**2)
        gradients = [x.T @ d_hidden, d_hidden.sum(0), hidden.T @ d_answer, d_answer.sum(0)]
        state["optimizer/iteration"] += 1
        for name, gradient in zip(names, gradients, strict=True):
            _adam(state, name, gradient)
        state["steps"] += 1
        return {"loss": np.mean(error**2), "steps": state["steps"]}


def _adam(state: State, name: str, gradient: Array) -> None:
    """Update a variable of the model (Kingma & Ba 2015, the form at the end of section 2)."""
    layer, _, kind = name.partition("/")
    number = layer.partition("_")[2]
    slot = f"optimizer/sequential_dense_{kind}_{{}}" + (f"_{number}" if number else "")
    momentum, velocity = slot.format("momentum"), slot.format("velocity")
    state[momentum] = BETA_1 * state[momentum] + (1 - BETA_1) * gradient
    state[velocity] = BETA_2 * state[velocity] + (1 - BETA_2) * gradient**2
    updates = int(state["optimizer/iteration"])
    rate = state["optimizer/learning_rate"] * math.sqrt(1 - BETA_2**updates) / (1 - BETA_1**updates)
    state[f"model/{name}"] = state[f"model/{name}"] - rate * state[momentum] / (
        np.sqrt(state[velocity]) + EPSILON
    )
