"""The step asks TensorFlow in which mode it runs, and does something else in each."""

from __future__ import annotations

from eager_vs_graph.child.explain.conditions import Condition
from eager_vs_graph.child.explain.disagreement import Case, Finding
from eager_vs_graph.child.explain.experiments import names
from eager_vs_graph.child.explain.source import MODE
from eager_vs_graph.results.explanation import MODE_BRANCH, Cause, Key


def find(case: Case, keys: set[Key]) -> Finding:
    """Run the mode while the author's module is told that it runs eagerly."""
    lines = case.source.of_kind(MODE)
    if not keys or case.eager_itself or not lines:
        return Finding()
    told = case.lab.observe(case.cell, Condition(eagerly_told=True))
    removed = case.removed(told, keys)
    if not removed:
        return Finding(excluded=["asking for the mode: the answer does not change the values"])
    key = case.worst(removed)
    cause = Cause(
        MODE_BRANCH,
        ", ".join(dict.fromkeys(line.subject for line in lines)),
        "the step asks in which mode it runs, and computes something else in each",
        "compute the same in every mode; leave the question after the mode out of the step",
        names(removed),
        tuple(dict.fromkeys(line.place for line in lines)),
        (
            f"{key[1]}: eager {case.value(case.eager, key)}, {case.cell.mode} "
            f"{case.value(case.found, key)}, {case.cell.mode} when the question is answered as in "
            f"eager {case.value(told, key)}",
        ),
    )
    return Finding([cause], removed)
