"""The first op inside of a loop or branch whose value differs, and in which turn.

A loop over tensors is traced once and run often; eager runs its body as Python, turn after turn.
The turns of an op are those of eager's ops of the same type and line, in order, where their number
is the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from eager_vs_graph.child.explain.conditions import Condition
from eager_vs_graph.child.explain.experiments import ExperimentRunner, Observation
from eager_vs_graph.child.explain.ops import (
    NAMING,
    EagerOp,
    GraphOp,
    Line,
    Trace,
    is_comparable,
    print_of,
)
from eager_vs_graph.child.explain.probes import Look, look
from eager_vs_graph.results.cells import Cell
from eager_vs_graph.scenario import Array

_MOST = 200
_LOOKS = 12
MODES = ("function", "concrete", "session")
"""Modes whose loops can be looked into."""


@dataclass
class InLoop:
    """Where a mode's values begin to differ from eager's, inside of a loop or branch."""

    graph: GraphOp
    eager: EagerOp
    values: list[Array]
    output: int
    turn: int
    """From 0; of how many, see ``turns``."""
    turns: int


Token = tuple[str, Line | None]


def search(
    lab: ExperimentRunner,
    cell: Cell,
    condition: Condition,
    step: int,
    found: Observation,
    trace: Trace,
    eager: Sequence[EagerOp],
) -> InLoop | None:
    """Find the first op that differs; None where nothing could be seen.

    Args:
        lab: runs the program.
        cell: the mode's cell.
        condition: what holds for both programs.
        step: the step to look at.
        found: what the mode gave under the condition.
        trace: the step's trace.
        eager: the ops that eager executed in the step.
    """
    places = [
        place
        for place, op in enumerate(trace.ops)
        if op.graph is not trace.graph
        and op.type not in NAMING
        and op.line is not None
        and any(is_comparable(tensor.dtype) for tensor in op.outputs)
    ][:_MOST]
    if not places or cell.mode not in MODES:
        return None
    for some in (places, *([place] for place in places[:_LOOKS])):
        if not lab.in_time():
            return None
        try:
            seen = look(lab, cell, condition, step, inside=some)
        except Exception:  # a graph may refuse what notes its values
            return None
        if _same(seen, found, step):
            first = _first(seen, some, trace, eager)
            if first is not None or len(some) == len(places):
                return first
    return None


def _same(seen: Look, found: Observation, step: int) -> bool:
    sides = [(seen.outputs, found.outputs[step]), (seen.state, found.states[step])]
    return all(name in a and print_of(a[name]) == print_of(b[name]) for a, b in sides for name in b)


def _first(
    seen: Look, places: Sequence[int], trace: Trace, eager: Sequence[EagerOp]
) -> InLoop | None:
    """The earliest turn, and in it the first op, whose value is not eager's."""
    occurrences: dict[Token, list[EagerOp]] = {}
    for each in eager:
        occurrences.setdefault((each.type, each.line), []).append(each)
    per_turn: dict[tuple[int, Token], list[int]] = {}
    for place, op in enumerate(trace.ops):
        per_turn.setdefault((id(op.graph), (op.type, op.line)), []).append(place)
    differing: list[tuple[int, int, InLoop]] = []
    for place in places:
        op = trace.ops[place]
        token = (op.type, op.line)
        alike = per_turn[id(op.graph), token]
        turns, of_eager = seen.turns.get(place, []), occurrences.get(token, [])
        if not turns or len(of_eager) != len(turns) * len(alike):
            continue
        for turn, values in enumerate(turns):
            its = of_eager[turn * len(alike) + alike.index(place)]
            output = _differing_output(op, values, its)
            if output is not None:
                found = InLoop(op, its, values, output, turn, len(turns))
                differing.append((turn, place, found))
                break
    return min(differing, key=lambda each: each[:2])[2] if differing else None


def _differing_output(op: GraphOp, values: Sequence[Any], eager: EagerOp) -> int | None:
    indices = [index for index, tensor in enumerate(op.outputs) if is_comparable(tensor.dtype)]
    for index, value in zip(indices, values, strict=False):
        if index < len(eager.prints) and print_of(value) != eager.prints[index]:
            return index
    return None
