"""Scenarios that run in every mode and answer wrongly in some: each hides one defect."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from eager_vs_graph import Goal, KnownDifference, Scenario, Size
from eager_vs_graph.scenario import Array, Feed, State


class Vector(Scenario):
    """What the scenarios here have in common: a vector in, a vector out; its double is right."""

    def inputs(self, rng: np.random.Generator) -> Sequence[Feed]:
        return [{"x": rng.uniform(1, 2, self.size.n).astype(np.float32)}]

    def reference(self, state: State, x: Array) -> Mapping[str, Array]:
        return {"doubled": 2 * x}


class Healthy(Vector):
    """Nothing is wrong: what the checks must let pass."""

    name = "healthy"
    sizes = {"tiny": Size(n=4)}

    def build(self) -> None:
        self.total = tf.Variable(tf.zeros(4))

    def step(self, x: Any) -> Mapping[str, Any]:
        self.total.assign_add(x)
        return {"doubled": 2 * x}

    def reference(self, state: State, x: Array) -> Mapping[str, Array]:
        state["total"] = state["total"] + x
        return {"doubled": 2 * x}


class DroppedUpdate(Healthy):
    """A graph leaves the update out; the outputs show nothing of it."""

    name = "dropped_update"
    sizes = {"tiny": Size(n=4)}

    def step(self, x: Any) -> Mapping[str, Any]:
        if tf.executing_eagerly():
            self.total.assign_add(x)
        return {"doubled": 2 * x}


class Float64InGraph(Vector):
    """The same values in another dtype, in graphs only."""

    name = "float64_in_graph"
    sizes = {"tiny": Size(n=4)}

    def step(self, x: Any) -> Mapping[str, Any]:
        doubled = 2 * x
        return {"doubled": doubled if tf.executing_eagerly() else tf.cast(doubled, tf.float64)}


class ShapeInGraph(Vector):
    """The same values in another shape, in graphs only."""

    name = "shape_in_graph"
    sizes = {"tiny": Size(n=4)}

    def step(self, x: Any) -> Mapping[str, Any]:
        doubled = 2 * x
        return {"doubled": doubled if tf.executing_eagerly() else doubled[tf.newaxis]}


class NanEverywhere(Vector):
    """Everything agrees, because everything is NaN."""

    name = "nan_everywhere"
    sizes = {"tiny": Size(n=4)}

    def step(self, x: Any) -> Mapping[str, Any]:
        return {"doubled": x * float("nan")}

    def reference(self, state: State, x: Array) -> Mapping[str, Array]:
        return {"doubled": x * float("nan")}


class NanInGraph(Vector):
    """One NaN, in graphs only."""

    name = "nan_in_graph"
    sizes = {"tiny": Size(n=4)}

    def step(self, x: Any) -> Mapping[str, Any]:
        doubled = 2 * x
        if tf.executing_eagerly():
            return {"doubled": doubled}
        return {"doubled": tf.where(tf.equal(tf.range(4), 2), float("nan"), doubled)}


class FourthDigit(Vector):
    """Wrong in its fourth digit, in every mode alike: only the reference knows."""

    name = "fourth_digit"
    sizes = {"tiny": Size(n=4)}

    def step(self, x: Any) -> Mapping[str, Any]:
        return {"doubled": 2.0002 * x}


class FourthDigitInSession(Vector):
    """Wrong in its fourth digit at one element, in a session only."""

    name = "fourth_digit_in_session"
    sizes = {"tiny": Size(n=4)}

    def build(self) -> None:
        # tf.function runs inside an eager program, a session's graph inside none.
        self.factor = 2.0 if tf.executing_eagerly() else 2.0002

    def step(self, x: Any) -> Mapping[str, Any]:
        return {"doubled": tf.where(tf.equal(tf.range(4), 3), self.factor, 2.0) * x}


class TensorEquality(Vector):
    """``==`` compares tensors by value, but in a v1 graph it asks whether they are one object."""

    name = "tensor_equality"
    sizes = {"tiny": Size(n=4)}

    def step(self, x: Any) -> Mapping[str, Any]:
        return {"doubled": tf.where(x == tf.identity(x), 2.0, 3.0) * x}


class DriftingInGraph(Vector):
    """Right at the first two steps, wrong from the third on."""

    name = "drifting_in_graph"
    sizes = {"tiny": Size(n=4)}
    parity_steps = 4

    def build(self) -> None:
        self.step_number = tf.Variable(0)

    def step(self, x: Any) -> Mapping[str, Any]:
        factor = 2.0
        if not tf.executing_eagerly():
            factor = tf.where(self.step_number < 2, 2.0, 2.1)
        doubled = factor * x
        self.step_number.assign_add(1)
        return {"doubled": doubled}

    def reference(self, state: State, x: Array) -> Mapping[str, Array]:
        state["step_number"] += 1
        return {"doubled": 2 * x}


class Declared(Vector):
    """A graph is wrong, and the author says so."""

    name = "declared"
    sizes = {"tiny": Size(n=4)}
    known_differences = (
        KnownDifference(("doubled",), "graphs triple here", modes=("function", "session")),
    )

    def step(self, x: Any) -> Mapping[str, Any]:
        return {"doubled": 2 * x if tf.executing_eagerly() else 3 * x}


class DeclaredElsewhere(Declared):
    """The declaration covers one mode, one policy and one reference; the defect is in all."""

    name = "declared_elsewhere"
    sizes = {"tiny": Size(n=4)}
    known_differences = (
        KnownDifference(
            ("doubled",),
            "a function triples here",
            against=("eager",),
            modes=("function",),
            inputs=("resident",),
        ),
        KnownDifference(("doubled",), "the reference doubles", against=("reference",)),
    )


class MissedGoal(Healthy):
    """Right at every step, and does not learn what it should."""

    name = "missed_goal"
    sizes = {"tiny": Size(n=4)}
    goal = Goal(steps=5, expect={"largest": (100.0, 200.0)})

    def measure(self, state: State) -> Mapping[str, float]:
        return {"largest": float(state["total"].max())}


class UnmeasuredGoal(MissedGoal):
    """The goal expects a quantity that nobody measures."""

    name = "unmeasured_goal"
    sizes = {"tiny": Size(n=4)}

    def measure(self, state: State) -> Mapping[str, float]:
        return {"smallest": 150.0}


class StaleReference(Healthy):
    """The reference forgets to update the state."""

    name = "stale_reference"
    sizes = {"tiny": Size(n=4)}

    def reference(self, state: State, x: Array) -> Mapping[str, Array]:
        return {"doubled": 2 * x}


class MoreVariablesInGraph(Healthy):
    """A graph has a variable that eager has not."""

    name = "more_variables_in_graph"
    sizes = {"tiny": Size(n=4)}

    def build(self) -> None:
        super().build()
        if not tf.executing_eagerly():
            self.extra = tf.Variable(1.0)


class OtherVariableInGraph(Healthy):
    """The same variable in another dtype."""

    name = "other_variable_in_graph"
    sizes = {"tiny": Size(n=4)}

    def build(self) -> None:
        dtype = tf.float32 if tf.executing_eagerly() else tf.float64
        self.total = tf.Variable(tf.zeros(4, dtype))

    def step(self, x: Any) -> Mapping[str, Any]:
        self.total.assign_add(tf.cast(x, self.total.dtype))
        return {"doubled": 2 * x}
