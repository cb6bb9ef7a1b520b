"""XLA: the same step agrees when it is not compiled."""

from __future__ import annotations

from eager_vs_graph.child.explain.conditions import Condition
from eager_vs_graph.child.explain.disagreement import Disagreement, Finding
from eager_vs_graph.child.explain.experiments import Observation, names
from eager_vs_graph.results.explanation import XLA, Cause, Key

_REMEDY = (
    "leave out jit_compile for this step, or accept XLA's rounding with a stated tolerance; a "
    "value that is far off comes from a formula that cancels: rewrite it in a stable form"
)


def find(disagreement: Disagreement, keys: set[Key]) -> Finding:
    """Run the same graph without XLA, and the author's own functions without it."""
    if not keys or disagreement.eager_itself:
        return Finding()
    found = Finding()
    if disagreement.cell.mode == "xla":
        # XLA compiles the graph as it was traced: without Grappler, whose effects are not its own.
        without = disagreement.lab.observe(
            disagreement.cell.in_mode("function"), Condition(grappler=False)
        )
        _note(
            disagreement, keys, without, disagreement.eager, "the same graph, not compiled", found
        )
    elif any("jit_compile" in line for line in _source_lines(disagreement)):
        condition = Condition(without_jit=True)
        without = disagreement.lab.observe(disagreement.cell, condition)
        eager = disagreement.lab.eager(disagreement.cell, condition)
        _note(
            disagreement,
            keys,
            without,
            eager,
            "with jit_compile dropped in the author's file",
            found,
        )
    else:
        found.excluded.append("XLA: nothing is compiled in this mode")
    return found


def _source_lines(disagreement: Disagreement) -> list[str]:
    return disagreement.source.file.read_text(encoding="utf-8").splitlines()


def _note(
    disagreement: Disagreement,
    keys: set[Key],
    without: Observation,
    eager: Observation,
    what: str,
    found: Finding,
) -> None:
    removed = disagreement.removed(without, keys, eager)
    if not removed:
        found.excluded.append("XLA: the difference stays when nothing is compiled")
        return
    key = disagreement.worst(removed)
    found.explained |= removed
    found.causes.append(
        Cause(
            XLA,
            "jit_compile",
            "XLA fuses and reorders the step's arithmetic, which rounds differently",
            _REMEDY,
            names(removed),
            evidence=(
                f"{key[1]}: eager {disagreement.value(disagreement.eager, key)}, compiled "
                f"{disagreement.value(disagreement.found, key)}, {what} "
                f"{disagreement.value(without, key)}",
            ),
        )
    )
