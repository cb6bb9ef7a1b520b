"""A layer and a function that a .keras file refers to."""

import keras


class Doubling(keras.layers.Layer):
    def call(self, x):
        return 2.0 * x


def steep(x):
    return 3.0 * x
