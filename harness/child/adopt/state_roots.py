"""The objects with variables that a function refers to, by the names it has for them."""

from __future__ import annotations

import functools
import inspect
import types
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import keras
import tensorflow as tf

from eager_vs_graph.child.adopt.modules import is_libraries, is_users
from eager_vs_graph.child.adopt.reach import names_in
from eager_vs_graph.child.adopt.tracing import plain
from eager_vs_graph.modes import kerases
from eager_vs_graph.modes.variables import variables_of
from eager_vs_graph.scenario import Scenario, Size


def holders(*values: Any) -> dict[str, Any]:
    """Variables, layers, models, optimizers and modules, by name, in the order of their use.

    They are looked for where a function can have them: its closure, the globals that its code
    names, its defaults, the object it is a method of, and the same of the user's functions that it
    calls.
    """
    found: dict[str, Any] = {}
    held: set[int] = set()
    seen: set[int] = set()
    for name, value in (pair for each in values for pair in _referred("", each, seen)):
        if id(value) in held:
            continue
        held.add(id(value))
        unique = name
        while unique in found:
            unique += "_"
        found[unique] = value
    return found


def held(variables: Sequence[tf.Variable], *values: Any) -> dict[str, Any]:
    """The holders of a function's variables; the variables that nothing names come last."""
    named = holders(*values)
    reached = {id(variable) for variable in _variables_in(named).values()}
    others = [variable for variable in variables if id(variable) not in reached]
    return {**named, **({"others": others} if others else {})}


def names_of(attributes: Mapping[str, Any], variables: Sequence[tf.Variable]) -> tuple[str, ...]:
    """The structural names that variables have under these attributes, in their own order."""
    names = {id(variable): name for name, variable in _variables_in(attributes).items()}
    return tuple(names[id(variable)] for variable in variables)


def _variables_in(attributes: Mapping[str, Any]) -> dict[str, tf.Variable]:
    """The variables that a scenario with these attributes has, by structural name."""
    probe = Scenario(Size())
    vars(probe).update(attributes)
    return variables_of(probe)


def _referred(name: str, value: Any, seen: set[int]) -> Iterator[tuple[str, Any]]:  # noqa: PLR0912
    """Named objects with variables in a value; what was seen is not looked at again."""
    if id(value) in seen or isinstance(value, str | bytes | int | float | type(None)):
        return
    seen.add(id(value))
    value = plain(value)
    if isinstance(value, tf.Variable | keras.Variable | tf.random.Generator):
        yield name or "variable", value
    elif kerases.is_of_keras(value) or isinstance(value, tf.Module):
        yield name or _named_after(value), value
        yield from _attributes(name or _named_after(value), value, seen)
    elif isinstance(value, types.MethodType):
        yield from _referred(name or _named_after(value.__self__), value.__self__, seen)
        yield from _referred(name, value.__func__, seen)
    elif isinstance(value, functools.partial):
        for index, item in enumerate(value.args):
            yield from _referred(_below(name, str(index)), item, seen)
        for key, item in value.keywords.items():
            yield from _referred(key, item, seen)
        yield from _referred(name, value.func, seen)
    elif isinstance(value, types.FunctionType):
        if is_libraries(value.__module__):
            return
        for key, item in _scope(value):
            yield from _referred(key, item, seen)
    elif isinstance(value, Mapping):
        for key, item in list(value.items()):
            yield from _referred(_below(name, str(key)), item, seen)
    elif isinstance(value, list | tuple | set):
        for index, item in enumerate(value):
            yield from _referred(_below(name or "item", str(index)), item, seen)
    elif isinstance(value, types.ModuleType):
        if is_users(value.__name__, value):
            for key, item in list(vars(value).items()):
                yield from _referred(_below(name, key), item, seen)
    elif isinstance(value, type):
        if not is_libraries(value.__module__):
            for item in vars(value).values():
                yield from _referred(value.__name__.lower(), item, seen)
    elif hasattr(value, "__dict__") and not is_libraries(type(value).__module__):
        ours = type(value).__module__.startswith(
            "eager_vs_graph.child.adopt"
        )  # a part of a Keras model
        yield from _attributes(name if ours else name or _named_after(value), value, seen)
        yield from _referred(name, type(value), seen)


def python_values(function: Any) -> dict[str, str]:
    """Numbers, texts and sizes of containers that the function's code can reach, as text."""
    found: dict[str, str] = {}
    value = plain(function)
    if isinstance(value, types.MethodType):
        owner = value.__self__
        if not is_libraries(type(owner).__module__):
            name = _named_after(owner)
            found |= _told({f"{name}.{key}": item for key, item in vars(owner).items()})
        value = value.__func__
    if isinstance(value, types.FunctionType):
        found |= _told(dict(_scope(value)))
    return found


def _told(values: Mapping[str, Any]) -> dict[str, str]:
    return {
        name: f"{len(value)} items" if isinstance(value, list | dict | set) else repr(value)[:40]
        for name, value in values.items()
        if isinstance(value, bool | int | float | str | list | dict | set | type(None))
        and not name.rpartition(".")[2].startswith("_")
    }


def _attributes(name: str, value: Any, seen: set[int]) -> Iterator[tuple[str, Any]]:
    """What an object's attributes hold besides what ``variables_of`` finds in it."""
    if kerases.is_model(value):
        yield from _referred(_below(name, "optimizer"), getattr(value, "optimizer", None), seen)
        for metric in value.metrics:
            yield from _referred(_below(name, metric.name), metric, seen)
    elif not kerases.is_of_keras(value):
        for key, item in list(vars(value).items()):
            if not isinstance(value, tf.Module) or not isinstance(item, tf.Variable | tf.Module):
                yield from _referred(_below(name, key), item, seen)


def _scope(function: types.FunctionType) -> Iterator[tuple[str, Any]]:
    """What the function's code can name: closure, globals, defaults."""
    for key, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        try:
            yield key, cell.cell_contents
        except ValueError:  # an empty cell: the name is not bound yet
            continue
    for key in names_in(function.__code__):
        if key in function.__globals__:
            yield key, function.__globals__[key]
    parameters = inspect.signature(function).parameters.values()
    yield from ((p.name, p.default) for p in parameters if p.default is not p.empty)


def _below(name: str, part: str) -> str:
    return f"{name}_{part}" if name else part


def _named_after(value: Any) -> str:
    return type(value).__name__.lower()
