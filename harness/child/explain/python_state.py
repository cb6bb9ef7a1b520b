"""The Python state that a step can read and change: what a graph freezes when it is traced.

Items have names that an author understands: ``self.calls``, ``self.layer.calls``, ``HISTORY`` (of
the module), ``helper.HISTORY`` (of a module beside it), ``Klass.total``, ``np.random``, ``random``.
Only plain values are items: numbers, text, NumPy
arrays, random generators, tensors, and containers and simple objects of these. TensorFlow's
variables, layers and functions are not.
"""

from __future__ import annotations

import collections
import copy
import inspect
import itertools
import random
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import BuiltinFunctionType, CellType, FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np
import tensorflow as tf

from eager_vs_graph.scenario import Scenario

_ATOMS = (bool, int, float, complex, str, bytes, type(None), np.generic)
_CONTAINERS = (list, tuple, dict, set, frozenset, collections.deque)
_ITERATORS = (itertools.count, itertools.cycle)
_NAMED = (type, ModuleType, FunctionType, BuiltinFunctionType, MethodType)
"""Inside of a container, these are as good as constants."""
GENERATORS = (np.random.Generator, np.random.RandomState, random.Random)
_DEPTH = 6
_NESTED = 3
"""Objects in objects that are looked into."""
_KERAS = frozenset(vars(tf.keras.layers.Layer()))
"""Attributes that every Keras layer has: Keras's business."""


@dataclass
class Item:
    """A named place that holds plain Python state."""

    name: str
    get: Callable[[], Any]
    put: Callable[[Any], None]


@dataclass
class Memory:
    """What items held at some moment, to be put back as often as needed."""

    kept: list[tuple[Item, Any, Any]]
    """Item, the object itself, a copy of what was in it."""

    def put_back(self) -> None:
        """Give every item the object it held, with the content it had."""
        for item, original, content in self.kept:
            item.put(_refilled(original, content))


def items(scenario: Scenario) -> dict[str, Item]:
    """Every item of Python state in reach of a scenario's step."""
    module = module_of(type(scenario))
    found: dict[str, Item] = {}
    helpers = (_of_module(each, f"{each.__name__}.") for each in helpers_of(module))
    for item in itertools.chain(
        _attributes(scenario),
        _of_classes(type(scenario)),
        _of_module(module),
        *helpers,
        _generators(),
    ):
        found.setdefault(item.name, item)
    return found


def remember(chosen: dict[str, Item]) -> Memory:
    """Copy what the items hold now."""
    return Memory([(item, item.get(), _copied(item.get())) for item in chosen.values()])


def fingerprints(chosen: dict[str, Item]) -> dict[str, str]:
    """A text for what each item holds; it changes when the content does."""
    return {name: fingerprint(item.get()) for name, item in chosen.items()}


def carry_over(old: Scenario, new: Scenario) -> None:
    """Give a newly built scenario the Python state of another, by reference."""
    for name, value in list(vars(old).items()):
        if name in ("build", "size") or name not in vars(new):
            continue
        if is_plain(value) or isinstance(value, Iterator) or _has_plain_closure(value):
            setattr(new, name, value)
    inside = dict(_inside(new))
    for name, item in _inside(old):
        if name in inside:
            inside[name].put(item.get())


def module_of(scenario: type[Scenario]) -> ModuleType:
    """The module of the author's file; of adopted code, the user's."""
    file = scenario.source_file()
    if file == inspect.getfile(scenario):
        return sys.modules[scenario.__module__]
    found = [each for each in sys.modules.values() if getattr(each, "__file__", None) == file]
    return found[0] if found else ModuleType("of_no_file")


def helpers_of(module: ModuleType) -> list[ModuleType]:
    """The modules beside the author's file that it imports, or imports functions from."""
    if (file := getattr(module, "__file__", None)) is None:
        return []
    folder = Path(file).parent
    found: dict[str, ModuleType] = {}
    for value in list(vars(module).values()):
        name = value.__name__ if isinstance(value, ModuleType) else None
        name = name or getattr(value, "__module__", None)
        helper = sys.modules.get(name) if isinstance(name, str) else None
        beside = helper is not None and Path(getattr(helper, "__file__", None) or "/").parent
        if helper is not None and helper is not module and beside == folder:
            found[helper.__name__] = helper
    return list(found.values())


