"""Why a cell takes as long as it does: builds its program, watches it, and puts a finding together.

Nothing here is timed and watched at once: the clock and the profiler take turns.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from eager_vs_graph.child.parity.subject import Subject
from eager_vs_graph.child.why.calibration import costs
from eager_vs_graph.child.why.calls import Calls
from eager_vs_graph.child.why.counters import (
    CONVERSIONS,
    KERNELS_OF_GRAPHS,
    counted,
    memory,
    optimised,
)
from eager_vs_graph.child.why.look import Look, Trials
from eager_vs_graph.child.why.patterns import patterns
from eager_vs_graph.child.why.profile import Event, Profile, profiled
from eager_vs_graph.child.why.retrace_remedies import TURNS, explained
from eager_vs_graph.child.why.retraces import Traces, watching
from eager_vs_graph.child.why.shares import Found, found, with_kernels
from eager_vs_graph.modes.function import FunctionProgram
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
GRAPPLER = "why, counting nodes after Grappler"
TRYING = "why, trying a change: "
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
    sums: Found = field(default_factory=Found)
    kernels: dict[str, int] = field(default_factory=dict)
    profile: Profile = field(default_factory=Profile)


def watch(calls: Calls, call_s: float) -> Watched:
    """Watch a program that was called a few times.

    Args:
        calls: its calls.
        call_s: about how long one takes, in seconds.
    """
    cost = costs()
    early = profiled(calls.marked, _number(call_s, _EARLY_S, _EARLY, calls.feeds))
    events = sum(1 for _ in early.events()) / max(1, len(early.calls()))
    before = found(early, _typical(early.calls()), cost)
    call_s = _warmed(calls, call_s)
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

    def may(name: str) -> Callable[[], bool]:
        return lambda: time.monotonic() < until and stage(name)

    with watching(own_file(subject)) as traces:
        traces.call = -1
        program = build()
        calls = Calls(program)
        with program.task.on_device():
            first_s, later_s = _sequence(calls, traces)
    try:
        with program.task.on_device():
            watched = watch(calls, later_s)
            counts = counted(program, calls, traces)
            kept, bytes_ = memory(calls, watched.call_s)
        found = replace(
            finding(cell, watched, counts.exact),
            first_call_s=first_s,
            retraces=tuple(explained(traces, program, build, may(RETRACES))),
            counters=counts.exact | watched.kernels | kept,
            memory=bytes_,
        )
        if isinstance(program, FunctionProgram) and traces.made and may(GRAPPLER)():
            found = replace(found, counters=found.counters | _grappled(build))
        look = Look(subject, cell, found, traces, counts.called, counts.graph_ops)
        trials = Trials(look, program, calls)
        advice = (trials.advice(each) for each in patterns() if may(f"{TRYING}{each.name}")())
        found = replace(found, advice=tuple(filter(None, advice)))
    finally:
        program.close()
    return found, watched.profile


def _grappled(build: Callable[[], Program]) -> dict[str, int]:
    program = build()
    try:
        with program.task.on_device():
            return optimised(program)
    finally:
        program.close()


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


def _kernels(early: Found) -> dict[str, int]:
    """Kernels of a call's graphs, where every call has as many."""
    total = sum(early.kernels[op] for op in early.graphs)
    return {} if total % max(1, early.calls) else {KERNELS_OF_GRAPHS: total // max(1, early.calls)}


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
