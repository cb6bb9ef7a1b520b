"""Nested arguments and results as flat, named tensors, and back. Free of TensorFlow."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Hole:
    """The place of a tensor in a function's arguments."""

    index: int


def leaves(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    """What a nested structure of mappings, lists and tuples holds, by place: ``batch.0.x``."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from leaves(f"{name}.{key}" if name else str(key), item)
    elif isinstance(value, tuple) and hasattr(value, "_fields"):
        for key in value._fields:
            yield from leaves(f"{name}.{key}" if name else key, getattr(value, key))
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield from leaves(f"{name}.{index}" if name else str(index), item)
    else:
        yield name, value


def changed(value: Any, change: Callable[[Any], Any]) -> Any:
    """The structure with every leaf changed, leaf by leaf in the order of ``leaves``."""
    if isinstance(value, Mapping):
        items = {key: changed(item, change) for key, item in value.items()}
        return items if type(value) is dict else _like(value, items)
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*(changed(item, change) for item in value))
    if isinstance(value, list | tuple):
        items_in_order = [changed(item, change) for item in value]
        return tuple(items_in_order) if isinstance(value, tuple) else items_in_order
    return change(value)


def _like(value: Mapping[Any, Any], items: dict[Any, Any]) -> Any:
    try:
        return type(value)(items)  # type: ignore[call-arg]
    except TypeError:
        return items


def filled(template: Any, tensors: Any) -> Any:
    """The structure with a tensor in every hole."""
    if isinstance(template, Hole):
        return tensors[template.index]
    if isinstance(template, dict | list | tuple):
        return changed(
            template, lambda leaf: tensors[leaf.index] if isinstance(leaf, Hole) else leaf
        )
    return template


def identifiers(places: Iterable[str]) -> list[str]:
    """Names of parameters for places such as ``batch.0``: valid in Python, and unique."""
    names: list[str] = []
    for place in places:
        name = re.sub(r"\W", "_", place) or "input"
        name = f"input_{name}" if not name[0].isalpha() else name
        while name in names or name in ("self", "cls"):
            name += "_"
        names.append(name)
    return names
