"""Arrays and errors in the words of a message."""

from __future__ import annotations

from eager_vs_graph.modes.failures import users_place
from eager_vs_graph.modes.messages import message
from eager_vs_graph.scenario import Array


def described(name: str, array: Array) -> str:
    """An argument as a report says it: ``x: float32[32,784]``."""
    return f"{name}: {described_array(array)}"


def described_array(array: Array) -> str:
    """An array's dtype and shape as they are typed: ``float32[32,784]``."""
    dtype = "string" if array.dtype == object else array.dtype
    return f"{dtype}[{','.join(map(str, array.shape))}]"


def told(error: BaseException) -> str:
    """An exception in a line, with the place of the user's that raised it."""
    if isinstance(error, SyntaxError):
        return f"SyntaxError: {error.msg} ({error.filename}:{error.lineno})"
    return f"{type(error).__name__}: {message(error)}{users_place(error)}"
