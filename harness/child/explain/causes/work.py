"""Unequal work: what one mode does in every call and the other never, or once.

A graph may compute faster because it computes less: a result that is dropped is pruned, what
depends on constants is folded, what is computed twice is shared, and Python code runs at tracing
only. A speed-up from that is not one of the mode.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from eager_vs_graph.child.explain import graph_cost, graphs
from eager_vs_graph.child.explain.disagreement import Disagreement, Finding
from eager_vs_graph.child.explain.work import FLOOR, FLOOR_BYTES, Work, measure, unequal_work, why
from eager_vs_graph.child.user_files import place
from eager_vs_graph.results.explanation import UNEQUAL_WORK, Cause, Key

_REMEDY = (
    "compare equal work: return what the step computes, let it depend on inputs or variables, and "
    "move Python's work into build; until then no speed-up can be claimed"
)


def find(disagreement: Disagreement, _keys: set[Key]) -> Finding:
    """Compare what a call of the mode does with what an eager call does."""
    if disagreement.eager_itself:
        return Finding()
    work = measure(disagreement)
    if work is None:
        return Finding(not_tried=["unequal work: the step could not be traced"])
    reasons = unequal_work(work)
    if not reasons:
        return Finding(
            excluded=[
                f"unequal work: of {work.eager:.3g} elements computed in eager the graph computes "
                f"{work.executed:.3g}, and Python's state ends the same"
            ]
        )
    return Finding(
        [
            Cause(
                UNEQUAL_WORK,
                why(work) if not work.side_effects else ", ".join(work.side_effects),
                "one call does not do the same work in both modes",
                _REMEDY,
                where=tuple(dict.fromkeys(_where(disagreement, work))),
                evidence=reasons,
            )
        ]
    )


def _where(disagreement: Disagreement, work: Work) -> list[str]:
    file = str(disagreement.source.file)
    lines = [line.place for name in work.side_effects for line in disagreement.source.writing(name)]
    lines += [place(*each.line) for each in work.named() if each.line]
    if work.unused >= FLOOR or work.constant >= FLOOR or work.executed == 0:
        pruned: Iterable[Any] = graph_cost.dropped(disagreement.traced, file)
        heavy = pruned or graph_cost.constant(disagreement.traced)
        numbers = {graphs.line_of(op, file) for op in heavy if graph_cost.of([op]) > 0}
        lines += [disagreement.source.place(number) for number in sorted(n for n in numbers if n)]
    if work.constant_bytes >= max(FLOOR_BYTES, work.data_bytes):
        lines += [
            disagreement.source.place(n)
            for n in graph_cost.constant_bytes(disagreement.traced, file)
        ]
    return lines
