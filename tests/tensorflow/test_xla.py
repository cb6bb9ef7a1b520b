"""What is special to XLA: what it refuses, what it changes, and how its results differ."""

from __future__ import annotations

import inspect
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from workbench import program, words

from eager_vs_graph import Scenario, Size
from eager_vs_graph.results.record import AGREEING
from eager_vs_graph.scenarios.custom_gradient import CustomGradient
from eager_vs_graph.scenarios.matmul_chain import MatmulChain
from eager_vs_graph.scenarios.mnist_step import MnistStep
from eager_vs_graph.scenarios.py_func_bridge import PyFuncBridge
from eager_vs_graph.scenarios.regression_training import (
    RegressionTraining,
    RegressionTrainingOptimizer,
)


class Step(Scenario):
    """One function of ``x`` and ``n``; a subclass says which."""

    name = "one_step"
    sizes = {"tiny": Size()}

    def inputs(self, rng):
        return [{"x": np.array([1, 2, 3], np.float32), "n": np.int32(7)}]

    def reference(self, state, x, n):
        raise AssertionError("no test here comes so far")


def scenario(function, **members):
    """A scenario whose step is the function."""

    def step(self, x, n):
        return {"y": function(x, n)}

    return type("OneStep", (Step,), {"step": step, **members})


def python(x, n):
    return tf.ensure_shape(tf.py_function(tf.square, [x], tf.float32), [3])


def numpy(x, n):
    return tf.ensure_shape(tf.numpy_function(np.square, [x], tf.float32), [3])


def text(x, n):
    return tf.strings.as_string(x)


def dataset(x, n):
    return tf.data.Dataset.from_tensor_slices(x).reduce(0.0, tf.add)


def printing(x, n):
    tf.print("x:", x)
    return x


def gradient_of_a_while(x, n):
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = x
        while tf.reduce_sum(y) < 100.0:
            y = y * x + 1.0
    return tape.gradient(y, x)


def growing(x, n):
    (grown,) = tf.while_loop(
        lambda y: tf.size(y) < n,
        lambda y: [tf.concat([y, y], 0)],
        [x],
        shape_invariants=[tf.TensorShape([None])],
    )
    return grown


REFUSED = {
    python: "No registered 'EagerPyFunc' OpKernel for XLA_CPU_JIT devices",
    numpy: "No registered 'PyFunc' OpKernel for XLA_CPU_JIT devices",
    text: "No registered 'AsString' OpKernel for XLA_CPU_JIT devices",
    dataset: "No registered 'TensorSliceDataset' OpKernel for XLA_CPU_JIT devices",
    printing: "No registered 'StringFormat' OpKernel for XLA_CPU_JIT devices",
    gradient_of_a_while: "XLA compilation requires a fixed tensor list size",
    growing: "Input and output shapes of loop body do not match",
}


@pytest.mark.parametrize("function", REFUSED, ids=lambda function: function.__name__)
def test_what_xla_cannot_compile_is_unsupported_with_its_own_reason(function):
    cell = words(scenario(function), ["xla"])["xla"]
    assert cell.status == "unsupported"
    assert cell.reason.startswith("InvalidArgumentError: ")
    assert REFUSED[function] in cell.reason
    lines, first = inspect.getsourcelines(function)
    place = cell.reason.rpartition(f" ({Path(__file__).name}:")[2]
    assert first <= int(place.removesuffix(")")) < first + len(lines)  # the author's line
    assert "\n" not in cell.reason
    assert not any(noise in cell.reason for noise in ("__inference", "{{", "tf2xla"))


def test_text_as_input_is_unsupported_and_its_dtype_named():
    feeds = [{"x": np.array([b"one"]), "n": np.int32(1)}]
    cell = words(scenario(lambda x, n: n, inputs=lambda self, rng: feeds), ["xla"])["xla"]
    assert cell.status == "unsupported"
    assert "T=DT_STRING" in cell.reason


def slice_beyond_the_end(x, n):
    return tf.slice(x, [n], [1])


def raised_by_the_author(x, n):
    raise tf.errors.InvalidArgumentError(None, None, "tf2xla conversion failed, says the author")


@pytest.mark.parametrize(
    ("function", "message"),
    [
        # XLA knows the value of n when it compiles, and so finds this mistake while compiling.
        (slice_beyond_the_end, "Expected begin[0] in [0, 3], but got 7"),
        (raised_by_the_author, "tf2xla conversion failed, says the author"),
    ],
)
def test_the_authors_own_mistake_stays_an_error(function, message):
    for cell in words(scenario(function), ["eager", "function", "xla"]).values():
        assert cell.status == "error"
        assert cell.reason.startswith(f"InvalidArgumentError: {message}")


def test_the_step_is_compiled():
    """The proof is what the compiler is documented to leave out: assertions and bounds."""

    def careless(x, n):
        tf.debugging.assert_less(n, 3)
        return tf.gather(x, n)

    assert words(scenario(careless), ["function"])["function"].status == "error"
    built = program(scenario(careless), "xla")
    assert built.run(built.task.feeds[0])["y"] == 3.0  # the last element
    assert built.traces == 1


def test_random_numbers_are_others_but_for_stateless_philox():
    class Draws(Step):
        def build(self):
            self.generator = tf.random.Generator.from_seed(1)

        def step(self, x, n):
            return {
                "stateful": self.generator.normal([3]),
                "stateless": tf.random.stateless_normal([3], [1, 2]),
                "philox": tf.random.stateless_normal([3], [1, 2], alg="philox"),
            }

    programs = {mode: program(Draws, mode) for mode in ("eager", "function", "xla")}
    drawn = {mode: built.run(built.task.feeds[0]) for mode, built in programs.items()}
    for name in ("stateful", "stateless", "philox"):
        np.testing.assert_array_equal(drawn["function"][name], drawn["eager"][name])
        same = np.array_equal(drawn["xla"][name], drawn["eager"][name])
        assert same == (name == "philox")
    states = [built.state()["generator/state"] for built in programs.values()]
    np.testing.assert_array_equal(states[2], states[0])


@pytest.mark.parametrize(
    ("workload", "size"),
    [
        (MatmulChain, "tiny"),
        (RegressionTraining, "small"),
        (RegressionTrainingOptimizer, "small"),
        (MnistStep, "guide"),
        (CustomGradient, "small"),
    ],
)
def test_results_differ_by_rounding_at_most(workload, size):
    cells = words(workload, ["eager", "xla"], size=size)
    against = [tensor for tensor in cells["xla"].tensors if tensor.against == "eager"]
    assert {tensor.status for tensor in against} <= set(AGREEING)
    assert any(tensor.status == "close" for tensor in against)  # it has kernels of its own


def test_py_func_bridge_is_unsupported():
    cell = words(PyFuncBridge, ["xla"], size="guide")["xla"]
    assert cell.status == "unsupported"
    assert "EagerPyFunc" in cell.reason
    assert "(py_func_bridge.py:" in cell.reason
