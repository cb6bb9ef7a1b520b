"""A mode's exception, raised again as a call of the user's function would raise it."""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from types import FunctionType, TracebackType
from typing import Any

_PACKAGE = __name__.partition(".")[0]
_OUR_LINES = re.compile(rf'^ *File "[^"]*/{_PACKAGE}/[^"]*", line .*\n.*\n', re.MULTILINE)
"""What AutoGraph tells of our code in the message of an exception, beside the user's own lines."""


def as_raised(error: Exception, function: Callable[..., Any]) -> Exception:
    """The exception, of the class that a test knows, without a trace of this package.

    Each program has a copy of the function and of the user's classes, so that ``raise Mine`` raises
    a copy of ``Mine``, which ``pytest.raises(Mine)`` does not know.
    """
    original = _original(type(error), function)
    if original is not None:
        with suppress(TypeError):  # a class of another layout: then the copy has to do
            error.__class__ = original
    if error.args and isinstance(error.args[0], str):
        error.args = (_OUR_LINES.sub("", error.args[0]), *error.args[1:])
    if isinstance(message := getattr(error, "_message", None), str):  # an error of TensorFlow
        error._message = _OUR_LINES.sub("", message)  # type: ignore[attr-defined]
    return error.with_traceback(_without_ours(error.__traceback__))


def _original(kind: type, function: Callable[..., Any]) -> type | None:
    """The class that a class is a copy of, or the class itself; None where nobody knows."""
    module = sys.modules.get(kind.__module__)
    for each in (*_inside(module, kind.__module__), *_closed_over(function, set())):
        if (each.__module__, each.__name__) == (kind.__module__, kind.__name__):
            return each
    return None


def _inside(value: Any, module: str) -> Iterator[type]:
    """The classes that a module defines, and those inside of them."""
    for each in list(vars(value).values()) if value is not None else ():
        if isinstance(each, type) and each.__module__ == module and each is not value:
            yield each
            yield from _inside(each, module)


def _closed_over(function: Any, seen: set[int]) -> Iterator[type]:
    """The classes that a function closes over, and those of the functions that it closes over."""
    function = inspect.unwrap(getattr(function, "__func__", function))
    if not isinstance(function, FunctionType) or id(function) in seen:
        return
    seen.add(id(function))
    for cell in function.__closure__ or ():
        with suppress(ValueError):  # nothing is in it yet
            value = cell.cell_contents
            if isinstance(value, type):
                yield value
            else:
                yield from _closed_over(value, seen)


def _without_ours(trace: TracebackType | None) -> TracebackType | None:
    kept: list[TracebackType] = []
    while trace is not None:
        # Code that AutoGraph has rewritten is in a file of its own, and keeps the module's globals.
        module = str(trace.tb_frame.f_globals.get("__name__", ""))
        if module.partition(".")[0] != _PACKAGE:
            kept.append(trace)
        trace = trace.tb_next
    result = None
    for each in reversed(kept):
        result = TracebackType(result, each.tb_frame, each.tb_lasti, each.tb_lineno)
    return result
