"""What the step's trace and the graphs made of it contain."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from eager_vs_graph.child.explain.conditions import PLAIN, Condition
from eager_vs_graph.child.explain.experiments import ExperimentRunner
from eager_vs_graph.results.cells import Cell

FREE = {
    "Const", "Identity", "IdentityN", "NoOp", "Placeholder", "_Arg", "_Retval", "Reshape",
    "ReadVariableOp", "Shape", "ExpandDims", "Squeeze", "StopGradient", "PreventGradient",
    "VarHandleOp", "PlaceholderWithDefault", "_EagerConst", "ControlTrigger", "PartitionedCall",
    "StatefulPartitionedCall", "Enter", "Exit", "Merge", "Switch", "NextIteration", "LoopCond",
    "ShapeN", "_DeviceArg", "BroadcastGradientArgs", "_Send", "_Recv", "Snapshot", "_HostSend",
    "_HostRecv", "If", "StatelessIf", "While", "StatelessWhile",
}  # fmt: skip
"""Ops that compute nothing: they name, place, pass on, or call."""


@dataclass(frozen=True)
class Node:
    """An op of a graph, in comparable form."""

    name: str
    op: str
    inputs: tuple[str, ...]
    constant: str = ""

    def __str__(self) -> str:
        name = self.name.rpartition("/")[2] if len(self.name) > 40 else self.name
        if self.op == "Const":
            return f"{name}: Const {self.constant}"
        inputs = ", ".join(each.split("/")[-1] if len(each) > 40 else each for each in self.inputs)
        return f"{name}: {self.op}({inputs})"


def trace(lab: ExperimentRunner, cell: Cell) -> Any:
    """The step's own graph, before anything is optimised: a ``FuncGraph``."""
    with lab.undisturbed():
        program, scenario = lab.program(cell.in_mode("eager"))
        names = program.task.argument_names()
        tensors = [tf.constant(lab.subject.feeds[0][name]) for name in names]
        return tf.function(scenario.step).get_concrete_function(*tensors).graph


def operations(graph: Any) -> Iterator[Any]:
    """Every operation of a traced graph, those of its branches, loops and calls included."""
    yield from graph.get_operations()
    for name in called(graph.get_operations()):
        inner = graph._get_function(name)
        if inner is not None and getattr(inner, "graph", None) is not None:
            yield from operations(inner.graph)


def line_of(operation: Any, file: str) -> int | None:
    """The line of the author's file that made an operation, where TensorFlow knows it."""
    lines = [frame.lineno for frame in operation.traceback or () if frame.filename == file]
    return lines[-1] if lines else None


def ancestors(tensors: Iterable[Any]) -> set[Any]:
    """The operations that tensors depend on, in their own graph."""
    waiting, seen = [tensor.op for tensor in tensors], set[Any]()
    while waiting:
        operation = waiting.pop()
        if operation not in seen:
            seen.add(operation)
            waiting += [tensor.op for tensor in operation.inputs]
            waiting += list(operation.control_inputs)
    return seen


def optimised(lab: ExperimentRunner, cell: Cell, condition: Condition = PLAIN) -> list[Any]:
    """The GraphDefs that a step of the cell's program executes, under a condition."""
    with lab.running(cell, condition) as running:
        return running.program.optimised_graphs(lab.subject.feeds[0])


def nodes(graphs: Iterable[Any]) -> dict[str, Node]:
    """The ops of GraphDefs by name, their functions' included."""
    found = {}
    for graph in graphs:
        functions = [(f"{f.signature.name}/", f.node_def) for f in graph.library.function]
        for prefix, definitions in [("", graph.node), *functions]:
            for node in definitions:
                name = f"{prefix}{node.name}"
                inputs = tuple(each for each in node.input if not each.startswith("^"))
                found[name] = Node(name, node.op, inputs, _constant(node))
    return found


@dataclass(frozen=True)
class Change:
    """What a pass made of an op: of another type, gone, new, or with other inputs."""

    before: Node | None
    after: Node | None

    @property
    def weight(self) -> int:
        """What says most comes first: another op, then one gone or new, then other inputs."""
        if self.before is None or self.after is None:
            return 2 if (self.before or self.after or _NOTHING).op == "Const" else 1
        return 0 if self.before.op != self.after.op else 3

    def mentions(self, name: str) -> bool:
        """Whether an op of that name is changed, or takes part as an input."""
        nodes = [each for each in (self.before, self.after) if each is not None]
        names = [text for node in nodes for text in (node.name, *node.inputs)]
        return any(each.rpartition("/")[2].partition(":")[0] == name for each in names)

    def __str__(self) -> str:
        if self.before is None:
            return f"added {self.after}"
        if self.after is None:
            return f"removed {self.before}"
        return f"changed {self.before} → {str(self.after).partition(': ')[2]}"


_NOTHING = Node("", "", ())


def changed(with_pass: list[Any], without_pass: list[Any]) -> list[Change]:
    """The ops that a pass changed, from the graphs executed with it and without it.

    An op counts as changed when its type, its inputs or its constant are others.
    """
    after, before = nodes(with_pass), nodes(without_pass)
    found = [
        Change(before.get(name), after.get(name))
        for name in dict.fromkeys([*before, *after])
        if before.get(name) != after.get(name)
    ]
    telling = [each for each in found if _tells(each.before) or _tells(each.after)]
    return sorted(telling, key=lambda each: each.weight)


def _tells(node: Node | None) -> bool:
    return node is not None and node.op not in FREE - {"Const"}


def constant_of(operation: Any) -> str:
    """The value of a Const operation, as text."""
    return _constant(operation.node_def)


def called(listed: Iterable[Any]) -> Iterator[str]:
    """Names of the functions that operations call, run as branches or loop over."""
    seen = set[str]()
    for operation in listed:
        for value in operation.node_def.attr.values():
            names = [value.func.name, *(each.name for each in value.list.func)]
            for name in names:
                if name and name not in seen:
                    seen.add(name)
                    yield name


def _constant(node: Any) -> str:
    if node.op != "Const":
        return ""
    value = tf.make_ndarray(node.attr["value"].tensor)
    text = np.array2string(value, threshold=4, edgeitems=2)
    return f"{text.replace(chr(10), ' ')} {value.dtype}"
