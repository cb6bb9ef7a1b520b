"""Scenarios that break the contract between author and harness."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from eager_vs_graph import Scenario, Size
from eager_vs_graph.scenario import Array, Feed, State

ONES = np.ones(4, np.float32)


class Counting(Scenario):
    """A sound scenario with one variable; its subclasses break one thing each."""

    def inputs(self, rng: np.random.Generator) -> Sequence[Feed]:
        return [{"x": ONES}]

    def build(self) -> None:
        self.calls = tf.Variable(0)

    def step(self, x: Any) -> Mapping[str, Any]:
        self.calls.assign_add(1)
        return {"doubled": 2 * x}

    def reference(self, state: State, x: Array) -> Mapping[str, Array]:
        state["calls"] += 1
        return {"doubled": 2 * x}


class ReferenceNames(Counting):
    """The reference calls its answer something else."""

    name = "reference_names"
    sizes = {"tiny": Size()}

    def reference(self, state: State, x: Array) -> Mapping[str, Array]:
        return {"twice": 2 * x}


class ReferenceShape(Counting):
    """The reference answers in another shape."""

    name = "reference_shape"
    sizes = {"tiny": Size()}

    def reference(self, state: State, x: Array) -> Mapping[str, Array]:
        return {"doubled": 2 * x[:3]}


class ReferenceRaises(Counting):
    """The reference fails."""

    name = "reference_raises"
    sizes = {"tiny": Size()}

    def reference(self, state: State, x: Array) -> Mapping[str, Array]:
        return {"doubled": state["total"] + x}


class ReferenceInvents(Counting):
    """The reference sets a variable that the scenario has not."""

    name = "reference_invents"
    sizes = {"tiny": Size()}

    def reference(self, state: State, x: Array) -> Mapping[str, Array]:
        state["call"] = state["calls"] + 1
        return {"doubled": 2 * x}


class ReferenceReshapes(Counting):
    """The reference leaves a variable in another shape."""

    name = "reference_reshapes"
    sizes = {"tiny": Size()}

    def reference(self, state: State, x: Array) -> Mapping[str, Array]:
        state["calls"] = np.array([1])
        return {"doubled": 2 * x}


class WithoutReference(Counting):
    """Nobody wrote a reference, which is no mistake."""

    name = "without_reference"
    sizes = {"tiny": Size()}
    reference = Scenario.reference


class ReferenceOfNothing(Counting):
    """The reference returns an array instead of named arrays."""

    name = "reference_of_nothing"
    sizes = {"tiny": Size()}

    def reference(self, state: State, x: Array) -> Any:
        return 2 * x


class ListAsInput(Counting):
    """A Python list as an input."""

    name = "list_as_input"
    sizes = {"tiny": Size()}

    def inputs(self, rng: np.random.Generator) -> Any:
        return [{"x": [1.0, 2.0]}]


class FeedNames(Counting):
    """Feeds and step disagree about a name."""

    name = "feed_names"
    sizes = {"tiny": Size()}

    def inputs(self, rng: np.random.Generator) -> Sequence[Feed]:
        return [{"x": ONES}, {"y": ONES}]


class FeedDtypes(Counting):
    """One input has two dtypes."""

    name = "feed_dtypes"
    sizes = {"tiny": Size()}

    def inputs(self, rng: np.random.Generator) -> Sequence[Feed]:
        return [{"x": ONES}, {"x": ONES / np.sqrt(np.float64(2))}]


class NoFeeds(Counting):
    """There is nothing to run on."""

    name = "no_feeds"
    sizes = {"tiny": Size()}

    def inputs(self, rng: np.random.Generator) -> Sequence[Feed]:
        return []


class InputsRaise(Counting):
    """Making the inputs fails."""

    name = "inputs_raise"
    sizes = {"tiny": Size()}

    def inputs(self, rng: np.random.Generator) -> Sequence[Feed]:
        return [{"x": np.ones(self.size.n, np.float32)}]


class BareTensor(Counting):
    """``step`` returns a tensor without a name."""

    name = "bare_tensor"
    sizes = {"tiny": Size()}

    def step(self, x: Any) -> Any:
        return 2 * x


class PythonOutput(Counting):
    """``step`` returns a Python number."""

    name = "python_output"
    sizes = {"tiny": Size()}

    def step(self, x: Any) -> Mapping[str, Any]:
        self.calls.assign_add(1)
        return {"doubled": 2 * x, "count": 4}

    def reference(self, state: State, x: Array) -> Mapping[str, Array]:
        state["calls"] += 1
        return {"doubled": 2 * x, "count": np.array(4)}


class LateVariable(Counting):
    """``step`` makes a variable on its first call."""

    name = "late_variable"
    sizes = {"tiny": Size()}

    def build(self) -> None:
        self.total = None

    def step(self, x: Any) -> Mapping[str, Any]:
        if self.total is None:
            self.total = tf.Variable(tf.zeros(4))
        self.total.assign_add(x)
        return {"doubled": 2 * x}


class LateLayer(Counting):
    """A Keras layer that was not given its shape in ``build``."""

    name = "late_layer"
    sizes = {"tiny": Size()}

    def build(self) -> None:
        self.layer = tf.keras.layers.Dense(1, use_bias=False)

    def step(self, x: Any) -> Mapping[str, Any]:
        return {"doubled": self.layer(x[tf.newaxis])}


class NumpyInside(Counting):
    """``.numpy()`` inside the step."""

    name = "numpy_inside"
    sizes = {"tiny": Size()}

    def step(self, x: Any) -> Mapping[str, Any]:
        self.calls.assign_add(1)
        return {"doubled": tf.convert_to_tensor(2 * x.numpy())}


class NumpyFunction(Counting):
    """A NumPy function on a tensor."""

    name = "numpy_function"
    sizes = {"tiny": Size()}

    def step(self, x: Any) -> Mapping[str, Any]:
        self.calls.assign_add(1)
        return {"doubled": tf.convert_to_tensor(np.multiply(x, np.float32(2)))}


class Failing(Counting):
    """A plain bug, in every mode: not a refusal."""

    name = "failing"
    sizes = {"tiny": Size()}

    def step(self, x: Any) -> Mapping[str, Any]:
        return {"doubled": x + tf.ones(3)}


class AuthorSaysNo(Counting):
    """The author knows a mode that cannot run it."""

    name = "author_says_no"
    sizes = {"tiny": Size()}
    unsupported = {"session": "needs the eager runtime"}


class SpentTape(Counting):
    """A tape is asked for a second set of gradients."""

    name = "spent_tape"
    sizes = {"tiny": Size()}

    def step(self, x: Any) -> Mapping[str, Any]:
        with tf.GradientTape() as tape:
            tape.watch(x)
            loss = x * x
        return {"doubled": tape.gradient(loss, x), "again": tape.gradient(loss, x)}
