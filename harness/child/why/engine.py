"""Why a cell takes as long as it does: builds its program, watches it, and puts a finding together.

Nothing here is timed and watched at once: the clock and the profiler take turns.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from eager_vs_graph.child.parity.subject import Subject
from eager_vs_graph.child.why.calibration import event_cost
from eager_vs_graph.child.why.calls import Calls
from eager_vs_graph.child.why.profile import Event, Profile, profiled
from eager_vs_graph.child.why.retrace_remedies import TURNS, explained
from eager_vs_graph.child.why.retraces import Traces, watching
from eager_vs_graph.child.why.shares import Found, found, with_kernels
from eager_vs_graph.modes.program import Program
from eager_vs_graph.results.cells import Cell
from eager_vs_graph.results.why import (
    CONVERSION,
    DISPATCH,
    KERNELS,
    SHARES,
    TRACING,
    CellWhy,
    Kernel,
    Share,
)

RETRACES = "why, with a remedy for retracing"
_PICOSECONDS = 1e12
_EARLY = 16
"""Calls that are watched before the runtime knows which kernels are quick, if they fit in…"""
_EARLY_S = 1.0
_WARM = 120
"""Calls after which it knows, if they fit in…"""
_WARM_S = 0.8
_ROUNDS = 8
_ROUND_S = 0.05
"""Seconds of one turn of the clock, and of the profiler."""
_MOST_CALLS = 100
_LEAST_CALLS = 3
_MOST_EVENTS = 30_000
"""In one turn: reading them back takes a second for some hundred thousand."""


@dataclass
class Watched:
    """What was seen of a program, as it is put together."""

    call_s: float = 0.0
    profiled_s: float = 0.0
    first_call_s: float = 0.0
    sums: Found = field(default_factory=Found)
    profile: Profile = field(default_factory=Profile)
    traces: Traces = field(default_factory=Traces)


def watch(program: Program, calls: Calls, own_file: str = "") -> Watched:
    """Call a program that was just built, and watch it.

    Args:
        program: after its build, without any call.
        calls: its calls.
        own_file: the user's file.
    """
    cost = event_cost()
    with program.task.on_device():
        with watching(own_file) as traces:
            first_s, second_s = _sequence(calls, traces)
        early = profiled(calls.marked, _number(second_s, _EARLY_S, _EARLY, calls.feeds))
        events = sum(1 for _ in early.events()) / max(1, len(early.calls()))
        before = found(early, _typical(early.calls()), cost)
        call_s = _warmed(calls, second_s)
        number = _number(call_s, _ROUND_S, _MOST_CALLS, calls.feeds)
        number = max(_LEAST_CALLS, min(number, int(_MOST_EVENTS / max(1.0, events))))
        clock, watched = [], []
        after = Found()
        profile = early
        for _ in range(_ROUNDS):
            clock.append(_typical_seconds([_seconds(calls.bare) for _ in range(number)]))
            profile = profiled(calls.marked, number)
            turn = found(profile, _typical(profile.calls()), cost)
            total = sum(turn.time.values()) + sum(turn.graphs.values())
            watched.append(total / turn.calls / _PICOSECONDS)
            _add(after, turn)
    call_s = statistics.median(clock)
    # By turns: what the machine did meanwhile, it did to both.
    ratio = statistics.median(w / c for w, c in zip(watched, clock, strict=True))
    sums = with_kernels(after, before)
    return Watched(call_s, call_s * ratio, first_s, sums, profile, traces)


def finding(cell: Cell, watched: Watched) -> CellWhy:
    """What was seen as shares of the clock's time, in seconds."""
    sums = watched.sums
    total = sum(sums.time.values())
    scale = watched.call_s / total if total else 0.0
    counts = {
        KERNELS: sum(sums.kernels.values()),
        DISPATCH: sum(sums.ops.values()),
        CONVERSION: sums.conversions,
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
        first_call_s=watched.first_call_s,
        shares=tuple(
            Share(kind, value, counts.get(kind, 0) / max(1, sums.calls))
            for kind, value in by_kind.items()
            if value > 0 or counts.get(kind)
        ),
        kernels=tuple(sorted(kernels, key=lambda each: -each.seconds)),
    )


def why(
    subject: Subject, cell: Cell, until: float, stage: Callable[[str], bool]
) -> tuple[CellWhy, Profile]:
    """Where the time of a cell's call goes, and the profile that shows it.

    Args:
        subject: the cell's scenario and size.
        cell: the cell.
        until: seconds of ``time.monotonic`` after which no change is tried.
        stage: is told what comes next, and says whether it may.
    """

    def build() -> Program:
        return subject.build(cell)

    def may() -> bool:
        return time.monotonic() < until and stage(RETRACES)

    program = build()
    try:
        watched = watch(program, Calls(program), own_file(subject))
        retraces = explained(watched.traces, program, build, may)
    finally:
        program.close()
    found = replace(finding(cell, watched), retraces=tuple(retraces))
    return found, watched.profile


def own_file(subject: Subject) -> str:
    """The user's file, where it is known; else nothing."""
    try:
        return str(subject.scenario.source_file())
    except (TypeError, OSError):
        return ""


def _sequence(calls: Calls, traces: Traces) -> tuple[float, float]:
    """Make every call of the sequence twice; the seconds of the first and of a later one."""
    taken = []
    for number in range(max(2, TURNS * calls.feeds)):
        traces.call = number
        taken.append(_seconds(calls.bare))
    return taken[0], min(taken[1:])


def _seconds(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def _number(call_s: float, seconds: float, most: int, feeds: int) -> int:
    """How many calls fit, in whole turns of the feeds."""
    number = max(_LEAST_CALLS, min(most, int(seconds / max(call_s, 1e-7))))
    return -(-number // feeds) * feeds


def _warmed(calls: Calls, call_s: float) -> float:
    """Call until the runtime knows its kernels; the median of the last calls in seconds."""
    began, taken = time.perf_counter(), [call_s]
    while len(taken) < _WARM and time.perf_counter() - began < _WARM_S:
        taken.append(_seconds(calls.bare))
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
