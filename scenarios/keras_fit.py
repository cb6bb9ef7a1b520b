"""A small Keras model trained by ``fit``, and by a loop that makes the same updates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from eager_vs_graph import Scenario, Size
from eager_vs_graph.scenario import Array, Feed, State

FEATURES, HIDDEN, CLASSES = 16, 32, 4
LEARNING_RATE = 0.1


def draw_examples(rng: np.random.Generator, examples: int) -> Feed:
    """Draw points of four classes: the largest of four random directions, which can be learned."""
    x = rng.standard_normal((examples, FEATURES), dtype=np.float32)
    directions = rng.standard_normal((FEATURES, CLASSES), dtype=np.float32)
    return {"x": x, "labels": np.argmax(x @ directions, axis=1).astype(np.int32)}


def classifier() -> Any:
    """Return the model, built: a tanh layer and the logits of the classes."""
    return tf.keras.Sequential(
        [
            tf.keras.Input((FEATURES,)),
            tf.keras.layers.Dense(HIDDEN, activation="tanh"),
            tf.keras.layers.Dense(CLASSES),
        ]
    )


def train_by_hand(state: State, x: Array, labels: Array, batch: int) -> Array:
    """Train for an epoch of gradient descent in the order of the examples, in NumPy.

    Returns the mean of the batches' losses, each taken before its update.
    """
    kernel1, bias1 = state["model/dense/kernel"], state["model/dense/bias"]
    kernel2, bias2 = state["model/dense_1/kernel"], state["model/dense_1/bias"]
    rate = state["optimizer/learning_rate"]
    losses = []
    for start in range(0, len(x), batch):
        inputs = x[start : start + batch]
        expected = np.eye(CLASSES)[labels[start : start + batch]]
        hidden = np.tanh(inputs @ kernel1 + bias1)
        exponentials = np.exp(hidden @ kernel2 + bias2)
        probabilities = exponentials / exponentials.sum(axis=1, keepdims=True)
        losses.append(-np.mean(np.log((probabilities * expected).sum(axis=1))))
        d_logits = (probabilities - expected) / batch
        d_hidden = (d_logits @ kernel2.T) * (1 - hidden**2)
        kernel1 -= rate * inputs.T @ d_hidden
        bias1 -= rate * d_hidden.sum(axis=0)
        kernel2 -= rate * hidden.T @ d_logits
        bias2 -= rate * d_logits.sum(axis=0)
        state["optimizer/iteration"] += 1
    return np.mean(losses)


class KerasFit(Scenario):
    """Train a small Keras model for an epoch with ``model.fit``.

    ``fit`` brings its own tf.function, made on its first call: mode ``eager`` runs that as Python
    (Keras's ``run_eagerly``), mode ``function`` as it comes. The batches are a dataset of slices in
    the order of the examples: of arrays, ``fit`` would make a dataset whose functions are traced
    anew in every call. ``jit_compile`` is off, because on a GPU Keras would choose XLA.
    """

    name = "keras_fit"
    concept = "Keras fit"
    sizes = {
        "tiny": Size(examples=32, batch=16),
        "small": Size(examples=128, batch=32),
        "large": Size(examples=2_048, batch=32),
    }
    default_sizes = ("small",)
    traces_itself = True

    def inputs(self, rng: np.random.Generator) -> Sequence[Feed]:
        return [draw_examples(rng, self.size.examples)]

    def build(self) -> None:
        self.model = classifier()
        self.optimizer = tf.keras.optimizers.SGD(LEARNING_RATE)
        self.optimizer.build(self.model.trainable_variables)
        self.model.compile(
            optimizer=self.optimizer,
            loss=tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            jit_compile=False,
        )

    def step(self, x: Any, labels: Any) -> Mapping[str, Any]:
        batches = tf.data.Dataset.from_tensor_slices((x, labels)).batch(self.size.batch)
        history = self.model.fit(batches, epochs=1, shuffle=False, verbose=0)
        return {"loss": tf.constant(history.history["loss"][0])}

    def reference(self, state: State, x: Array, labels: Array) -> Mapping[str, Array]:
        return {"loss": train_by_hand(state, x, labels, self.size.batch)}


class KerasLoop(Scenario):
    """Train the model of ``keras_fit`` with a loop written by hand: the same batches and updates.

    The batches are slices rather than a dataset: one that is made in the step costs a graph tens of
    milliseconds in every call, much more than the training.
    """

    name = "keras_loop"
    concept = "Keras fit"
    sizes = {
        "tiny": Size(examples=32, batch=16),
        "small": Size(examples=128, batch=32),
        "large": Size(examples=2_048, batch=32),
    }
    default_sizes = ("small",)

    def inputs(self, rng: np.random.Generator) -> Sequence[Feed]:
        return [draw_examples(rng, self.size.examples)]

    def build(self) -> None:
        self.model = classifier()
        self.loss = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        self.optimizer = tf.keras.optimizers.SGD(LEARNING_RATE)
        self.optimizer.build(self.model.trainable_variables)

    def step(self, x: Any, labels: Any) -> Mapping[str, Any]:
        batch, batches = self.size.batch, self.size.examples // self.size.batch
        variables = self.model.trainable_variables
        total = tf.constant(0.0)
        for i in tf.range(batches):
            start = i * batch
            with tf.GradientTape() as tape:
                logits = self.model(x[start : start + batch], training=True)
                loss = self.loss(labels[start : start + batch], logits)
            gradients = tape.gradient(loss, variables)
            self.optimizer.apply_gradients(zip(gradients, variables, strict=True))
            total += loss
        return {"loss": total / batches}

    def reference(self, state: State, x: Array, labels: Array) -> Mapping[str, Array]:
        return {"loss": train_by_hand(state, x, labels, self.size.batch)}
