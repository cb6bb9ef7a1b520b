"""Tries the remedy for a function that is traced again: is it traced less often then?"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, TypeGuard

import tensorflow as tf
from tensorflow.python.eager.polymorphic_function import polymorphic_function

from eager_vs_graph.child.adopt.function import Adopted
from eager_vs_graph.child.adopt.successive import WHICH, changed
from eager_vs_graph.child.why.calls import Calls
from eager_vs_graph.child.why.retraces import (
    Traces,
    as_tensor,
    code_of,
    is_number,
    watching,
)
from eager_vs_graph.modes.program import Program
from eager_vs_graph.results.why import Retrace

TURNS = 2
"""How often the sequence of calls is made."""
_MOST = 3
"""Functions that are looked into; the others are as they are reported."""


def sequence(calls: Calls, traces: Traces, turns: int = TURNS) -> None:
    """Make every call of the sequence, so many times."""
    for number in range(turns * calls.feeds):
        traces.call = number
        calls.bare()


def explained(
    traces: Traces, program: Program, build: Callable[[], Program], may: Callable[[], bool]
) -> list[Retrace]:
    """The retraces, each with a remedy only where it made traces fewer, and how many.

    Args:
        traces: what was seen.
        program: where it was seen.
        build: builds the program anew.
        may: whether there is time for another program.
    """
    results: dict[tuple[str, str, str], str] = {}
    found = []
    for seen, code in traces.again():
        each = _named(seen, program)
        key = (each.function, each.argument, each.remedy)
        if key not in results:
            results[key] = ""
            if each.remedy and len(results) <= _MOST and may():
                results[key] = _tried(each, code, traces.of(code), build)
        found.append(replace(each, remedy=results[key]))
    return found


def _named(retrace: Retrace, program: Program) -> Retrace:
    """The retrace, in the names of the user's arguments: a program counts Python values."""
    scenario = program.scenario
    if not isinstance(scenario, Adopted):
        return retrace
    if retrace.function == type(scenario).step.__name__:
        retrace = replace(retrace, function=scenario.name)
    if retrace.argument != WHICH:
        return retrace
    templates = scenario.call_templates()
    before, after = (templates[int(which)] for which in (retrace.before, retrace.after))
    values = changed(scenario.function.call, before, after)
    numbers = all(is_number(value) for pair in values.values() for value in pair)
    return replace(
        retrace,
        argument=", ".join(values),
        before="; ".join(repr(value) for value, _ in values.values()),
        after="; ".join(repr(value) for _, value in values.values()),
        remedy="; ".join(map(as_tensor, values)) if values and numbers else "",
    )


def _tried(retrace: Retrace, code: Any, before: int, build: Callable[[], Program]) -> str:
    for kind in (None, tf.float32):  # an int may be meant for a float
        try:
            after = _traces_with(retrace, code, build, kind)
        except Exception:  # noqa: S112 - the changed program does not run: then it is no remedy
            continue
        if after >= before:
            return ""
        remedy = retrace.remedy
        if kind is not None:
            remedy = remedy.replace("tf.constant(", "tf.cast(").replace(")", ", tf.float32)")
        return f"{remedy} (tried: {after} in place of {before} traces)"
    return ""


def _traces_with(
    retrace: Retrace, code: Any, build: Callable[[], Program], kind: tf.DType | None
) -> int:
    program = build()
    try:
        scenario = program.scenario
        names = retrace.argument.split(", ")
        with program.task.on_device(), changed_calls(code, names, kind):
            if _counts_python(scenario, retrace):
                return _with_tensors(scenario, kind)
            with watching() as traces:
                sequence(Calls(program), traces)
            return traces.of(code)
    finally:
        program.close()


def _counts_python(scenario: Any, retrace: Retrace) -> TypeGuard[Adopted]:
    """Whether the retrace is that of a step which is told by number what Python values it has."""
    is_step = isinstance(scenario, Adopted) and retrace.function == scenario.name
    return is_step and WHICH in scenario.python_inputs


def _with_tensors(scenario: Adopted, kind: tf.DType | None) -> int:
    """Traces of the user's function, with its numbers as tensors."""
    function = tf.function(scenario.function.call)
    for feed in [feed for _ in range(TURNS) for feed in scenario.feeds]:
        tensors = [tf.constant(feed[n]) for n in scenario.names if n not in scenario.python_inputs]
        which = int(feed[WHICH]) if WHICH in feed else 0
        arguments, keywords = scenario.call_templates()[which].filled(tensors)
        named = {name: _tensor(value, kind) for name, value in keywords.items()}
        function(*(_tensor(value, kind) for value in arguments), **named)
    count: int = function.experimental_get_tracing_count()
    return count


@contextmanager
def changed_calls(code: Any, names: list[str], kind: tf.DType | None = None) -> Iterator[None]:
    """Within, a function is called with numbers as tensors, made once, and relaxes its shapes.

    Args:
        code: of the function that is meant.
        names: the arguments that are passed as tensors where they are numbers.
        kind: the dtype of these; None: as TensorFlow chooses.
    """
    functions = polymorphic_function.Function
    call = functions.__call__
    first: list[Any] = []

    def changed_call(self: Any, *args: Any, **kwargs: Any) -> Any:
        if code_of(self.python_function) != code:  # modules executed afresh have code of their own
            return call(self, *args, **kwargs)
        if not first:
            first.append(self)
            self._reduce_retracing = True
        bound = inspect.signature(self.python_function).bind(*args, **kwargs)
        for name in names:
            if name in bound.arguments:
                bound.arguments[name] = _tensor(bound.arguments[name], kind)
        return call(first[0], *bound.args, **bound.kwargs)

    functions.__call__ = changed_call
    try:
        yield
    finally:
        functions.__call__ = call


def _tensor(value: Any, kind: tf.DType | None) -> Any:
    return tf.constant(value, kind) if is_number(value) else value
