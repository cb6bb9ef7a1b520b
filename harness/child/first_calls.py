"""Whether a program is in the call in which it creates its variables.

Keras computes a variable's initial value in that call, even where the variable is there already. So
not everything that happens in it is what the step does.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import tensorflow as tf

_running: list[bool] = []
"""For each program in such a call: whether the call is traced."""


@contextmanager
def creating() -> Iterator[None]:
    """Within, a program creates its variables."""
    _running.append(tf.inside_function())
    try:
        yield
    finally:
        _running.pop()


def may_be_initial_value() -> bool:
    """Whether what is computed now may be a variable's initial value.

    While the call is traced, initial values are computed outside of its graph. In eager mode
    nothing tells them from the step.
    """
    return bool(_running) and not (_running[-1] and tf.inside_function())
