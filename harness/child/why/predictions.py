"""What another way to execute would take, said from the shares before it is tried.

A graph has no Python, no conversion and no dispatch from Python between its ops: what is left are
its kernels, and what any call of a ``tf.function`` costs. A session's run costs less than the call
of a ``tf.function``; beside that, the two do the same. XLA has no executor between kernels. A graph
that is rewritten, and kernels that are fused, no share can tell.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache

from eager_vs_graph.child.why.calibration import (
    empty_function,
    empty_session,
    run_of_an_empty_op_s,
    seconds_of,
)
from eager_vs_graph.results.cells import Cell
from eager_vs_graph.results.why import (
    CALLBACK,
    FEEDING,
    KERNELS,
    PIPELINE,
    CellWhy,
    Prediction,
)

_CALLS = 50
_WORK = (CALLBACK, PIPELINE, FEEDING)
"""What every way to execute has to do, beside kernels."""


def predictions(cell: Cell, found: CellWhy) -> Iterator[Prediction]:
    """What other modes would take for a call.

    Args:
        cell: whose shares these are.
        found: the shares.
    """
    work_s = sum(map(found.seconds, _WORK))
    kernels_s = found.seconds(KERNELS)
    if cell.mode == "eager":
        number = sum(kernel.count for kernel in found.kernels)
        # Eager prepares each kernel anew.
        kernels_s = max(0.0, kernels_s - number * run_of_an_empty_op_s())
        yield Prediction("function", work_s + kernels_s + _empty_s("function"))
    elif cell.mode == "function":
        beyond_s = max(work_s + kernels_s, found.call_s - _empty_s("function"))
        yield Prediction("session", beyond_s + _empty_s("session"))
        yield Prediction("xla", work_s + kernels_s + _empty_s("xla"))


def _empty_s(mode: str) -> float:
    """Seconds of a mode's call that does nothing, as the machine is now."""
    return seconds_of(_empty(mode), _CALLS)


@cache
def _empty(mode: str) -> Callable[[], object]:
    compiled = True if mode == "xla" else None
    call = empty_session() if mode == "session" else empty_function(jit_compile=compiled)
    seconds_of(call, _CALLS)  # warm
    return call
