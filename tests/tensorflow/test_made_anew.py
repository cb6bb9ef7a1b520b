"""Programs of the user's own code: each has objects that were made for it."""

from __future__ import annotations

import gc

import keras
import numpy as np
import pytest
import tensorflow as tf
from workbench import DEFAULT_GRAPHS, adopted, program, tensor, words

from eager_vs_graph.child.adopt import making
from eager_vs_graph.child.parity import check
from eager_vs_graph.modes import DEFAULT_MODES, host_arrays
from eager_vs_graph.results.record import AGREEING, IDENTICAL, UNSUPPORTED

AGREE = {
    "a generator in the module": ("reads", ("float32[4]",)),
    "random numbers of the import": ("noisy", ("float32[3]",)),
    "a table in the module": ("looks_up", ("int64[4] in 0..2",)),
    "a preprocessing layer": ("make_layer_of_words", ("stateful:make_words",)),
    "an iterator": ("make_iterator", ()),
    "a data set": ("make_loop_over_data", ("float32[]",)),
    "an open file and a counter": ("make_logging", ("float32[3]",)),
    "a class that needs arguments": ("make_scaled", ("float32[3]",)),
    "an import inside": ("imports_inside", ("float32[3]",)),
    "a factory that needs eager": ("make_eager_only", ("float32[3]",)),
    "an optimizer built by the first call": (
        "make_lazy_training",
        ("float32[8,3]", "float32[8,1]"),
    ),
    "Keras's own step": ("make_lazy_model", ("float32[8,3]", "float32[8,1]")),
}


def stateful(name, *arguments):
    return adopted(f"stateful:{name}", *arguments)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # their open files
@pytest.mark.parametrize("case", AGREE)
def test_a_program_agrees_with_itself_in_every_default_mode(case):
    name, arguments = AGREE[case]
    found = words(stateful(name, *arguments))
    bad = {mode: (c.status, c.reason) for mode, c in found.items() if c.status not in AGREEING}
    assert bad == {}


@pytest.mark.parametrize("mode", DEFAULT_MODES)
def test_a_program_begins_where_the_users_begins(mode):
    """As many programs as one likes: modules are executed, and the factory is called, for each."""
    counter = stateful("make_counter", "float32[3]")
    feed = counter.feeds[0]
    for _ in range(2):
        np.testing.assert_array_equal(
            program(counter, mode).run(feed)["output"], feed["x"] + np.float32(1)
        )
    iterator = stateful("make_iterator")
    for _ in range(2):
        built = program(iterator, mode)
        assert [float(built.run({})["output"]) for _ in range(2)] == [12.0, 44.0]


@pytest.mark.parametrize("name", ["make_lazy_training", "make_lazy_model"])
def test_variables_of_the_first_call_have_a_float64_reference(name):
    """The copy in float64 has its variables in another order than those that are made."""
    found = words(stateful(name, "float32[8,3]", "float32[8,1]"), ("eager", "function"))
    assert "no float64 reference" not in found["eager"].note
    for mode in found:
        compared = {t.tensor for t in found[mode].tensors if t.against == "reference"}
        assert {each for each in compared if each.endswith(("iteration", "kernel"))}
        for each in compared:
            assert tensor(found[mode], each, "reference").status in AGREEING


def test_where_making_fails_in_a_mode_objects_are_copied_and_that_is_told():
    scenario = stateful("make_eager_only", "float32[3]")
    assert "executed afresh" in scenario.notes[-1]
    found = words(scenario)
    assert found["session"].status == IDENTICAL
    assert "it cannot be made anew" in found["session"].note
    assert "stateful.py:" in found["session"].note
    assert "made anew" not in found["function"].note


def test_where_both_fail_both_reasons_are_told():
    found = words(stateful("make_eager_only_with_iterator", "float32[3]"))
    assert found["function"].status == IDENTICAL
    assert found["session"].status == UNSUPPORTED
    assert "cannot be made anew" in found["session"].reason
    assert "cannot be copied: make_eager_only_with_iterator" in found["session"].reason


def test_modules_that_take_long_are_executed_once(monkeypatch):
    monkeypatch.setattr(making, "DEAR_S", 0.0)
    scenario = stateful("make_counter", "float32[3]")
    (note,) = scenario.notes[-1:]
    assert note.startswith("the user's modules are executed once, because")
    assert "what they made is copied" in note  # to call the factory takes as long
    found = words(scenario)
    assert {found[mode].status for mode in DEFAULT_GRAPHS} == {IDENTICAL}


def test_only_the_factory_is_called_again_where_that_is_cheap(monkeypatch):
    of = making.Maker._took_long
    monkeypatch.setattr(
        making.Maker, "_took_long", lambda self, what: 60.0 if what == "modules" else of(self, what)
    )
    scenario = stateful("make_iterator")
    assert "the factory is called again in the same modules" in scenario.notes[-1]
    found = words(scenario)
    assert {found[mode].status for mode in DEFAULT_GRAPHS} == {IDENTICAL}


def test_the_first_programs_variables_do_not_outlive_it():
    """It is made to be looked at; as many bytes again would be held for the whole check."""
    before = _models()
    scenario = stateful("make_lazy_training", "float32[8,3]", "float32[8,1]")
    assert _models() == before
    built = program(scenario, "eager")
    assert _models() == before + 1
    built.close()


def _models():
    gc.collect()
    return sum(isinstance(each, keras.Model) for each in gc.get_objects())


def test_large_variables_have_no_float64_reference_and_that_is_told(monkeypatch):
    monkeypatch.setattr(check, "LARGE_BYTES", 16)
    found = words(stateful("make_lazy_training", "float32[8,3]", "float32[8,1]"), ("eager",))
    assert found["eager"].status == IDENTICAL
    assert "no float64 reference: its variables take 0 MiB" in found["eager"].note


def test_large_arrays_become_tensors_that_share_nothing(monkeypatch):
    monkeypatch.setattr(host_arrays, "LARGE_BYTES", 8)
    for dtype in (np.float32, np.float64, np.int64, np.uint8):
        array = np.arange(35).reshape(5, 7).astype(dtype)
        variable = tf.Variable(host_arrays.as_value(array))
        variable.assign_add(tf.ones_like(variable))
        np.testing.assert_array_equal(array, np.arange(35).reshape(5, 7))
        np.testing.assert_array_equal(variable.numpy(), array + dtype(1))
        variable.assign(host_arrays.as_value(array))
        array[0, 0] = 9
        assert variable.numpy()[0, 0] == 0
    found = words(adopted("plain:step", "float32[8,4]", "int32[8] in 0..2"))
    assert {cell.status for cell in found.values()} <= set(AGREEING)
