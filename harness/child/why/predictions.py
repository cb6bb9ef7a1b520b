"""What another way to execute could gain, said from the shares before it is tried.

A graph has no Python, no conversion and no dispatch from Python between its ops; what is left is
the kernels, and what any call of a ``tf.function`` costs. A session has no ``tf.function`` to call.
XLA has no executor between kernels. Each is a bound: a graph that is rewritten may do better.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from eager_vs_graph.child.why.calibration import empty_function, seconds_of
from eager_vs_graph.results.cells import Cell
from eager_vs_graph.results.why import (
    CALLBACK,
    FEEDING,
    KERNELS,
    PIPELINE,
    WAITING,
    CellWhy,
    Prediction,
)

_CALLS = 200
_WORK = (KERNELS, CALLBACK, PIPELINE, FEEDING)
"""What every way to execute has to do."""


def predictions(cell: Cell, found: CellWhy, executor_s: float) -> Iterator[Prediction]:
    """What other modes would take for a call, at the least.

    Args:
        cell: whose shares these are.
        found: the shares.
        executor_s: seconds of a call in the executor of its graphs, beside kernels.
    """
    work_s = sum(map(found.seconds, _WORK))
    if cell.mode == "eager":
        yield Prediction("function", work_s + call_of_a_function_s())
    elif cell.mode == "function":
        in_graph_s = executor_s + found.seconds(WAITING)
        yield Prediction("session", work_s + in_graph_s)
        yield Prediction("xla", work_s + max(0.0, found.call_s - work_s - in_graph_s))


@cache
def call_of_a_function_s() -> float:
    """Seconds of a call of a ``tf.function`` that does nothing, on this machine."""
    call = empty_function()
    seconds_of(call, _CALLS)
    return min(seconds_of(call, _CALLS) for _ in range(3))
