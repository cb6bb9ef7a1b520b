"""Walks through objects that hold others: containers, modules, layers, or whatever is asked for.

``walk`` knows nothing of the objects: a function says what the parts of each one are, and how they
are called. ``contents`` is the usual one, for what holds something in TensorFlow.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TypeVar

import tensorflow as tf

from eager_vs_graph.modes import kerases
from eager_vs_graph.scenario import Scenario

Key = TypeVar("Key")


def walk(
    value: Any, parts: Callable[[Any], Iterable[tuple[Key, Any]]]
) -> Iterator[tuple[tuple[Key, ...], Any]]:
    """Yield an object and all that can be reached from it, depth first, each object once.

    Args:
        value: where to begin.
        parts: the parts of an object, in order, each with its key; nothing for an object that is
            not to be looked into.

    Yields:
        The keys on the way to the object (of the first way, where there are several), and the
        object.
    """
    # The objects are kept: another one could have the id of one that is gone.
    seen: dict[int, Any] = {}

    def visit(path: tuple[Key, ...], each: Any) -> Iterator[tuple[tuple[Key, ...], Any]]:
        if id(each) in seen:
            return
        seen[id(each)] = each
        yield path, each
        for key, part in parts(each):
            yield from visit((*path, key), part)

    return visit((), value)


def contents(value: Any) -> Iterable[tuple[Any, Any]]:
    """Parts for ``walk``: items of containers; attributes of modules, layers and scenarios."""
    if isinstance(value, Mapping):
        return list(value.items())
    if isinstance(value, list | tuple):
        return enumerate(value)
    if isinstance(value, tf.Module | Scenario) or kerases.is_layer(value):
        return list(vars(value).items())
    return ()
