"""Functions as users write them, whose Python changes from call to call."""

import collections
import datetime
import itertools
import os
import random
import time

import numpy as np
import tensorflow as tf

calls = 0
history = []
settings = {"scale": 1.0}
rng = np.random.default_rng(7)


def module_counter(x):
    global calls
    calls += 1
    return x * float(calls)


def grows_a_list(x):
    history.append(1.0)
    return x + sum(history)


def changes_a_dict(x):
    settings["scale"] *= 0.5
    return x * settings["scale"]


def make_nonlocal():
    n = 0

    def f(x):
        nonlocal n
        n += 1
        return x * float(n)

    return f


def counts_on_itself(x):
    counts_on_itself.calls += 1
    return x * float(counts_on_itself.calls)


counts_on_itself.calls = 0


def default_argument(x, seen=[]):
    seen.append(1)
    return x * float(len(seen))


class Annealed:
    def __init__(self):
        self.temperature = 4.0

    def __call__(self, x):
        self.temperature = max(1.0, self.temperature - 1.0)
        return x / self.temperature


def make_object():
    return Annealed()


class Layer(tf.keras.layers.Layer):
    def __init__(self):
        super().__init__()
        self.steps = 0

    def call(self, x):
        self.steps += 1
        return x * float(self.steps)


def make_layer():
    return Layer()


def make_generator():
    def values():
        n = 1.0
        while True:
            yield n
            n *= 2

    numbers = values()

    def f(x):
        return x * next(numbers)

    return f


def make_iterator():
    numbers = iter([1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0] * 10)

    def f(x):
        return x * next(numbers)

    return f


numbered = itertools.count(1)


def itertools_count(x):
    return x * float(next(numbered))


class Flagged:
    def __init__(self):
        self.started = False

    def __call__(self, x):
        if not self.started:
            self.started = True
            return x * 0.0
        return x * 2.0


def make_first_call_flag():
    return Flagged()


def numpy_noise(x):
    return x + np.random.normal(size=4).astype(np.float32)


def held_rng(x):
    return x + float(rng.normal())


def python_random(x):
    return x * random.random()


def coin(x):
    if random.random() > 0.5:
        return x + 1.0
    return x - 1.0


def environment(x):
    n = int(os.environ.get("MY_CALLS", "0")) + 1
    os.environ["MY_CALLS"] = str(n)
    return x * float(n)


def clock(x):
    return x + (time.time() * 1e3) % 1000.0


def stamp(x):
    return x * float(datetime.datetime.now().microsecond % 997 + 1)


def entropy(x):
    return x * float(int.from_bytes(os.urandom(2), "little"))


def numpy_noise_beside_dropout(x):
    h = tf.nn.dropout(x, 0.5)
    return h + np.random.normal(size=4).astype(np.float32)


def counter_beside_noise(x):
    global calls
    calls += 1
    return {"counted": x * float(calls), "noisy": x + tf.random.normal([4]), "plain": x * 2.0}


def make_warmup():
    state = collections.Counter()

    def f(x):
        state["calls"] += 1
        if state["calls"] < 3:
            return x * 0.1
        return x

    return f


def make_tensor_kept():
    kept = {"last": tf.zeros([4])}

    def f(x):
        kept["last"] = kept["last"] + x
        return kept["last"]

    return f
