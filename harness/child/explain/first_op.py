"""The first op whose value differs although what it is given is the same, and its line.

The ops that a differing tensor depends on are looked at in the mode's own program and compared with
those that eager executed: all at once where that leaves the outputs as they are, bit for bit;
otherwise one at a time, halving what is left with each look.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import tensorflow as tf

from eager_vs_graph.child.explain import inside_loops
from eager_vs_graph.child.explain.conditions import Condition
from eager_vs_graph.child.explain.experiments import ExperimentRunner, Observation
from eager_vs_graph.child.explain.graphs import ancestors
from eager_vs_graph.child.explain.ops import NAMING, EagerOp, GraphOp, is_comparable, print_of
from eager_vs_graph.child.explain.pairing import paired
from eager_vs_graph.child.explain.probes import Look, eager_ops, look
from eager_vs_graph.child.parity.compare import FLOATS
from eager_vs_graph.child.user_files import place as line_as_text
from eager_vs_graph.results.cells import Cell
from eager_vs_graph.results.explanation import Key
from eager_vs_graph.scenario import Array

_LOOKS = 24
_AT_ONCE = 400
_LOOPS = ("While", "StatelessWhile", "If", "StatelessIf", "Case", "PartitionedCall")
_ASSIGNS = ("Assign", "ResourceApply", "ResourceScatter", "ResourceSparseApply")


@dataclass
class FirstOp:
    """Where a mode's values begin to differ from eager's."""

    graph: GraphOp
    eager: EagerOp
    values: list[Array]
    """The mode's values of the op's outputs."""
    output: int
    """The output that differs."""
    inputs_same: bool | None
    """Whether every input was seen to be the same, bit for bit."""
    given: str = ""
    """Where a constant that it is given is another one: both."""
    turn: str = ""
    """Of an op inside of a loop: in which turn."""

    @property
    def value(self) -> Array:
        """The mode's value of the output that differs."""
        indices = [i for i, each in enumerate(self.graph.outputs) if is_comparable(each.dtype)]
        return self.values[indices.index(self.output)]

    def of_floats(self) -> bool:
        """Whether it is a floating-point number that differs."""
        return bool(self.value.dtype.name in FLOATS or self.value.dtype.kind == "c")


@dataclass
class Search:
    """What a search for the first op came to."""

    found: FirstOp | None = None
    seen: str = ""
    """How far could be seen, where nothing was found or a loop hides the rest."""
    hidden: str = ""
    """The user's line of a loop or branch that the difference comes out of."""
    eager: list[EagerOp] = field(default_factory=list)
    look: Look | None = None
    pairs: dict[int, int] = field(default_factory=dict)
    looks: int = 0


def first_differing_step(found: Observation, eager: Observation) -> int:
    """The first step after which an output or variable is another, bit for bit."""
    for step, (mine, its) in enumerate(zip(found.outputs, eager.outputs, strict=True)):
        sides = [(mine, its), (found.states[step], eager.states[step])]
        if any(print_of(a[name]) != print_of(b[name]) for a, b in sides for name in b):
            return step
    return len(eager.outputs) - 1


def search(
    lab: ExperimentRunner, cell: Cell, condition: Condition, key: Key, found: Observation
) -> Search:
    """Find the first op that differs on the way to a tensor.

    Args:
        lab: runs the programs.
        cell: the mode's cell.
        condition: what holds for both programs: every cause but the one that is looked for is gone.
        key: the tensor.
        found: what the mode gave under the condition.
    """
    eager_found = lab.eager(cell, condition)
    step = first_differing_step(found, eager_found)
    result = Search(eager=eager_ops(lab, cell, condition, step))
    first = look(lab, cell, condition, step)
    result.look = first
    if not _same(first, found, step):
        result.seen = "the program is another as soon as it is looked into"
        return result
    result.pairs = paired(result.eager, first.trace.ops)
    targets = _targets(first, key)
    if not targets:
        result.seen = "what the tensor depends on could not be told"
        return result
    _Bisection(lab, cell, condition, step, found, result).run(targets)
    if result.hidden and (result.found is None or not result.found.inputs_same):
        _look_inside(lab, cell, condition, step, found, result)
    return result


