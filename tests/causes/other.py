"""The other causes: random streams, modes, dtypes, shapes, kernels, retracing."""

import numpy as np
import tensorflow as tf

from eager_vs_graph import Scenario, Size

X = np.array([1.0, 2.0, 3.0], np.float32)


class Dropout(Scenario):
    """A stateful random op without an op seed. tensorflow/tensorflow#33297, #59635."""

    name = "random_stream"
    sizes = {"tiny": Size()}

    def inputs(self, rng):
        return [{"x": X}]

    def step(self, x):
        noise = tf.random.normal([3])
        return {"y": x + noise, "clean": x * 2.0}

    def reference(self, state, x):
        return {"y": x, "clean": x * 2.0}


class SeededOp(Scenario):
    """A stateful random op with an op seed: the counters still differ. tensorflow#33034, #23882."""

    name = "seeded_op"
    sizes = {"tiny": Size()}

    def inputs(self, rng):
        return [{"x": X}]

    def step(self, x):
        return {"y": x + tf.random.uniform([3], seed=1) + tf.random.uniform([3], seed=1)}

    def reference(self, state, x):
        return {"y": x}


class Shuffled(Scenario):
    """A training step on a shuffled batch."""

    name = "shuffled_batch"
    sizes = {"tiny": Size()}

    def inputs(self, rng):
        return [{"x": rng.standard_normal((8, 3), dtype=np.float32)}]

    def build(self):
        self.weight = tf.Variable(tf.ones([3]))

    def step(self, x):
        batch = tf.random.shuffle(x)[:4]
        self.weight.assign_add(tf.reduce_mean(batch, 0))
        return {"norm": tf.norm(self.weight)}

    def reference(self, state, x):
        state["weight"] = state["weight"] + np.mean(x[:4], 0)
        return {"norm": np.linalg.norm(state["weight"])}


class AsksTheMode(Scenario):
    """A step that takes another path when it is traced."""

    name = "asks_the_mode"
    sizes = {"tiny": Size()}

    def inputs(self, rng):
        return [{"x": X}]

    def step(self, x):
        if tf.executing_eagerly():
            return {"y": x * 2.0}
        return {"y": x * 2.5}

    def reference(self, state, x):
        return {"y": x * 2.0}


class Float64(Scenario):
    """float64 in a graph, float32 in eager."""

    name = "float64_in_graph"
    sizes = {"tiny": Size()}

    def inputs(self, rng):
        return [{"x": X}]

    def step(self, x):
        scale = 0.1 if tf.executing_eagerly() else np.float64(0.1)
        if isinstance(scale, np.float64):
            x = tf.cast(x, tf.float64)
        return {"y": x * scale}

    def reference(self, state, x):
        return {"y": x * 0.1}


class PositiveMean(Scenario):
    """The mean over what a mask keeps, divided by a static length. tensorflow#36991, #50255."""

    name = "masked_length"
    sizes = {"tiny": Size()}

    def inputs(self, rng):
        return [{"x": np.array([1.0, -2.0, 3.0, 5.0], np.float32)}]

    def step(self, x):
        kept = tf.boolean_mask(x, x > 0)
        count = kept.shape[0] or 1
        return {"mean": tf.reduce_sum(kept) / float(count)}

    def reference(self, state, x):
        return {"mean": np.mean(x[x > 0])}


class StaticBatch(Scenario):
    """Batches of two lengths, and a scale from the static length: None in a session."""

    name = "static_batch"
    sizes = {"tiny": Size()}

    def inputs(self, rng):
        return [{"x": np.ones(4, np.float32)}, {"x": np.ones(6, np.float32)}]

    def step(self, x):
        length = 1 if x.shape[0] is None else x.shape[0]
        return {"y": tf.reduce_sum(x) / float(length)}

    def reference(self, state, x):
        return {"y": np.mean(x)}


class Moments(Scenario):
    """The variance of equal numbers. tensorflow/tensorflow#118179, #120234."""

    name = "xla_moments"
    sizes = {"tiny": Size()}

    def inputs(self, rng):
        return [{"x": np.full((1, 3), 7.5e10, np.float32)}]

    def step(self, x):
        return {"variance": tf.nn.moments(x, [1])[1]}

    def reference(self, state, x):
        return {"variance": np.zeros(1)}


class Lengths(Scenario):
    """Batches of several lengths: a trace for each. tensorflow/tensorflow#38561."""

    name = "batch_lengths"
    sizes = {"tiny": Size()}

    def inputs(self, rng):
        return [
            {"x": np.ones(n, np.float32), "scale": np.float32(2).reshape(())} for n in (4, 6, 8)
        ]

    def step(self, x, scale):
        return {"y": tf.reduce_sum(x) * scale}

    def reference(self, state, x, scale):
        return {"y": np.sum(x) * scale}


class PythonArgument(Scenario):
    """A tf.function of the author's that gets a Python number. tensorflow/tensorflow#24726."""

    name = "python_argument"
    sizes = {"tiny": Size()}

    def inputs(self, rng):
        return [{"x": X}]

    def build(self):
        self.epoch = 0
        self.scaled = tf.function(lambda values, factor: values + 0.0 * factor)

    def step(self, x):
        self.epoch += 1
        return {"y": self.scaled(x, self.epoch)}

    def reference(self, state, x):
        return {"y": x}


class MadeAnew(Scenario):
    """A tf.function that is made anew in each call."""

    name = "made_anew"
    sizes = {"tiny": Size()}

    def inputs(self, rng):
        return [{"x": X}]

    def step(self, x):
        return {"y": tf.function(lambda values: values * 2.0)(x)}

    def reference(self, state, x):
        return {"y": x * 2.0}


class DenseTanh(Scenario):
    """Four ops that a graph fuses into one of oneDNN's kernels."""

    name = "fused_dense"
    sizes = {"small": Size(n=64)}

    def inputs(self, rng):
        n = self.size.n
        shapes = {"x": (n, n), "w": (n, n), "b": (n,)}
        return [{name: rng.standard_normal(s, dtype=np.float32) for name, s in shapes.items()}]

    def step(self, x, w, b):
        return {"y": tf.nn.gelu(tf.nn.bias_add(x @ w, b))}

    def reference(self, state, x, w, b):
        from math import erf

        z = x @ w + b
        return {"y": 0.5 * z * (1 + np.vectorize(erf)(z / np.sqrt(2)))}
