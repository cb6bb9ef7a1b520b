"""``tf.py_function`` and ``tf.numpy_function``: a graph that calls Python back."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import tensorflow as tf

from eager_vs_graph.child.why.look import Look, Pattern
from eager_vs_graph.child.why.patterns.changes import replaced
from eager_vs_graph.results.why import CALLBACK

_SHARE = 0.1


def _seen(look: Look) -> str:
    share = look.share(CALLBACK)
    if share < _SHARE:
        return ""
    return f"the graph calls Python back, which takes {100 * share:.0f}% of a call"


def _change(_look: Look) -> AbstractContextManager[object]:
    """Python that is made of TensorFlow's ops becomes part of the graph; other Python fails."""
    return replaced(tf, py_function=_inline, numpy_function=_inline)


def _inline(func: Callable[..., Any], inp: Any = (), *types: Any, **options: Any) -> Any:
    kinds = types[0] if types else options.get("Tout")
    results = func(*inp)
    if isinstance(kinds, list | tuple):
        return [tf.convert_to_tensor(r, kind) for r, kind in zip(results, kinds, strict=True)]
    return tf.convert_to_tensor(results, kinds)


PATTERN = Pattern(
    name="Python called from the graph",
    seen=_seen,
    remedy="call the function itself in place of tf.py_function: its ops can be in the graph",
    change=_change,
)
