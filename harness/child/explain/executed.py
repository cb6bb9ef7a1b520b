"""What is executed: how often eager and a graph run each op, by type and the user's line.

A graph holds the body of a loop once, whatever the number of its turns. So eager's ops are counted
as they are executed, and a graph's in a session that notes every op it runs.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from eager_vs_graph.child.explain import graph_cost, graphs
from eager_vs_graph.child.explain.experiments import ExperimentRunner
from eager_vs_graph.child.explain.ops import Line, counting, line_of
from eager_vs_graph.child.user_files import place
from eager_vs_graph.modes.session import SessionProgram
from eager_vs_graph.results.cells import Cell

Token = tuple[str, Line | None]
"""An op's type and the user's line that asks for it."""

_INLINED = re.compile(r"^.*/_\d+/")
"""What the name of an op of a loop's body or a called function begins with when it runs."""


@dataclass(frozen=True)
class Pruned:
    """An op that eager runs more often than the graph, because nobody reads its result."""

    type: str
    line: Line | None
    eager: int
    graph: int
    cost: float
    """Of the executions that the graph leaves out, counted as in ``graph_cost``."""

    def text(self) -> str:
        """The finding in a line."""
        at = f" at {place(*self.line)}" if self.line else ""
        return (
            f"eager runs {self.type} {_times(self.eager)}{at}; the graph {_times(self.graph)}: "
            f"nobody reads {'the other results' if self.graph else 'what it gives'}"
        )


def _times(count: int) -> str:
    return {0: "never", 1: "once"}.get(count, f"{count:,} times")


def eager_counts(lab: ExperimentRunner, cell: Cell) -> tuple[Counter[Token], Counter[Token]]:
    """How often eager runs each op in its first step, and what all of that costs."""
    from eager_vs_graph.child.explain.conditions import PLAIN

    with (
        lab.running(cell.in_mode("eager"), PLAIN) as running,
        counting(lab.scenario.source_file()) as seen,
    ):
        running.step(0)
    times: Counter[Token] = Counter()
    costs: Counter[Token] = Counter()
    for op, line, outputs, inputs in seen:
        times[op, line] += 1
        costs[op, line] += round(graph_cost.of_shapes(op, outputs, inputs))
    return times, costs


def unread(traced: Any, own: str) -> dict[Token, int]:
    """How many ops of each kind are traced of whose results nothing is read, in any graph of it."""
    found: Counter[Token] = Counter()
    for graph in _graphs(traced):
        for operation in graph_cost.dropped(graph, own):
            found[operation.type, line_of(operation, own)] += 1
    return dict(found)


def pruned(
    traced: Any, own: str, times: Counter[Token], costs: Counter[Token], names: Iterable[str]
) -> list[Pruned]:
    """The ops that a graph runs less often than eager because nobody reads them, dearest first.

    Args:
        traced: the step's own graph.
        own: the user's file.
        times: how often eager runs each op.
        costs: what all of its executions cost.
        names: of the ops that the graph executed, as often as it did.
    """
    executed = _by_token(traced, own, names)
    kinds = [(op.type, line_of(op, own)) for g in _graphs(traced) for op in g.get_operations()]
    traced_times = Counter(kinds)
    found = []
    for token, never_read in unread(traced, own).items():
        # What is read may be executed under a name that an optimiser gave it.
        runs = max(executed[token], traced_times[token] - never_read)
        left_out = times[token] - runs
        if times[token] and left_out > 0:
            cost = costs[token] * left_out / times[token]
            found.append(Pruned(*token, times[token], runs, cost))
    return sorted(found, key=lambda each: -each.cost)


def names_executed(lab: ExperimentRunner, cell: Cell) -> list[str] | None:
    """The names of the ops that a graph of the step executes; None where no session can tell."""
    from eager_vs_graph.child.explain.conditions import PLAIN

    try:
        with lab.running(cell.in_mode("session"), PLAIN) as running:
            if not isinstance(running.program, SessionProgram):
                return None
            return running.program.executed_ops(lab.subject.feeds[0])
    except Exception:  # what cannot be a session is counted in no other way
        return None


def _by_token(traced: Any, own: str, names: Iterable[str]) -> Counter[Token]:
    """How often each kind of op was executed, told by the names that tracing gave the ops."""
    top = {op.name: (op.type, line_of(op, own)) for op in traced.get_operations()}
    inner = {
        op.name: (op.type, line_of(op, own))
        for graph in _graphs(traced)
        if graph is not traced
        for op in graph.get_operations()
    }
    found: Counter[Token] = Counter()
    for name in names:
        local = _INLINED.sub("", name)
        known = inner if local != name else top
        token = known.get(local) or top.get(local) or inner.get(local)
        if token is not None:
            found[token] += 1
    return found


def _graphs(traced: Any) -> Iterator[Any]:
    """A traced graph and those of its branches, loops and calls."""
    yield traced
    for name in graphs.called(traced.get_operations()):
        function = traced._get_function(name)
        if function is not None and getattr(function, "graph", None) is not None:
            yield from _graphs(function.graph)
