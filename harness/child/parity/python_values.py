"""Plain Python values: which there are, a text that tells them apart, copies, and putting back.

Plain are numbers, text, NumPy arrays, random generators, tensors, and containers and simple objects
of these. TensorFlow's variables, layers and functions are not.
"""

from __future__ import annotations

import collections
import copy
import itertools
import random
from collections.abc import Iterator
from types import (
    BuiltinFunctionType,
    FunctionType,
    GeneratorType,
    MethodType,
    ModuleType,
)
from typing import Any

import numpy as np
import tensorflow as tf

_ATOMS = (bool, int, float, complex, str, bytes, type(None), np.generic)
_CONTAINERS = (list, tuple, dict, set, frozenset, collections.deque)
_COPIED_ITERATORS = (itertools.count, itertools.cycle)
_NAMED = (type, ModuleType, FunctionType, BuiltinFunctionType, MethodType)
"""Inside of a container, these are as good as constants."""
GENERATORS = (np.random.Generator, np.random.RandomState, random.Random)
_DEPTH = 6
_MOST = 20_000
"""Elements of a container beyond which it is data, not state that a step changes."""
_MOST_BYTES = 2**24


def is_plain(value: Any, depth: int = 0) -> bool:  # noqa: PLR0911 - one for each kind
    """Whether a value is Python state that can be copied without TensorFlow's help."""
    if isinstance(value, (*_ATOMS, tf.Tensor)):
        return True
    if isinstance(value, np.ndarray):
        return bool(value.dtype != object and value.nbytes <= _MOST_BYTES)
    if isinstance(value, GENERATORS + _COPIED_ITERATORS):
        return True
    if depth > _DEPTH:
        return False
    if depth and isinstance(value, _NAMED):
        return True
    if isinstance(value, _CONTAINERS):
        if len(value) > _MOST:
            return False
        parts = (*value.keys(), *value.values()) if isinstance(value, dict) else value
        return all(is_plain(each, depth + 1) for each in parts)
    return is_simple_object(value) and is_plain(vars(value), depth + 1)


def is_iterator(value: Any) -> bool:
    """Whether a value hands out others one by one, and cannot be copied."""
    return isinstance(value, Iterator) and not isinstance(value, _COPIED_ITERATORS)


def is_simple_object(value: Any) -> bool:
    """Whether an object is no more than its attributes."""
    root = type(value).__module__.partition(".")[0]
    return (
        hasattr(value, "__dict__")
        and not isinstance(value, type | ModuleType | FunctionType | MethodType)
        and not callable(value)
        and root not in ("tensorflow", "keras", "tf_keras", "builtins", "eager_vs_graph")
        and not isinstance(value, tf.Module)
    )


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
    if isinstance(value, random.SystemRandom):
        return "the system's random numbers"  # they have no state
    if isinstance(value, random.Random):
        return str(hash(value.getstate()))
    if isinstance(value, dict):
        return repr({repr(key): fingerprint(each) for key, each in value.items()})
    if isinstance(value, set | frozenset):
        return repr(sorted(map(fingerprint, value)))
    if isinstance(value, _CONTAINERS):
        return repr([fingerprint(each) for each in value])
    if isinstance(value, GeneratorType):
        frame = value.gi_frame
        return "ended" if frame is None else f"at {frame.f_lasti} {_locals(frame.f_locals)}"
    if isinstance(value, _ATOMS + _COPIED_ITERATORS + _NAMED):
        return repr(value)
    if is_iterator(value):
        return _position(value)
    return fingerprint(vars(value))


def _locals(names: dict[str, Any]) -> str:
    return repr({name: fingerprint(each) for name, each in names.items() if is_plain(each)})


def _position(iterator: Any) -> str:
    """How far an iterator has come, where it tells; list's and others' do."""
    try:
        hint = iterator.__length_hint__()
    except (AttributeError, TypeError):
        hint = ""
    return f"{type(iterator).__name__} {hint}"


def shown(value: Any) -> str:  # noqa: PLR0911 - one for each kind
    """A value in a few words, for evidence."""
    if isinstance(value, np.ndarray) and value.size > 4:
        return f"array of shape {value.shape}"
    if isinstance(value, tf.Tensor):
        return f"tensor {value.numpy()}" if hasattr(value, "numpy") else "a symbolic tensor"
    if isinstance(value, GENERATORS):
        return "another state"
    if is_iterator(value):
        return "further on"
    text = repr(value)
    if len(text) <= 40:
        return text
    if isinstance(value, list | set | dict | collections.deque | tuple):
        return f"{type(value).__name__} of {len(value)}"
    return f"{text[:37]}..."


def copied(value: Any) -> Any:  # noqa: PLR0911 - one for each kind
    """A copy that shares nothing mutable with the original but tensors, which never change."""
    if isinstance(value, (tf.Tensor, random.SystemRandom, *_NAMED)):
        return value
    if isinstance(value, collections.defaultdict | collections.OrderedDict | collections.Counter):
        return copy.deepcopy(value)
    if isinstance(value, dict):
        return {key: copied(each) for key, each in value.items()}
    if isinstance(value, list | set | frozenset):
        return type(value)(copied(each) for each in value)
    if isinstance(value, tuple):
        return tuple(copied(each) for each in value) if type(value) is tuple else value
    if isinstance(value, (*_ATOMS, np.ndarray, *GENERATORS)) or not is_simple_object(value):
        return copy.deepcopy(value)
    other = copy.copy(value)
    vars(other).update(copied(vars(value)))
    return other


def refilled(original: Any, content: Any) -> Any:
    """The original object with the content put back, or a copy where it cannot be refilled."""
    fresh = copied(content)
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
        case random.SystemRandom():
            return original  # nothing to put back
        case random.Random():
            original.setstate(fresh.getstate())
        case _ if is_simple_object(original):
            vars(original).clear()
            vars(original).update(vars(fresh))
        case _:
            return fresh
    return original
