"""Why a mode is slow: shares, retracing and counts of programs whose answer is known."""

import gzip
import json

import numpy as np
import pytest
import tensorflow as tf

from eager_vs_graph.child.adopt.function import scenario_of
from eager_vs_graph.child.parity.subject import subject
from eager_vs_graph.child.why import engine, perfetto
from eager_vs_graph.child.why.calls import Calls
from eager_vs_graph.child.why.counters import counted
from eager_vs_graph.child.why.profile import profiled
from eager_vs_graph.child.why.retraces import Traces, watching
from eager_vs_graph.results.cells import Cell
from eager_vs_graph.results.why import (
    CALLBACK,
    CONVERSION,
    CONVERSIONS,
    DISPATCH,
    FEEDING,
    KERNELS,
    OPS,
    PIPELINE,
    TRACING,
)

X = np.ones([8, 16], np.float32)
W = np.ones([16, 16], np.float32)


def twenty(x):
    for _ in range(20):
        x = tf.tanh(x)
    return x


def converting(x):
    for number in range(10):
        x = x + float(number)
    return x


def calling_back(x):
    return tf.py_function(lambda value: value + 1.0, [x], tf.float32) * 2.0


def multiplied(x, w):
    return x @ w


def cell_of(mode, inputs="resident"):
    return Cell("f", "given", mode, "CPU:0", inputs)


def why(function, args, mode, inputs="resident", **more):
    """What is found of a function, without trying changes."""
    scenario = scenario_of(function, args, name="f", **more)
    found, profile = engine.why(
        subject(scenario, "given"), cell_of(mode, inputs), 0.0, lambda _stage: False
    )
    assert not found.error
    return found, profile


def names(found):
    return {share.name for share in found.shares}


def count(found, name):
    return next(share.count for share in found.shares if share.name == name)


@pytest.mark.parametrize("mode", ["eager", "function", "session"])
def test_shares_add_up_to_the_clock(mode):
    found, _ = why(twenty, [X], mode)
    assert sum(share.seconds for share in found.shares) == pytest.approx(found.call_s)
    assert all(share.seconds >= 0 for share in found.shares)


def test_eager_dispatches_every_op_and_a_graph_one():
    eager, _ = why(twenty, [X], "eager")
    graph, _ = why(twenty, [X], "function")
    assert count(eager, DISPATCH) == 20
    assert count(graph, DISPATCH) == 1


def test_kernels_of_a_graph_are_all_found_although_they_are_quick():
    graph, _ = why(multiplied, [X, W], "function")
    assert any("MatMul" in kernel.op for kernel in graph.kernels)
    assert count(graph, KERNELS) >= 1


def test_conversions_are_counted_where_there_are_some():
    assert count(why(converting, [X], "eager")[0], CONVERSION) == 10
    assert CONVERSION not in names(why(twenty, [X], "eager")[0])
    assert CONVERSION not in names(why(converting, [X], "function")[0])


def test_python_called_from_the_graph_is_said_where_there_is_some():
    assert CALLBACK in names(why(calling_back, [X], "function")[0])
    assert CALLBACK not in names(why(twenty, [X], "function")[0])


def test_the_input_pipeline_is_said_where_there_is_one():
    def reading(x):
        return x + next(iter(tf.data.Dataset.from_tensors(X)))

    assert PIPELINE in names(why(reading, [X], "eager")[0])
    assert PIPELINE not in names(why(twenty, [X], "eager")[0])


def test_feeding_is_more_of_a_call_that_is_fed():
    fed, _ = why(twenty, [np.ones([512, 512], np.float32)], "function", "fed")
    assert FEEDING in names(fed)
    assert CONVERSION not in names(fed)


def test_tracing_is_said_of_functions_that_are_made_anew_only():
    def anew(x):
        return tf.function(lambda value: value * 2.0)(x)

    once = tf.function(lambda value: value * 2.0)

    def kept(x):
        return once(x)

    assert TRACING in names(why(anew, [X], "as_written", traces_itself=True)[0])
    assert TRACING not in names(why(kept, [X], "as_written", traces_itself=True)[0])


def traced(function, *calls):
    """The retraces of a function in some calls."""
    with watching() as traces:
        for number, arguments in enumerate(calls):
            traces.call = number
            function(*arguments)
    return [each for each, _ in traces.again()]


