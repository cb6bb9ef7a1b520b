"""One op alone: what a mode makes of it when it is given eager's own inputs and nothing else."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from eager_vs_graph.child.explain.first_op import FirstOp
from eager_vs_graph.scenario import Array

_NEVER = ("Random", "Stateful", "Resource", "Var", "Assign", "While", "If", "Partitioned")


def run(first: FirstOp, *, compiled: bool) -> list[Array] | None:
    """The op's outputs for eager's inputs; None where it cannot run alone.

    Args:
        first: the op, as it was found.
        compiled: whether XLA compiles it.
    """
    operation = first.graph.operation
    if operation is None or any(part in operation.type for part in _NEVER):
        return None
    inputs = [each for each in first.eager.arguments if each is not None]
    if len(inputs) != len(operation.inputs):
        return None
    constant = [tensor.op.type == "Const" for tensor in operation.inputs]
    definition = tf.compat.v1.GraphDef()
    node = definition.node.add()
    node.CopyFrom(operation.node_def)
    node.name = "alone"
    node.device = ""
    places = [f"given_{index}" for index in range(len(inputs))]
    del node.input[:]
    node.input.extend(places)
    for name in [name for name in node.attr if name.startswith("_")]:
        del node.attr[name]
    count = len(operation.outputs)

    def call(*given: Any) -> Any:
        rest = iter(given)
        mapping = {
            f"{place}:0": tf.constant(array) if fixed else next(rest)
            for place, array, fixed in zip(places, inputs, constant, strict=True)
        }
        return tf.graph_util.import_graph_def(
            definition, mapping, [f"alone:{index}" for index in range(count)]
        )

    given = [tf.constant(array) for array, fixed in zip(inputs, constant, strict=True) if not fixed]
    try:
        return [tensor.numpy() for tensor in tf.function(call, jit_compile=compiled)(*given)]
    except Exception:  # an op that needs its surroundings shows nothing alone
        return None
