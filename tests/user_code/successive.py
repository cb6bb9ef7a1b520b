"""Functions with the arguments of several calls."""

import itertools

import keras
import numpy as np
import tensorflow as tf

WEIGHT = tf.Variable(tf.ones([4]))


def scaled(x, factor=1.0, kind="sum"):
    WEIGHT.assign_add(tf.ones_like(WEIGHT))
    y = x * WEIGHT * factor
    return tf.reduce_sum(y) if kind == "sum" else tf.reduce_mean(y)


def pair(x, y):
    return tf.matmul(x, y)


def batches():
    for rows in (3, 5, 2, 3):
        yield (np.ones([rows, 4], np.float32),)


def factors():
    for factor, kind in ((1.0, "sum"), (2.0, "sum"), (2.0, "mean"), (1.0, "sum")):
        yield {"x": np.ones([2, 4], np.float32), "factor": factor, "kind": kind}


def endless():
    return (np.full([2, 4], n, np.float32) for n in itertools.count())


def of_a_data_set():
    data = tf.data.Dataset.from_tensor_slices(np.ones([10, 4], np.float32)).batch(4)
    return iter(data)


def a_list_of_batches():
    return [np.ones([rows, 4], np.float32) for rows in (3, 5, 2, 3)]


def a_list_of_pairs():
    return [(np.ones([n, 4], np.float32), np.ones([4, 1], np.float32)) for n in (2, 3)]


def nothing():
    return iter(())


def make_model():
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    return model
