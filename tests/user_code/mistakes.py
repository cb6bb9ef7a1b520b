"""Mistakes and limits as people meet them, and models that are unlike a classifier."""

import keras
import numpy as np
import tensorflow as tf


class Projection(keras.layers.Layer):
    def build(self, shape):
        self.w = self.add_weight(shape=(5, 2), name="w")

    def call(self, x):
        return tf.matmul(x, self.w)


class NumpyInside(keras.layers.Layer):
    def call(self, x):
        return tf.constant(np.sort(x.numpy()))


projection, numpy_inside = Projection(), NumpyInside()
model = keras.Sequential([keras.Input([4]), keras.layers.Dense(2)])


def wrong_shape(x):
    return projection(x)


def sorted_by_numpy(x):
    return numpy_inside(x)


def predicts(x):
    return model.predict(x, verbose=0)


def long_message(x):
    raise ValueError("First, " + "many words and " * 60 + "the end.")


def make_open():
    inputs = [keras.Input((None, 3), name=name) for name in ("words", "tags", "marks")]
    pooled = [keras.layers.GlobalAveragePooling1D()(each) for each in inputs]
    return keras.Model(inputs, keras.layers.Dense(1)(keras.layers.Concatenate()(pooled)))


class Autoencoder(keras.Model):
    """A step of its own, and a loss that needs no label."""

    def __init__(self):
        super().__init__()
        self.down = keras.layers.Dense(2)
        self.up = keras.layers.Dense(4)
        self.seen = keras.metrics.Mean(name="error")

    def call(self, x):
        return self.up(self.down(x))

    def train_step(self, data):
        with tf.GradientTape() as tape:
            error = tf.reduce_mean((self(data) - data) ** 2)
        gradients = tape.gradient(error, self.trainable_weights)
        self.optimizer.apply_gradients(zip(gradients, self.trainable_weights))
        self.seen.update_state(error)
        return {"error": self.seen.result()}


def make_autoencoder():
    made = Autoencoder()
    made.compile(optimizer="adam")
    return made


class Rivals(keras.Model):
    """Two models with two optimizers, and no ``call``."""

    def __init__(self):
        super().__init__()
        self.maker = keras.Sequential([keras.Input([4]), keras.layers.Dense(4)])
        self.judge = keras.Sequential([keras.Input([4]), keras.layers.Dense(1)])

    def compile(self, maker_optimizer, judge_optimizer):
        super().compile()
        self.maker_optimizer = maker_optimizer
        self.judge_optimizer = judge_optimizer

    def train_step(self, data):
        with tf.GradientTape() as of_judge, tf.GradientTape() as of_maker:
            real, made = self.judge(data), self.judge(self.maker(data))
            judge_loss = tf.reduce_mean((real - 1.0) ** 2 + made**2)
            maker_loss = tf.reduce_mean((made - 1.0) ** 2)
        for tape, loss, part, optimizer in (
            (of_judge, judge_loss, self.judge, self.judge_optimizer),
            (of_maker, maker_loss, self.maker, self.maker_optimizer),
        ):
            gradients = tape.gradient(loss, part.trainable_weights)
            optimizer.apply_gradients(zip(gradients, part.trainable_weights))
        return {"judge": judge_loss, "maker": maker_loss}


def make_rivals():
    made = Rivals()
    made.compile(keras.optimizers.Adam(0.01), keras.optimizers.SGD(0.01, momentum=0.9))
    return made
