"""Formulas that Grappler rewrites into ones that round differently."""

import numpy as np
import tensorflow as tf

from eager_vs_graph import Scenario, Size, Tolerance


class Reciprocal(Scenario):
    """1 / x becomes the Reciprocal op, which is an approximation on x86.

    tensorflow/tensorflow#102771, removed upstream by #126208.
    """

    name = "reciprocal"
    sizes = {"tiny": Size()}

    def inputs(self, rng):
        return [{"x": np.linspace(1, 50, 64, dtype=np.float32)}]

    def step(self, x):
        return {"y": x * (1.0 / x)}

    def reference(self, state, x):
        return {"y": np.ones_like(x)}


class Involution(Scenario):
    """reciprocal(reciprocal(x)) becomes x, which rounding does not make it.

    tensorflow/tensorflow#119429.
    """

    name = "involution"
    sizes = {"tiny": Size()}

    def inputs(self, rng):
        return [{"x": np.linspace(1, 50, 64, dtype=np.float32)}]

    def step(self, x):
        return {"y": tf.math.reciprocal(tf.math.reciprocal(x))}

    def reference(self, state, x):
        return {"y": x}


class Softplus(Scenario):
    """log(1 + exp(x)) becomes log1p(exp(x)): the graph is right, eager has lost all digits.

    tensorflow/tensorflow#55814 has other formulas with the same end.
    """

    name = "softplus"
    sizes = {"tiny": Size()}
    tolerance = Tolerance(rtol=1e-5)

    def inputs(self, rng):
        return [{"x": np.array([-20.0, -17.0, 0.0, 3.0], np.float32)}]

    def step(self, x):
        return {"y": tf.math.log(1.0 + tf.exp(x))}

    def reference(self, state, x):
        return {"y": np.logaddexp(0, x)}


class Expm1(Scenario):
    """exp(x) - 1 becomes expm1(x), at the end of a training step."""

    name = "expm1_training"
    sizes = {"tiny": Size()}
    parity_steps = 5

    def inputs(self, rng):
        return [{"x": np.array([1e-6, 1e-5, 1e-4], np.float32)}]

    def build(self):
        self.total = tf.Variable(np.zeros(3, np.float32))

    def step(self, x):
        self.total.assign_add(tf.exp(x) - 1.0)
        return {"y": self.total * 1.0}

    def reference(self, state, x):
        state["total"] = state["total"] + np.expm1(x)
        return {"y": state["total"]}


class Monotone(Scenario):
    """argmax(sigmoid(x)) becomes argmax(x), which saturation does not hide."""

    name = "monotone"
    sizes = {"tiny": Size()}

    def inputs(self, rng):
        return [{"x": np.array([100.0, 200.0, 300.0], np.float32)}]

    def step(self, x):
        return {"best": tf.argmax(tf.sigmoid(x))}

    def reference(self, state, x):
        return {"best": np.argmax(x)}


class SquareRootOfMinusZero(Scenario):
    """pow(x, 0.5) becomes sqrt(x): other at -0 and at minus infinity."""

    name = "power_half"
    sizes = {"tiny": Size()}

    def inputs(self, rng):
        return [{"x": np.array([-0.0, -np.inf, 2.0, 3.0], np.float32)}]

    def step(self, x):
        return {"y": tf.pow(x, 0.5)}

    def reference(self, state, x):
        return {"y": np.power(np.where(x == 0, 0.0, np.abs(x)), 0.5)}


class TwoPasses(Scenario):
    """Two outputs, each changed by another pass."""

    name = "two_passes"
    sizes = {"tiny": Size()}

    def inputs(self, rng):
        return [{"x": np.array([1.0, 0.5, -20.0, 7.0], np.float32)}]

    def step(self, x):
        return {
            "eps": tf.math.log((1.0 - tf.abs(x)) * 0.0 + (1.0 - tf.minimum(x, 1.0)) + 1e-8),
            "soft": tf.math.log(1.0 + tf.exp(tf.minimum(x, 0.0))),
        }

    def reference(self, state, x):
        return {
            "eps": np.log((1.0 - np.minimum(x, 1.0)) + 1e-8),
            "soft": np.logaddexp(0, np.minimum(x, 0.0)),
        }
