"""AutoGraph rewrites Python's control flow and functions; without it, the graph agrees."""

from __future__ import annotations

from dataclasses import replace

from eager_vs_graph.child.explain.disagreement import Disagreement
from eager_vs_graph.child.explain.experiments import names
from eager_vs_graph.child.explain.source import LOOP
from eager_vs_graph.child.explain.toggles import Hit, Toggle
from eager_vs_graph.results.explanation import AUTOGRAPH, Cause


def toggles(disagreement: Disagreement) -> list[Toggle]:
    """Trace the step as Python has it."""
    if disagreement.eager_itself:
        return []
    return [
        Toggle(
            AUTOGRAPH,
            "AutoGraph",
            lambda condition: replace(condition, autograph=False),
            excluded="AutoGraph: without it, nothing changes",
        )
    ]


def causes(disagreement: Disagreement, hit: Hit) -> list[Cause]:
    """The cause that the hit shows."""
    key, mode = disagreement.worst(hit.keys), disagreement.cell.mode
    without = disagreement.observe(hit.after)
    lines = disagreement.source.of_kind(LOOP)
    late = [line for line in lines if line.subject]
    what = "a lambda in a loop" if late else "rewritten control flow"
    return [
        Cause(
            AUTOGRAPH,
            what,
            "AutoGraph's rewriting gives the step's Python another meaning: with AutoGraph off, "
            f"{mode} agrees",
            "@tf.autograph.experimental.do_not_convert, or tf.function(autograph=False)"
            + ("; or bind the value in the lambda: lambda v, i=i: …" if late else ""),
            names(hit.keys),
            tuple(dict.fromkeys(line.place for line in late or lines)),
            (
                f"{key[1]}: eager {disagreement.value(disagreement.eager, key)}, {mode} "
                f"{disagreement.value(disagreement.found, key)}, {mode} with AutoGraph off "
                f"{disagreement.value(without, key)}",
            ),
        )
    ]
