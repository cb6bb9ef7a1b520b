"""What is concluded where no pass of Grappler's makes a difference by itself."""

from __future__ import annotations

from eager_vs_graph.child.explain.causes import grappler
from eager_vs_graph.child.explain.conditions import PLAIN, Condition
from eager_vs_graph.child.explain.toggles import Hit, Toggle
from eager_vs_graph.results.explanation import GRAPPLER

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
