"""Unequal work: found by the check, and withheld from every claim of speed."""

from __future__ import annotations

import pytest
import tensorflow as tf
from commands import REPOSITORY
from record_fixture import TIMED_CELL, Shape

from eager_vs_graph.catalog import find as catalog
from eager_vs_graph.child.adopt.loading import load
from eager_vs_graph.child.explain import python_time
from eager_vs_graph.child.explain.equal_work import EqualWork
from eager_vs_graph.child.parity import check as parity
from eager_vs_graph.results.cells import Cell
from eager_vs_graph.results.record import CellParity

CAUSES = REPOSITORY / "tests" / "causes"
WHY = "of 1e+06 elements that eager computes in a call the graph computes 10"
SMALL = Shape(scenarios=("mnist_step",), inputs=("resident",))
UNEQUAL_CELL = TIMED_CELL


def entry_of(folder, name):
    return {entry.name: entry for entry in catalog.entries([folder])}[name]


def unequal(entry, mode="function", **changes):
    scenario = load(entry)
    (size, *_) = entry.default_sizes or entry.sizes
    cell = Cell(entry.name, size, mode, "CPU:0", "resident")
    result = CellParity(cell.id, **{"status": "identical", **changes})
    return EqualWork(parity.subject(scenario, size)).checked(result).unequal_work


@pytest.mark.parametrize("mode", ["function", "session"])
@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("folded_inputs", "constant inputs are folded"),
        ("dropped_result", "eager runs MatMul once at work.py:"),
        ("dropped_gradient", "nobody reads what it gives"),
        ("reads_the_last_slice", "eager runs MatMul 32 times at work.py:"),
        ("reads_the_last_slice", "the graph never: nobody reads what it gives"),
        ("slices_nobody_reads", "[32]) * 2.0; the graph once: nobody reads the other results"),
        ("same_again", "repeated work is shared"),
        ("numpy_work", "of eager's step is Python outside of TensorFlow"),
        ("body_of_forty", "eager changes self.rows in every step, the graph once at tracing"),
    ],
)
def test_unequal_work_is_found(name, reason, mode):
    assert reason in unequal(entry_of(CAUSES, name), mode)


def test_a_cell_that_is_not_timed_is_not_looked_at():
    entry = entry_of(CAUSES, "folded_inputs")
    assert not unequal(entry, status="differs")
    assert not unequal(entry, mode="eager")
    assert not unequal(entry, mode="mirrored")  # a replica is to do less
    assert unequal(entry, status="differs", known="declared")


@pytest.mark.parametrize("name", [e.name for e in catalog.entries([CAUSES / "controls"])])
def test_no_alarm_where_the_work_is_equal(name):
    assert not unequal(entry_of(CAUSES / "controls", name))


@pytest.mark.parametrize("name", [entry.name for entry in catalog.select([])])
def test_no_alarm_on_a_built_in_scenario(name):
    (entry,) = catalog.select([name])
    assert not unequal(entry)


@pytest.mark.parametrize(("of_interest", "fewest", "most"), [(0.0, 3, 20), (2.0, 1, 1)])
def test_a_call_is_watched_once_where_its_share_is_of_no_interest(of_interest, fewest, most):
    calls = []
    python_time.outside(lambda: calls.append(tf.constant(1.0)), of_interest)
    assert fewest <= len(calls) <= most
