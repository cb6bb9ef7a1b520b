"""What an object refers to, as far as a function can reach it: variables, tf.functions, resources.

The garbage collector knows what refers to what. A function's globals are only those that its code
names, and what installed packages keep in their modules and classes belongs to nobody's program.
"""

from __future__ import annotations

import gc
import logging
import types
import weakref
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import tensorflow as tf

from eager_vs_graph.child.adopt.modules import is_libraries, is_users
from eager_vs_graph.child.adopt.tracing import plain
from eager_vs_graph.errors import ScenarioError
from eager_vs_graph.modes import kerases

_ATOMS = (bool, int, float, complex, str, bytes, type(None), np.ndarray, np.generic)
_ELSEWHERE = (
    tf.Tensor,
    tf.Graph,
    tf.Operation,
    tf.DType,
    tf.TensorShape,
    tf.distribute.Strategy,
    tf.compat.v1.Session,
    logging.Logger,
    logging.Handler,
    types.FrameType,
    types.CodeType,
    types.TracebackType,
    types.BuiltinFunctionType,
    weakref.ref,
)
"""What refers to things of other programs, or of all."""
_RESOURCES = (
    tf.saved_model.experimental.TrackableResource,
    tf.data.Dataset,
    tf.data.Iterator,
    tf.summary.SummaryWriter,
)
_MANY = 50_000
"""A container of more items than this is data."""


@dataclass(frozen=True)
class Reached:
    """What was found, each once."""

    variables: list[tf.Variable] = field(default_factory=list)
    functions: list[Any] = field(default_factory=list)
    """tf.functions."""
    resources: list[Any] = field(default_factory=list)
    """Tables, data sets, iterators and summary writers."""


def reached(*roots: Any) -> Reached:
    """Everything that the roots refer to, near things first."""
    found = Reached()
    seen: set[int] = set()
    waiting = deque(roots)
    kept: list[Any] = []  # an id is one object's as long as the object lives
    while waiting:
        value = waiting.popleft()
        if id(value) in seen or isinstance(value, _ATOMS):
            continue
        seen.add(id(value))
        kept.append(value)
        if isinstance(value, tf.Variable):
            found.variables.append(value)
            continue
        if isinstance(value, tf.types.experimental.PolymorphicFunction):
            found.functions.append(value)
        elif isinstance(value, _RESOURCES):
            found.resources.append(value)
        seen.update(map(id, kerases.counters_of(value)))
        waiting.extend(_inside(value))
    return found


def _inside(value: Any) -> Iterable[Any]:
    """What a value refers to."""
    inside: Iterable[Any]
    if isinstance(value, tf.types.experimental.PolymorphicFunction):
        inside = _of_traced(value)
    elif isinstance(value, tf.types.experimental.ConcreteFunction):
        inside = list(value.variables)
    elif isinstance(value, _ELSEWHERE):
        inside = ()
    elif isinstance(value, types.FunctionType):
        inside = _of_function(value)
    elif isinstance(value, types.ModuleType):
        inside = list(vars(value).values()) if is_users(value.__name__, value) else ()
    elif isinstance(value, type):
        libraries = is_libraries(value.__module__)
        inside = () if libraries else [*vars(value).values(), *value.__bases__]
    elif isinstance(value, list | tuple | set | frozenset | dict) and len(value) > _MANY:
        inside = ()
    else:
        inside = gc.get_referents(value)
    return inside


def _of_traced(function: Any) -> list[Any]:
    """The Python of a tf.function, and its copies for the instances of a class."""
    bound = list(getattr(function, "_descriptor_cache", {}).values())
    try:
        return [plain(function), *bound]
    except ScenarioError:  # a method of an object that is gone
        return bound


def _of_function(function: types.FunctionType) -> Iterator[Any]:
    yield from (cell.cell_contents for cell in function.__closure__ or () if _is_filled(cell))
    yield from function.__defaults__ or ()
    yield from (function.__kwdefaults__ or {}).values()
    yield from vars(function).values()
    if not is_libraries(function.__module__):
        names = set(names_in(function.__code__))
        yield from (item for name, item in function.__globals__.items() if name in names)


def names_in(code: types.CodeType) -> Iterator[str]:
    """Global names in a function's code and in the functions within it."""
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from names_in(constant)


def _is_filled(cell: types.CellType) -> bool:
    try:
        _ = cell.cell_contents
    except ValueError:  # the name is not bound yet
        return False
    return True
