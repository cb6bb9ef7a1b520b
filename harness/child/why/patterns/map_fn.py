"""``tf.map_fn``: a loop over rows, one after the other."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any

import tensorflow as tf

from eager_vs_graph.child.why.look import Look, Pattern
from eager_vs_graph.child.why.patterns.changes import replaced

_LISTS = ("TensorListReserve", "TensorListGetItem", "TensorListSetItem", "TensorListStack")


def _seen(look: Look) -> str:
    in_graph = look.graph_ops["While"] + look.graph_ops["StatelessWhile"]
    lists = any(look.graph_ops[name] for name in _LISTS)
    if not look.calls_of("map_fn.py:map_fn") and not (in_graph and lists):
        return ""
    return "a loop goes over rows one by one, and collects what it makes in a list of tensors"


def _change(_look: Look) -> AbstractContextManager[object]:
    return replaced(tf, map_fn=_vectorized)


def _vectorized(fn: Any, elems: Any, *_args: Any, **_kwargs: Any) -> Any:
    return tf.vectorized_map(fn, elems)


PATTERN = Pattern(
    name="map_fn",
    seen=_seen,
    remedy="tf.vectorized_map in place of tf.map_fn",
    change=_change,
)
