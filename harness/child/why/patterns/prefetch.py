"""A data set whose next element is made while the step waits for it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import tensorflow as tf

from eager_vs_graph.child.why.look import Look, Pattern
from eager_vs_graph.child.why.patterns.changes import replaced
from eager_vs_graph.results.why import PIPELINE

SHARE = 0.1


def seen(look: Look) -> str:
    """What is seen of a step that waits for its input."""
    share = look.share(PIPELINE)
    if share < SHARE:
        return ""
    return f"the input pipeline takes {100 * share:.0f}% of a call"


@contextmanager
def _change(_look: Look) -> Iterator[None]:
    iterate = tf.data.Dataset.__iter__

    def prefetched(self: Any) -> Any:
        return iterate(self.prefetch(tf.data.AUTOTUNE))

    with replaced(tf.data.Dataset, __iter__=prefetched):
        yield


PATTERN = Pattern(
    name="no prefetch",
    seen=seen,
    remedy="end the data set with .prefetch(tf.data.AUTOTUNE)",
    change=_change,
)
