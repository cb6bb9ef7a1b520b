"""The guide's model: two dense layers, the second of them used again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from eager_vs_graph import Scenario, Size
from eager_vs_graph.scenario import Array, Feed, State

FIRST, SECOND = "model/dense", "model/dense_1"


class MNISTModel(tf.keras.Model):
    """The guide's model, with a number of uses of the second layer; the guide has two."""

    def __init__(self, units: int, uses: int) -> None:
        super().__init__()
        self.units = units
        self.uses = uses
        self.dense1 = tf.keras.layers.Dense(units=units)
        self.dense2 = tf.keras.layers.Dense(units=units)

    def build(self, input_shape: Any) -> None:
        """Build both layers; Keras cannot infer the shapes that ``call`` passes on."""
        self.dense1.build(input_shape)
        self.dense2.build((input_shape[0], self.units))

    def call(self, inputs: Any) -> Any:
        """Return the logits."""
        result = self.dense1(inputs)
        for _ in range(self.uses):
            result = self.dense2(result)
        return result


class SubclassedModel(Scenario):
    """Apply and differentiate a two-layer Keras model that reuses its second layer.

    A layer that is used k times has one kernel, whose gradient is a sum of k terms. The loss is the
    guide's sparse softmax cross-entropy; nothing is updated (``mnist_step`` trains).
    """

    name = "subclassed_model"
    concept = "subclassed Keras models"
    sizes = {
        "tiny": Size(batch=4, features=6, units=3, uses=2),
        "thrice": Size(batch=32, features=784, units=10, uses=3),
        "guide": Size(batch=32, features=784, units=10, uses=2),
    }
    default_sizes = ("guide",)

    def inputs(self, rng: np.random.Generator) -> Sequence[Feed]:
        images = rng.random((self.size.batch, self.size.features), np.float32)
        labels = rng.integers(self.size.units, size=self.size.batch, dtype=np.int32)
        return [{"images": images, "labels": labels}]

    def build(self) -> None:
        self.model = MNISTModel(self.size.units, self.size.uses)
        self.model.build((None, self.size.features))

    def step(self, images: Any, labels: Any) -> Mapping[str, Any]:
        with tf.GradientTape() as tape:
            logits = self.model(images)
            loss = tf.reduce_mean(
                tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)
            )
        gradients = tape.gradient(loss, self.model.trainable_variables)
        names = ("kernel1", "bias1", "kernel2", "bias2")
        return {
            "logits": logits,
            "loss": loss,
            **{f"{name}_gradient": g for name, g in zip(names, gradients, strict=True)},
        }

    def reference(self, state: State, images: Array, labels: Array) -> Mapping[str, Array]:
        kernel2, bias2 = state[f"{SECOND}/kernel"], state[f"{SECOND}/bias"]
        hidden = [images @ state[f"{FIRST}/kernel"] + state[f"{FIRST}/bias"]]
        for _ in range(self.size.uses):
            hidden.append(hidden[-1] @ kernel2 + bias2)
        logits = hidden.pop()
        exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
        probabilities = exponentials / exponentials.sum(axis=1, keepdims=True)
        expected = np.eye(self.size.units)[labels]

        back = (probabilities - expected) / len(labels)
        kernel2_gradient, bias2_gradient = np.zeros_like(kernel2), np.zeros_like(bias2)
        for entering in reversed(hidden):
            kernel2_gradient += entering.T @ back
            bias2_gradient += back.sum(axis=0)
            back = back @ kernel2.T
        return {
            "logits": logits,
            "loss": -np.mean(np.log((probabilities * expected).sum(axis=1))),
            "kernel1_gradient": images.T @ back,
            "bias1_gradient": back.sum(axis=0),
            "kernel2_gradient": kernel2_gradient,
            "bias2_gradient": bias2_gradient,
        }
