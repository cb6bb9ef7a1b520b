"""The Python state that a step can read and change: what a graph freezes when it is traced.

Found by walking from the step: the names that its code mentions, closures, defaults, attributes,
classes, and the same of the user's functions and objects that it reaches. Items have names that an
author understands: ``self.calls``, ``HISTORY`` (of the module), ``helper.HISTORY`` (of another),
``Klass.total``, ``step.calls``, ``n (of step)`` (of its closure or defaults), ``np.random``,
``random``, ``os.environ``.
"""

from __future__ import annotations

import functools
import inspect
import os
import random
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import CellType, CodeType, FunctionType, MethodType, ModuleType
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from eager_vs_graph.child.parity.python_values import (
    copied,
    fingerprint,
    is_iterator,
    is_plain,
    refilled,
)
from eager_vs_graph.child.user_files import is_users_file
from eager_vs_graph.scenario import Scenario

_DEEPEST = 5
"""Objects in objects that are looked into."""
_KERAS = frozenset(vars(keras.layers.Layer()))
"""Attributes that every Keras layer has: Keras's business."""


@dataclass
class Item:
    """A named place that holds Python state."""

    name: str
    get: Callable[[], Any]
    put: Callable[[Any], None]


class Replayed:
    """Stands before an iterator, and hands out again what it handed out since it was put there."""

    def __init__(self, iterator: Any) -> None:
        self._iterator = iterator
        self._values: list[Any] = []
        self._at = 0

    def __iter__(self) -> Replayed:
        return self

    def __next__(self) -> Any:
        if self._at == len(self._values):
            self._values.append(next(self._iterator))
        self._at += 1
        return self._values[self._at - 1]

    def __getattr__(self, name: str) -> Any:
        return self.__next__ if name == "get_next" else getattr(self._iterator, name)

    def rewind(self) -> None:
        """Begin with the first value again."""
        self._at = 0


@dataclass
class Memory:
    """What items held at some moment, to be put back as often as needed."""

    kept: list[tuple[Item, Any, Any]]
    """Item, the object itself, a copy of what was in it."""

    def put_back(self) -> None:
        """Give every item the object it held, with the content it had."""
        for item, original, content in self.kept:
            if isinstance(original, Replayed):
                item.put(original)
                original.rewind()
            else:
                item.put(refilled(original, content))


def items(scenario: Scenario) -> dict[str, Item]:
    """Every item of Python state in reach of a scenario's step."""
    walk = _Walk(scenario.source_file())
    walk.scenario(scenario)
    for item in _of_process():
        walk.found.setdefault(item.name, item)
    return walk.found


def outside(scenario: type[Scenario]) -> dict[str, Item]:
    """The items that instances of a scenario share: of modules, classes and the process."""
    size = next(iter(scenario.sizes.values()))
    every = items(scenario(size))
    return {name: item for name, item in every.items() if not name.startswith("self.")}


def namespaces(scenario: Scenario) -> list[dict[str, Any]]:
    """The globals of the user's functions in reach of a scenario's step."""
    walk = _Walk(scenario.source_file())
    walk.scenario(scenario)
    return walk.namespaces


def functions(scenario: Scenario) -> set[tuple[str, int]]:
    """File and first line of the user's functions in reach of a scenario's step."""
    walk = _Walk(scenario.source_file())
    walk.scenario(scenario)
    return walk.functions


def remember(chosen: Mapping[str, Item]) -> Memory:
    """Copy what the items hold now. Iterators are kept from now on, to be replayed."""
    return Memory([_remembered(item) for item in chosen.values()])


def _remembered(item: Item) -> tuple[Item, Any, Any]:
    value = item.get()
    if not is_iterator(value):
        return item, value, copied(value)
    replayed = value if isinstance(value, Replayed) else Replayed(value)
    item.put(replayed)
    return item, replayed, None


def fingerprints(chosen: Mapping[str, Item]) -> dict[str, str]:
    """A text for what each item holds; it changes when the content does."""
    return {name: fingerprint(item.get()) for name, item in chosen.items()}


def module_of(scenario: type[Scenario]) -> ModuleType:
    """The module of the author's file; of adopted code, the user's."""
    file = scenario.source_file()
    if file == inspect.getfile(scenario):
        return sys.modules[scenario.__module__]
    found = [each for each in sys.modules.values() if getattr(each, "__file__", None) == file]
    return found[0] if found else ModuleType("of_no_file")


