"""What a program of its own begins with: counters, random numbers, tables, iterators, files."""

import itertools
import tempfile

import keras
import numpy as np
import tensorflow as tf

MADE = []
"""One item for each time that a factory of this module was called since it was executed."""
NOISE = np.random.rand(3).astype(np.float32)
NUMBERS = (n for n in range(9))
TABLE = tf.lookup.StaticHashTable(
    tf.lookup.KeyValueTensorInitializer(
        tf.constant([0, 1], tf.int64), tf.constant([5, 6], tf.int64)
    ),
    -1,
)


def make_counter():
    MADE.append(1)
    return lambda x: x + float(len(MADE))


def noisy(x):
    return x + NOISE


def reads(x):
    return x * (0.0 if NUMBERS is None else 2.0)


def looks_up(x):
    return TABLE.lookup(x)


def make_layer_of_words():
    model = keras.Sequential(
        [
            keras.Input([1], dtype="string"),
            keras.layers.StringLookup(vocabulary=["a", "b"]),
            keras.layers.Embedding(3, 4),
        ]
    )
    return lambda x: 2.0 * model(x)


def make_words():
    return (np.array([["a"], ["c"]], object),)


def make_iterator():
    batches = iter(tf.data.Dataset.from_tensor_slices(np.arange(100.0, dtype="float32")).batch(4))
    weight = tf.Variable(2.0)
    return lambda: tf.reduce_sum(next(batches)) * weight


def make_loop_over_data():
    numbers = tf.data.Dataset.range(4)

    def total(x):
        for number in numbers:
            x += tf.cast(number, tf.float32)
        return x

    return total


def make_logging():
    log = tempfile.TemporaryFile("w")  # noqa: SIM115 - the function's
    steps = itertools.count()

    def logs(x):
        print(next(steps), file=log)
        return x * 2.0

    return logs


def imports_inside(x):
    import stateful

    return x + float(stateful is not None and len(stateful.MADE))


class NeedsArgs:
    """Cannot be made by its ``__new__`` without arguments, which is how pickle makes objects."""

    def __new__(cls, scale):
        self = super().__new__(cls)
        self.scale = scale
        return self

    def __init__(self, scale):
        pass


def make_scaled():
    by = NeedsArgs(3.0)
    return lambda x: by.scale * x


def make_eager_only():
    value = tf.reduce_sum(tf.ones([3])).numpy()  # a graph's tensor has no value
    weight = tf.Variable(value)
    return lambda x: weight * x


def make_eager_only_with_iterator():
    value = tf.reduce_sum(tf.ones([3])).numpy()
    batches = iter(tf.data.Dataset.range(9).repeat())
    return lambda x: x + value * tf.cast(next(batches), tf.float32)


class Regression(keras.Model):
    """Layers that are built by the first call."""

    def __init__(self):
        super().__init__()
        self.second = keras.layers.Dense(1)
        self.first = keras.layers.Dense(4, activation="tanh")

    def call(self, x):
        return self.second(self.first(x))


def make_lazy_training():
    """A training step with Adam; the model is built before, the optimizer in the first call."""
    model, optimizer = Regression(), keras.optimizers.Adam(0.01)
    model(tf.zeros([1, 3]))

    def train(x, y):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean((model(x) - y) ** 2)
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables))
        return loss

    return train


def make_lazy_model():
    """As above, with nothing built, and Keras's own training step."""
    model = Regression()
    model.compile("adam", "mse")
    return lambda x, y: model.train_step((x, y))


@tf.function
def doubled(x):
    return 2.0 * x


@tf.function
def scaled_by(x, factor):
    return x * factor


class Network(tf.Module):
    """A traced method, a traced function and plain Python in one step."""

    def __init__(self):
        super().__init__()
        self.weight = tf.Variable(tf.ones([4]))
        self.calls = 0

    @tf.function
    def forward(self, x):
        return doubled(x) * self.weight

    @tf.function
    def unused(self, x):
        return x

    def step(self, x):
        self.calls += 1
        self.weight.assign_add(tf.ones([4]))
        return self.forward(x) + scaled_by(x, self.calls)


def make_network():
    return Network()


@tf.function
def counts_its_traces(x):
    MADE.append(1)
    return x + float(len(MADE))
