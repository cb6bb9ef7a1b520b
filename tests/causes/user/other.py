"""Functions as users write them: AutoGraph, modes, dtypes, shapes, errors, random ops, work."""

import numpy as np
import tensorflow as tf


def late_binding(x):
    scale = [lambda v: v * float(i) for i in range(3)]
    return sum(f(x) for f in scale)


def late_binding_in_a_loop(x):
    functions = []
    for i in range(3):
        functions.append(lambda v: v * float(i))
    return functions[0](x)


def asks_the_mode(x):
    if tf.executing_eagerly():
        return x * 2.0
    return x * 2.5


def asks_the_shape(n):
    kept = tf.boolean_mask(n, n > 0)
    scale = kept.shape[0] or 1
    return tf.reduce_sum(kept) * scale


def other_dtype(x):
    scale = 0.1 if tf.executing_eagerly() else np.float64(0.1)
    if isinstance(scale, np.float64):
        x = tf.cast(x, tf.float64)
    return x * scale


def normal(x):
    return x + tf.random.normal([4])


def dropout(x):
    return tf.nn.dropout(x, 0.5)


def seeded_op(x):
    return x + tf.random.uniform([4], seed=1)


def shuffled(x):
    return tf.random.shuffle(x)


def gather_out_of_range(x):
    return tf.gather(x, [0, 9])


def asserts(x):
    tf.debugging.assert_greater(tf.reduce_sum(tf.abs(x)), 1e9)
    return x * 2.0


def asserts_op(x):
    with tf.control_dependencies([tf.Assert(tf.reduce_all(x > 1e9), [x])]):
        return tf.identity(x)


def divides_by_zero(n):
    return n // tf.zeros_like(n)


def raises_in_graph_only(x):
    if not tf.executing_eagerly():
        raise ValueError("this path has a bug")
    return x * 2.0


def variable_in_each_call(x):
    v = tf.Variable(2.0)
    return x * v


def tensor_equality(x):
    y = tf.identity(x)
    return x * (2.0 if x is y else 3.0) * float(tf.constant(1) == tf.constant(1))


def drops_a_result(x):
    _unused = tf.matmul(x, x, transpose_b=True)
    return tf.reduce_sum(x, 1)


def slices_in_a_loop(x):
    last = tf.zeros_like(x[0])
    for i in tf.range(256):
        row = tf.gather(x, i % 8)
        unused = tf.linalg.matvec(x, row)
        last = row * 2.0
    return last


def slices_in_python(x):
    y = x[0]
    for i in range(256):
        y = tf.sin(x[i % 8])
    return y


def list_in_a_staged_loop(x):
    kept = []
    for i in tf.range(3):
        kept.append(x * tf.cast(i, tf.float32))
    return kept[-1]


def prints(x):
    if tf.reduce_sum(x) > 0:
        y = x * 2.0
    else:
        y = x * 3.0
    return y
