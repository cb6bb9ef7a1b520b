"""What shapes the author's local variables have in eager, and telling them to a trace.

Both watch Python's line events in the author's functions. AutoGraph runs a rewritten copy of a
function, in a file of its own and under the name ``tf__<name>``, with the variables' names kept; so
shapes go by the names of function and variable.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import FrameType
from typing import Any

import tensorflow as tf

Variable = tuple[str, str]
"""Function and local variable."""

_GENERATED = "__autograph_generated_file"


@contextmanager
def watching(see: Callable[[str, str, Any], None], file: str = "") -> Iterator[None]:
    """Show every local tensor of the functions in a file, and of AutoGraph's copies.

    Args:
        see: gets the function's name, the variable's name and the tensor, before each line.
        file: the author's file; with none, only AutoGraph's copies are watched.
    """

    def trace(frame: FrameType, event: str, _argument: Any) -> Any:
        name = frame.f_code.co_filename
        if event == "call" and name != file and _GENERATED not in name:
            return None
        function = frame.f_code.co_name.removeprefix("tf__")
        for variable, value in list(frame.f_locals.items()):
            if isinstance(value, tf.Tensor):
                see(function, variable, value)
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        yield
    finally:
        sys.settrace(before)


@contextmanager
def telling_shapes(shapes: Mapping[Variable, tuple[int, ...]], file: str = "") -> Iterator[None]:
    """While tracing, give symbolic tensors the static shapes that eager tensors had."""

    def tell(function: str, variable: str, tensor: Any) -> None:
        shape = shapes.get((function, variable))
        if shape is None or tensor.shape.is_fully_defined():
            return
        if tensor.shape.is_compatible_with(shape):
            tensor.set_shape(shape)

    with watching(tell, file):
        yield
