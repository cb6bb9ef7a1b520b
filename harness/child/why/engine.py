"""Why a cell takes as long as it does: builds its program, watches it, and tries changes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from eager_vs_graph.child.parity.subject import Subject
from eager_vs_graph.child.why.calls import Calls
from eager_vs_graph.child.why.counters import counted, memory, optimised
from eager_vs_graph.child.why.look import Look, Trials
from eager_vs_graph.child.why.patterns import patterns
from eager_vs_graph.child.why.predictions import predictions
from eager_vs_graph.child.why.profile import Profile
from eager_vs_graph.child.why.retrace_remedies import TURNS, explained
from eager_vs_graph.child.why.retraces import Traces, watching
from eager_vs_graph.child.why.watch import BRIEF, finding, seconds, watch
from eager_vs_graph.modes.function import FunctionProgram
from eager_vs_graph.modes.program import Program
from eager_vs_graph.results.cells import Cell
from eager_vs_graph.results.why import CellWhy

RETRACES = "why, with a remedy for retracing"
GRAPPLER = "why, counting nodes after Grappler"
TRYING = "why, trying a change: "

May = Callable[[str], bool]
"""Is told what comes next, and says whether it may."""


@dataclass(frozen=True)
class Seen:
    """A program that was watched.

    Attributes:
        look: what was seen of it.
        program: the program; it lives as long as ``seen``.
        calls: its calls.
        profile: the last of its profiles.
    """

    look: Look
    program: Program
    calls: Calls
    profile: Profile


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

    def may(name: str) -> bool:
        return time.monotonic() < until and stage(name)

    with seen(subject, cell, may) as it:
        trials = Trials(it.look, it.program, it.calls)
        there = [each for each in patterns() if each.seen(it.look)]
        advice = (trials.advice(each) for each in there if may(f"{TRYING}{each.name}"))
        found = replace(it.look.found, advice=tuple(filter(None, advice)))
    return found, it.profile


@contextmanager
def seen(subject: Subject, cell: Cell, may: May) -> Iterator[Seen]:
    """Build a cell's program, watch it, and count what it does."""

    def build() -> Program:
        return subject.build(cell)

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
            retraces=tuple(explained(traces, program, build, lambda: may(RETRACES))),
            counters=counts.exact | watched.kernels | kept,
            memory=bytes_,
        )
        found = replace(found, predictions=tuple(predictions(cell, found)))
        if isinstance(program, FunctionProgram) and traces.made and may(GRAPPLER):
            found = replace(found, counters=found.counters | _grappled(build))
        look = Look(subject, cell, found, traces, counts.called, counts.graph_ops)
        yield Seen(look, program, calls, watched.profile)
    finally:
        program.close()


def briefly(subject: Subject, cell: Cell) -> CellWhy:
    """Where the time of a cell's call goes, and its counts, in half a second: nothing is tried."""
    with watching(own_file(subject)) as traces:
        traces.call = -1
        program = subject.build(cell)
        calls = Calls(program)
        with program.task.on_device():
            first_s, later_s = _sequence(calls, traces)
    try:
        with program.task.on_device():
            watched = watch(calls, later_s, BRIEF)
            exact = counted(program, calls, traces).exact
        retraces = explained(traces, program, lambda: program, lambda: False)
    finally:
        program.close()
    return replace(
        finding(cell, watched, exact),
        first_call_s=first_s,
        retraces=tuple(retraces),
        counters=exact | watched.kernels,
    )


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
        taken.append(seconds(calls.bare))
    return taken[0], min(taken[1:])
