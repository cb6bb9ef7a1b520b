"""Watches the calls of a program: the clock and the profiler take turns, and are never at once."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from eager_vs_graph.child.why.calibration import costs
from eager_vs_graph.child.why.calls import Calls
from eager_vs_graph.child.why.profile import Event, Profile, profiled
from eager_vs_graph.child.why.shares import Found, found, with_kernels
from eager_vs_graph.results.cells import Cell
from eager_vs_graph.results.why import (
    CONVERSION,
    CONVERSIONS,
    DISPATCH,
    KERNELS,
    KERNELS_OF_GRAPHS,
    SHARES,
    TRACING,
    CellWhy,
    Kernel,
    Share,
)

_PICOSECONDS = 1e12
_EARLY = 16
"""Calls that are watched before the runtime knows which kernels are quick, if they fit in."""
_WARM = 120
"""Calls after which it knows, if they fit in."""
_ROUND_S = 0.05
"""Seconds of one turn of the clock, and of the profiler."""
_MOST_CALLS = 100
_LEAST_CALLS = 3
_MOST_EVENTS = 30_000
"""In one turn: reading them back takes a second for some hundred thousand."""


@dataclass(frozen=True)
class Effort:
    """How much time is taken.

    Attributes:
        early_s: seconds for the first calls that are watched.
        warm_s: seconds for those that nobody watches.
        rounds: turns of the clock and of the profiler.
    """

    early_s: float = 1.0
    warm_s: float = 0.8
    rounds: int = 8


WHOLE = Effort()
BRIEF = Effort(early_s=0.15, warm_s=0.15, rounds=2)


@dataclass
class Watched:
    """What was seen of a program, as it is put together."""

    call_s: float = 0.0
    profiled_s: float = 0.0
    sums: Found = field(default_factory=Found)
    kernels: dict[str, int] = field(default_factory=dict)
    profile: Profile = field(default_factory=Profile)


def watch(calls: Calls, call_s: float, effort: Effort = WHOLE) -> Watched:
    """Watch a program that was called a few times.

    Args:
        calls: its calls.
        call_s: about how long one takes, in seconds.
        effort: how much time is taken.
    """
    cost = costs()
    early = profiled(calls.marked, _number(call_s, effort.early_s, _EARLY, calls.feeds))
    events = sum(1 for _ in early.events()) / max(1, len(early.calls()))
    before = found(early, _typical(early.calls()), cost)
    call_s = _warmed(calls, call_s, effort.warm_s)
    number = _number(call_s, _ROUND_S, _MOST_CALLS, calls.feeds)
    number = max(_LEAST_CALLS, min(number, int(_MOST_EVENTS / max(1.0, events))))
    clock, watched = [], []
    after = Found()
    profile = early
    for _ in range(effort.rounds):
        clock.append(_typical_seconds([seconds(calls.bare) for _ in range(number)]))
        profile = profiled(calls.marked, number)
        turn = found(profile, _typical(profile.calls()), cost)
        total = sum(turn.time.values()) + sum(turn.graphs.values())
        watched.append(total / turn.calls / _PICOSECONDS)
        _add(after, turn)
    call_s = statistics.median(clock)
    # By turns: what the machine did meanwhile, it did to both.
    ratio = statistics.median(w / c for w, c in zip(watched, clock, strict=True))
    sums = with_kernels(after, before)
    return Watched(call_s, call_s * ratio, sums, _kernels(before), profile)


def finding(cell: Cell, watched: Watched, exact: dict[str, int]) -> CellWhy:
    """What was seen as shares of the clock's time, in seconds.

    Args:
        cell: whose it is.
        watched: what was seen.
        exact: counts of a call.
    """
    sums = watched.sums
    total = sum(sums.time.values())
    scale = watched.call_s / total if total else 0.0
    counts = {
        KERNELS: sum(sums.kernels.values()),
        DISPATCH: sum(sums.ops.values()),
        # The profile does not see those that an op's fast path converts.
        CONVERSION: sums.calls * exact.get(CONVERSIONS, 0) if exact else sums.conversions,
        TRACING: sums.traces,
    }
    by_kind = dict.fromkeys(SHARES, 0.0)
    for (kind, _), value in sums.time.items():
        by_kind[kind] += scale * value
    kernels = [
        Kernel(op, scale * value, sums.kernels[op] / sums.calls)
        for (kind, op), value in sums.time.items()
        if kind == KERNELS and op
    ]
    return CellWhy(
        cell.id,
        call_s=watched.call_s,
        profiled_s=watched.profiled_s,
        shares=tuple(
            Share(kind, value, counts.get(kind, 0) / max(1, sums.calls))
            for kind, value in by_kind.items()
            if value > 0
        ),
        kernels=tuple(sorted(kernels, key=lambda each: -each.seconds)),
    )


def _kernels(early: Found) -> dict[str, int]:
    """Kernels of a call's graphs, where every call has as many."""
    total = sum(early.kernels[op] for op in early.graphs)
    if not total or total % early.calls:
        return {}
    return {KERNELS_OF_GRAPHS: total // early.calls}


def seconds(call: Callable[[], object]) -> float:
    """What a call takes."""
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def _number(call_s: float, seconds: float, most: int, feeds: int) -> int:
    """How many calls fit, in whole turns of the feeds."""
    number = max(_LEAST_CALLS, min(most, int(seconds / max(call_s, 1e-7))))
    return -(-number // feeds) * feeds


def _warmed(calls: Calls, call_s: float, warm_s: float) -> float:
    """Call until the runtime knows its kernels; the median of the last calls in seconds."""
    began, taken = time.perf_counter(), [call_s]
    while len(taken) < _WARM and time.perf_counter() - began < warm_s:
        taken.append(seconds(calls.bare))
    return statistics.median(taken[-10:])


def _typical(calls: Sequence[Event]) -> list[Event]:
    """The middle half by length: what neither the machine nor chance made longer or shorter."""
    ordered = sorted(calls, key=lambda event: event.end - event.start)
    quarter = len(ordered) // 4
    return ordered[quarter : len(ordered) - quarter]


def _typical_seconds(taken: Sequence[float]) -> float:
    ordered = sorted(taken)
    quarter = len(ordered) // 4
    return statistics.fmean(ordered[quarter : len(ordered) - quarter])


def _add(sums: Found, more: Found) -> None:
    sums.calls += more.calls
    sums.time.update(more.time)
    sums.graphs.update(more.graphs)
    sums.conversions += more.conversions
    sums.ops.update(more.ops)
    sums.kernels.update(more.kernels)
    sums.traces += more.traces
    sums.profiler += more.profiler
