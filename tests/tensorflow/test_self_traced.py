"""Steps that make their own tf.functions, as Keras's ``fit`` does: who runs them, and how."""

from __future__ import annotations

import importlib

import numpy as np
import pytest
import tensorflow as tf
from workbench import built_in, program, task, words

from eager_vs_graph import Scenario, Size
from eager_vs_graph.modes import MODES
from eager_vs_graph.results.cells import INPUTS

RUNS = tuple(name for name, mode in MODES.items() if mode.runs_self_traced)
REFUSES = tuple(mode for mode in MODES if mode not in RUNS)


class OwnFunction(Scenario):
    """A step that keeps a tf.function and counts how often its Python runs."""

    name = "own_function"
    sizes = {"tiny": Size()}
    traces_itself = True

    def inputs(self, rng):
        return [{"x": np.array(3, np.float32)}]

    def build(self):
        self.python_calls = []

        @tf.function
        def double(x):
            self.python_calls.append(tf.config.functions_run_eagerly())
            return 2.0 * x

        self.double = double

    def step(self, x):
        return {"doubled": self.double(x)}

    def reference(self, state, x):
        return {"doubled": 2.0 * x}


class NewFunction(OwnFunction):
    """The mistake that the contract warns of: a function made anew in every call."""

    name = "new_function"

    def step(self, x):
        return {"doubled": tf.function(lambda value: 2.0 * value)(x)}


class Failing(OwnFunction):
    """An error from inside the step's own function."""

    name = "failing"

    def step(self, x):
        self.double(x)
        raise ZeroDivisionError


def test_eager_and_function_run_them_and_the_others_do_not():
    assert {"eager", "function", "as_written"} == set(RUNS)
    assert "session" in REFUSES


@pytest.mark.parametrize("inputs", INPUTS)
def test_eager_runs_the_steps_functions_as_python_in_every_call(inputs):
    built = program(OwnFunction, "eager", inputs)
    for call in range(1, 4):
        assert built.call() == [6.0]
        assert built.scenario.python_calls == [True] * call
        assert not tf.config.functions_run_eagerly()  # the programs of other modes are next


@pytest.mark.parametrize("inputs", INPUTS)
def test_function_traces_them_once(inputs):
    built = program(OwnFunction, "function", inputs)
    for _ in range(3):
        assert built.call() == [6.0]
        built.run(built.task.feeds[0])
    assert built.scenario.python_calls == [False]


@pytest.mark.parametrize("before", [False, True])
def test_the_switch_is_left_as_it_was_found_after_an_error_too(before):
    built = program(Failing, "eager")
    tf.config.run_functions_eagerly(before)
    try:
        with pytest.raises(ZeroDivisionError):
            built.call()
        assert tf.config.functions_run_eagerly() == before
        assert built.scenario.python_calls == [True]
    finally:
        tf.config.run_functions_eagerly(False)


def test_their_words():
    found = words(OwnFunction, tuple(MODES))
    for mode in RUNS:
        assert found[mode].status == "identical"
        assert not found[mode].reason
    for mode in REFUSES:
        assert found[mode].status == "unsupported"
        assert found[mode].reason == (
            "it makes tf.functions of its own and needs its Python in every call, so that it "
            "cannot be part of another graph; it runs in eager, function and as_written"
        )


def test_a_function_made_in_every_call_is_told_as_retracing():
    found = words(NewFunction, RUNS)
    assert "retraced" in found["function"].reason
    assert not found["eager"].reason  # there is nothing to trace


def test_tensorflow_itself_cannot_put_fit_into_a_function():
    """The experiment behind the refusal."""
    fit = task(built_in("keras_fit"), size="tiny")
    instance = fit.instance()
    instance.build()
    tensors = {name: tf.constant(array) for name, array in fit.feeds[0].items()}
    with pytest.raises(TypeError, match="SymbolicTensor"):
        tf.function(instance.step)(**tensors)


def test_tensorflow_itself_cannot_put_fit_into_a_v1_graph():
    session = importlib.import_module("eager_vs_graph.modes.session")
    fit = task(built_in("keras_fit"), size="tiny")
    with pytest.raises(TypeError, match="SymbolicTensor"):
        session.build(fit)
