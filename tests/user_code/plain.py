"""Functions as people have them: module globals, helpers, decorators."""

import numpy as np
import tensorflow as tf

WEIGHT = tf.Variable(np.linspace(-1, 1, 12, dtype=np.float32).reshape(4, 3), name="w")
TABLE = tf.constant(np.arange(300, dtype=np.float32))
counter = 0
log = []


@tf.function
def scaled(x):
    return x * 2.0


def step(x, labels):
    """Softmax regression by hand, on a global variable."""
    with tf.GradientTape() as tape:
        logits = scaled(x) @ WEIGHT
        loss = tf.reduce_mean(
            tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)
        )
    WEIGHT.assign_sub(0.1 * tape.gradient(loss, WEIGHT))
    return {"loss": loss, "parts": (logits, tf.reduce_sum(tf.gather(TABLE, labels)))}


@tf.function(jit_compile=False)
def decorated(x):
    return tf.reduce_sum(x * x)


def smooth(x, power=2.0, mean=False):
    y = tf.pow(tf.abs(x), power)
    return tf.reduce_mean(y) if mean else y


def counts(x):
    global counter
    counter += 1
    log.append(counter)
    return x + tf.cast(counter, tf.float32)


def noisy(x):
    return x + tf.random.normal(tf.shape(x))


def hard_coded(x):
    return x + tf.constant(1.0, tf.float32)


def cancels(x):
    """Loses every digit: (1 + x) - 1 for small x."""
    return (1.0 + x * 1e-6) - 1.0


def returns_object(x):
    return object()


def returns_nothing(x):
    tf.print


def to_python(x):
    return float(tf.reduce_sum(x))


async def later(x):
    return x


def yields(x):
    yield x


def mean_of(batch):
    return {"mean": tf.reduce_mean(batch["x"]), "n": tf.size(batch["y"])}


def make_args():
    return {"x": np.ones((4, 4), np.float32), "labels": np.zeros(4, np.int32)}


def make_batch():
    return [{"x": tf.ones([3, 2]), "y": tf.zeros([5], tf.int64)}]


def shapes(x):
    return tf.reshape(x, [7, 11])