def test_a_number_that_changes_is_named_with_both_sides():
    function = tf.function(lambda x, rate: x * rate)
    (again,) = traced(function, (X, 0.1), (X, 0.2), (X, 0.2))
    assert (again.argument, again.before, again.after) == ("rate", "0.1", "0.2")
    assert "tf.constant(rate)" in again.remedy
    assert "test_why.py" in again.line


def test_a_shape_that_changes_is_named():
    function = tf.function(lambda x: x * 2.0)
    (again,) = traced(function, (tf.zeros([3, 4]),), (tf.zeros([5, 4]),), (tf.zeros([3, 4]),))
    assert (again.before, again.after) == ("float32[3,4]", "float32[5,4]")
    assert "float32[None,4]" in again.remedy


def test_a_dtype_that_changes_is_named_and_has_no_remedy_that_nobody_tried():
    function = tf.function(lambda x: x * 2)
    (again,) = traced(function, (tf.zeros([3]),), (tf.zeros([3], tf.int32),))
    assert (again.before, again.after, again.remedy) == ("float32[3]", "int32[3]", "")


def test_a_flag_has_no_remedy():
    function = tf.function(lambda x, training: x * 2 if training else x)
    (again,) = traced(function, (X, True), (X, False))
    assert (again.argument, again.remedy) == ("training", "")


def test_a_part_of_an_argument_is_named():
    function = tf.function(lambda batch: batch["x"] + 1.0)
    calls = [({"x": tf.zeros([n]), "y": tf.zeros([2])},) for n in (2, 3)]
    (again,) = traced(function, *calls)
    assert again.argument == "batch['x']"


def test_a_function_made_anew_is_no_matter_of_arguments():
    def outer(x):
        @tf.function
        def inner(value):
            return value * 2.0

        return inner(x)

    again = traced(outer, (tf.zeros([2]),), (tf.zeros([3]),))
    assert [each.after for each in again] == ["its tf.function is made anew"]
    assert again[0].argument == ""


def test_functions_that_are_traced_once_are_not_mentioned():
    variable = []

    @tf.function
    def making(x):
        if not variable:
            variable.append(tf.Variable(1.0))
        return x * variable[0]

    twice = tf.function(lambda x: x + 1.0)
    assert traced(making, (X,), (X,)) == []  # TensorFlow traces it twice for its variable
    assert traced(twice, (X,), (X,)) == []


def test_a_trace_inside_of_another_is_not_counted():
    inner = tf.function(lambda x: x + 1.0)
    outer = tf.function(lambda x: inner(x) * 2.0)
    again = traced(outer, (tf.zeros([2]),), (tf.zeros([3]),))
    assert len(again) == 1


def test_remedies_are_tried():
    feeds = [([X, 0.1 * number], {}) for number in (2, 3)]
    scenario = scenario_of(lambda x, rate: x * rate, [X, 0.1], name="f", feeds=feeds)
    sub = subject(scenario, "given")
    found, _ = engine.why(sub, cell_of("function"), float("inf"), lambda s: s == engine.RETRACES)
    assert {each.argument for each in found.retraces} == {"rate"}
    assert all("(tried: 1 in place of 3 traces)" in each.remedy for each in found.retraces)


@pytest.mark.parametrize(
    ("function", "mode"),
    [(converting, "eager"), (twenty, "function"), (twenty, "xla"), (multiplied, "session")],
)
def test_counts_are_the_same_every_time(function, mode):
    arguments = [X, W][: function.__code__.co_argcount]
    first, second = (why(function, arguments, mode)[0].counters for _ in range(2))
    assert first == second
    assert first


def test_counts_tell_one_more_op():
    def one_more(x):
        return twenty(x) + 1.0

    before, after = (
        counted(program, Calls(program), Traces()).exact
        for program in (
            subject(scenario_of(each, [X], name="f"), "given").build(cell_of("eager"))
            for each in (twenty, one_more)
        )
    )
    assert after[OPS] - before[OPS] == 1
    assert after[CONVERSIONS] - before.get(CONVERSIONS, 0) == 1


def test_the_trace_file_is_what_perfetto_reads(tmp_path):
    x = tf.zeros([2])
    perfetto.write({"eager": profiled(lambda: x + 1.0, 2)}, tmp_path / "trace.json.gz")
    with gzip.open(tmp_path / "trace.json.gz", "rt") as file:
        events = json.load(file)["traceEvents"]
    assert {event["ph"] for event in events} == {"M", "X"}
    assert sum(event["name"] == "EagerLocalExecute: AddV2" for event in events) == 2
