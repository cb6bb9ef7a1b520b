"""A recurrent network over sequences of different lengths, in a loop that tensors control."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from eager_vs_graph import Scenario, Size
from eager_vs_graph.scenario import Array, Feed, State


class DynamicRnn(Scenario):
    """Run a tanh cell over sequences of variable length, forwards and backwards through time.

    The loop ends with the longest sequence of the batch, which only the data tell: eager execution
    runs Python's ``for``, and in a graph AutoGraph makes it a ``while`` op. A sequence that has
    ended keeps its state. The loss is the squared length of the final state, mean over the batch.

    The feeds differ in their lengths; their shapes are the same, padded to ``steps``. In size
    ``varying`` each feed is padded to its own longest sequence, so that the time axis differs too:
    ``tf.function`` then traces once for each length, and a session's placeholder leaves it open.
    """

    name = "dynamic_rnn"
    concept = "recurrent work, variable lengths"
    sizes = {
        "tiny": Size(batch=3, steps=5, features=2, units=3, pad=True),
        "small": Size(batch=16, steps=12, features=16, units=32, pad=True),
        "varying": Size(batch=4, steps=8, features=3, units=5, pad=False),
        "large": Size(batch=64, steps=100, features=64, units=256, pad=True),
    }
    default_sizes = ("small",)
    parity_steps = 4  # every feed

    def inputs(self, rng: np.random.Generator) -> Sequence[Feed]:
        size = self.size
        feeds: list[Feed] = []
        for share in (1.0, 0.5, 0.75, 0.25):
            longest = max(1, round(share * size.steps))
            lengths = rng.integers(0, longest, size.batch, dtype=np.int32, endpoint=True)
            lengths[0], lengths[-1] = longest, 0  # an empty sequence keeps its initial state
            width = size.steps if size.pad else longest
            # The padding is noise as well: what leaks out of it is seen.
            x = rng.standard_normal((size.batch, width, size.features), dtype=np.float32)
            feeds.append({"x": x, "lengths": lengths})
        return feeds

    def build(self) -> None:
        # Orthogonal, so that neither states nor gradients fade or grow over the steps.
        units, features = self.size.units, self.size.features
        orthogonal = tf.keras.initializers.Orthogonal(gain=0.9)
        self.kernel = tf.Variable(tf.random.normal((features, units), stddev=features**-0.5))
        self.recurrent = tf.Variable(orthogonal((units, units)))
        self.bias = tf.Variable(tf.zeros(units))

    def step(self, x: Any, lengths: Any) -> Mapping[str, Any]:
        state = tf.zeros((self.size.batch, self.size.units))
        rounds = tf.constant(0)
        with tf.GradientTape() as tape:
            tape.watch(x)
            for t in tf.range(tf.reduce_max(lengths)):
                entering = tf.matmul(x[:, t], self.kernel)
                new = tf.tanh(entering + tf.matmul(state, self.recurrent) + self.bias)
                running = tf.expand_dims(t < lengths, 1)
                state = tf.where(running, new, state)
                rounds += 1
            loss = tf.reduce_mean(tf.reduce_sum(tf.square(state), axis=1))
        gradients = tape.gradient(loss, [x, self.kernel, self.recurrent, self.bias])
        names = ("input", "kernel", "recurrent", "bias")
        return {
            "final": state,
            "rounds": rounds,
            **{f"{name}_gradient": g for name, g in zip(names, gradients, strict=True)},
        }

    def reference(self, state: State, x: Array, lengths: Array) -> Mapping[str, Array]:
        """Each sequence by itself and to its own end, so that there is nothing to mask."""
        kernel, recurrent, bias = state["kernel"], state["recurrent"], state["bias"]
        final = np.zeros((len(x), len(bias)))
        d_x, d_kernel = np.zeros_like(x), np.zeros_like(kernel)
        d_recurrent, d_bias = np.zeros_like(recurrent), np.zeros_like(bias)
        for row, length in enumerate(lengths):
            states = [np.zeros(len(bias))]
            for t in range(length):
                states.append(np.tanh(x[row, t] @ kernel + states[t] @ recurrent + bias))
            final[row] = states[length]
            d_state = 2 * states[length] / len(x)
            for t in reversed(range(length)):
                d_z = d_state * (1 - states[t + 1] ** 2)
                d_x[row, t] = kernel @ d_z
                d_kernel += np.outer(x[row, t], d_z)
                d_recurrent += np.outer(states[t], d_z)
                d_bias += d_z
                d_state = recurrent @ d_z
        return {
            "final": final,
            "rounds": np.max(lengths),
            "input_gradient": d_x,
            "kernel_gradient": d_kernel,
            "recurrent_gradient": d_recurrent,
            "bias_gradient": d_bias,
        }
