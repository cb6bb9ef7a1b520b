"""What packages do that nobody here has written: one pattern each."""

import keras
import numpy as np
import tensorflow as tf


class Permutation(keras.layers.Layer):
    """As bayesflow has it: a weight that begins with what a random generator's variable gives."""

    def build(self, shape):
        order = keras.random.shuffle(keras.ops.arange(shape[-1]))
        self.order = self.add_weight(
            shape=(shape[-1],), initializer=keras.initializers.get(order), dtype="int32"
        )

    def call(self, x):
        return keras.ops.take(x, self.order, axis=-1)


def permuted():
    layer = Permutation()
    layer.build((None, 6))

    def f(x):
        return layer(x)

    return f


def in_a_dictionary():
    """As keras-hub has it: one dictionary of inputs."""
    tokens = keras.Input([None], dtype="int32", name="tokens")
    mask = keras.Input([None], dtype="float32", name="mask")
    x = keras.layers.Embedding(10, 3)(tokens) * mask[..., None]
    model = keras.Model({"tokens": tokens, "mask": mask}, keras.layers.Dense(2)(x))
    model.compile("sgd", "mse")
    return model


def dictionary():
    return ({"tokens": np.ones([2, 4], np.int32), "mask": np.ones([2, 4], np.float32)},)


def pair():
    return ((np.ones([2, 4], np.float32), np.ones([2, 4], np.int32)),)


def triple():
    return ((tf.ones([2, 4]), tf.ones([2, 4]), tf.ones([2, 4])),)
