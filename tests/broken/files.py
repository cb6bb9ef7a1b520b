"""Scenarios whose checkpoints or summaries are wrong: each hides one defect."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from eager_vs_graph import KnownDifference, Scenario, Size
from eager_vs_graph.scenario import Array, Feed, State

RATE, MOMENTUM = 0.1, 0.9


class Descent(Scenario):
    """Descend with momentum, and keep weight and momentum in a checkpoint: nothing is wrong."""

    name = "descent"
    sizes = {"tiny": Size()}

    def inputs(self, rng: np.random.Generator) -> Sequence[Feed]:
        return [{"x": np.full(3, k, np.float32)} for k in (1.0, 2.0)]

    def build(self) -> None:
        self.weight = tf.Variable(tf.ones(3))
        self.momentum = tf.Variable(tf.zeros(3))
        self.checkpoint = tf.train.Checkpoint(weight=self.weight, momentum=self.momentum)

    def step(self, x: Any) -> Mapping[str, Any]:
        self.momentum.assign(MOMENTUM * self.momentum + self.weight * x)
        self.weight.assign_sub(RATE * self.momentum)
        return {"weight_now": self.weight.read_value()}

    def reference(self, state: State, x: Array) -> Mapping[str, Array]:
        state["momentum"] = MOMENTUM * state["momentum"] + state["weight"] * x
        state["weight"] = state["weight"] - RATE * state["momentum"]
        return {"weight_now": state["weight"]}


class OptimizerLeftOut(Descent):
    """The checkpoint restores, but training does not go on as it would have."""

    name = "optimizer_left_out"
    sizes = {"tiny": Size()}

    def build(self) -> None:
        super().build()
        self.checkpoint = tf.train.Checkpoint(weight=self.weight)


class NothingTracked(Descent):
    """A checkpoint of nothing."""

    name = "nothing_tracked"
    sizes = {"tiny": Size()}

    def build(self) -> None:
        super().build()
        self.checkpoint = tf.train.Checkpoint()


class OtherNamesInGraph(Descent):
    """A v1 graph's checkpoint calls the weight by another name."""

    name = "other_names_in_graph"
    sizes = {"tiny": Size()}

    def build(self) -> None:
        super().build()
        weight = "weight" if tf.executing_eagerly() else "kernel"
        self.checkpoint = tf.train.Checkpoint(momentum=self.momentum, **{weight: self.weight})


class _LastBit(tf.train.Checkpoint):
    """Restores the weight one representable number too high, outside graphs."""

    def read(self, save_path: str, options: Any = None) -> Any:
        status = super().read(save_path, options)
        if tf.executing_eagerly():
            self.weight.assign(tf.math.nextafter(self.weight, tf.fill([3], 9.0)))
        return status


class LastBitLost(Descent):
    """What is restored is close to what was written, and not the same."""

    name = "last_bit_lost"
    sizes = {"tiny": Size()}

    def build(self) -> None:
        super().build()
        self.checkpoint = _LastBit(weight=self.weight, momentum=self.momentum)


class DriftsAsDeclared(Descent):
    """Graphs compute something else, as the author declares."""

    name = "drifts_as_declared"
    sizes = {"tiny": Size()}
    known_differences = (
        KnownDifference(("weight_now", "weight", "momentum"), "graphs descend faster here"),
    )

    def step(self, x: Any) -> Mapping[str, Any]:
        return super().step(x if tf.executing_eagerly() else 1.5 * x)


class OddBits(Descent):
    """NaN, infinity, the sign of zero, and text come back as they were."""

    name = "odd_bits"
    sizes = {"tiny": Size()}

    def build(self) -> None:
        super().build()
        self.odd = tf.Variable([np.nan, np.inf, -0.0, 0.0])
        self.text = tf.Variable([b"one", b""])
        self.checkpoint = tf.train.Checkpoint(
            weight=self.weight, momentum=self.momentum, odd=self.odd, text=self.text
        )


