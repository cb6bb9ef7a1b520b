"""How much a step's trace and the graphs made of it compute, and what of it is for nothing."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import tensorflow as tf

from eager_vs_graph.child.explain.graphs import FREE, ancestors, called, line_of, operations

_TAPE = "eager/backprop.py"
"""The file of TensorFlow's tape."""


def cost(graphs: Iterable[Any]) -> float | None:
    """How much a graph computes in one call: elements written, times the length of a contraction.

    A rough count, good for telling work that is there from work that is gone. Loops count once.
    None where it cannot be told: a graph has ops that only the runtime may make, or unknown shapes.
    """
    total = 0.0
    try:
        for graph in graphs:
            for definition in _imported(graph):
                listed = definition.get_operations()
                if not all(map(_has_shapes, listed)):
                    return None
                total += of(listed)
    except (ImportError, ValueError):
        return None
    return total


def traced_cost(graph: Any) -> float:
    """The same count for a traced graph: what eager executes, op by op."""
    return sum(map(_operation_cost, operations(graph)))


def _imported(graph: Any) -> list[Any]:
    container = tf.Graph()
    with container.as_default():
        tf.graph_util.import_graph_def(_without_internal_ops(graph), name="")
    inner = [
        function.graph
        for name in called(container.get_operations())
        if (function := container._get_function(name)) is not None
        and getattr(function, "graph", None) is not None
    ]
    return [container, *inner]


def _without_internal_ops(graph: Any) -> Any:
    """Arguments and results of functions as ordinary ops, and names that a user may give."""
    copy = type(graph).FromString(graph.SerializeToString())
    for node in copy.node:
        node.name = _public(node.name)
        inputs = [f"^{_public(i[1:])}" if i.startswith("^") else _public(i) for i in node.input]
        node.input[:] = inputs
        if node.op == "_Arg":
            dtype = node.attr["T"].type
            shapes = list(node.attr["_output_shapes"].list.shape)
            node.op = "Placeholder"
            node.attr.clear()
            node.attr["dtype"].type = dtype
            if shapes:
                node.attr["shape"].shape.CopyFrom(shapes[0])
        elif node.op == "_Retval":
            node.op = "Identity"
            dtype = node.attr["T"].type
            node.attr.clear()
            node.attr["T"].type = dtype
    return copy


def _public(name: str) -> str:
    return f"internal{name}" if name.startswith("_") else name


def _has_shapes(operation: Any) -> bool:
    if operation.type.startswith(("Xla", "_Xla")):
        return False  # what the compiler made of its ops is not in the graph
    if operation.type in FREE:
        return True
    contracts = "MatMul" in operation.type or "Conv" in operation.type
    counted = [*operation.outputs, *(operation.inputs if contracts else ())]
    return all(tensor.shape.is_fully_defined() for tensor in counted)


def _operation_cost(operation: Any) -> float:
    if operation.type in FREE:
        return 0.0
    elements = sum(_elements(tensor) for tensor in operation.outputs)
    # By parts of the name: fused ops and oneDNN's own have others, such as _MklFusedMatMul.
    if "MatMul" in operation.type:
        return elements * _contracted(operation)
    if "Conv" in operation.type and len(operation.inputs) > 1:
        return elements * max(1.0, _elements(operation.inputs[1]) / _last(operation.inputs[1]))
    return float(elements)


def of_shapes(op: str, outputs: Sequence[Sequence[int]], inputs: Sequence[Sequence[int]]) -> float:
    """How much an op computes that eager executed, counted as in ``cost``."""
    if op in FREE:
        return 0.0
    elements = float(sum(math.prod(shape) for shape in outputs))
    if "MatMul" in op and inputs and len(inputs[0]) >= 2:
        left = math.prod(inputs[0]) / max(1, math.prod(outputs[0][:-1]) if outputs else 1)
        return elements * max(1.0, left)
    if "Conv" in op and len(inputs) > 1 and inputs[1]:
        return elements * max(1.0, math.prod(inputs[1]) / inputs[1][-1])
    return elements


def _contracted(operation: Any) -> float:
    shape = operation.inputs[0].shape
    if shape.rank is None or shape.rank < 2:
        return 1.0
    transposed = any(
        operation.node_def.attr[name].b
        for name in ("transpose_a", "adj_x")
        if name in operation.node_def.attr
    )
    return float(shape[-2 if transposed else -1] or 1)


def _elements(tensor: Any) -> float:
    shape = tensor.shape
    if shape.rank is None:
        return 1.0
    return float(math.prod(dimension or 1 for dimension in shape))


def _last(tensor: Any) -> float:
    return float(tensor.shape[-1] or 1) if tensor.shape.rank else 1.0


def constant_bytes(graph: Any, file: str) -> dict[int, int]:
    """Bytes of the constants that lines of the author's file put into a traced graph, by line."""
    found: dict[int, int] = {}
    for operation in operations(graph):
        if operation.type == "Const" and (number := line_of(operation, file)) is not None:
            found[number] = found.get(number, 0) + bytes_of(operation.outputs[0])
    return found


def bytes_of(tensor: Any) -> int:
    """Bytes of a traced tensor, as far as its shape is known."""
    return int(_elements(tensor)) * (tensor.dtype.size or 0)


def dropped(graph: Any, file: str) -> set[Any]:
    """The operations that the author's code asks for and neither results nor side effects need.

    What TensorFlow's tape adds for a gradient that is asked for, and every graph prunes, is not
    among them: no author could leave it out in eager.
    """
    effects = set(graph.control_outputs)
    # All at once: a training step has hundreds of effects, and each depends on most of the graph.
    needed = effects | ancestors([*graph.outputs, *(i for each in effects for i in each.inputs)])
    asked = {line_of(operation, file) for operation in needed if _of_tape(operation)}
    return {
        operation
        for operation in graph.get_operations()
        if operation not in needed
        and not (_of_tape(operation) and line_of(operation, file) in asked)
    }


def constant(graph: Any) -> set[Any]:
    """The operations of a traced graph that depend on no input, variable or other state.

    Without those of TensorFlow's tape, such as the ones that a gradient begins with.
    """
    free: set[Any] = set()
    for operation in graph.get_operations():  # what loops add later than its users is not found
        inputs = [tensor.op for tensor in operation.inputs]
        if operation.type == "Placeholder" or operation.op_def.is_stateful:
            continue
        if all(each in free for each in inputs):
            free.add(operation)
    return {operation for operation in free if not _of_tape(operation)}


def distinct(graph: Any) -> float:
    """What is left to compute when nothing is computed twice: by type, attributes and inputs."""
    names: dict[Any, str] = {}
    seen: dict[Any, str] = {}
    total = 0.0
    for operation in graph.get_operations():
        inputs = tuple(
            (names.get(each.op, each.op.name), each.value_index) for each in operation.inputs
        )
        attributes = {
            name: value.SerializeToString()
            for name, value in operation.node_def.attr.items()
            if not name.startswith("_")
        }
        key = (operation.type, inputs, *sorted(attributes.items()))
        fresh = operation.op_def.is_stateful or key not in seen
        names[operation] = operation.name if fresh else seen[key]
        if fresh:
            seen[key] = operation.name
            total += of([operation])
    return total + sum(map(_operation_cost, set(operations(graph)) - set(graph.get_operations())))


def of(listed: Iterable[Any]) -> float:
    """How much operations compute, counted as in ``cost``."""
    return sum(map(_operation_cost, listed))


def _of_tape(operation: Any) -> bool:
    return any(frame.filename.endswith(_TAPE) for frame in operation.traceback or ())
