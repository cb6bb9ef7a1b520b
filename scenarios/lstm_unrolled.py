"""An LSTM cell called once for each time step, the loop unrolled in Python."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from eager_vs_graph import Scenario, Size
from eager_vs_graph.scenario import Array, Feed, State


class LstmUnrolled(Scenario):
    """Run a Keras LSTM cell over a sequence, forwards and backwards through time.

    The loop is Python's: eager execution pays for every op of every time step, and tracing lays
    all of them out as one graph. The loss is the sum of the squared final hidden state.
    """

    name = "lstm_unrolled"
    concept = "recurrent work, unrolled"
    sizes = {
        "tiny": Size(batch=2, steps=3, features=2, units=3),
        "small": Size(batch=16, steps=10, features=16, units=32),
        "large": Size(batch=64, steps=50, features=64, units=256),
    }
    default_sizes = ("small",)

    def inputs(self, rng: np.random.Generator) -> Sequence[Feed]:
        shape = (self.size.batch, self.size.steps, self.size.features)
        return [{"x": rng.standard_normal(shape, dtype=np.float32)} for _ in range(2)]

    def build(self) -> None:
        self.cell = tf.keras.layers.LSTMCell(self.size.units)
        self.cell.build((None, self.size.features))

    def step(self, x: Any) -> Mapping[str, Any]:
        cell = self.cell
        hidden = carry = tf.zeros((self.size.batch, self.size.units))
        with tf.GradientTape() as tape:
            tape.watch(x)
            for t in range(self.size.steps):
                hidden, (_, carry) = cell(x[:, t], [hidden, carry])
            loss = tf.reduce_sum(tf.square(hidden))
        gradients = tape.gradient(loss, [x, cell.kernel, cell.recurrent_kernel, cell.bias])
        names = ("input", "kernel", "recurrent_kernel", "bias")
        return {
            "hidden": hidden,
            "carry": carry,
            **{f"{name}_gradient": g for name, g in zip(names, gradients, strict=True)},
        }

    def reference(self, state: State, x: Array) -> Mapping[str, Array]:
        """The cell of Gers, Schmidhuber & Cummins (2000), and back-propagation through time.

        Keras's order of the gates is input, forget, candidate, output.
        """
        kernel, recurrent = state["cell/kernel"], state["cell/recurrent_kernel"]
        bias = state["cell/bias"]
        steps = x.shape[1]
        hidden, carry = [np.zeros((len(x), len(recurrent)))], [np.zeros((len(x), len(recurrent)))]
        gates = []
        for t in range(steps):
            z = x[:, t] @ kernel + hidden[t] @ recurrent + bias
            i, f, g, o = np.split(z, 4, axis=1)
            gates.append((logistic(i), logistic(f), np.tanh(g), logistic(o)))
            i, f, g, o = gates[t]
            carry.append(f * carry[t] + i * g)
            hidden.append(o * np.tanh(carry[t + 1]))

        d_x, d_kernel = np.zeros_like(x), np.zeros_like(kernel)
        d_recurrent, d_bias = np.zeros_like(recurrent), np.zeros_like(bias)
        d_hidden, d_carry = 2 * hidden[steps], np.zeros_like(carry[steps])
        for t in reversed(range(steps)):
            i, f, g, o = gates[t]
            squashed = np.tanh(carry[t + 1])
            d_carry = d_carry + d_hidden * o * (1 - squashed**2)
            d_z = np.concatenate(
                [
                    d_carry * g * i * (1 - i),
                    d_carry * carry[t] * f * (1 - f),
                    d_carry * i * (1 - g**2),
                    d_hidden * squashed * o * (1 - o),
                ],
                axis=1,
            )
            d_x[:, t] = d_z @ kernel.T
            d_kernel += x[:, t].T @ d_z
            d_recurrent += hidden[t].T @ d_z
            d_bias += d_z.sum(axis=0)
            d_hidden, d_carry = d_z @ recurrent.T, d_carry * f
        return {
            "hidden": hidden[steps],
            "carry": carry[steps],
            "input_gradient": d_x,
            "kernel_gradient": d_kernel,
            "recurrent_kernel_gradient": d_recurrent,
            "bias_gradient": d_bias,
        }


def logistic(z: Array) -> Array:
    """Return 1 / (1 + e⁻ᶻ)."""
    return 1 / (1 + np.exp(-z))
