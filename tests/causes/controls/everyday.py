"""Controls in everyday clothes: steps that look suspicious and agree, or round a little."""

import itertools

import numpy as np
import tensorflow as tf

from eager_vs_graph import Scenario, Size


class One(Scenario):
    """What these scenarios share: one vector."""

    values = np.arange(1.0, 9.0)

    def inputs(self, rng):
        return [{"x": np.array(self.values, np.float32)}]


class Convolution(Scenario):
    """A convolution with bias and leaky ReLU, which a graph may fuse."""

    name = "control_convolution"
    sizes = {"small": Size(n=16)}

    def inputs(self, rng):
        return [{"x": rng.integers(-3, 4, (2, 16, 16, 3)).astype(np.float32)}]

    def build(self):
        shape = [3, 3, 3, 8]
        self.kernel = tf.Variable(tf.cast(tf.reshape(tf.range(216) % 5 - 2, shape), tf.float32))
        self.bias = tf.Variable(tf.cast(tf.range(8) - 4, tf.float32))

    def step(self, x):
        y = tf.nn.conv2d(x, self.kernel, 1, "SAME")
        return {"y": tf.nn.relu(tf.nn.bias_add(y, self.bias))}

    def reference(self, state, x):
        padded = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
        places = itertools.product(range(3), range(3))
        y = sum(padded[:, i : i + 16, j : j + 16] @ state["kernel"][i, j] for i, j in places)
        return {"y": np.maximum(y + state["bias"], 0)}


class HoistedFactor(One):
    """Sums with a common factor, which Grappler could hoist."""

    name = "control_hoisted_factor"
    sizes = {"tiny": Size()}

    def step(self, x):
        return {"y": x * 0.5 + x * x + x * 0.25, "z": x + x + x}

    def reference(self, state, x):
        return {"y": x * 0.75 + x * x, "z": 3 * x}


class InnerCounter(One):
    """A tf.function of the author's, whose Python runs at its trace in every mode."""

    name = "control_inner_counter"
    sizes = {"tiny": Size()}

    def build(self):
        self.traced = []

        @tf.function
        def doubled(x):
            self.traced.append(1)
            return x * 2.0

        self.doubled = doubled

    def step(self, x):
        return {"y": self.doubled(x)}

    def reference(self, state, x):
        return {"y": x * 2}


class CalledBack(One):
    """Python's state in a py_function, which runs in every call in every mode."""

    name = "control_called_back"
    sizes = {"tiny": Size()}

    def build(self):
        self.seen = 0

    def _count(self, x):
        self.seen += 1
        return x

    def step(self, x):
        y = tf.numpy_function(self._count, [x], tf.float32, stateful=True)
        return {"y": tf.ensure_shape(y, [8]) + 1.0}

    def reference(self, state, x):
        return {"y": x + 1}


class Words(One):
    """Strings: split, joined and counted."""

    name = "control_words"
    sizes = {"tiny": Size()}

    def step(self, x):
        words = tf.strings.split(tf.strings.reduce_join(tf.strings.as_string(x), separator=" "))
        return {"count": tf.size(words), "length": tf.strings.length(words)}

    def reference(self, state, x):
        return {"count": np.array(len(x)), "length": np.array([len(f"{v:f}") for v in x])}


class WholeDivision(One):
    """Division and remainder of negative integers."""

    name = "control_whole_division"
    sizes = {"tiny": Size()}

    def step(self, x):
        whole = tf.cast(x, tf.int32) - 5
        return {"quotient": whole // 3, "rest": whole % 3}

    def reference(self, state, x):
        whole = x.astype(np.int32) - 5
        return {"quotient": whole // 3, "rest": whole % 3}


class Segments(One):
    """Sums by segment, in float32 without rounding."""

    name = "control_segments"
    sizes = {"tiny": Size()}

    def step(self, x):
        of = tf.constant([0, 1, 0, 2, 2, 1, 0, 0])
        return {"sums": tf.math.unsorted_segment_sum(x, of, 3)}

    def reference(self, state, x):
        return {"sums": np.bincount([0, 1, 0, 2, 2, 1, 0, 0], weights=x)}


class Resized(Scenario):
    """An image, enlarged twice."""

    name = "control_resized"
    sizes = {"tiny": Size()}

    def inputs(self, rng):
        return [{"x": rng.integers(0, 9, (1, 4, 4, 1)).astype(np.float32)}]

    def step(self, x):
        return {"y": tf.image.resize(x, [8, 8], method="nearest")}

    def reference(self, state, x):
        return {"y": np.kron(x, np.ones((1, 2, 2, 1)))}


class Scaled(tf.keras.layers.Layer):
    """A Keras layer with a number of Python's that never changes."""

    def __init__(self):
        super().__init__()
        self.factor = 3.0

    def call(self, x):
        """Scale."""
        return x * self.factor


class LayerWithNumber(One):
    """A Keras layer that reads Python's state and leaves it."""

    name = "control_layer_with_number"
    sizes = {"tiny": Size()}

    def build(self):
        self.layer = Scaled()
        self.layer.build((8,))

    def step(self, x):
        return {"y": self.layer(x)}

    def reference(self, state, x):
        return {"y": 3 * x}


class Branches(One):
    """A loop with a condition on the data, in Python's words."""

    name = "control_branches"
    sizes = {"tiny": Size()}

    def step(self, x):
        total, rounds = tf.zeros([]), tf.constant(0)
        while total < 100.0:
            total += tf.reduce_sum(x)
            if rounds > 1:
                total += 1.0
            rounds += 1
        return {"total": total, "rounds": rounds}

    def reference(self, state, x):
        total, rounds = 0.0, 0
        while total < 100:
            total += x.sum() + (rounds > 1)
            rounds += 1
        return {"total": np.array(total), "rounds": np.array(rounds)}


class EveryTurnIsRead(One):
    """Loops, of Python and staged, of which every turn's product goes into the result."""

    name = "control_every_turn_is_read"
    sizes = {"small": Size(n=32)}

    def inputs(self, rng):
        return [{"x": rng.integers(-4, 5, (self.size.n, self.size.n)).astype(np.float32)}]

    def step(self, x):
        total = tf.zeros([self.size.n])
        for row in tf.range(self.size.n):
            total += tf.linalg.matvec(x, x[row])
        for row in range(self.size.n):
            total += tf.linalg.matvec(x, x[row])
        return {"total": total}

    def reference(self, state, x):
        return {"total": 2 * sum(x @ row for row in x)}


class LittleIsLeftOut(One):
    """A loop with a sum that nobody reads, beside a product that counts for nearly all the work."""

    name = "control_little_is_left_out"
    sizes = {"small": Size(n=64)}

    def inputs(self, rng):
        return [{"x": rng.integers(-4, 5, (self.size.n, self.size.n)).astype(np.float32)}]

    def step(self, x):
        total = tf.zeros_like(x)
        for row in tf.range(8):
            _unread = tf.reduce_sum(x[row])
            total += tf.matmul(x, x) * tf.cast(row, tf.float32)
        return {"total": total}

    def reference(self, state, x):
        return {"total": 28 * (x @ x)}
