"""XLA: the same step agrees when it is not compiled."""

from __future__ import annotations

from eager_vs_graph.child.explain.conditions import Condition
from eager_vs_graph.child.explain.disagreement import Case, Finding
from eager_vs_graph.child.explain.experiments import Observation, names
from eager_vs_graph.results.explanation import XLA, Cause, Key

_REMEDY = (
    "leave out jit_compile for this step, or accept XLA's rounding with a stated tolerance; a "
    "value that is far off comes from a formula that cancels: rewrite it in a stable form"
)


def find(case: Case, keys: set[Key]) -> Finding:
    """Run the same graph without XLA, and the author's own functions without it."""
    if not keys or case.eager_itself:
        return Finding()
    found = Finding()
    if case.cell.mode == "xla":
        # XLA compiles the graph as it was traced: without Grappler, whose effects are not its own.
        without = case.lab.observe(case.cell.in_mode("function"), Condition(grappler=False))
        _note(case, keys, without, case.eager, "the same graph, not compiled", found)
    elif any("jit_compile" in line for line in _source_lines(case)):
        condition = Condition(without_jit=True)
        without = case.lab.observe(case.cell, condition)
        eager = case.lab.eager(case.cell, condition)
        _note(case, keys, without, eager, "with jit_compile dropped in the author's file", found)
    else:
        found.excluded.append("XLA: nothing is compiled in this mode")
    return found


def _source_lines(case: Case) -> list[str]:
    return case.source.file.read_text(encoding="utf-8").splitlines()


def _note(
    case: Case, keys: set[Key], without: Observation, eager: Observation, what: str, found: Finding
) -> None:
    removed = case.removed(without, keys, eager)
    if not removed:
        found.excluded.append("XLA: the difference stays when nothing is compiled")
        return
    key = case.worst(removed)
    found.explained |= removed
    found.causes.append(
        Cause(
            XLA,
            "jit_compile",
            "XLA fuses and reorders the step's arithmetic, which rounds differently",
            _REMEDY,
            names(removed),
            evidence=(
                f"{key[1]}: eager {case.value(case.eager, key)}, compiled "
                f"{case.value(case.found, key)}, {what} {case.value(without, key)}",
            ),
        )
    )
