"""What is concluded where no pass of Grappler's makes a difference alone, or too small a one."""

from __future__ import annotations

import pytest

from eager_vs_graph.child.explain.causes import grappler
from eager_vs_graph.child.explain.conditions import PLAIN, Condition
from eager_vs_graph.child.explain.hits import that_matter
from eager_vs_graph.child.explain.toggles import Hit, Toggle
from eager_vs_graph.results.explanation import GRAPPLER, TRACE_TIME
from eager_vs_graph.results.record import TensorComparison

KEY = ("output", "y")
TOGETHER = "Grappler's passes change the values together; no single one does"


class AgreesWithEachPassAlone:
    """A disagreement in which every program with one pass on gives what eager gives."""

    def __init__(self):
        self.lab = self
        self.alone = []

    def in_time(self):
        return True

    def compare(self, condition):
        self.alone.append(condition)
        return {}


def concluded(keys):
    disagreement = AgreesWithEachPassAlone()
    hit = Hit(Toggle(GRAPPLER, "Grappler", lambda c: c), {KEY}, PLAIN, Condition(grappler=False))
    found = grappler._made_by_one_alone(disagreement, hit, keys, lambda _keys: None)
    return found, disagreement.alone


def test_passes_that_do_it_together_are_said_to():
    (cause,), alone = concluded({KEY})
    assert cause.summary == TOGETHER
    assert cause.tensors == ("y",)
    assert len(alone) == len(grappler.PASSES)


def test_nothing_is_said_of_tensors_that_a_pass_explains():
    assert concluded(set()) == ([], [])


class Ranked:
    """A disagreement whose tensor is that bad, plainly and with Python's state away."""

    def __init__(self, plainly, with_state_away):
        self.differing = {KEY: tensor(plainly)}
        self._away = {KEY: tensor(with_state_away)}

    def compare(self, _condition):
        return self._away


def tensor(status):
    return TensorComparison(KEY[1], KEY[0], "eager", status)


STATE = Hit(
    Toggle(TRACE_TIME, "a counter", lambda c: c), {KEY}, PLAIN, Condition(freeze=frozenset("n"))
)
THEN_GRAPPLER = Hit(
    Toggle(GRAPPLER, "Grappler", lambda c: c),
    {KEY},
    STATE.after,
    Condition(freeze=frozenset("n"), grappler=False),
)


@pytest.mark.parametrize(
    ("plainly", "with_state_away", "matter"),
    [
        ("differs", "close", [STATE]),
        ("differs", "differs", [STATE, THEN_GRAPPLER]),
        ("close", "close", [STATE, THEN_GRAPPLER]),
    ],
)
def test_rounding_is_not_why_a_tensor_was_out_of_tolerance(plainly, with_state_away, matter):
    found = that_matter(Ranked(plainly, with_state_away), [STATE, THEN_GRAPPLER])
    assert found == matter