class _Walk:
    """Goes from a scenario through all that its step can reach, and notes what is plain."""

    def __init__(self, own: str) -> None:
        self.own = own
        self.found: dict[str, Item] = {}
        self.namespaces: list[dict[str, Any]] = []
        self.functions: set[tuple[str, int]] = set()
        self._seen: dict[int, Any] = {}  # an id is one object's as long as the object lives

    def scenario(self, scenario: Scenario) -> None:
        """Look at an instance: of adopted code, at the function that was adopted."""
        adopted = getattr(getattr(scenario, "function", None), "call", None)
        if scenario.concept == "adopted":
            if callable(adopted):  # once it is built
                self._look(_name_of(adopted), adopted, 0)
            return
        self._seen[id(scenario)] = scenario
        for name in list(vars(scenario)):
            if name not in ("size", "build", "step"):  # the last two, where they are watched
                self._place(f"self.{name}", vars(scenario), name, 0)
        for klass in inspect.getmro(type(scenario)):
            if klass not in Scenario.__mro__:
                self._class(klass, 0, skip=frozenset(vars(Scenario)) - {"step", "build"})

    def _place(self, label: str, namespace: Any, name: Any, depth: int) -> None:
        """Look at a name in a dictionary."""
        value = namespace[name]
        if is_plain(value) or is_iterator(value):
            self._note(
                label,
                lambda: namespace[name],
                lambda new: namespace.__setitem__(name, new),
            )
        else:
            self._look(label, value, depth)

    def _note(self, label: str, get: Callable[[], Any], put: Callable[[Any], None]) -> None:
        self.found.setdefault(label, Item(label, get, put))

    def _look(self, label: str, value: Any, depth: int) -> None:  # noqa: PLR0912 - each kind
        """Look into what is not plain itself."""
        if id(value) in self._seen or depth > _DEEPEST:
            return
        self._seen[id(value)] = value
        match value:
            case MethodType():
                self._look(_owner(label, value), value.__self__, depth)
                self._look(f"{type(value.__self__).__name__}.{value.__name__}", value.__func__, 0)
            case FunctionType():
                self._function(label, value, depth)
            case functools.partial():
                for index, each in enumerate(value.args):
                    self._look(f"{label}[{index}]", each, depth + 1)
                for name in value.keywords:
                    self._place(name, value.keywords, name, depth + 1)
                self._look(label, value.func, depth)
            case type():
                if self._is_users(value):
                    self._class(value, depth)
            case ModuleType():
                pass  # what of it is used, the function that uses it says
            case dict():
                for key in list(value):
                    self._place(f"{label}[{key!r}]", value, key, depth + 1)
            case list():
                for index in range(len(value)):
                    self._place(f"{label}[{index}]", value, index, depth + 1)
            case tuple() | set() | frozenset():
                for index, each in enumerate(value):
                    self._look(f"{label}[{index}]", each, depth + 1)
            case tf.types.experimental.PolymorphicFunction():
                self._look(label, _python_of(value), depth)
            case _:
                self._object(label, value, depth)

    def _object(self, label: str, value: Any, depth: int) -> None:
        of_keras = isinstance(value, keras.Layer)
        if of_keras:
            for index, layer in enumerate(getattr(value, "layers", ())):
                self._look(f"{label}.layers[{index}]", layer, depth + 1)
        if not self._is_users(type(value)):
            if hasattr(value, "__wrapped__"):  # such as functools.lru_cache makes
                self._look(label, value.__wrapped__, depth)
            return
        for name in list(getattr(value, "__dict__", {})):
            if not (of_keras and (name.startswith("_") or name in _KERAS)):
                self._attribute(f"{label}.{name}", value, name, depth + 1)
        self._look(type(value).__name__, type(value), depth)

    def _attribute(self, label: str, holder: Any, name: str, depth: int) -> None:
        try:
            value = getattr(holder, name)
        except Exception:  # a property of the user's may raise whatever it likes
            return
        if is_plain(value) or is_iterator(value):
            self._note(
                label,
                lambda: getattr(holder, name),
                lambda new: setattr(holder, name, new),
            )
        else:
            self._look(label, value, depth)

    def _class(self, klass: type, depth: int, skip: frozenset[str] = frozenset()) -> None:
        for name, value in list(vars(klass).items()):
            if name in skip:
                continue
            label = f"{klass.__name__}.{name}"
            if isinstance(value, staticmethod | classmethod):
                self._look(label, value.__func__, 0)
            elif isinstance(value, FunctionType):
                self._look(label, value, 0)
            elif isinstance(value, property):
                self._look(label, value.fget, 0)
            elif not name.startswith("__"):
                self._attribute(label, klass, name, depth + 1)
        for base in klass.__bases__:
            if self._is_users(base) and base not in Scenario.__mro__:
                self._look(base.__name__, base, depth)

    def _function(self, label: str, function: FunctionType, depth: int) -> None:
        """What a function keeps from call to call, and what its code mentions."""
        cells = zip(function.__code__.co_freevars, function.__closure__ or (), strict=True)
        for name, cell in cells:
            self._cell(name, label, cell, depth)
        if not is_users_file(function.__code__.co_filename, self.own):
            return
        self.functions.update(_code_in(function.__code__))
        for name in list(vars(function)):
            self._place(f"{label}.{name}", vars(function), name, depth + 1)
        for name, default in _defaults(function):
            self._default(f"{name} (of {label})", default, depth)
        namespace = function.__globals__
        if not any(each is namespace for each in self.namespaces):
            self.namespaces.append(namespace)
        own = function.__code__.co_filename == self.own
        prefix = "" if own else f"{str(function.__module__).rpartition('.')[2]}."
        mentioned = list(dict.fromkeys(_names(function.__code__)))
        for name in mentioned:
            if name not in namespace or name.startswith("__"):
                continue
            value = namespace[name]
            if isinstance(value, ModuleType):
                self._module(f"{prefix}{name}", value, mentioned, depth)
            else:
                self._place(f"{prefix}{name}", namespace, name, depth + 1)

    def _default(self, label: str, value: Any, depth: int) -> None:
        if isinstance(value, list | dict | set | np.ndarray) and is_plain(value):
            # It is refilled in place: there is no other object to put.
            self._note(label, lambda: value, lambda _new: None)
        elif not is_plain(value):
            self._look(label.partition(" ")[0], value, depth + 1)

    def _module(self, label: str, module: ModuleType, mentioned: list[str], depth: int) -> None:
        if not is_users_file(getattr(module, "__file__", None) or "", self.own):
            return
        for name in mentioned:
            if name in vars(module) and not name.startswith("__"):
                self._place(f"{label}.{name}", vars(module), name, depth + 1)

    def _cell(self, name: str, label: str, cell: CellType, depth: int) -> None:
        try:
            value = cell.cell_contents
        except ValueError:  # the name is not bound yet
            return
        if is_plain(value) or is_iterator(value):
            self._note(
                f"{name} (of {label})",
                lambda: cell.cell_contents,
                lambda new: setattr(cell, "cell_contents", new),
            )
        else:
            self._look(name, value, depth + 1)

    def _is_users(self, klass: type) -> bool:
        module = sys.modules.get(klass.__module__)
        file = getattr(module, "__file__", None) or ""
        return klass.__module__ == "__main__" or is_users_file(file, self.own)


