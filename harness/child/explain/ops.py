"""The ops that a step runs in eager, and those that its graph is traced of, with the user's lines.

TensorFlow's op callbacks see every op with its inputs and outputs: in eager as it is executed, in a
graph as it is made. Both are told of the user's line that asked for it.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.python.framework import op_callbacks  # TensorFlow exports no way to see ops

from eager_vs_graph.child.user_files import is_users_file, place, users_frame
from eager_vs_graph.scenario import Array

Line = tuple[str, int]
"""A file and a number."""

_KEPT_BYTES = 2**28
"""Values of eager's ops that are kept: beyond this, only what tells them apart."""
NAMING = frozenset(
    {
        "Const", "_EagerConst", "Identity", "IdentityN", "NoOp", "Placeholder", "ReadVariableOp",
        "VarIsInitializedOp", "VarHandleOp", "StopGradient", "PreventGradient", "Assert",
        "PlaceholderWithDefault", "EagerPyFunc", "AssignVariableOp",
    }
)  # fmt: skip
"""Ops that name or pass on: eager and a graph have them in other places."""


@dataclass(frozen=True)
class EagerOp:
    """An op that eager executed."""

    type: str
    line: Line | None
    prints: tuple[str, ...]
    """A text for each output; it is another when a bit is."""
    inputs: tuple[str, ...]
    """The same for each input."""
    values: tuple[Array | None, ...] = ()
    arguments: tuple[Array | None, ...] = ()
    """Values of the inputs."""

    def where(self) -> str:
        """The user's line, as text."""
        return place(*self.line) if self.line else ""


@dataclass
class GraphOp:
    """An op that was made while a step was traced."""

    type: str
    outputs: list[Any]
    graph: Any
    own: str = ""

    @property
    def operation(self) -> Any:
        """The op itself; None where it has no outputs."""
        return self.outputs[0].op if self.outputs else None

    @property
    def line(self) -> Line | None:
        """The user's line; AutoGraph's copies are told by the lines that they were made of."""
        return line_of(self.operation, self.own) if self.outputs else None


@dataclass
class Trace:
    """The ops of a step's trace in the order in which they were made, its nested graphs' too."""

    graph: Any = None
    """The step's own graph; the others are those of branches, loops and functions."""
    active: bool = False
    """Whether the step is being traced just now."""
    ops: list[GraphOp] = field(default_factory=list)
    outputs: dict[str, Any] = field(default_factory=dict)


def line_of(operation: Any, own: str) -> Line | None:
    """The user's innermost line that made an operation of a graph, where TensorFlow knows it."""
    frames = [
        (frame.filename, frame.lineno)
        for frame in operation.traceback or ()
        if is_users_file(frame.filename, own)
    ]
    return frames[-1] if frames else None


@contextmanager
def recording(own: str, kept_bytes: int = _KEPT_BYTES) -> Iterator[list[EagerOp]]:
    """Record every op that eager executes.

    Args:
        own: the user's file.
        kept_bytes: how many bytes of values to keep.
    """
    found: list[EagerOp] = []
    left = [kept_bytes]
    names: dict[int, str] = {}

    def see(
        op_type: str,
        inputs: Any,
        attrs: Any,  # noqa: ARG001 - as TensorFlow calls it
        outputs: Any,
        op_name: str | None = None,  # noqa: ARG001
        graph: Any = None,
    ) -> None:
        if graph is not None:
            return
        arrays = [_array(tensor) for tensor in outputs]
        given = [_array(tensor) for tensor in inputs]
        prints = tuple(_print(array) for array in arrays)
        for tensor, text in zip(outputs, prints, strict=True):
            names[getattr(tensor, "_id", id(tensor))] = text
        size = sum(array.nbytes for array in (*arrays, *given) if array is not None)
        keep = size <= left[0]
        left[0] -= size * keep
        found.append(
            EagerOp(
                tf.compat.as_str(op_type),
                users_frame(sys._getframe(1), own),
                prints,
                tuple(_print(array) for array in given),
                tuple(arrays) if keep else (),
                tuple(given) if keep else (),
            )
        )

    with _callback(see):
        yield found


Counted = tuple[str, Line | None, list[tuple[int, ...]], list[tuple[int, ...]]]
"""An op's type, the user's line, the shapes of its outputs and of its inputs."""


@contextmanager
def counting(own: str) -> Iterator[list[Counted]]:
    """Note type, line and shapes of every op that eager executes, and no values."""
    found: list[Counted] = []

    def see(
        op_type: str,
        inputs: Any,
        attrs: Any,  # noqa: ARG001 - as TensorFlow calls it
        outputs: Any,
        op_name: str | None = None,  # noqa: ARG001
        graph: Any = None,
    ) -> None:
        if graph is None:
            line = users_frame(sys._getframe(1), own)
            found.append((tf.compat.as_str(op_type), line, _shapes(outputs), _shapes(inputs)))

    with _callback(see):
        yield found


def _shapes(tensors: Any) -> list[tuple[int, ...]]:
    return [tuple(each.shape) if each.shape.rank is not None else () for each in tensors]


@contextmanager
def tracing(
    trace: Trace, own: str, made: Callable[[int, Any], None] = lambda _place, _tensors: None
) -> Iterator[None]:
    """Note every op that is made in a graph while the step is traced.

    Args:
        trace: where they are noted.
        own: the user's file.
        made: is given the place and the outputs of each op, in the op's graph.
    """

    def see(
        op_type: str,
        inputs: Any,  # noqa: ARG001
        attrs: Any,  # noqa: ARG001
        outputs: Any,
        op_name: str | None = None,  # noqa: ARG001
        graph: Any = None,
    ) -> None:
        # What has no outputs may be made for the sake of a look, such as what notes a value.
        if graph is not None and trace.active and outputs:
            trace.ops.append(GraphOp(tf.compat.as_str(op_type), list(outputs), graph, own))
            made(len(trace.ops) - 1, outputs)

    with _callback(see):
        yield


@contextmanager
def _callback(see: Callable[..., None]) -> Iterator[None]:
    op_callbacks.add_op_callback(see)
    try:
        yield
    finally:
        op_callbacks.remove_op_callback(see)


def is_comparable(dtype: Any) -> bool:
    """Whether a tensor has values, rather than being the handle of something."""
    return dtype not in (tf.resource, tf.variant)


def _array(tensor: Any) -> Array | None:
    if not is_comparable(tensor.dtype) or not hasattr(tensor, "numpy"):
        return None
    return np.array(tensor.numpy())


def _print(array: Array | None) -> str:
    if array is None:
        return ""
    content = repr(array.tolist()).encode() if array.dtype == object else array.tobytes()
    return f"{array.dtype}{array.shape} {hashlib.blake2b(content, digest_size=16).hexdigest()}"


def print_of(array: Array) -> str:
    """The text that tells an array from one that differs in a bit."""
    return _print(np.asarray(array))
