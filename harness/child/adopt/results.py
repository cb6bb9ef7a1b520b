"""What a function returns, as named tensors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from eager_vs_graph.child.adopt.structure import leaves
from eager_vs_graph.errors import ScenarioError


def results(value: Any) -> dict[str, Any]:
    """A function's result as named tensors.

    A single tensor is ``output``; mappings, lists and tuples give their keys and indices.

    Raises:
        ScenarioError: there is something in it that is no tensor, or nothing at all.
    """
    if isinstance(value, tf.Tensor):
        return {"output": value}
    if type(value) is dict and value and all(map(_is_named_tensor, value.items())):
        return value
    named: dict[str, Any] = {}
    for place, leaf in leaves("" if isinstance(value, Mapping) else "output", value):
        for name, tensor in _tensors(place or "output", leaf):
            named[name] = tensor
    return named or {"nothing": tf.zeros(())}


def _is_named_tensor(item: tuple[Any, Any]) -> bool:
    return isinstance(item[1], tf.Tensor) and isinstance(item[0], str)


def _tensors(name: str, leaf: Any) -> Iterator[tuple[str, Any]]:
    if leaf is None:
        return
    if isinstance(leaf, tf.Tensor):
        yield name, leaf
    elif isinstance(leaf, float):
        yield name, tf.constant(leaf, keras.config.floatx())
    elif isinstance(leaf, tf.Variable | keras.Variable | bool | int | str | bytes) or (
        isinstance(leaf, np.ndarray | np.generic) and leaf.dtype != object
    ):
        yield name, tf.convert_to_tensor(leaf)
    elif isinstance(leaf, tf.__internal__.CompositeTensor):
        parts = tf.nest.flatten(leaf, expand_composites=True)
        yield from ((f"{name}.{index}", part) for index, part in enumerate(parts))
    else:
        raise ScenarioError(
            f"the function returns {type(leaf).__name__} as {name!r}, but should return tensors "
            "(or numbers, or nested dicts, lists and tuples of them)"
        )
