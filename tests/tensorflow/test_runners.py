"""Every runner on real scenarios: one contract, whatever the mode."""

from __future__ import annotations

import ml_dtypes
import numpy as np
import pytest
import tensorflow as tf
from contract_scenarios import Cumulate, Varying, assert_same_bits
from workbench import GRAPHS, SAME_KERNELS, WHOLE, program, task

from eager_vs_graph import Scenario, Size
from eager_vs_graph.child.parity import check as parity
from eager_vs_graph.child.parity.trajectory import of_program
from eager_vs_graph.modes import MODES
from eager_vs_graph.results.cells import INPUTS, Cell
from eager_vs_graph.scenarios.mnist_step import MnistStep
from eager_vs_graph.scenarios.regression_training import (
    RegressionTraining,
    RegressionTrainingOptimizer,
)

every_mode = pytest.mark.parametrize("mode", WHOLE)
every_graph = pytest.mark.parametrize("mode", GRAPHS)
every_policy = pytest.mark.parametrize("inputs", INPUTS)


class WithoutInputs(Scenario):
    """Nothing comes in."""

    name = "without_inputs"
    sizes = {"tiny": Size()}

    def inputs(self, rng):
        return [{}]

    def build(self):
        self.calls = tf.Variable(0)

    def step(self):
        return {"calls": self.calls.assign_add(1)}


class Reversal(Scenario):
    """Any dtype in, the same dtype out."""

    name = "reversal"
    array = np.zeros(2)
    sizes = {"tiny": Size()}

    def inputs(self, rng):
        return [{"x": self.array}]

    def step(self, x):
        return {"reversed": x[::-1], "first": x[0]}


class Initialised(Scenario):
    """Random initial values of several makers."""

    name = "initialised"
    sizes = {"tiny": Size()}

    def inputs(self, rng):
        return [{"x": np.ones((2, 4), np.float32)}]

    def build(self):
        self.layer = tf.keras.layers.Dense(3)
        self.layer.build((None, 4))
        self.noise = tf.Variable(tf.random.normal([5]))
        self.drawn = tf.Variable(np.random.default_rng().standard_normal(5))

    def step(self, x):
        return {"y": self.layer(x)}


def outputs_of(scenario, mode, inputs="resident", steps=3):
    built = program(scenario, mode, inputs)
    return of_program(built, built.state(), built.task.feeds, steps)


@every_policy
@every_graph
def test_a_graph_does_what_eager_does_bit_for_bit(mode, inputs):
    eager, graph = outputs_of(Cumulate, "eager", inputs, 4), outputs_of(Cumulate, mode, inputs, 4)
    for found, expected in zip(graph.outputs, eager.outputs, strict=True):
        assert_same_bits(found, expected)
    assert_same_bits(graph.state, eager.state)


@every_mode
@every_policy
def test_what_a_step_does_is_what_it_says(mode, inputs):
    first, second, third, fourth = outputs_of(Cumulate, mode, inputs, 4).outputs
    np.testing.assert_array_equal(first["before"], [0, 0, 0])
    np.testing.assert_array_equal(first["total"], [1, 1, 1])
    np.testing.assert_array_equal(second["before"], [1, 1, 1])
    np.testing.assert_array_equal(third["total"], [6, 6, 6])
    np.testing.assert_array_equal(fourth["total"], [7, 7, 7])  # the feeds are cycled
    np.testing.assert_array_equal(third["z_first"], [30, 30, 30])  # by name, not by place
    assert [step["branch"] for step in (first, second, third)] == [-1, 1, 1]
    assert first["count"] == 6


@every_policy
@pytest.mark.parametrize("mode", SAME_KERNELS)
@pytest.mark.parametrize("scenario", [RegressionTraining, RegressionTrainingOptimizer])
def test_regression_gives_the_same_losses_bit_for_bit(scenario, mode, inputs):
    eager, graph = (outputs_of(scenario, m, inputs, 20) for m in ("eager", mode))
    losses = [step["loss"] for step in graph.outputs]
    assert losses == [step["loss"] for step in eager.outputs]
    assert losses == sorted(losses, reverse=True)
    assert len({float(loss) for loss in losses}) == 20  # every update was made
    assert_same_bits(graph.state, eager.state)


@every_policy
@every_mode
def test_a_timed_call_is_one_step_and_gives_host_arrays_in_order(mode, inputs):
    built = program(Cumulate, mode, inputs)
    names = ["z_first", "total", "before", "branch", "count"]
    initial = built.state()
    kept = []
    for call in range(1, 5):
        outputs = built.call()
        assert all(isinstance(array, np.ndarray | np.generic) for array in outputs)
        found = dict(zip(names, outputs, strict=True))
        assert found["branch"].dtype == np.int32
        assert built.state()["calls"] == call
        kept.append(np.array(found["z_first"]))
    expected = [10, 20, 30, 10] if inputs == "fed" else [10, 10, 10, 10]
    np.testing.assert_array_equal(kept, np.repeat(expected, 3).reshape(4, 3))
    built.load(initial)
    assert_same_bits(built.state(), initial)
    np.testing.assert_array_equal(built.call()[2], [0, 0, 0])


@every_policy
@every_mode
def test_a_step_is_traced_once_whatever_is_called(mode, inputs):
    built = program(Cumulate, mode, inputs)
    feeds = built.task.feeds
    for _ in range(3):
        built.call()
        built.run(feeds[1])
        built.load(built.state())
    assert built.traces == (0 if mode == "eager" else 1)


