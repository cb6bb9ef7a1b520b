"""Which argument makes a ``tf.function`` trace again, and what that costs.

TensorFlow makes every graph of a function in one place, and says there of what type the arguments
are. Two traces of one function differ in the type of some argument, or they are of two functions
made of the same code.
"""

from __future__ import annotations

import inspect
import sys
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import tensorflow as tf
from tensorflow.python.eager.polymorphic_function import tracing_compilation

from eager_vs_graph.child.user_files import place, users_frame
from eager_vs_graph.results.why import Retrace

_MAKER = "_create_concrete_function"
"""The place, in TensorFlow 2.15 to 2.21."""
_OF_DATA_SETS = "tensorflow/python/data/"
_DATA_SET = "a function of a data set"
_MOST = 100
_SHOWN = 60
"""Characters of a type that are shown."""


@dataclass(frozen=True)
class Trace:
    """A graph that was made.

    Attributes:
        function: the Python that was traced.
        name: what it is called.
        kinds: the type of each argument.
        seconds: how long it took.
        call: during which call of the program.
        line: the user's line that called it.
        inside: whether it was traced as part of another function's trace.
        graph: gives what was made, as long as it is there.
    """

    function: Any
    name: str
    kinds: dict[str, Any]
    seconds: float
    call: int
    line: str
    inside: bool
    graph: Callable[[], Any]

    @property
    def code(self) -> Any:
        """What the function is made of: the same for functions made of one ``def``."""
        return code_of(self.function) or self.name


@dataclass
class Traces:
    """The graphs that were made while this was watching.

    Attributes:
        call: the number of the call at hand, which the one who calls keeps up.
        made: the traces, in order.
    """

    call: int = 0
    made: list[Trace] = field(default_factory=list)

    def of(self, code: Any) -> int:
        """How often functions of this code were traced by themselves."""
        return sum(1 for trace in self.made if trace.code == code and not trace.inside)

    def again(self) -> list[tuple[Retrace, Any]]:
        """The traces after a function's first, each against the one that is nearest; its code."""
        found: list[tuple[Retrace, Any]] = []
        before: dict[Any, list[Trace]] = {}
        for trace in self.made:
            earlier = before.setdefault(trace.code, [])
            if earlier and not trace.inside and (change := _change(trace, earlier)):
                found.append((change, trace.code))
            earlier.append(trace)
        return found


@contextmanager
def watching(own_file: str = "") -> Iterator[Traces]:
    """Within, every graph that a ``tf.function`` is traced to is noted.

    Args:
        own_file: the user's file, wherever it is.
    """
    traces = Traces()
    make: Callable[..., Any] | None = getattr(tracing_compilation, _MAKER, None)
    if make is None:
        yield traces
        return
    depth = 0

    def noted(function_type: Any, context: Any, graph: Any, options: Any, *more: Any) -> Any:
        nonlocal depth
        inside = depth > 0 or tf.inside_function()
        frame = users_frame(sys._getframe(1), own_file)
        depth += 1
        start = time.perf_counter()
        try:
            return make(function_type, context, graph, options, *more)
        finally:
            depth -= 1
            if len(traces.made) < _MOST:
                traces.made.append(
                    Trace(
                        options.python_function,
                        _name(options.python_function, options.name),
                        _kinds(function_type),
                        time.perf_counter() - start,
                        traces.call,
                        place(*frame) if frame else "",
                        inside,
                        weakref.ref(graph),
                    )
                )

    setattr(tracing_compilation, _MAKER, noted)
    try:
        yield traces
    finally:
        setattr(tracing_compilation, _MAKER, make)


def _kinds(function_type: Any) -> dict[str, Any]:
    """The type of each argument, and of each part of one that has parts."""
    found: dict[str, Any] = {}
    for name, parameter in function_type.parameters.items():
        found.update(_parts(name, parameter.type_constraint))
    return found


def _parts(name: str, kind: Any) -> Iterator[tuple[str, Any]]:
    kind = getattr(kind, "components_tuple", kind)  # that of a list
    components = getattr(kind, "components", None)
    if isinstance(components, tuple):
        for number, each in enumerate(components):
            yield from _parts(f"{name}[{number}]", each)
    elif isinstance(mapping := getattr(kind, "mapping", None), dict):
        for key, each in mapping.items():
            yield from _parts(f"{name}[{key!r}]", each)
    else:
        yield name, kind


