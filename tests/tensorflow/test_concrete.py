"""What is special to a concrete function: one signature, traced when it is built."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
from workbench import program, task

from eager_vs_graph import Scenario, Size


class Varying(Scenario):
    """One dimension, the rank, or nothing varies between the feeds."""

    name = "varying_specs"
    sizes = {"tiny": Size()}

    def inputs(self, rng):
        return [
            {"rank": np.ones([2] * n, np.int32), "rows": np.ones((n, 2), np.float32), "same": one}
            for n, one in ((1, np.float64(1)), (3, np.float64(2)))
        ]

    def step(self, rows, same, rank):  # in another order than the feeds
        return {"sum": tf.reduce_sum(rows) + tf.cast(same, tf.float32), "rank": tf.rank(rank)}


def test_a_tasks_specs_hold_what_all_feeds_share():
    assert task(Varying).specs() == [
        tf.TensorSpec([None, 2], tf.float32, "rows"),
        tf.TensorSpec([], tf.float64, "same"),
        tf.TensorSpec(None, tf.int32, "rank"),
    ]


@pytest.mark.parametrize("inputs", ["resident", "fed"])
def test_building_traces_and_no_call_does(inputs):
    built = program(Varying, "concrete", inputs)
    assert built.traces == 1
    for _ in range(2):
        assert [built.run(feed)["sum"] for feed in built.task.feeds] == [3, 8]
    built.call()
    assert built.traces == 1
    with pytest.raises(tf.errors.InvalidArgumentError, match="expected to be a float tensor"):
        built.run({**built.task.feeds[0], "rows": np.ones((1, 2))})
    assert built.traces == 1  # where tf.function would have traced again


def test_a_call_does_not_go_through_tf_functions_dispatch(monkeypatch):
    """What the mode is for: nothing chooses among traces once it is built."""
    polymorphic = type(tf.function(lambda: None))
    called = []
    dispatch = polymorphic.__call__

    def watched(self, *arguments, **keywords):
        called.append(self)
        return dispatch(self, *arguments, **keywords)

    monkeypatch.setattr(polymorphic, "__call__", watched)
    program(Varying, "concrete").call()
    assert not called
    program(Varying, "function").call()
    assert called
