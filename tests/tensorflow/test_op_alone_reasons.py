"""What is said to be special about the inputs of an op of which XLA gives another value."""

from __future__ import annotations

import numpy as np
import pytest

from eager_vs_graph.child.explain.causes.xla import _why
from eager_vs_graph.child.explain.effects import effect
from eager_vs_graph.child.explain.first_op import Search
from eager_vs_graph.child.explain.ops import EagerOp

NAN, INF = np.nan, np.inf
HERE = ("steps.py", 3)


def op(kind, *arguments):
    return EagerOp(kind, HERE, (), (), (), tuple(np.asarray(each) for each in arguments))


def reason(given, eager, value, *others):
    eager, value = np.asarray(eager), np.asarray(value)
    found = effect(value, eager)
    assert found is not None
    return _why(given, eager, found, Search(eager=list(others)))


def floats(*values):
    return np.array(values, np.float32)


@pytest.mark.parametrize(
    ("text", "given", "eager", "value"),
    [
        (" for an infinity", op("Tanh", floats(1, INF)), floats(1, 2), floats(1, NAN)),
        ("", op("Tanh", floats(1, 2)), floats(1, 2), floats(1, NAN)),
        (" for NaN", op("Relu", floats(1, NAN)), floats(1, NAN), floats(1, 0)),
        (": it rounds differently", op("Tanh", floats(1, INF)), floats(1, 2), floats(1, 2.000001)),
    ],
)
def test_what_is_special_is_said_of_the_element_that_differs(text, given, eager, value):
    assert reason(given, eager, value) == text


def test_a_branch_that_is_not_selected_is_told():
    maximum = op("Maximum", floats(1, NAN))
    select = op("SelectV2", np.array([True, False]), floats(1, NAN), floats(0, 0))
    told = reason(maximum, floats(1, NAN), floats(1, 2), select)
    assert told.startswith(" for NaN, which is in the branch that tf.where does not select")


def test_a_branch_that_is_selected_is_not_told():
    maximum = op("Maximum", floats(1, NAN))
    select = op("SelectV2", np.array([True, True]), floats(1, NAN), floats(0, 0))
    assert reason(maximum, floats(1, NAN), floats(1, 2), select) == " for NaN"
