"""The guide's digit classifier: one training step on real MNIST."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from eager_vs_graph import Goal, Scenario, Size
from eager_vs_graph.scenario import Array, Feed, State

DIGITS = Path(__file__).parent / "data" / "mnist_5000.npz"
HELD_OUT_PER_CLASS = 50
CLASSES = 10
PIXELS = 28 * 28


class Digits(NamedTuple):
    """Images (n, 784), float32 in [0, 1], and their labels (n,), int32."""

    images: Array
    labels: Array


def as_digits(images: Array, labels: Array) -> Digits:
    """Flatten and scale images of 28×28 bytes."""
    return Digits(
        images.reshape(-1, PIXELS).astype(np.float32) / np.float32(255), labels.astype(np.int32)
    )


@cache
def load_digits() -> tuple[Digits, Digits]:
    """Return the digits to train on and those held out.

    By default 4,500 and 500 (50 per class) of the file in ``scenarios/data``; with
    ``EAGER_VS_GRAPH_MNIST=full`` in the environment, the 60,000 and 10,000 of keras.datasets.

    Raises:
        RuntimeError: the full set is neither cached nor can be downloaded, or the variable has
            another value.
    """
    choice = os.environ.get("EAGER_VS_GRAPH_MNIST", "")
    if choice not in ("", "full"):
        raise RuntimeError(f"EAGER_VS_GRAPH_MNIST={choice}, but should be full or not set")
    if choice == "full":
        try:
            train, held_out = tf.keras.datasets.mnist.load_data()
        except Exception as error:
            raise RuntimeError(
                f"EAGER_VS_GRAPH_MNIST=full, but keras.datasets cannot load MNIST ({error}); "
                "unset the variable to use the 5,000 digits that come with the project"
            ) from error
        return as_digits(*train), as_digits(*held_out)
    with np.load(DIGITS) as file:
        images, labels = file["images"], file["labels"]
    # The file is sorted by class: the last digits of each class are held out.
    per_class = len(labels) // CLASSES
    is_held_out = np.arange(len(labels)) % per_class >= per_class - HELD_OUT_PER_CLASS
    return (
        as_digits(images[~is_held_out], labels[~is_held_out]),
        as_digits(images[is_held_out], labels[is_held_out]),
    )


class SimpleLayer(tf.keras.layers.Layer):
    """The guide's own layer: a matrix product without bias or activation."""

    def __init__(self, output_units: int) -> None:
        super().__init__()
        self.output_units = output_units

    def build(self, input_shape: Any) -> None:
        """Create the kernel, one row for each input unit."""
        self.kernel = self.add_weight(name="kernel", shape=(input_shape[-1], self.output_units))

    def call(self, inputs: Any) -> Any:
        """Return ``inputs @ kernel``."""
        return tf.matmul(inputs, self.kernel)


class MnistModel(tf.keras.Model):
    """The guide's model: its own layer, then one dense layer applied twice."""

    def __init__(self) -> None:
        super().__init__()
        self.dense1 = SimpleLayer(CLASSES)
        self.dense2 = tf.keras.layers.Dense(CLASSES)

    def build(self, input_shape: Any) -> None:
        """Build both layers; Keras cannot infer the shapes that ``call`` passes on."""
        self.dense1.build(input_shape)
        self.dense2.build((input_shape[0], CLASSES))

    def call(self, inputs: Any) -> Any:
        """Return the logits of the ten classes."""
        return self.dense2(self.dense2(self.dense1(inputs)))