def is_plain(value: Any, depth: int = 0) -> bool:  # noqa: PLR0911 - one for each kind
    """Whether a value is Python state that can be copied without TensorFlow's help."""
    if isinstance(value, (*_ATOMS, tf.Tensor)):
        return True
    if isinstance(value, np.ndarray):
        return bool(value.dtype != object)
    if isinstance(value, GENERATORS + _ITERATORS):
        return True
    if depth > _DEPTH:
        return False
    if depth and isinstance(value, _NAMED):
        return True
    if isinstance(value, dict):
        return all(is_plain(each, depth + 1) for each in (*value.keys(), *value.values()))
    if isinstance(value, _CONTAINERS):
        return all(is_plain(each, depth + 1) for each in value)
    return _is_simple_object(value) and is_plain(vars(value), depth + 1)


def fingerprint(value: Any) -> str:  # noqa: PLR0911 - one for each kind
    """A text that tells one content from another."""
    if isinstance(value, np.ndarray):
        return f"array {value.dtype} {value.shape} {hash(value.tobytes())}"
    if isinstance(value, tf.Tensor):
        return fingerprint(value.numpy()) if hasattr(value, "numpy") else "symbolic tensor"
    if isinstance(value, np.random.Generator):
        return repr(value.bit_generator.state)
    if isinstance(value, np.random.RandomState):
        return repr([fingerprint(part) for part in value.get_state()])
    if isinstance(value, random.Random):
        return str(hash(value.getstate()))
    if isinstance(value, dict):
        return repr({repr(key): fingerprint(each) for key, each in value.items()})
    if isinstance(value, set | frozenset):
        return repr(sorted(map(fingerprint, value)))
    if isinstance(value, _CONTAINERS):
        return repr([fingerprint(each) for each in value])
    if isinstance(value, _ATOMS + _ITERATORS + _NAMED):
        return repr(value)
    return fingerprint(vars(value))


def shown(value: Any) -> str:
    """A value in a few words, for evidence."""
    if isinstance(value, np.ndarray) and value.size > 4:
        return f"array of shape {value.shape}"
    if isinstance(value, tf.Tensor):
        return f"tensor {value.numpy()}" if hasattr(value, "numpy") else "a symbolic tensor"
    if isinstance(value, list | set | dict | collections.deque | tuple):
        return f"{type(value).__name__} of {len(value)}"
    if isinstance(value, GENERATORS):
        return "another state"
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:37]}..."


def _attributes(scenario: Scenario) -> Iterator[Item]:
    for name, value in vars(scenario).items():
        if name == "size":
            continue
        if is_plain(value):
            yield _of_namespace(f"self.{name}", vars(scenario), name)
        else:
            yield from _of_function(f"self.{name}", value)
    for _name, item in _inside(scenario):
        yield item


def _inside(scenario: Scenario) -> Iterator[tuple[str, Item]]:
    """Plain attributes of the author's own objects that the scenario holds: layers, helpers."""
    ours = {module_of(type(scenario)), *helpers_of(module_of(type(scenario)))}
    names = {module.__name__ for module in ours}
    waiting = [(f"self.{name}", value, 0) for name, value in vars(scenario).items()]
    seen: set[int] = set()
    while waiting:
        label, holder, depth = waiting.pop()
        if id(holder) in seen or depth > _NESTED or is_plain(holder):
            continue
        seen.add(id(holder))
        if isinstance(holder, list | tuple | dict):
            each = holder.items() if isinstance(holder, dict) else enumerate(holder)
            waiting += [(f"{label}[{key!r}]", value, depth + 1) for key, value in each]
            continue
        own = type(holder).__module__ in names
        for name, value in list(getattr(holder, "__dict__", {}).items()):
            if name.startswith("_") or name in _KERAS:
                continue
            if own and is_plain(value):
                yield f"{label}.{name}", _of_attribute(f"{label}.{name}", holder, name)
            elif own or name == "layers":
                waiting.append((f"{label}.{name}", value, depth + 1))


def _of_attribute(label: str, holder: Any, name: str) -> Item:
    return Item(label, lambda: getattr(holder, name), lambda value: setattr(holder, name, value))


