"""What the profiler itself costs, taken from ops that do nothing."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from functools import cache

import tensorflow as tf

from eager_vs_graph.child.why.profile import profiled

_OPS = 64
_CALLS = 20
_ROUNDS = 3
_PICOSECONDS = 1e12


@cache
def event_cost() -> float:
    """Picoseconds that the profiler takes for an event, on this machine.

    Some empty ops are run with and without it in turn. They have nothing else, so that what they
    take longer is the profiler's, and goes by the number of their events.
    """
    _empty_ops()
    plain, watched, events = [], [], 1
    for _ in range(_ROUNDS):
        plain.append(seconds_of(_empty_ops, _CALLS))
        calls = profiled(_empty_ops, _CALLS).calls()
        watched.append(statistics.median(each.end - each.start for each in calls) / _PICOSECONDS)
        events = sum(1 for _ in calls[0].within())
    return max(0.0, _PICOSECONDS * (min(watched) - min(plain)) / max(1, events))


def seconds_of(call: Callable[[], object], calls: int) -> float:
    """The median of some calls, in seconds."""
    taken = []
    for _ in range(calls):
        start = time.perf_counter()
        call()
        taken.append(time.perf_counter() - start)
    return statistics.median(taken)


def _empty_ops() -> None:
    for _ in range(_OPS):
        tf.raw_ops.NoOp()
