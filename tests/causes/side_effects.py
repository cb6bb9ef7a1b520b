"""Python code in a step: it runs in every eager step and once, at tracing, in a graph."""

import itertools
import random
import time

import numpy as np
import tensorflow as tf

from eager_vs_graph import Scenario, Size

HISTORY: list[int] = []
X = np.array([1.0, 2.0, 3.0], np.float32)


class Vector(Scenario):
    """What the scenarios of this file share: one small input."""

    def inputs(self, rng):
        return [{"x": X}]

    def reference(self, state, x):
        return {"y": np.asarray(x, np.float64)}


class FrozenCounter(Vector):
    """An attribute that Python counts up."""

    name = "frozen_counter"
    sizes = {"tiny": Size()}

    def build(self):
        self.calls = 0

    def step(self, x):
        self.calls += 1
        return {"y": x * float(self.calls)}


class DecayingRate(Vector):
    """A learning rate that Python decays: the classic of TensorFlow 1's successors."""

    name = "decaying_rate"
    sizes = {"tiny": Size()}

    def build(self):
        self.rate = 0.1
        self.weight = tf.Variable([1.0, 1.0, 1.0])

    def step(self, x):
        self.weight.assign_sub(self.rate * x)
        self.rate *= 0.5
        return {"y": self.weight * 1.0}

    def reference(self, state, x):
        state["weight"] = state["weight"] - 0.1 * x
        return {"y": state["weight"]}


class GrowingList(Vector):
    """A list of the module that every call makes longer."""

    name = "growing_list"
    sizes = {"tiny": Size()}

    def step(self, x):
        HISTORY.append(1)
        return {"y": x + float(len(HISTORY))}


class NumpyNoise(Vector):
    """np.random in a step. See tensorflow/tensorflow#24610 and #40620."""

    name = "numpy_noise"
    sizes = {"tiny": Size()}

    def step(self, x):
        noise = np.random.normal(size=3).astype(np.float32)
        return {"y": x + noise}


class PythonNoise(Vector):
    """Python's random in a helper of a step."""

    name = "python_noise"
    sizes = {"tiny": Size()}

    def step(self, x):
        return {"y": self.shaken(x)}

    def shaken(self, x):
        return x * random.random()


class OwnGenerator(Vector):
    """A NumPy generator that build makes."""

    name = "own_generator"
    sizes = {"tiny": Size()}

    def build(self):
        self.rng = np.random.default_rng(7)

    def step(self, x):
        return {"y": x + self.rng.normal()}


def remembered(x, seen=[]):  # noqa: B006 - the mistake that this is about
    seen.append(1)
    return x * float(len(seen))


class MutableDefault(Vector):
    """A default argument that every call changes."""

    name = "mutable_default"
    sizes = {"tiny": Size()}

    def step(self, x):
        return {"y": remembered(x)}


class Clock(Vector):
    """The time of day, frozen at tracing."""

    name = "clock"
    sizes = {"tiny": Size()}

    def step(self, x):
        return {"y": x + np.float32(time.time() % 1000)}


class NextOfIterator(Vector):
    """A generator that each step takes the next value of."""

    name = "next_of_iterator"
    sizes = {"tiny": Size()}

    def build(self):
        self.values = (float(value) for value in itertools.count())

    def step(self, x):
        return {"y": x + next(self.values)}


class ClosureCounter(Vector):
    """A counter hidden in a closure."""

    name = "closure_counter"
    sizes = {"tiny": Size()}

    def build(self):
        calls = 0

        def scale():
            nonlocal calls
            calls += 1
            return float(calls)

        self.scale = scale

    def step(self, x):
        return {"y": x * self.scale()}


class KeptTensor(Vector):
    """The last call's tensor, kept in an attribute instead of a variable."""

    name = "kept_tensor"
    sizes = {"tiny": Size()}

    def inputs(self, rng):
        return [{"x": X}, {"x": 2 * X}, {"x": 5 * X}]

    def build(self):
        self.last = tf.zeros(3)

    def step(self, x):
        change = x - self.last
        self.last = x
        return {"y": change}


class Warmup(Vector):
    """A Python `if` on a Python counter: the branch is chosen once."""

    name = "warmup"
    sizes = {"tiny": Size()}

    def build(self):
        self.steps_done = 0

    def step(self, x):
        self.steps_done += 1
        if self.steps_done <= 1:
            return {"y": x}
        return {"y": x * 10.0}


class SilentLog(Vector):
    """A list that is appended to and read by nobody: the values agree, the work does not."""

    name = "silent_log"
    sizes = {"tiny": Size()}

    def build(self):
        self.log = []

    def step(self, x):
        self.log.append(len(self.log))
        return {"y": x * 1.0}
