"""Looks into a mode's program: some of its ops' values come out beside the step's own outputs.

To ask for a value can change the program: an optimiser may not drop or fuse what is asked for. So
the outputs are checked with every look, and a look that changed a bit of them has shown nothing.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import tensorflow as tf

from eager_vs_graph.child.explain.conditions import Condition
from eager_vs_graph.child.explain.experiments import ExperimentRunner
from eager_vs_graph.child.explain.ops import EagerOp, Trace, is_comparable, recording, tracing
from eager_vs_graph.results.cells import Cell
from eager_vs_graph.scenario import Array, Scenario

_PROBE = "probed:"
MODES = ("function", "concrete", "session", "xla")
"""Modes whose programs can be looked into."""


@dataclass
class Look:
    """What a program gave when some of its ops were looked at, at one step."""

    outputs: dict[str, Array]
    state: dict[str, Array]
    values: dict[int, list[Array]]
    """By the op's place in the trace: its outputs' values."""
    trace: Trace
    turns: dict[int, list[list[Array]]] = field(default_factory=dict)
    """By the place of an op inside of a loop or branch: its values each time that it ran."""


def look(
    lab: ExperimentRunner,
    cell: Cell,
    condition: Condition,
    step: int,
    places: Sequence[int] = (),
    inside: Sequence[int] = (),
) -> Look:
    """Run a cell's program up to a step, and see the values of some ops of its trace.

    Args:
        lab: runs the program.
        cell: its cell; of a mode in ``MODES``.
        condition: what holds meanwhile.
        step: the step to look at, from 0.
        places: places in ``Trace.ops`` of ops in the step's own graph.
        inside: places of ops in the graphs of loops and branches; XLA cannot show them.

    Raises:
        Exception: whatever the program raises.
    """
    own = lab.scenario.source_file()
    trace = Trace()
    seen: dict[str, tuple[int, int]] = {}

    def touch(scenario: Scenario) -> None:
        scenario.step = _probed(scenario.step, trace, places, seen)  # type: ignore[method-assign]

    outputs: dict[str, Array] = {}
    turns: dict[int, list[list[Array]]] = {}

    def made(place: int, tensors: Any) -> None:
        if place in inside:
            _note_turns(turns.setdefault(place, []), tensors)

    with tracing(trace, own, made), lab.running(cell, condition, touch) as running:
        for number in range(step + 1):
            for seen_before in turns.values():
                seen_before.clear()
            outputs = {name: np.array(array) for name, array in running.step(number).items()}
        state = running.program.state()
    values: dict[int, list[Array]] = {}
    for name, (place, _index) in seen.items():
        values.setdefault(place, []).append(outputs.pop(name))
    return Look(outputs, state, values, trace, turns)


def eager_ops(lab: ExperimentRunner, cell: Cell, condition: Condition, step: int) -> list[EagerOp]:
    """The ops that eager executes in a step, after the steps before it."""
    own = lab.scenario.source_file()
    with lab.running(cell.in_mode("eager"), condition.of_eager()) as running:
        for number in range(step):
            running.step(number)
        with recording(own) as found:
            running.step(step)
    return found


def _note_turns(turns: list[list[Array]], tensors: Any) -> None:
    """Add an op to the graph that is being made: it notes the tensors whenever it runs."""
    shown = [tensor for tensor in tensors if is_comparable(tensor.dtype)]

    def note(*arrays: Array) -> None:
        turns.append([np.array(array) for array in arrays])

    if shown:
        tf.numpy_function(note, shown, [])


def _probed(
    step: Callable[..., Any], trace: Trace, places: Sequence[int], seen: dict[str, tuple[int, int]]
) -> Callable[..., Any]:
    """The step with the values of some of its ops beside its outputs."""

    @tf.autograph.experimental.do_not_convert  # type: ignore[untyped-decorator]
    def begin() -> None:
        trace.ops.clear()
        trace.active = True
        trace.graph = tf.compat.v1.get_default_graph()

    @tf.autograph.experimental.do_not_convert  # type: ignore[untyped-decorator]
    def finish(outputs: dict[str, Any]) -> dict[str, Any]:
        graph, trace.active = trace.graph, False
        trace.outputs = dict(outputs)
        more = {}
        for place in places:
            op = trace.ops[place]
            if op.graph is not graph:
                continue
            for index, tensor in enumerate(op.outputs):
                if is_comparable(tensor.dtype):
                    name = f"{_PROBE}{place}:{index}"
                    more[name] = tensor
                    seen[name] = place, index
        return {**outputs, **more}

    def step_and_look(*arguments: Any, **named: Any) -> Any:
        begin()
        outputs = step(*arguments, **named)
        return finish(outputs)

    step_and_look.__signature__ = inspect.signature(step)  # type: ignore[attr-defined]
    return step_and_look
