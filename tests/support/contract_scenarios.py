"""Scenarios that need every part of what a mode promises: order, state, inputs, variables."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from eager_vs_graph import Scenario, Size


class Cumulate(Scenario):
    """A step whose result needs every part of the contract: order, state, inputs, branches."""

    name = "cumulate"
    sizes = {"tiny": Size(n=3)}

    def inputs(self, rng):
        return [
            {"y": np.full(3, 10.0 * k, np.float32), "x": np.full(3, float(k), np.float32)}
            for k in (1, 2, 3)
        ]

    def build(self):
        self.total = tf.Variable(tf.zeros(3))
        self.calls = tf.Variable(0)

    def step(self, x, y):
        before = self.total + 0.0
        self.total.assign_add(x)  # no output depends on it but through the variable
        self.calls.assign_add(1)
        branch = tf.constant(-1)
        if tf.reduce_sum(x) > 4.0:
            branch = tf.constant(1)
        count = tf.constant(0)
        while count < 5:
            count += 2
        return {
            "z_first": y,
            "total": self.total,
            "before": before,
            "branch": branch,
            "count": count,
        }


class Varying(Cumulate):
    """Feeds of several shapes, and an output that follows them."""

    name = "varying"
    sizes = {"tiny": Size()}

    def inputs(self, rng):
        return [{"x": np.ones((n, 2), np.float32)} for n in (3, 5, 1)]

    def build(self):
        pass

    def step(self, x):
        return {"x": x + 1.0, "sum": tf.reduce_sum(x)}


class Innermost(tf.keras.layers.Layer):
    """The guide's style: a raw variable, in a layer inside a layer."""

    def __init__(self):
        super().__init__()
        self.w = tf.Variable(2.0)

    def build(self, shape):
        self.built = True

    def call(self, x):
        return x * self.w


class Inner(tf.keras.layers.Layer):
    """A layer that holds layers, and a variable that Keras does not list."""

    def __init__(self):
        super().__init__()
        self.first = tf.keras.layers.Dense(3)
        self.second = tf.keras.layers.Dense(3)
        self.offset = tf.Variable(1.0)
        self.innermost = [Innermost()]

    def build(self, shape):
        self.scale = self.add_weight(name="scale", shape=())
        self.first.build(shape)
        self.second.build((shape[0], 3))

    def call(self, x):
        return self.innermost[0](self.second(self.first(x))) * self.scale + self.offset


class Module(tf.Module):
    """A tf.Module with variables of its own and of a list."""

    def __init__(self):
        super().__init__()
        self.weight = tf.Variable(tf.ones(2), name="w")
        self.parts = [tf.Variable(1.0, name="part"), tf.Variable(2.0, name="part")]
        self._private = {"unnamed": tf.Variable(1.0)}
        self.myself = self


class Everything(Scenario):
    """Every kind of thing that may hold variables."""

    name = "everything"
    sizes = {"tiny": Size()}

    def inputs(self, rng):
        return [{"x": np.ones((2, 4), np.float32)}]

    def build(self):
        self.plain = tf.Variable(1.0)
        self.again = self.plain
        self.listed = [tf.Variable(1), tf.Variable(2)]
        self.mapped = {"a": tf.Variable(1.0), "b": (tf.Variable(2.0),)}
        self.module = Module()
        self.dense = tf.keras.layers.Dense(3)
        self.dense.build((None, 4))
        self.layers = [tf.keras.layers.Dense(3, use_bias=False) for _ in range(2)]
        for layer in self.layers:
            layer.build((None, 4))
        self.nested = Inner()
        self.nested.build((None, 4))
        self.sequence = tf.keras.Sequential(
            [
                tf.keras.layers.Dense(5),
                tf.keras.layers.BatchNormalization(),
                Innermost(),
                tf.keras.layers.Dense(3),
            ]
        )
        self.sequence.build((None, 4))
        self.adam = tf.keras.optimizers.Adam(0.01)
        self.adam.build(self.sequence.trainable_variables)
        self.metric = tf.keras.metrics.Mean()
        self.accuracy = tf.keras.metrics.SparseCategoricalAccuracy()
        self.generator = tf.random.Generator.from_seed(1)
        self.keras = tf.keras.Variable(1.0)
        self.text, self.nothing = "not a variable", None

    def step(self, x):
        noise = self.generator.normal((2, 3))
        with tf.GradientTape() as tape:
            y = self.sequence(x) + noise
            loss = tf.reduce_mean(tf.square(y))
        variables = self.sequence.trainable_variables
        self.adam.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))
        self.metric.update_state(loss)
        self.accuracy.update_state(tf.zeros(2, tf.int32), y)
        self.listed[1].assign_add(1)
        self.module.parts[0].assign_add(1.0)
        return {
            "loss": loss,
            "mean": self.metric.result(),
            "noise": noise,
            "nested": self.nested(x),
        }


def assert_same_bits(found, expected):
    assert found.keys() == expected.keys()
    for name, array in expected.items():
        assert found[name].dtype == array.dtype
        assert found[name].shape == array.shape
        np.testing.assert_array_equal(found[name], array, err_msg=name)
