"""Arguments of several calls: each step takes the next."""

from __future__ import annotations

import numpy as np
import pytest
from workbench import adopted, program, words

from eager_vs_graph import UsageError, compare
from eager_vs_graph.child.adopt.function import scenario_of
from eager_vs_graph.results.record import AGREEING, UNSUPPORTED


def test_each_step_takes_the_next_shape_and_retracing_shows():
    scenario = adopted("successive:scaled", "successive:batches")
    assert [feed["x"].shape for feed in scenario.feeds] == [(3, 4), (5, 4), (2, 4), (3, 4)]
    found = words(scenario)
    assert {cell.status for cell in found.values()} <= set(AGREEING)
    assert {cell.steps for cell in found.values()} == {4}
    assert found["function"].reason == (
        "retraced: 3 traces in 4 calls: x comes in 3 shapes; give inputs one shape"
    )
    assert not found["session"].reason
    assert scenario.adopted()["arguments"] == (
        "x: float32[3,4] or x: float32[5,4] or x: float32[2,4]"
    )


def test_python_arguments_may_change_and_are_traced_for_each_value():
    scenario = adopted("successive:scaled", "successive:factors")
    assert (
        "Python arguments change from call to call: factor = 1.0, 2.0; kind = 'sum', 'mean'"
        in scenario.notes
    )
    found = words(scenario, ("eager", "function", "xla", "session", "concrete"))
    for mode in ("eager", "function", "xla"):
        assert found[mode].status in AGREEING
    assert found["function"].reason == (
        "retraced: 3 traces in 4 calls: Python arguments take 3 values; give tensors in their place"
    )
    for mode in ("session", "concrete"):
        assert found[mode].status == UNSUPPORTED
        assert "Python arguments change" in found[mode].reason
    built = program(scenario, "eager")
    outputs = [float(built.run(feed)["output"]) for feed in scenario.feeds]
    assert outputs == [16.0, 48.0, 8.0, 40.0]
    assert "no float64 reference" not in found["eager"].note


@pytest.mark.parametrize("mode", ["eager", "function"])
def test_fed_calls_are_all_timed_in_turn(mode):
    built = program(adopted("successive:scaled", "successive:factors"), mode, "fed")
    assert [float(built.call()[0]) for _ in range(4)] == [16.0, 48.0, 8.0, 40.0]


def test_iterators_are_read_to_their_end_or_to_sixteen():
    assert [
        feed["x"].shape[0]
        for feed in adopted("successive:scaled", "successive:of_a_data_set").feeds
    ] == [4, 4, 2]
    endless = adopted("successive:scaled", "successive:endless")
    assert [feed["x"][0, 0] for feed in endless.feeds] == list(range(16))
    assert endless.parity_steps == 16


def test_a_model_is_trained_on_batches_of_several_sizes():
    scenario = adopted("successive:make_model", "successive:batches", train=True, part=1)
    assert [feed["labels"].shape for feed in scenario.feeds] == [(3, 1), (5, 1), (2, 1), (3, 1)]
    found = words(scenario)
    assert {cell.status for cell in found.values()} <= set(AGREEING)


@pytest.mark.parametrize(
    ("target", "factory"), [("scaled", "a_list_of_batches"), ("pair", "a_list_of_pairs")]
)
def test_a_list_of_calls_is_answered_with_how_to_say_it(target, factory):
    """One does not fit the parameters, the other does and raises."""
    with pytest.raises(UsageError, match="yielded one after the other, by a function with `yield`"):
        adopted(f"successive:{target}", f"successive:{factory}")


def test_a_factory_that_yields_nothing_is_refused():
    with pytest.raises(UsageError, match="successive:nothing yields nothing"):
        adopted("successive:scaled", "successive:nothing")


def test_calls_with_tensors_in_other_places_are_refused():
    with pytest.raises(UsageError, match="the tensors of call 2 are x, factor"):
        scenario_of(
            lambda x, factor=1.0: x * factor,
            (np.ones(2, np.float32),),
            name="f",
            feeds=[((np.ones(2, np.float32), np.float32(2)), {})],
        )


X = np.ones([2, 4], np.float32)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"args": (X,), "calls": [(X,)]}, "args and calls"),
        ({"calls": []}, "calls is empty"),
        ({"calls": "x"}, r"calls=\[\(x1, y1\), \(x2, y2\)\]"),
        ({"args": [(X, X.T), (X, X.T), (X, X.T)]}, r"calls=\[\(x1, y1\), \(x2, y2\)\]"),
        ({"calls": [(X, X.T), (X,)]}, "missing a required argument: 'y'"),
    ],
)
def test_compare_refuses_calls_in_a_line(options, message):
    with pytest.raises(UsageError, match=message):
        compare(lambda x, y: x @ y, allow_concurrent=True, **options)
