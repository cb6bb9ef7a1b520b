"""The step asks TensorFlow in which mode it runs, and does something else in each."""

from __future__ import annotations

from dataclasses import replace

from eager_vs_graph.child.explain.disagreement import Disagreement
from eager_vs_graph.child.explain.experiments import names
from eager_vs_graph.child.explain.source import MODE
from eager_vs_graph.child.explain.toggles import Hit, Toggle
from eager_vs_graph.results.explanation import MODE_BRANCH, Cause


def toggles(disagreement: Disagreement) -> list[Toggle]:
    """Answer the question after the mode as eager does."""
    if disagreement.eager_itself or not disagreement.source.of_kind(MODE):
        return []
    return [
        Toggle(
            MODE_BRANCH,
            "the question after the mode",
            lambda condition: replace(condition, eagerly=True),
            excluded="asking for the mode: the answer changes no value",
        )
    ]


def causes(disagreement: Disagreement, hit: Hit) -> list[Cause]:
    """The cause that the hit shows."""
    lines = disagreement.source.of_kind(MODE)
    key, mode = disagreement.worst(hit.keys), disagreement.cell.mode
    told = disagreement.observe(hit.after)
    return [
        Cause(
            MODE_BRANCH,
            ", ".join(dict.fromkeys(line.subject for line in lines)),
            "the step asks in which mode it runs, and computes something else in each",
            "compute the same in every mode; leave the question after the mode out of the step",
            names(hit.keys),
            tuple(dict.fromkeys(line.place for line in lines)),
            (
                f"{key[1]}: eager {disagreement.value(disagreement.eager, key)}, {mode} "
                f"{disagreement.value(disagreement.found, key)}, {mode} when the question is "
                f"answered as in eager {disagreement.value(told, key)}",
            ),
        )
    ]
