"""``for … in tf.range(n)`` with a known, small n: a loop of the runtime, turn by turn."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import tensorflow as tf

from eager_vs_graph.child.why.look import Look, Pattern
from eager_vs_graph.child.why.patterns.changes import replaced

_MOST = 1000
"""Turns that are unrolled: a graph of more is a worse problem than a loop."""


def _seen(look: Look) -> str:
    if not (look.graph_ops["While"] or look.graph_ops["StatelessWhile"]):
        return ""
    return "the graph has a loop, whose every turn the executor starts anew"


@contextmanager
def _change(_look: Look) -> Iterator[None]:
    in_graph = tf.range

    def ranged(*limits: Any, **options: Any) -> Any:
        known = [tf.get_static_value(each) for each in limits]
        if options or not all(isinstance(each, int) or _is_whole(each) for each in known):
            return in_graph(*limits, **options)
        turns = range(*map(int, known))
        return turns if len(turns) <= _MOST else in_graph(*limits)

    with replaced(tf, range=ranged):
        yield


def _is_whole(value: Any) -> bool:
    return (
        value is not None and getattr(value, "dtype", None) is not None and value.dtype.kind == "i"
    )


PATTERN = Pattern(
    name="loop of the graph",
    seen=_seen,
    remedy="for a number of turns that is known and small, range in place of tf.range",
    change=_change,
)
