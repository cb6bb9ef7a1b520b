"""Controls: steps that agree in every mode and do equal work. Nothing may be found in them."""

import numpy as np
import tensorflow as tf

from eager_vs_graph import Scenario, Size

OFFSETS = [1.0, 2.0, 3.0]


class Plain(Scenario):
    """What the controls share: one vector."""

    def inputs(self, rng):
        # Quarters, so that sums and products of few of them are exact in every order.
        return [{"x": rng.integers(-40, 41, 64).astype(np.float32) / 4}]


class Doubling(Plain):
    """Arithmetic."""

    name = "control_doubling"
    sizes = {"tiny": Size()}

    def step(self, x):
        return {"y": x * 2.0}

    def reference(self, state, x):
        return {"y": x * 2.0}


class Counting(Plain):
    """State in a variable."""

    name = "control_counting"
    sizes = {"tiny": Size()}

    def build(self):
        self.calls = tf.Variable(0)

    def step(self, x):
        self.calls.assign_add(1)
        return {"y": x * tf.cast(self.calls, tf.float32)}

    def reference(self, state, x):
        state["calls"] = state["calls"] + 1
        return {"y": x * state["calls"]}


class Stateless(Plain):
    """Stateless random numbers with a seed from a variable."""

    name = "control_stateless"
    sizes = {"tiny": Size()}

    def build(self):
        self.calls = tf.Variable(0)

    def step(self, x):
        self.calls.assign_add(1)
        noise = tf.random.stateless_uniform([64], tf.stack([self.calls, 7]))
        return {"y": x + 0.0 * noise, "mean": tf.reduce_mean(tf.sign(noise))}

    def reference(self, state, x):
        state["calls"] = state["calls"] + 1
        return {"y": x, "mean": np.float64(1.0)}


class Generator(Plain):
    """A tf.random.Generator: its state is a variable."""

    name = "control_generator"
    sizes = {"tiny": Size()}

    def build(self):
        self.generator = tf.random.Generator.from_seed(3)

    def step(self, x):
        return {"y": x + 0.0 * self.generator.normal([64])}

    def reference(self, state, x):
        # Philox: the first word counts, by 256 groups of numbers for each output.
        state["generator/state"] = state["generator/state"] + np.array([64 * 256, 0, 0])
        return {"y": x}


class PythonConstant(Plain):
    """Python values that never change: reading them at tracing is right."""

    name = "control_python_constant"
    sizes = {"tiny": Size()}

    def build(self):
        self.rates = {"low": 0.5, "high": 2.0}

    def step(self, x):
        total = x * self.rates["low"]
        for offset in OFFSETS:
            total = total + offset
        return {"y": total * float(np.sqrt(4.0))}

    def reference(self, state, x):
        return {"y": (x * 0.5 + 6.0) * 2.0}


class Loop(Plain):
    """AutoGraph: a loop and a branch on tensors."""

    name = "control_loop"
    sizes = {"tiny": Size()}

    def step(self, x):
        total = tf.zeros_like(x)
        for _ in tf.range(3):
            if tf.reduce_sum(x) > -1e9:
                total += x
            else:
                total -= x
        return {"y": total}

    def reference(self, state, x):
        return {"y": 3 * x}


class DynamicShape(Plain):
    """A dynamic shape, read as it should be."""

    name = "control_dynamic_shape"
    sizes = {"tiny": Size()}

    def step(self, x):
        kept = tf.boolean_mask(x, x > 0)
        return {"count": tf.shape(kept)[0], "last": kept[-1] * 2.0}

    def reference(self, state, x):
        kept = x[x > 0]
        return {"count": np.int64(len(kept)), "last": kept[-1] * 2.0}


class Matmul(Scenario):
    """A product and a gradient."""

    name = "control_matmul"
    sizes = {"small": Size(n=64)}

    def inputs(self, rng):
        return [{"x": rng.standard_normal((self.size.n, self.size.n), dtype=np.float32)}]

    def build(self):
        self.weight = tf.Variable(tf.eye(self.size.n) * 0.5)

    def step(self, x):
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(tf.matmul(x, self.weight))
        self.weight.assign_sub(0.5 * tape.gradient(loss, self.weight))
        return {"weight": self.weight * 1.0}

    def reference(self, state, x):
        gradient = x.T @ np.ones_like(x)
        state["weight"] = state["weight"] - 0.5 * gradient
        return {"weight": state["weight"]}


class Idempotent(Plain):
    """A Python attribute that the first call sets and later calls set to the same."""

    name = "control_idempotent"
    sizes = {"tiny": Size()}

    def build(self):
        self.width = None

    def step(self, x):
        self.width = int(x.shape[0])
        return {"y": x * float(self.width)}

    def reference(self, state, x):
        return {"y": x * 64.0}


class Inner(Plain):
    """A tf.function of the author's, made in build and called with tensors."""

    name = "control_inner_function"
    sizes = {"tiny": Size()}

    def build(self):
        self.doubled = tf.function(lambda values: values * 2.0)

    def step(self, x):
        return {"y": self.doubled(x) + self.doubled(x)}

    def reference(self, state, x):
        return {"y": 4.0 * x}


class PythonFunction(Plain):
    """NumPy through tf.numpy_function: it runs in every call of every mode."""

    name = "control_numpy_function"
    sizes = {"tiny": Size()}

    def step(self, x):
        y = tf.numpy_function(np.sort, [x], tf.float32)
        return {"y": tf.ensure_shape(y, [64])}

    def reference(self, state, x):
        return {"y": np.sort(x)}


class Integers(Plain):
    """Integers and booleans."""

    name = "control_integers"
    sizes = {"tiny": Size()}

    def step(self, x):
        signs = tf.cast(tf.sign(x), tf.int32)
        return {"sum": tf.reduce_sum(signs), "positive": x > 0}

    def reference(self, state, x):
        return {"sum": np.sum(np.sign(x)).astype(np.int64), "positive": x > 0}