def _look_inside(
    lab: ExperimentRunner,
    cell: Cell,
    condition: Condition,
    step: int,
    found: Observation,
    result: Search,
) -> None:
    """Go on inside of the loops and branches that the difference comes out of."""
    assert result.look is not None
    seen = inside_loops.search(lab, cell, condition, step, found, result.look.trace, result.eager)
    if seen is not None:
        turn = f"in turn {seen.turn + 1} of {seen.turns} of a loop" if seen.turns > 1 else ""
        result.found = FirstOp(
            seen.graph, seen.eager, seen.values, seen.output, inputs_same=None, turn=turn
        )
        result.hidden = ""


def _same(seen: Look, found: Observation, step: int) -> bool:
    """Whether a look left the step's outputs and variables as they were, bit for bit."""
    sides = [(seen.outputs, found.outputs[step]), (seen.state, found.states[step])]
    return all(name in a and print_of(a[name]) == print_of(b[name]) for a, b in sides for name in b)


def _targets(seen: Look, key: Key) -> list[Any]:
    """The graph's ops that give the tensor its value."""
    kind, name = key
    if kind == "output":
        tensor = seen.trace.outputs.get(name)
        return [] if tensor is None or not hasattr(tensor, "op") else [tensor.op]
    graph = seen.trace.graph
    return [op for op in graph.get_operations() if op.type.startswith(_ASSIGNS)]