class Logged(Scenario):
    """Count, and write every second count as a summary: nothing is wrong."""

    name = "logged"
    sizes = {"tiny": Size()}
    parity_steps = 6

    def inputs(self, rng: np.random.Generator) -> Sequence[Feed]:
        return [{"x": np.array(k, np.float32)} for k in (0.5, 1.5, 3.0)]

    def build(self) -> None:
        self.count = tf.Variable(0, dtype=tf.int64)
        self.writer = tf.summary.create_file_writer(str(self.folder))
        self.silent = tf.summary.create_noop_writer()

    def write(self, x: Any, count: Any) -> None:
        """Write one summary."""
        tf.summary.scalar("x", x, step=count)

    def step(self, x: Any) -> Mapping[str, Any]:
        count = self.count.assign_add(1)
        with self.writer.as_default(), tf.summary.record_if(tf.equal(count % 2, 0)):
            self.write(x, count)
        return {"x_again": x + 0.0}

    def reference(self, state: State, x: Array) -> Mapping[str, Array]:
        state["count"] += 1
        return {"x_again": x}

    def reference_written(self, outputs: Sequence[Mapping[str, Array]]) -> Mapping[str, Array]:
        second = [output["x_again"] for output in outputs[1::2]]
        return {
            "summary of x": np.array(second),
            "steps of x": np.arange(2, len(outputs) + 1, 2),
        }


class HeldBack(Logged):
    """Nothing is wrong; but nothing flushes the writer, as leaving ``as_default`` does."""

    name = "held_back"
    sizes = {"tiny": Size()}

    def step(self, x: Any) -> Mapping[str, Any]:
        count = self.count.assign_add(1)
        self.writer.set_as_default()
        with tf.summary.record_if(tf.equal(count % 2, 0)):
            self.write(x, count)
        self.silent.set_as_default()
        return {"x_again": x + 0.0}


class StepBefore(Logged):
    """Every mode writes the step before."""

    name = "step_before"
    sizes = {"tiny": Size()}

    def write(self, x: Any, count: Any) -> None:
        tf.summary.scalar("x", x, step=count - 1)


class FrozenStep(Logged):
    """The step is a Python number, which a graph keeps from its tracing."""

    name = "frozen_step"
    sizes = {"tiny": Size()}

    def write(self, x: Any, count: Any) -> None:
        step = int(count) if tf.executing_eagerly() else 1
        tf.summary.scalar("x", x, step=step)


class OtherValue(Logged):
    """The value that a graph writes is not the one that it returns."""

    name = "other_value"
    sizes = {"tiny": Size()}

    def write(self, x: Any, count: Any) -> None:
        tf.summary.scalar("x", x if tf.executing_eagerly() else x * 1.001, step=count)


class SummaryInLoop(Logged):
    """Where AutoGraph makes a loop of it, tf.function puts the loop's name before the tag."""

    name = "summary_in_loop"
    sizes = {"tiny": Size()}

    def step(self, x: Any) -> Mapping[str, Any]:
        count = self.count.assign_add(1)
        for _ in tf.range(1):
            with self.writer.as_default(), tf.summary.record_if(tf.equal(count % 2, 0)):
                tf.summary.scalar("x", x, step=count)
        return {"x_again": x + 0.0}


class WrittenUnforeseen(Logged):
    """Nobody says what the files should hold."""

    name = "written_unforeseen"
    sizes = {"tiny": Size()}

    def reference_written(self, outputs: Sequence[Mapping[str, Array]]) -> Mapping[str, Array]:
        return {}


class NeverWritten(Logged):
    """The condition never holds."""

    name = "never_written"
    sizes = {"tiny": Size()}

    def step(self, x: Any) -> Mapping[str, Any]:
        count = self.count.assign_add(1)
        with self.writer.as_default(), tf.summary.record_if(tf.equal(count % 2, 2)):
            self.write(x, count)
        return {"x_again": x + 0.0}


class ReferenceWrittenRaises(Logged):
    """The reference of the files fails."""

    name = "reference_written_raises"
    sizes = {"tiny": Size()}

    def reference_written(self, outputs: Sequence[Mapping[str, Array]]) -> Mapping[str, Array]:
        return {"summary of x": outputs[0]["y"]}
