"""Mode ``as_written``: code with tf.functions of its own, as it stands."""

from __future__ import annotations

import numpy as np
from contract_scenarios import Cumulate
from workbench import adopted, program, words

from eager_vs_graph.catalog.selection import Selection
from eager_vs_graph.catalog.user_code import entries_of
from eager_vs_graph.child.adopt.function import scenario_of
from eager_vs_graph.modes import DEFAULT_MODES, FUNCTION_MODES
from eager_vs_graph.results.record import AGREEING, DIFFERS, UNSUPPORTED
from eager_vs_graph.runs.options import GridOptions

MODE = "as_written"


def network():
    return adopted("stateful:make_network.step", "float32[4]")


def test_the_traces_of_every_function_that_is_called_are_counted():
    scenario = network()
    assert scenario.own_functions == ("Network.forward", "doubled", "scaled_by")
    built = program(scenario, MODE)
    (feed,) = built.task.feeds[:1]
    built.run(feed)
    assert built.inner_traces() == {"Network.forward": 1, "doubled": 1, "scaled_by": 1}
    assert built.retraced() == {}
    built.run(feed)
    assert built.retraced() == {"scaled_by": 2}  # a Python number that changes is traced anew
    assert built.traces == 4


def test_retracing_is_told_with_the_functions_name():
    found = words(network(), ("eager", MODE))
    assert {cell.status for cell in found.values()} <= set(AGREEING)
    assert found[MODE].reason == "retraced: 3 traces of scaled_by in 3 calls"
    assert found[MODE].inner_traces == {"Network.forward": 1, "doubled": 1, "scaled_by": 3}
    assert not found["eager"].reason
    assert found["eager"].inner_traces == {}


def test_its_functions_are_graphs_and_its_python_runs_in_every_call():
    found = words(adopted("stateful:counts_its_traces", "float32[4]"), ("eager", "function", MODE))
    for mode in ("function", MODE):  # eager counts on
        assert found[mode].status == DIFFERS
    built = program(network(), MODE)
    for _ in range(3):
        built.call()
    assert built.scenario.function.made.product.function.__self__.calls == 3


def test_other_modes_take_the_functions_apart():
    scenario = network()
    for mode in DEFAULT_MODES:
        built = program(scenario, mode)
        built.run(built.task.feeds[0])
        assert built.inner_traces() == {}
        functions = built.scenario.functions()
        assert functions
        assert {each.experimental_get_tracing_count() for each in functions} == {0}


def test_variables_of_the_first_call_are_made_before_it():
    found = words(
        adopted("models:make_step", "float32[16,5]", "int32[16] in 0..2"), ("eager", MODE)
    )
    assert found[MODE].status in AGREEING
    assert found[MODE].inner_traces == {"train_step": 1}


def test_keras_functions_are_counted_where_they_are_kept():
    found = words(
        adopted("models:make_functional", train=True, part=3), ("eager", "function", MODE)
    )
    for mode in ("function", MODE):
        assert found[mode].status in AGREEING
        assert set(found[mode].inner_traces.values()) == {1}
        assert found[mode].traces == len(found[mode].inner_traces)
    assert found["eager"].inner_traces == {}


def test_what_calls_no_tf_function_is_unsupported():
    plain = scenario_of(lambda x: 2.0 * x, (np.ones(2, np.float32),), name="plain")
    for scenario in (plain, Cumulate):
        cell = words(scenario, ("eager", MODE))[MODE]
        assert cell.status == UNSUPPORTED
        assert "runs in eager as it is written" in cell.reason


def test_it_belongs_to_the_default_modes_of_code_that_has_use_for_it():
    entries = entries_of("stateful:make_network.step")
    chosen = GridOptions().selection(entries)
    assert (MODE,) == FUNCTION_MODES == tuple(chosen.optional)
    (name,) = (entry.name for entry in entries[:1])
    modes = {cell.mode for cell in chosen.cells(["CPU:0"], [name])}
    assert modes == {*DEFAULT_MODES, MODE}
    assert {cell.mode for cell in chosen.cells(["CPU:0"])} == set(DEFAULT_MODES)
    asked = GridOptions(modes=f"eager,{MODE}").selection(entries)
    assert {cell.mode for cell in asked.cells(["CPU:0"])} == {"eager", MODE}
    assert Selection([], [], [MODE], [], []).optional == []
