"""``for … in range(n)`` in a graph: every turn is traced, and part of the graph."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import tensorflow as tf
from tensorflow.python.autograph.operators import py_builtins

from eager_vs_graph.child.why.look import FIRST_CALL, Look, Pattern
from eager_vs_graph.child.why.patterns.changes import replaced

_NODES = 500
_TIMES = 20
"""How many times as long as another call the first one has to be."""
_LEAST_TURNS = 5


def _seen(look: Look) -> str:
    nodes = sum(look.graph_ops.values())
    if nodes < _NODES or look.found.first_call_s < _TIMES * look.found.call_s:
        return ""
    return f"the graph has {nodes:,} nodes, which are traced in the first call"


@contextmanager
def _change(_look: Look) -> Iterator[None]:
    """AutoGraph makes a loop of the graph where the user's code has Python's ``range``."""
    in_python = py_builtins._py_range

    def ranged(*limits: Any) -> Any:
        turns = in_python(*limits)
        inside = tf.inside_function() and len(turns) >= _LEAST_TURNS
        return tf.range(turns.start, turns.stop, turns.step) if inside else turns

    with replaced(py_builtins, _py_range=ranged):
        yield


PATTERN = Pattern(
    name="unrolled loop",
    seen=_seen,
    remedy="loop over tf.range in place of range, so that a turn is traced once",
    change=_change,
    of=FIRST_CALL,
)
