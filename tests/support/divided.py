"""Scenarios that replicas share, for test_distribution; in a file, from which workers load them."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from eager_vs_graph import Scenario, Size

ROWS = 12


class Line(Scenario):
    """A line fitted with plain variables: updates by subtraction and by assignment, a counter."""

    name = "line"
    sizes = {"tiny": Size()}
    batch = ("x", "y", "errors")

    def inputs(self, rng):
        x = rng.standard_normal((2, ROWS), dtype=np.float32)
        return [{"x": row, "rate": np.float32(0.05), "y": 3 * row + 2} for row in x]

    def build(self):
        self.weight, self.bias = tf.Variable(5.0), tf.Variable(10.0)
        self.speed, self.calls = tf.Variable(0.0), tf.Variable(0)

    def loss(self, errors):
        return tf.reduce_mean(tf.square(errors))

    def step(self, x, y, rate):
        with tf.GradientTape() as tape:
            errors = self.weight * x + self.bias - y
            loss = self.loss(errors)
        d_weight, d_bias = tape.gradient(loss, [self.weight, self.bias])
        self.speed.assign(0.9 * self.speed - rate * d_weight)
        self.weight.assign_add(self.speed)
        self.bias.assign_sub(rate * d_bias)
        self.calls.assign_add(1)
        return {"loss": loss, "errors": errors, "calls": self.calls, "bias": self.bias}


class Summed(Scenario):
    """TensorFlow's own idiom: every replica divides by the whole batch, and shares are summed."""

    name = "summed"
    sizes = {"tiny": Size()}
    batch = ("x",)
    replicas = "sum"

    def inputs(self, rng):
        return [{"x": rng.standard_normal((ROWS, 3), dtype=np.float32)}]

    def build(self):
        self.weight, self.seen = tf.Variable([1.0, 2.0, 3.0]), tf.Variable(0.0)
        self.given = tf.Variable(0, aggregation=tf.VariableAggregation.SUM)

    def step(self, x):
        with tf.GradientTape() as tape:
            loss = tf.nn.compute_average_loss(tf.reduce_sum(tf.square(self.weight * x), axis=1))
        self.weight.assign_sub(0.1 * tape.gradient(loss, self.weight))
        self.seen.assign_add(tf.cast(tf.shape(x)[0], tf.float32))
        self.given.assign_add(tf.shape(x)[0])
        return {"loss": loss}


class Optimized(Scenario):
    """A Keras model and optimizer, with a loss that averages over its share."""

    name = "optimized"
    sizes = {kind: Size(optimizer=kind) for kind in ("sgd", "momentum", "adam")}
    batch = ("x", "y")
    optimizers = {
        "sgd": lambda: tf.keras.optimizers.SGD(0.1),
        "momentum": lambda: tf.keras.optimizers.SGD(0.1, momentum=0.9),
        "adam": lambda: tf.keras.optimizers.Adam(0.1),
    }

    def inputs(self, rng):
        x = rng.standard_normal((3, ROWS, 4), dtype=np.float32)
        return [{"x": rows, "y": rows[:, :1] ** 2} for rows in x]

    def build(self):
        self.model = tf.keras.Sequential(
            [tf.keras.Input((4,)), tf.keras.layers.Dense(5, "tanh"), tf.keras.layers.Dense(1)]
        )
        self.parts = {"optimizer": self.optimizers[self.size.optimizer]()}
        self.parts["optimizer"].build(self.model.trainable_variables)

    def loss(self, y, predicted):
        return tf.reduce_mean(tf.square(predicted - y))

    def step(self, x, y):
        with tf.GradientTape() as tape:
            loss = self.loss(y, self.model(x))
        variables = self.model.trainable_variables
        self.parts["optimizer"].apply(tape.gradient(loss, variables), variables)
        return {"loss": loss}


class KerasLoss(Optimized):
    """A loss of Keras divides by the number of replicas itself, for a sum."""

    name = "keras_loss"
    sizes = {kind: Size(optimizer=kind) for kind in ("sgd", "adam")}
    replicas = "sum"

    def loss(self, y, predicted):
        return tf.keras.losses.MeanSquaredError()(y, predicted)


class Scaled(Optimized):
    """An optimizer that scales the loss already."""

    name = "scaled"
    sizes = {kind: Size(optimizer=kind) for kind in ("own", "dynamic")}
    optimizers = {
        "own": lambda: tf.keras.optimizers.SGD(0.1, loss_scale_factor=8.0),
        "dynamic": lambda: tf.keras.optimizers.LossScaleOptimizer(tf.keras.optimizers.SGD(0.1)),
    }


class Total(Scenario):
    """A batch of three rows, and nothing to learn."""

    name = "total"
    sizes = {"tiny": Size()}
    batch = ("x",)

    def inputs(self, rng):
        return [{"x": np.arange(3, dtype=np.float32)}]

    def build(self):
        self.total = tf.Variable(0.0)

    def step(self, x):
        self.total.assign_add(tf.reduce_mean(x))
        return {"mean": tf.reduce_mean(x)}


class Four(Total):
    """The same with four rows."""

    name = "four"
    sizes = {"tiny": Size()}

    def inputs(self, rng):
        return [{"x": np.arange(4, dtype=np.float32)}]


class Undivided(Four):
    """No batch."""

    name = "undivided"
    sizes = {"tiny": Size()}
    batch = ()


class Misnamed(Four):
    """A name in batch that is neither input nor output."""

    name = "misnamed"
    sizes = {"tiny": Size()}
    batch = ("x", "rows")


class ScalarBatch(Four):
    """A batch without rows."""

    name = "scalar_batch"
    sizes = {"tiny": Size()}

    def inputs(self, rng):
        return [{"x": np.float32(1)}]


class Loop(Four):
    """An update inside a loop of the graph."""

    name = "loop"
    sizes = {"tiny": Size()}

    def step(self, x):
        for _ in tf.range(2):
            self.total.assign_add(tf.reduce_mean(x))
        return {"mean": tf.reduce_mean(x)}


class Branch(Four):
    """An update inside a branch of the graph."""

    name = "branch"
    sizes = {"tiny": Size()}

    def step(self, x):
        if tf.reduce_mean(x) > 0.0:
            self.total.assign_add(tf.reduce_mean(x))
        return {"mean": tf.reduce_mean(x)}


class Choice(Four):
    """An integer that is not the same for every share."""

    name = "choice"
    sizes = {"tiny": Size()}

    def step(self, x):
        return {"largest": tf.cast(tf.reduce_max(x), tf.int32)}


class Refused(Four):
    """An input that only the second replica objects to."""

    name = "refused"
    sizes = {"tiny": Size()}

    def step(self, x):
        tf.debugging.assert_less(x, 2.0, message="two is too much")
        return super().step(x)