def _name(function: Any, name: str | None) -> str:
    code = code_of(function)
    if code is not None and _OF_DATA_SETS in code.co_filename:
        return _DATA_SET
    qualified = str(getattr(function, "__qualname__", "") or name or "a function")
    return qualified.rpartition("<locals>.")[2]


def _change(trace: Trace, earlier: list[Trace]) -> Retrace | None:
    """What is another thing in a trace than in those before it; None for what counts as one."""
    nearest = min(earlier, key=lambda each: len(_differing(each, trace)))
    names = _differing(nearest, trace)
    made_anew = trace.call > 0 and all(each.function is not trace.function for each in earlier)
    if made_anew or trace.name == _DATA_SET:
        names = []
    if not names and not made_anew and nearest.call == trace.call:
        return None  # a function that makes variables is traced twice in its first call
    argument = ", ".join(names)
    before = "; ".join(shown(nearest.kinds.get(name, "nothing")) for name in names)
    after = "; ".join(shown(trace.kinds[name]) for name in names)
    if not names:
        before = ""
        after = (
            "its data set is made anew"
            if trace.name == _DATA_SET
            else "its tf.function is made anew"
            if made_anew
            else "not for an argument: it was called on another device or in another graph"
        )
    return Retrace(
        trace.name,
        argument,
        before,
        after,
        trace.seconds,
        call=trace.call,
        line=trace.line,
        remedy=_remedy(nearest, trace, names, made_anew=made_anew),
    )


def _differing(one: Trace, other: Trace) -> list[str]:
    if one.kinds.keys() != other.kinds.keys():
        return [n for n in other.kinds if n not in one.kinds] or list(other.kinds)[:1]
    return [name for name, kind in other.kinds.items() if kind != one.kinds[name]]


def shown(kind: Any) -> str:
    """An argument's type as a user would write it: ``0.1``, ``float32[32,4]``."""
    if isinstance(kind, tf.TensorSpec):
        shape = "?" if kind.shape.rank is None else ",".join(map(_size, kind.shape.as_list()))
        return f"{kind.dtype.name}[{shape}]"
    if is_python(kind):
        return repr(kind.value)[:_SHOWN]
    held = _held(kind)
    text = f"another {type(held).__name__}" if held is not None else str(kind)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"


def code_of(function: Any) -> Any:
    """The code that a traced function is made of, without what TensorFlow wraps around it."""
    python = inspect.unwrap(function)
    target: Any = getattr(python, "__self__", None)
    if hasattr(target, "weakrefself_func__"):  # how TensorFlow binds a traced method
        python = inspect.unwrap(target.weakrefself_func__())
    return getattr(python, "__code__", None)


def is_python(kind: Any) -> bool:
    """Whether the type is that of one Python value."""
    return type(kind).__name__ == "Literal"


def _held(kind: Any) -> Any:
    """The object that a type stands for, where it stands for one."""
    if type(kind).__name__ != "Weakref":
        return None
    return kind._ref()


def _size(size: int | None) -> str:
    return "None" if size is None else str(size)


def _remedy(before: Trace, after: Trace, names: list[str], *, made_anew: bool) -> str:
    """What takes the change away, by what kind of change it is."""
    if not names:
        once = made_anew and after.name != _DATA_SET
        return "make the tf.function once, outside of what is called" if once else ""
    if any(name not in before.kinds for name in names):
        return ""
    remedies = [_remedy_of(name, before.kinds[name], after.kinds[name]) for name in names]
    return "; ".join(dict.fromkeys(remedies)) if all(remedies) else ""


def _remedy_of(name: str, before: Any, after: Any) -> str:
    if is_python(before) or is_python(after):
        values = [kind.value for kind in (before, after) if is_python(kind)]
        return as_tensor(name) if all(map(is_number, values)) else ""
    if not all(isinstance(kind, tf.TensorSpec) for kind in (before, after)):
        return ""
    if before.dtype != after.dtype:
        return ""
    general = before.most_specific_common_supertype([after])
    return f"tf.function(reduce_retracing=True): {name} is then {shown(general)} in one trace"


def as_tensor(name: str) -> str:
    """The remedy for a number."""
    return f"pass {name} as a tensor in every call: tf.constant({name})"


def is_number(value: Any) -> bool:
    """Whether a Python value is a number, of which there are many: a flag has two values."""
    return isinstance(value, int | float) and not isinstance(value, bool)
