"""The guide's own Keras layer: a kernel that ``build`` makes when the input's shape is known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from eager_vs_graph import Scenario, Size
from eager_vs_graph.scenario import Array, Feed, State


class MySimpleLayer(tf.keras.layers.Layer):
    """The guide's layer, a product without bias; its ``add_variable`` is ``add_weight`` today."""

    def __init__(self, output_units: int) -> None:
        super().__init__()
        self.output_units = output_units

    def build(self, input_shape: Any) -> None:
        """Create the kernel, (input units, output units)."""
        self.kernel = self.add_weight(name="kernel", shape=(input_shape[-1], self.output_units))

    def call(self, inputs: Any) -> Any:
        """Return ``inputs @ kernel``."""
        return tf.matmul(inputs, self.kernel)


class CustomLayer(Scenario):
    """Apply and differentiate a Keras layer with ``build`` and ``add_weight``.

    The loss is the sum of the squared outputs. Size ``guide`` is the guide's first layer: batches
    of 32 images of 784 pixels, 10 units.
    """

    name = "custom_layer"
    concept = "Keras layers of one's own"
    sizes = {
        "tiny": Size(batch=4, features=3, units=2),
        "large": Size(batch=512, features=784, units=1000),
        "guide": Size(batch=32, features=784, units=10),
    }
    default_sizes = ("guide",)

    def inputs(self, rng: np.random.Generator) -> Sequence[Feed]:
        # Rows of length about one: outputs and gradients are of order one at every size.
        shape = (self.size.batch, self.size.features)
        rows = rng.standard_normal(shape) / np.sqrt(self.size.features)
        return [{"x": rows.astype(np.float32)}]

    def build(self) -> None:
        self.layer = MySimpleLayer(self.size.units)
        self.layer.build((None, self.size.features))

    def step(self, x: Any) -> Mapping[str, Any]:
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = self.layer(x)
            loss = tf.reduce_sum(tf.square(y))
        input_gradient, kernel_gradient = tape.gradient(loss, [x, self.layer.kernel])
        return {
            "output": y,
            "input_gradient": input_gradient,
            "kernel_gradient": kernel_gradient,
        }

    def reference(self, state: State, x: Array) -> Mapping[str, Array]:
        kernel = state["layer/kernel"]
        y = x @ kernel
        return {
            "output": y,
            "input_gradient": 2 * y @ kernel.T,
            "kernel_gradient": 2 * x.T @ y,
        }
