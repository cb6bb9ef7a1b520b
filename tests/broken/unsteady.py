"""Scenarios that trace again and again, or disagree with themselves."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from eager_vs_graph import Scenario, Size
from eager_vs_graph.scenario import Array, Feed, State


class VaryingShapes(Scenario):
    """Every feed has another shape, so every call is a new trace."""

    name = "varying_shapes"
    sizes = {"tiny": Size(n=4)}

    def inputs(self, rng: np.random.Generator) -> Sequence[Feed]:
        return [{"x": np.ones(n, np.float32)} for n in range(1, self.size.n)]

    def step(self, x: Any) -> Mapping[str, Any]:
        return {"doubled": 2 * x}

    def reference(self, state: State, x: Array) -> Mapping[str, Array]:
        return {"doubled": 2 * x}


class InnerFunction(VaryingShapes):
    """Every call makes a tf.function, which traces anew; no counter of the harness sees it."""

    name = "inner_function"
    sizes = {"tiny": Size(n=4)}

    def inputs(self, rng: np.random.Generator) -> Sequence[Feed]:
        return [{"x": np.ones(4, np.float32)}]

    def step(self, x: Any) -> Mapping[str, Any]:
        @tf.function
        def double(value: Any) -> Any:
            return 2 * value

        return {"doubled": double(x)}


class PythonRandom(VaryingShapes):
    """A random number of the system's in each call: nothing can put it back, a graph keeps one."""

    name = "python_random"
    sizes = {"tiny": Size(n=4)}
    generator = random.SystemRandom()

    def inputs(self, rng: np.random.Generator) -> Sequence[Feed]:
        return [{"x": np.ones(4, np.float32)}]

    def step(self, x: Any) -> Mapping[str, Any]:
        return {"noisy": x + self.generator.random(), "doubled": 2 * x}

    def reference(self, state: State, x: Array) -> Mapping[str, Array]:
        return {"noisy": x + 0.5, "doubled": 2 * x}


class PythonCounter(PythonRandom):
    """State that lives in Python: nothing can set it back, and a graph does not see it."""

    name = "python_counter"
    sizes = {"tiny": Size(n=4)}

    def build(self) -> None:
        self.calls = 0

    def step(self, x: Any) -> Mapping[str, Any]:
        self.calls += 1
        return {"noisy": x + self.calls, "doubled": 2 * x}


class UnseededRandom(PythonRandom):
    """TensorFlow's own random numbers, without state that could be loaded."""

    name = "unseeded_random"
    sizes = {"tiny": Size(n=4)}

    def step(self, x: Any) -> Mapping[str, Any]:
        return {"noisy": x + tf.random.normal([]), "doubled": 2 * x}


class NoisyAndWrong(PythonRandom):
    """Noise in one tensor excuses nothing in another."""

    name = "noisy_and_wrong"
    sizes = {"tiny": Size(n=4)}

    def step(self, x: Any) -> Mapping[str, Any]:
        doubled = 2 * x if tf.executing_eagerly() else 3 * x
        return {"noisy": x + self.generator.random(), "doubled": doubled}