def _of_classes(scenario: type[Scenario]) -> Iterator[Item]:
    for klass in inspect.getmro(scenario):
        if klass in Scenario.__mro__:
            continue
        for name, value in vars(klass).items():
            if isinstance(value, FunctionType):
                yield from _of_function(f"{klass.__name__}.{name}", value)
            elif not name.startswith("__") and name not in vars(Scenario) and is_plain(value):
                yield Item(
                    f"{klass.__name__}.{name}",
                    lambda klass=klass, name=name: vars(klass)[name],  # type: ignore[misc]
                    lambda value, klass=klass, name=name: setattr(klass, name, value),  # type: ignore[misc]
                )


def _of_module(module: ModuleType, prefix: str = "") -> Iterator[Item]:
    for name, value in vars(module).items():
        if name.startswith("__"):
            continue
        if is_plain(value):
            yield _of_namespace(f"{prefix}{name}", vars(module), name)
        elif getattr(value, "__module__", None) == module.__name__:
            yield from _of_function(f"{prefix}{name}", value)


def _generators() -> Iterator[Item]:
    yield Item("np.random", np.random.get_state, np.random.set_state)
    yield Item("random", random.getstate, random.setstate)


def _of_namespace(label: str, namespace: Any, name: str) -> Item:
    return Item(label, lambda: namespace[name], lambda value: namespace.__setitem__(name, value))


def _of_function(label: str, value: Any) -> Iterator[Item]:
    """What a function keeps from call to call: its closure, and defaults that can be changed."""
    function = value.__func__ if isinstance(value, MethodType) else value
    if not isinstance(function, FunctionType):
        return
    for name, parameter in inspect.signature(function).parameters.items():
        default = parameter.default
        if isinstance(default, list | dict | set | np.ndarray) and is_plain(default):
            # It is refilled in place: there is no other object to put.
            yield Item(f"{name} (of {label})", partial(_same, default), lambda _value: None)
    yield from _of_closure(label, function)


def _same(value: Any) -> Any:
    return value


def _of_closure(label: str, function: FunctionType) -> Iterator[Item]:
    if not function.__closure__:
        return
    for name, cell in zip(function.__code__.co_freevars, function.__closure__, strict=True):
        if _filled(cell) and is_plain(cell.cell_contents):
            yield Item(
                f"{name} (of {label})",
                lambda cell=cell: cell.cell_contents,  # type: ignore[misc]
                lambda value, cell=cell: setattr(cell, "cell_contents", value),  # type: ignore[misc]
            )


def _has_plain_closure(value: Any) -> bool:
    return any(True for _ in _of_function("", value))


def _filled(cell: CellType) -> bool:
    try:
        _ = cell.cell_contents
    except ValueError:
        return False
    return True


def _is_simple_object(value: Any) -> bool:
    kind = type(value)
    root = kind.__module__.partition(".")[0]
    return (
        hasattr(value, "__dict__")
        and not isinstance(value, type | ModuleType | FunctionType | MethodType)
        and not callable(value)
        and root not in ("tensorflow", "keras", "builtins", "eager_vs_graph")
        and not isinstance(value, tf.Module)
    )


def _copied(value: Any) -> Any:
    """A copy that shares nothing mutable with the original but tensors, which never change."""
    if isinstance(value, (tf.Tensor, *_NAMED)):
        return value
    if isinstance(value, dict):
        return {key: _copied(each) for key, each in value.items()}
    if isinstance(value, list | set | frozenset):
        return type(value)(_copied(each) for each in value)
    if isinstance(value, tuple):
        return tuple(_copied(each) for each in value) if type(value) is tuple else value
    if isinstance(value, (*_ATOMS, np.ndarray, *GENERATORS)) or not _is_simple_object(value):
        return copy.deepcopy(value)
    other = copy.copy(value)
    vars(other).update(_copied(vars(value)))
    return other


def _refilled(original: Any, content: Any) -> Any:
    """The original object with the content put back, or a copy where it cannot be refilled."""
    fresh = _copied(content)
    match original:
        case list():
            original[:] = fresh
        case dict() | set():
            original.clear()
            original.update(fresh)
        case collections.deque():
            original.clear()
            original.extend(fresh)
        case np.ndarray():
            original[...] = fresh
        case np.random.Generator():
            original.bit_generator.state = fresh.bit_generator.state
        case np.random.RandomState():
            original.set_state(fresh.get_state())
        case random.Random():
            original.setstate(fresh.getstate())
        case _ if _is_simple_object(original):
            vars(original).clear()
            vars(original).update(vars(fresh))
        case _:
            return fresh
    return original
