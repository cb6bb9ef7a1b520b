"""What the profiler itself costs, taken from calls that do nothing."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import tensorflow as tf

from eager_vs_graph.child.why.profile import FEED, STEP, Profile, profiled

_OPS = 64
_CALLS = 20
_ROUNDS = 4
_PICOSECONDS = 1e12


@dataclass(frozen=True)
class Costs:
    """What the profiler costs on this machine, in picoseconds."""

    event: float = 0.0
    """For an event."""
    mark: float = 0.0
    """For marking a stage of a call, besides its event."""
    function: float = 0.0
    """For the call of a ``tf.function``, besides its events."""
    session: float = 0.0
    """For the run of a session, besides its events."""


@cache
def costs() -> Costs:
    """The profiler's costs.

    Each call is made with and without the profiler in turn. The calls do as good as nothing, so
    that what they take longer is the profiler's.
    """
    event = _added(_empty_ops)
    event /= max(1, _events(profiled(_empty_ops, 1)))
    mark = max(0.0, _added(_mark) - event)
    functions, runs = empty_function(), empty_session()
    return Costs(
        event,
        mark,
        function=_beyond(functions, event),
        session=_beyond(runs, event),
    )


def _beyond(call: Callable[[], object], event: float) -> float:
    """What a call costs with the profiler beyond its events."""
    number = _events(profiled(call, _CALLS)) / _CALLS
    return max(0.0, _added(call) - number * event)


def _added(call: Callable[[], object]) -> float:
    """Picoseconds that a call takes longer with the profiler."""
    call()
    plain, watched = [], []
    for _ in range(_ROUNDS):
        plain.append(seconds_of(call, _CALLS))
        lengths = [each.end - each.start for each in profiled(call, _CALLS).calls()]
        watched.append(statistics.median(lengths))
    return max(0.0, min(watched) - _PICOSECONDS * min(plain))


def _events(profile: Profile) -> int:
    """Events of all threads but those around the calls."""
    return sum(1 for event in profile.events() if event.name != STEP)


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


def _mark() -> None:
    with tf.profiler.experimental.Trace(FEED):
        pass


@cache
def run_of_an_empty_op_s() -> float:
    """Seconds in which eager runs the kernel of an op that does nothing."""
    _empty_ops()
    profile = profiled(_empty_ops, _CALLS)
    runs = [each for each in profile.events() if each.name == "KernelAndDeviceFunc::Run"]
    lengths = [each.end - each.start for each in runs] or [0]
    return statistics.median(lengths) / _PICOSECONDS


def empty_function(jit_compile: bool | None = None) -> Callable[[], object]:
    """The call of a ``tf.function`` that does nothing."""
    number = tf.constant(1.0)
    function = tf.function(tf.identity, autograph=False, jit_compile=jit_compile)
    return lambda: function(number)


def empty_session() -> Callable[[], object]:
    """The run of a session that does nothing."""
    with tf.Graph().as_default() as graph:
        number = tf.constant(1.0)
    run: Callable[[], object] = tf.compat.v1.Session(graph=graph).make_callable(number)
    return run
