"""The first op that differs: which of eager's ops is which of the graph's, and draws as numbers."""

from __future__ import annotations

import random
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from eager_vs_graph.catalog.user_code import entries_of
from eager_vs_graph.child.adopt.loading import load
from eager_vs_graph.child.explain import first_op
from eager_vs_graph.child.explain.conditions import PLAIN, Condition
from eager_vs_graph.child.explain.experiments import ExperimentRunner
from eager_vs_graph.child.explain.outside_world import held_still
from eager_vs_graph.child.explain.probes import eager_ops, look
from eager_vs_graph.child.parity import check as parity
from eager_vs_graph.child.parity import random_draws
from eager_vs_graph.results.cells import Cell

OTHERS = Path(__file__).parents[1] / "reports_of_others"


def laboratory(program, *arguments):
    entry = entries_of(program, arguments=arguments, path=[str(OTHERS)])[0]
    subject = parity.subject(load(entry), "given")
    cell = Cell(entry.name, "given", "function", "CPU:0", "resident")
    list(parity.check(subject, [cell.in_mode("eager"), cell], lambda _cell: None))
    return ExperimentRunner(subject, time.monotonic() + 600), cell


def pairs(program, *arguments):
    lab, cell = laboratory(program, *arguments)
    eager, graph = eager_ops(lab, cell, PLAIN, 0), look(lab, cell, PLAIN, 0).trace.ops
    found = first_op.paired(eager, graph)
    return [(graph[mine], eager[its]) for mine, its in found.items()]


def test_ops_of_a_statement_over_several_lines_are_paired():
    found = pairs("optimised:negative_log_probability", "inputs:beta")
    assert len(found) == 17
    assert all(mine.type == its.type for mine, its in found)


def test_an_op_beside_branches_is_paired_with_the_one_of_the_same_turn():
    found = pairs("python_side:backtest", "inputs:actions_and_prices")
    slices = [(mine, its) for mine, its in found if "actions[index]" in its.where()]
    assert slices
    for mine, its in slices:
        if mine.type == "StridedSlice":
            begin = tf.get_static_value(mine.operation.inputs[1])
            assert np.array_equal(begin, its.arguments[1])


def test_the_first_op_is_where_a_constant_was_moved_to():
    lab, cell = laboratory("optimised:negative_log_probability", "inputs:beta")
    found = first_op.search(lab, cell, PLAIN, ("output", "output"), lab.observe(cell))
    assert found.found is not None
    assert found.found.eager.type == "AddV2"
    assert "1e-8" in found.found.eager.where()


def drawn(mode):
    """Draws that are put back to fixed numbers, added and taken away again, which rounds."""

    def step(x):
        return x + tf.random.uniform([64]) * 1e3 - tf.random.uniform([64]) * 1e3

    with random_draws.watched(__file__, replaced=True):
        made = tf.function(step) if mode == "graph" else step
        return made(tf.linspace(0.0, 1.0, 64)).numpy()


def test_draws_that_are_replaced_are_no_constants_for_an_optimiser():
    assert drawn("graph").tobytes() == drawn("eager").tobytes()


def test_what_moves_outside_is_held_still_and_types_stay_types():
    with held_still(__file__) as taken:
        first, again = time.time(), time.time()
        system = random.SystemRandom()
        assert isinstance(system, random.SystemRandom)
        numbers = system.random(), system.random()
    assert first == again
    assert numbers[0] == numbers[1]
    assert set(taken) == {"time.time", "random.SystemRandom"}
    assert sys.modules["time"].time() != first


def test_the_whole_program_runs_with_the_clock_held_still():
    lab, cell = laboratory("python_side:stamped", "float32[4]")
    observed = lab.eager(cell, Condition(stopped=True))
    assert not observed.error
    assert list(observed.taken) == ["time.time"]


@pytest.mark.parametrize(
    ("program", "line"),
    [
        ("python_side:make_solver", "self.x = self.x"),
        ("python_side:make_counting_layer", "self.calls += 1"),
    ],
)
def test_lines_that_write_an_attribute_of_an_object_are_found(program, line):
    from eager_vs_graph.child.explain.source import Source

    shape = "float32[4,1]" if "solver" in program else "float32[4]"
    lab, _cell = laboratory(program, shape)
    name = line.split()[0].removeprefix("self.")
    found = Source(lab.scenario, {("nowhere.py", 1)}).writing(f"thing.{name}")
    assert any(line in each.place for each in found)


def test_what_draws_initial_values_is_no_draw_of_the_step():
    lab, cell = laboratory("randomness:make_dropout_training", "float32[8,4]")
    assert list(lab.eager(cell).draws) == ["RandomUniform"]
