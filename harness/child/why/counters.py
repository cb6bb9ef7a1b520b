"""Exact counts of a call, the same in every run of the same code on the same versions.

What Python does is counted with a profile function, in calls of their own; graphs are counted as
they are.
"""

from __future__ import annotations

import gc
import math
import re
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import psutil
import tensorflow as tf
from tensorflow.python.framework import constant_op, op_def_registry

from eager_vs_graph.child.parity.memory import PeakMemory
from eager_vs_graph.child.why.calls import Calls
from eager_vs_graph.child.why.retraces import Trace, Traces
from eager_vs_graph.modes.program import Program
from eager_vs_graph.modes.xla import XlaProgram
from eager_vs_graph.results.why import (
    CONSTANT_BYTES,
    CONVERSIONS,
    FUSIONS,
    GRAPPLER_NODES,
    GROWTH,
    INSTRUCTIONS,
    KEPT,
    OPS,
    PEAK,
    PYTHON_CALLS,
    TRACED_NODES,
    TRACES,
)

_RUN_AN_OP = ("TFE_Py_FastPathExecute", "TFE_Py_Execute", "TFE_Py_ExecuteCancelable")
_INSTRUCTION = re.compile(r"^\s*(?:ROOT )?%?[\w.-]+ = ", re.MULTILINE)
_FUSION = re.compile(r" = .* fusion\(")
_CALLS = 100
_SECONDS = 1.5
"""A call so long that a hundred take longer is not called a hundred times for its memory."""
_CONVERTS: CodeType = constant_op.convert_to_eager_tensor.__code__


@dataclass
class Counted:
    """The counts of a call.

    Attributes:
        exact: by name; what there is none of is left out.
        called: what Python called, as ``Look`` has it.
        graph_ops: types of the ops of the graph that was traced last.
    """

    exact: dict[str, int] = field(default_factory=dict)
    called: Counter[str] = field(default_factory=Counter)
    graph_ops: Counter[str] = field(default_factory=Counter)


def counted(program: Program, calls: Calls, traces: Traces) -> Counted:
    """What a warm call comes to, and what was traced for it.

    Args:
        program: called before, so that all is traced.
        calls: its calls.
        traces: what was traced for it.
    """
    result = Counted()
    found = _of_python(calls, result.called)
    own = [trace for trace in traces.made if not trace.inside]
    found[TRACES] = len(own)
    if own:
        result.graph_ops, found[CONSTANT_BYTES] = _traced(own[-1])
        found[TRACED_NODES] = sum(result.graph_ops.values())
    if isinstance(program, XlaProgram):
        with suppress(Exception):  # it did not compile
            found[INSTRUCTIONS], found[FUSIONS] = _compiled(program)
    result.exact = {name: int(n) for name, n in found.items() if n or name == TRACES}
    return result


def optimised(program: Program) -> dict[str, int]:
    """Nodes that Grappler leaves, of a program that was never called: later, it does not say."""
    graphs = program.optimised_graphs(program.task.feeds[0])
    return {GRAPPLER_NODES: number} if (number := sum(map(_nodes, graphs))) else {}


def memory(calls: Calls, call_s: float) -> tuple[dict[str, int], dict[str, int]]:
    """What a hundred calls keep: Python objects, which are exact, and bytes, which are not.

    Empty where a hundred calls take too long.
    """
    if call_s * _CALLS > _SECONDS:
        return {}, {}
    process = psutil.Process()
    gc.collect()
    before, resident = len(gc.get_objects()), process.memory_info().rss
    with PeakMemory() as peak:
        for _ in range(_CALLS):
            calls.bare()
    gc.collect()
    kept, growth = len(gc.get_objects()) - before, process.memory_info().rss - resident
    exact = {KEPT: kept} if kept >= _CALLS else {}  # fewer is not a thing a call
    measured = {GROWTH: growth} if exact else {}
    if peak.bytes is not None:
        measured[PEAK] = peak.bytes
    return exact, measured


def _of_python(calls: Calls, called: Counter[str]) -> Counter[str]:
    """The counts of one call, between its inputs and its outputs; and what was called in it."""
    found: Counter[str] = Counter()

    def notice(frame: FrameType, event: str, argument: Any) -> None:
        if event == "call":
            found[PYTHON_CALLS] += 1
            found[CONVERSIONS] += frame.f_code is _CONVERTS
            called[_called(frame.f_code)] += 1
        elif event == "c_call" and argument is print:
            called["print"] += 1
        elif event == "c_return" and getattr(argument, "__name__", "") in _RUN_AN_OP:
            found[OPS] += 1
            if argument.__name__ == _RUN_AN_OP[0]:
                found[CONVERSIONS] += _converted(frame)

    step, inputs = calls.step()
    enabled = gc.isenabled()
    gc.collect()
    gc.disable()  # what it finalises is Python, too
    sys.setprofile(notice)
    try:
        outputs = step(*inputs)
    finally:
        sys.setprofile(None)
        if enabled:
            gc.enable()
    del outputs
    found[PYTHON_CALLS] -= 1  # the call itself
    return found


@cache
def _called(code: CodeType) -> str:
    return f"{Path(code.co_filename).name}:{code.co_qualname}"


def _converted(frame: FrameType) -> int:
    """Python and NumPy values that the fast path makes tensors of, of the op that runs in a frame.

    It takes an op's arguments as they are, without a word to Python.
    """
    names = _inputs(frame.f_code)
    given = [frame.f_locals.get(name) for name in names]
    flat = [each for value in given for each in (value if isinstance(value, list) else [value])]
    return sum(1 for each in flat if each is not None and not hasattr(each, "dtype")) + sum(
        1 for each in flat if type(each).__module__ == "numpy"
    )


@cache
def _inputs(code: CodeType) -> tuple[str, ...]:
    """The parameters of TensorFlow's generated function of an op that are the op's inputs."""
    parameters = code.co_varnames[: code.co_argcount]
    for constant in code.co_consts:
        definition = op_def_registry.get(constant) if isinstance(constant, str) else None
        if definition is not None:
            inputs = {each.name for each in definition.input_arg}
            return tuple(name for name in parameters if name in inputs)
    return ()


def _traced(trace: Trace) -> tuple[Counter[str], int]:
    """Types of the ops of a traced graph and its functions, and bytes of its constants."""
    graph = trace.graph()
    if graph is None:
        return Counter(), 0
    try:
        definition = graph.as_graph_def()
    except ValueError:  # of more than two gigabytes
        return Counter(), 0
    every = list(_nodes_of(definition))
    constants = (node.attr["value"].tensor for node in every if node.op == "Const")
    return Counter(node.op for node in every), sum(map(_bytes_of, constants))


def _nodes_of(definition: Any) -> Iterator[Any]:
    yield from definition.node
    for function in definition.library.function:
        yield from function.node_def


def _bytes_of(tensor: Any) -> int:
    size = math.prod(dimension.size for dimension in tensor.tensor_shape.dim)
    return int(size * tf.as_dtype(tensor.dtype).size)


def _nodes(graph: Any) -> int:
    return sum(1 for _ in _nodes_of(graph))


def _compiled(program: XlaProgram) -> tuple[int, int]:
    step: Any = program.stages().step
    with program.task.on_device():
        tensors = program.stages().feed()
        hlo = step.experimental_get_compiler_ir(*tensors)(stage="optimized_hlo")  # type: ignore[misc]
    return len(_INSTRUCTION.findall(hlo)), len(_FUSION.findall(hlo))
