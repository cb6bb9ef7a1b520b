"""A data set that maps its elements one after the other."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import tensorflow as tf

from eager_vs_graph.child.why.look import Look, Pattern
from eager_vs_graph.child.why.patterns.changes import replaced
from eager_vs_graph.child.why.patterns.prefetch import seen


@contextmanager
def _change(_look: Look) -> Iterator[None]:
    mapped = tf.data.Dataset.map

    def parallel(self: Any, map_func: Any, *args: Any, **kwargs: Any) -> Any:
        kwargs.setdefault("num_parallel_calls", tf.data.AUTOTUNE)
        return mapped(self, map_func, *args, **kwargs)

    with replaced(tf.data.Dataset, map=parallel):
        yield


PATTERN = Pattern(
    name="sequential map",
    seen=seen,
    remedy="Dataset.map(…, num_parallel_calls=tf.data.AUTOTUNE)",
    change=_change,
)