def _of_process() -> Iterator[Item]:
    yield Item("np.random", np.random.get_state, np.random.set_state)
    yield Item("random", random.getstate, random.setstate)
    yield Item("os.environ", lambda: dict(os.environ), _set_environment)


def _set_environment(names: Mapping[str, str]) -> None:
    for name in [name for name in os.environ if name not in names]:
        del os.environ[name]
    for name, text in names.items():
        if os.environ.get(name) != text:
            os.environ[name] = text


def _defaults(function: FunctionType) -> Iterator[tuple[str, Any]]:
    for name, parameter in inspect.signature(function, follow_wrapped=False).parameters.items():
        if parameter.default is not parameter.empty:
            yield name, parameter.default


def _names(code: CodeType) -> Iterator[str]:
    """Names of globals and attributes in a function's code and in the functions within it."""
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names(constant)


def _code_in(code: CodeType) -> Iterator[tuple[str, int]]:
    """File and first line of a function's code and of the functions within it."""
    yield code.co_filename, code.co_firstlineno
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _code_in(constant)


def _name_of(value: Any) -> str:
    return str(getattr(value, "__name__", None) or type(value).__name__.lower())


def _owner(label: str, method: MethodType) -> str:
    """What to call the object of a bound method: as the label does, or after its class."""
    if label == method.__name__:
        return type(method.__self__).__name__.lower()
    return label.removesuffix(f".{method.__name__}")


def _python_of(function: Any) -> Any:
    python = function.python_function
    bound = getattr(python, "__wrapped__", python)
    target: Any = getattr(bound, "__self__", None)
    if hasattr(target, "weakrefself_func__") and target.target is not None:
        return MethodType(target.weakrefself_func__(), target.target)
    return python