class MnistStep(Scenario):
    """Train the guide's subclassed Keras model on real MNIST digits.

    One step is one batch: sparse softmax cross-entropy from logits, GradientTape, Keras SGD. The
    feeds are one epoch. At the guide's learning rate of 0.001, the 4,500 digits here teach little
    in one epoch (the guide has four of 60,000); at 0.1 they are enough.
    """

    name = "mnist_step"
    concept = "Keras layers, models and training"
    sizes = {
        "tiny": Size(batch=32, learning_rate=0.1),
        "medium": Size(batch=128, learning_rate=0.1),
        "large": Size(batch=512, learning_rate=0.1),
        "guide": Size(batch=32, learning_rate=0.001),
    }
    default_sizes = ("medium",)
    batch = ("images", "labels")
    # One epoch of batches of 32. Over 12 seeds: 0.84 to 0.88. The model has no activation, so it is
    # a linear classifier: more than 0.95 would mean that it has seen the held-out digits.
    goal = Goal(
        steps=141, expect={"held_out_accuracy": (0.80, 0.95)}, sizes=("tiny",), curve="loss"
    )

    def inputs(self, rng: np.random.Generator) -> Sequence[Feed]:
        train, _ = load_digits()
        # Repeating before batching makes every batch full: a short last one would be a new shape,
        # hence a retrace in the middle of a timing.
        batches = (
            tf.data.Dataset.from_tensor_slices(train)
            .shuffle(len(train.labels), seed=int(rng.integers(2**31)))
            .repeat()
            .batch(self.size.batch)
            .take(-(-len(train.labels) // self.size.batch))
        )
        return [{"images": b.images, "labels": b.labels} for b in batches.as_numpy_iterator()]

    def build(self) -> None:
        self.model = MnistModel()
        self.model.build((None, PIXELS))
        self.optimizer = tf.keras.optimizers.SGD(self.size.learning_rate)
        self.optimizer.build(self.model.trainable_variables)

    def step(self, images: Any, labels: Any) -> Mapping[str, Any]:
        with tf.GradientTape() as tape:
            logits = self.model(images)
            loss = tf.reduce_mean(
                tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)
            )
        variables = self.model.trainable_variables
        gradients = tape.gradient(loss, variables)
        self.optimizer.apply_gradients(zip(gradients, variables, strict=True))
        return {"loss": loss}

    def reference(self, state: State, images: Array, labels: Array) -> Mapping[str, Array]:
        return {"loss": descend(state, images, labels)}

    def measure(self, state: State) -> Mapping[str, float]:
        return accuracy(state)


def descend(state: State, images: Array, labels: Array) -> Array:
    """Update the state by one step of gradient descent, in NumPy; return the loss before it."""
    hidden1, hidden2, logits = forward(state, images)
    shifted = logits - logits.max(axis=1, keepdims=True)
    log_probabilities = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    expected = np.eye(CLASSES)[labels]

    # Backwards. The dense layer was applied twice, so its gradients have two terms.
    back = state["model/dense/kernel"].T
    d_logits = (np.exp(log_probabilities) - expected) / len(labels)
    d_hidden2 = d_logits @ back
    d_hidden1 = d_hidden2 @ back
    gradients = {
        "model/simple_layer/kernel": images.T @ d_hidden1,
        "model/dense/kernel": hidden2.T @ d_logits + hidden1.T @ d_hidden2,
        "model/dense/bias": d_logits.sum(axis=0) + d_hidden2.sum(axis=0),
    }
    for name, gradient in gradients.items():
        state[name] = state[name] - state["optimizer/learning_rate"] * gradient
    state["optimizer/iteration"] += 1
    return -np.mean((expected * log_probabilities).sum(axis=1))


def accuracy(state: State) -> Mapping[str, float]:
    """Return the share of held-out digits that the model of some state knows."""
    _, held_out = load_digits()
    _, _, logits = forward(state, held_out.images)
    return {"held_out_accuracy": float(np.mean(logits.argmax(axis=1) == held_out.labels))}


def forward(state: State, images: Array) -> tuple[Array, Array, Array]:
    """Return the outputs of the model's three layers, in NumPy."""
    kernel, bias = state["model/dense/kernel"], state["model/dense/bias"]
    hidden1 = images @ state["model/simple_layer/kernel"]
    hidden2 = hidden1 @ kernel + bias
    return hidden1, hidden2, hidden2 @ kernel + bias