@every_policy
@every_mode
def test_inputs_are_not_folded_into_the_graph(mode, inputs):
    built = program(RegressionTraining, mode, inputs)
    initial, (feed,) = built.state(), built.task.feeds
    first = built.run(feed)["loss"]
    built.load(initial)
    other = built.run({"x": feed["x"] + 1, "y": feed["y"]})["loss"]
    built.load(initial)
    assert first == built.run(feed)["loss"] != other
    assert built.traces <= 1


def aligned(array):
    """A copy whose memory TensorFlow would use as it is, instead of copying it."""
    memory = np.zeros(array.nbytes + 64, np.uint8)
    start = -memory.ctypes.data % 64
    copy = memory[start : start + array.nbytes].view(array.dtype).reshape(array.shape)
    copy[...] = array
    return copy


@every_mode
def test_resident_inputs_and_state_are_copies(mode):
    given = task(Cumulate)
    for feed in given.feeds:
        feed.update({name: aligned(array) for name, array in feed.items()})
    built = MODES[mode].build(given)
    given.feeds[0]["y"][:] = -1
    state = {**built.state(), "total": aligned(np.full(3, 5, np.float32))}
    built.load(state)
    state["total"][:] = -1
    y, _, before, *_ = built.call()
    np.testing.assert_array_equal(y, [10, 10, 10])
    np.testing.assert_array_equal(before, [5, 5, 5])
    np.testing.assert_array_equal(state["total"], [-1, -1, -1])


@every_mode
def test_resident_and_fed_inputs_give_the_same_values(mode):
    resident, fed = (outputs_of(RegressionTraining, mode, policy, 5) for policy in INPUTS)
    for found, expected in zip(fed.outputs, resident.outputs, strict=True):
        assert_same_bits(found, expected)
    assert_same_bits(fed.state, resident.state)


@every_policy
@every_mode
def test_feeds_may_vary_in_shape(mode, inputs):
    built = program(Varying, mode, inputs)
    for feed in (*built.task.feeds, *built.task.feeds):
        outputs = built.run(feed)
        np.testing.assert_array_equal(outputs["x"], feed["x"] + 1)
        assert outputs["sum"] == feed["x"].size
    # With dimensions that are None, one trace serves every shape.
    assert built.traces == {"eager": 0, "function": 3, "xla": 3}.get(mode, 1)
    assert built.state() == {}
    built.load({})
    if inputs == "fed":
        assert [built.call()[0].shape for _ in range(4)] == [(3, 2), (5, 2), (1, 2), (3, 2)]


@every_mode
def test_a_warm_program_is_timed_on_its_first_feed(mode):
    built = program(Varying, mode)
    for feed in built.task.feeds:
        built.warm(feed)
    assert built.call()[0].shape == (3, 2)


@every_policy
@every_mode
def test_a_scenario_may_have_no_inputs(mode, inputs):
    built = program(WithoutInputs, mode, inputs)
    assert built.run({})["calls"] == 1
    assert built.call() == [2]
    assert built.state() == {"calls": 2}


DTYPES = (
    np.array([True, False, False]),
    np.array([1, 2, 3], np.int8),
    np.array([1, 2, 2**31 - 1], np.int32),
    np.array([1, 2, 2**62], np.int64),
    np.array([1, 2, 255], np.uint8),
    np.array([1, 2, 65504], np.float16),
    np.array([1, 2, 3], ml_dtypes.bfloat16),
    np.array([1, 2, np.nan], np.float32),
    np.array([1, 2, np.inf], np.float64),
    np.array([1, 2, 3j], np.complex64),
    np.array([1, 2, 3j], np.complex128),
)


@every_policy
@every_mode
@pytest.mark.parametrize("array", DTYPES, ids=lambda array: array.dtype.name)
def test_dtypes_go_in_and_come_out_as_they_are(array, mode, inputs):
    scenario = type("Reversal", (Reversal,), {"array": array})
    built = program(scenario, mode, inputs)
    outputs = built.run({"x": array})
    assert_same_bits(outputs, {"reversed": array[::-1], "first": np.array(array[0])})
    assert [np.asarray(output).dtype for output in built.call()] == [array.dtype, array.dtype]


@every_policy
@pytest.mark.parametrize("mode", [mode for mode in WHOLE if mode != "xla"])
def test_text_goes_in_and_comes_out(mode, inputs):
    scenario = type("Reversal", (Reversal,), {"array": np.array([b"one", b"two"])})
    built = program(scenario, mode, inputs)
    assert built.run(built.task.feeds[0])["reversed"].tolist() == [b"two", b"one"]
    assert built.call()[1] == b"one"


@every_graph
@pytest.mark.parametrize("scenario", [Initialised, MnistStep])
def test_every_mode_starts_from_the_state_that_eager_built(scenario, mode):
    size = next(iter(scenario.sizes))
    subject = parity.subject(scenario, size)
    cell = Cell(scenario.name, size, mode, "CPU:0", "resident")
    built = subject.build(cell)  # no eager program was asked for
    assert_same_bits(built.state(), subject.build(cell.in_mode("eager")).state())
    assert any(np.any(array) for array in built.state().values())


def test_programs_of_one_process_do_not_touch_each_other():
    built = {mode: program(Cumulate, mode) for mode in (*WHOLE, *WHOLE)}
    twins = [program(Cumulate, "session"), program(Cumulate, "session")]
    twins[0].call()
    assert [twin.state()["calls"] for twin in twins] == [1, 0]
    assert all(one.state()["calls"] == 0 for one in built.values())
    twins[0].close()
    assert twins[1].call()[1].tolist() == [1, 1, 1]
    assert tf.executing_eagerly()
