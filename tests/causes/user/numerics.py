"""Functions as users write them, whose values depend on how a graph is optimised or compiled."""

import tensorflow as tf


def softplus(x):
    return tf.math.log(1.0 + tf.exp(x))


def expm1(x):
    return tf.exp(x) - 1.0


def cancelled_constants(x):
    return (x + 1e8) - 1e8


def argmin_of_relu(x):
    return tf.argmin(tf.nn.relu(x))


def argmax_of_floor(x):
    return tf.argmax(tf.floor(x))


def thirds(x):
    return x / 3.0 / 7.0


def divided_and_back(x):
    return (x / 3.0) * 3.0


def cube(x):
    return tf.pow(x, 3.0)


def root(x):
    return tf.pow(x, 0.5)


def decides_by_rounding(x):
    return tf.cast(tf.floor((x + 1e8) - 1e8), tf.int32)


def compares_after_rounding(x):
    return ((x + 1e8) - 1e8) > 0.0


def training(x):
    w = weights
    with tf.GradientTape() as tape:
        h = tf.tanh(x * w) * 5.0 - 15.0
        loss = tf.reduce_sum(tf.math.log(1.0 + tf.exp(h)))
    return loss, tape.gradient(loss, w)


weights = tf.Variable([0.5, -0.5, 1.5, -1.5])


def fused_multiply_add(x):
    return x * x + x * 0.1


def cast_of_nan(x):
    return tf.cast(x / x * (x - x) / (x - x), tf.int32)


def cast_too_large(x):
    return tf.cast(x * 1e10, tf.int32)


def integer_overflow(n):
    return tf.abs(n)


def halves(x):
    h = tf.cast(x, tf.bfloat16)
    return tf.cast(h * h + h, tf.float32)


def tanh_kernel(x):
    return tf.tanh(x * 3.0)


def gradient_of_where(x):
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = tf.where(x > 0.0, tf.sqrt(x), 0.0)
    return tape.gradient(y, x)


def top_of_nan(x):
    y = tf.concat([x, [float("nan")]], 0)
    return tf.math.top_k(y, 2).indices


def sums_in_a_loop(x):
    total = tf.zeros([])
    for i in tf.range(100):
        total += tf.reduce_sum(x) / (tf.cast(i, tf.float32) + 3.0) / 7.0
    return total


def stateless_noise(x):
    return x + tf.random.stateless_normal([4], seed=[1, 2])


def drifts_in_a_loop(x):
    for i in tf.range(10):
        scaled = x / 3.0
        x = scaled * 3.0 + tf.cast(i, tf.float32)
    return x


def branch_rounds(x):
    if tf.reduce_sum(x) < 1e9:
        y = x / 3.0 / 7.0
    else:
        y = x
    return y
