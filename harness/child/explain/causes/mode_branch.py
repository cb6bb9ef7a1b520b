"""The step asks TensorFlow in which mode it runs, and does something else in each."""

from __future__ import annotations

from eager_vs_graph.child.explain.conditions import Condition
from eager_vs_graph.child.explain.disagreement import Disagreement, Finding
from eager_vs_graph.child.explain.experiments import names
from eager_vs_graph.child.explain.source import MODE
from eager_vs_graph.results.explanation import MODE_BRANCH, Cause, Key


def find(disagreement: Disagreement, keys: set[Key]) -> Finding:
    """Run the mode while the author's module is told that it runs eagerly."""
    lines = disagreement.source.of_kind(MODE)
    if not keys or disagreement.eager_itself or not lines:
        return Finding()
    told = disagreement.lab.observe(disagreement.cell, Condition(eagerly_told=True))
    removed = disagreement.removed(told, keys)
    if not removed:
        return Finding(excluded=["asking for the mode: the answer does not change the values"])
    key = disagreement.worst(removed)
    cause = Cause(
        MODE_BRANCH,
        ", ".join(dict.fromkeys(line.subject for line in lines)),
        "the step asks in which mode it runs, and computes something else in each",
        "compute the same in every mode; leave the question after the mode out of the step",
        names(removed),
        tuple(dict.fromkeys(line.place for line in lines)),
        (
            f"{key[1]}: eager {disagreement.value(disagreement.eager, key)}, "
            f"{disagreement.cell.mode} "
            f"{disagreement.value(disagreement.found, key)}, {disagreement.cell.mode} when "
            "the question is answered as in "
            f"eager {disagreement.value(told, key)}",
        ),
    )
    return Finding([cause], removed)