class _Bisection:
    def __init__(
        self,
        lab: ExperimentRunner,
        cell: Cell,
        condition: Condition,
        step: int,
        found: Observation,
        result: Search,
    ) -> None:
        self.lab, self.cell, self.condition, self.step = lab, cell, condition, step
        self.found, self.result = found, result
        assert result.look is not None
        self.trace = result.look.trace
        # The names of ops are the same in every trace of the step; the ops themselves are not.
        self.places = {
            op.operation.name: place
            for place, op in enumerate(self.trace.ops)
            if op.outputs and op.graph is self.trace.graph
        }
        self.values: dict[int, list[Array]] = {}
        self.blind: set[int] = set()

    def run(self, targets: Sequence[Any]) -> None:
        """Narrow down to one op."""
        everything = {op.name for op in ancestors(o for t in targets for o in _tensors(t))}
        candidates = sorted(
            place
            for name in everything
            if (place := self.places.get(name)) in self.result.pairs and place is not None
        )
        candidates = [place for place in candidates if self._comparable(place)]
        if not candidates:
            self.result.seen = "no op of the step's own graph has a counterpart in eager"
            self.result.hidden = next(self._hidden(targets), "")
            return
        self._see(candidates[:_AT_ONCE])
        bad = self._bad(candidates)
        while bad is None and candidates and self.result.looks < _LOOKS and self.lab.in_time():
            bad = self._halve(candidates)
        self._conclude(bad, targets)

    def _bad(self, candidates: Sequence[int]) -> int | None:
        """The first op that differs, where all of them were seen at once."""
        if any(place not in self.values for place in candidates):
            return None
        return next((place for place in candidates if self._differs(place)), -1)

    def _halve(self, candidates: list[int]) -> int | None:
        """Look at the op in the middle; the answer once nothing is left to look at."""
        last: int | None = None
        left = list(candidates)
        while left and self.result.looks < _LOOKS and self.lab.in_time():
            place = left[len(left) // 2]
            if place not in self.values:
                self._see([place])
            before = self._before(place)
            if place not in self.values:
                self.blind.add(place)
                left.remove(place)
            elif self._differs(place):
                last = place
                left = [each for each in left if each in before]
            else:
                left = [each for each in left if each != place and each not in before]
        candidates.clear()
        return -1 if last is None else last

    def _before(self, place: int) -> set[int]:
        operation = self.trace.ops[place].operation
        names = {op.name for op in ancestors(operation.inputs)}
        return {self.places[name] for name in names if name in self.places}

    def _see(self, places: Sequence[int]) -> bool:
        """Look at ops; their values count where the outputs stayed the same."""
        self.result.looks += 1
        try:
            seen = look(self.lab, self.cell, self.condition, self.step, places)
        except Exception:  # a graph may refuse to give out what is inside of it
            return False
        if not _same(seen, self.found, self.step):
            return False
        self.values.update(seen.values)
        return True

    def _comparable(self, place: int) -> bool:
        op = self.trace.ops[place]
        return any(is_comparable(tensor.dtype) for tensor in op.outputs)

    def _differs(self, place: int) -> bool:
        return self._output(place) is not None

    def _output(self, place: int) -> int | None:
        """The first output of an op whose value is not eager's."""
        eager = self.result.eager[self.result.pairs[place]]
        op = self.trace.ops[place]
        indices = [i for i, tensor in enumerate(op.outputs) if is_comparable(tensor.dtype)]
        for index, value in zip(indices, self.values[place], strict=False):
            if index < len(eager.prints) and print_of(value) != eager.prints[index]:
                return index
        return None

    def _conclude(self, bad: int | None, targets: Sequence[Any]) -> None:
        result = self.result
        if bad is None or bad < 0:
            result.seen = _unseen(self.blind)
            result.hidden = next(self._hidden(targets), "")
            return
        op = self.trace.ops[bad]
        output = self._output(bad)
        assert output is not None
        sources = {op.name for op in ancestors(op.operation.inputs)}
        result.hidden = next(self._hidden([op.operation], sources), "")
        result.found = FirstOp(
            op,
            result.eager[result.pairs[bad]],
            self.values[bad],
            output,
            self._inputs_same(op.operation),
            _other_constant(op.operation, result.eager[result.pairs[bad]]),
        )

    def _inputs_same(self, operation: Any) -> bool:
        """Whether every input comes from what eager has too, and is the same there."""
        for tensor in operation.inputs:
            source = tensor.op
            while source.type in ("Identity", "StopGradient") and source.inputs:
                source = source.inputs[0].op
            if source.type == "Const":
                continue  # see ``given``
            if source.type in NAMING:
                continue
            place = self.places.get(source.name)
            if place is None or place not in self.result.pairs:
                return False
            if place not in self.values and not (self._see([place]) and place in self.values):
                return False
            if self._differs(place):
                return False
        return True

    def _hidden(self, operations: Sequence[Any], names: set[str] | None = None) -> Iterator[str]:
        """Lines of the loops and branches that operations depend on."""
        if names is None:
            names = {op.name for op in ancestors(o for t in operations for o in _tensors(t))}
        for name, place in sorted(self.places.items(), key=lambda item: -item[1]):
            op = self.trace.ops[place]
            if name in names and op.type in _LOOPS and op.line is not None:
                yield line_as_text(*op.line)


def _other_constant(operation: Any, eager: EagerOp) -> str:
    """Where an op is given another constant than eager gave it: eager's, and the graph's."""
    for index, tensor in enumerate(operation.inputs):
        if tensor.op.type != "Const" or index >= len(eager.inputs):
            continue
        value = tf.get_static_value(tensor)
        given = eager.arguments[index] if index < len(eager.arguments) else None
        if value is None or print_of(np.asarray(value)) == eager.inputs[index]:
            continue
        texts = [_short(given), _short(np.asarray(value))]
        return f"eager gives it {texts[0]}, the graph has the constant {texts[1]}"
    return ""


def _short(array: Array | None) -> str:
    if array is None:
        return "another value"
    text = " ".join(str(array).split())
    return text if len(text) <= 60 else f"{text[:57]}..."


def _tensors(operation: Any) -> list[Any]:
    return list(operation.outputs) or list(operation.inputs)


def _unseen(blind: set[int]) -> str:
    if blind:
        count = len(blind)
        return (
            f"{count} {'op' if count == 1 else 'ops'} could not be looked at without changing the "
            "outputs"
        )
    return "every op that has a counterpart in eager gives the same value"
