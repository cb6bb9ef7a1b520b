"""Reports of Python that runs at tracing only, or that AutoGraph gives another meaning."""

import random
import threading
import time

import numpy as np
import tensorflow as tf


def lambdas(x):
    fns = []
    for i in range(3):
        fns.append(lambda: x * float(i))
    return fns[0]() + fns[1]()


def digits(n):
    digit_list = []
    for i in tf.range(tf.reduce_sum(n)):
        digit_list.append(i)
    return tf.add_n(digit_list)


def backtest(actions, prices):
    entry_point = 0.0
    exit_point = 0.0
    holding = False
    profit = 0.0
    index = 0
    final_index = len(prices) - 1
    while index < final_index:
        if actions[index] > 0.5:
            if holding is False:
                holding = True
                entry_point = prices[index]
            else:
                holding = False
                exit_point = prices[index]
                profit += exit_point / entry_point - 1.0
        index += 1
    return profit


class Solver:
    def __init__(self):
        self.a = np.diag([1.0, 2.0, 3.0, 4.0]).astype(np.float32)
        self.x = tf.zeros([4, 1])

    def __call__(self, b):
        self.x = self.x + 0.1 * (b - self.a @ self.x)
        return tf.norm(b - self.a @ self.x)


def make_solver():
    return Solver()


def length_of_slice(sample, position):
    x = sample[: 4 - position]
    return tf.constant(x.shape[0])


def mean_of_kept(x):
    kept = tf.boolean_mask(x, x > 0)
    return tf.reduce_sum(kept) / float(kept.shape[0] or 1)


class Counter(tf.keras.layers.Layer):
    def __init__(self):
        super().__init__()
        self.calls = 0

    def call(self, x):
        self.calls += 1
        return x / float(self.calls)


def make_counting_layer():
    return Counter()


class Schedule:
    def __init__(self):
        self.step = 0
        self.weight = tf.Variable([1.0, 1.0, 1.0, 1.0])

    def __call__(self, x):
        self.step += 1
        rate = 0.1 / self.step
        self.weight.assign_sub(rate * x)
        return self.weight * 1.0


def make_schedule():
    return Schedule()


def augment(x):
    if np.random.rand() > 0.5:
        return tf.reverse(x, [0])
    return x


def jitter(x):
    return x + random.gauss(0.0, 1.0)


def stamped(x):
    return x + float(int(time.time() * 1000) % 1000)


history = []


def remembers(x):
    history.append(x)
    return tf.add_n(history)


def warms_up(x):
    warms_up.step += 1
    scale = 0.1 if warms_up.step < 3 else 1.0
    return x * scale


warms_up.step = 0


def asks_if_eager(x):
    if tf.executing_eagerly():
        return x
    return tf.stop_gradient(x) * 1.5


def widens(x):
    scale = np.float64(0.5)
    if not tf.executing_eagerly():
        x = tf.cast(x, tf.float64)
    return x * scale


def same_tensor(x):
    y = x if tf.reduce_sum(x) > 0 else -x
    return x * (2.0 if y is x else 3.0)


def raises_if_traced(x):
    if float(tf.reduce_sum(x)) > 0:
        return x
    return -x


def variable_in_call(x):
    scale = tf.Variable(2.0)
    return x * scale


def make_queue():
    waiting = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0] * 20

    def step(x):
        return x * waiting.pop(0)

    return step


def raises_in_eager_only(x):
    if tf.executing_eagerly():
        raise ValueError("eager is not supported")
    return x * 2.0


def check_that_nobody_reads(x):
    _row = tf.gather(x, [0, 9])
    return x * 2.0


class Hidden(threading.local):
    def __init__(self):
        self.calls = 0


hidden = Hidden()


def counts_out_of_sight(x):
    hidden.calls += 1
    return x * float(hidden.calls)


def collects(values):
    new_values = []
    for value in values:
        new_values.append(value * 2.0)
    return tf.stack(new_values)
