"""Whether a graph repeats what eager makes anew in every call.

A value from outside of the program, such as the time of day, is another in every eager run, so that
eager disagrees with itself and blames no mode. But a graph that took the value when it was traced
gives it in every call, which no eager program does. That is a difference of the modes, and can be
seen: called again and again on the same feed from the same state, every value of eager's is
another, and the graph's are all the same. Only what eager itself disagrees in by more than rounding
is looked at, and what draws random numbers in each call of a graph does not show it.
"""

from __future__ import annotations

from collections.abc import Sequence

from eager_vs_graph.child.parity.compare import compare
from eager_vs_graph.child.parity.subject import Subject
from eager_vs_graph.modes import BASELINE
from eager_vs_graph.modes.program import Program
from eager_vs_graph.results.cells import Cell
from eager_vs_graph.results.record import DIFFERS, IDENTICAL, TensorComparison
from eager_vs_graph.scenario import Array, Feed, State

_CALLS = 4
REPEATS = "eager gives another value in every call, the graph repeats that of its first call"


def repeats(
    subject: Subject, cell: Cell, tensors: Sequence[TensorComparison], program: Program
) -> set[str]:
    """The names of the outputs that a graph repeats and eager makes anew in every call.

    Args:
        subject: the cell's scenario and size, in which eager disagrees with itself.
        cell: the cell.
        tensors: its comparisons with eager.
        program: the cell's program, whose state may be changed.
    """
    moving = [
        tensor.tensor
        for tensor in tensors
        if tensor.kind == "output"
        and tensor.against == BASELINE
        and tensor.status == DIFFERS
        and (tensor.kind, tensor.tensor) in subject.unsteady
    ]
    if not moving or cell.mode == BASELINE:
        return set()
    assert subject.initial is not None
    if subject.repeated is None:
        eager = subject.build(cell.in_mode(BASELINE))
        subject.repeated = _called(eager, subject.initial, subject.feeds[0])
        eager.close()
    graph = _called(program, subject.initial, subject.feeds[0])
    return {
        name
        for name in moving
        if _all_differ([outputs[name] for outputs in subject.repeated])
        and _all_same([outputs[name] for outputs in graph])
    }


def _called(program: Program, initial: State, feed: Feed) -> list[dict[str, Array]]:
    outputs = []
    for _ in range(_CALLS):
        program.load(initial)
        outputs.append(dict(program.run(feed)))
    return outputs


def _all_differ(values: Sequence[Array]) -> bool:
    # Calls that follow each other at once can be nearer than the tolerance, as the time of day is.
    pairs = [(a, b) for i, a in enumerate(values) for b in values[:i]]
    return all(compare(a, b).status != IDENTICAL for a, b in pairs)


def _all_same(values: Sequence[Array]) -> bool:
    return all(compare(value, values[0]).status == IDENTICAL for value in values)
