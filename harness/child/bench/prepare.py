"""Builds the programs of a pass, takes their cold costs, warms and calibrates them."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

import tensorflow as tf

from eager_vs_graph.child.parity.check import Subject
from eager_vs_graph.errors import WorkerLost
from eager_vs_graph.modes import MODES
from eager_vs_graph.modes.program import Call, Program
from eager_vs_graph.results.cells import Cell
from eager_vs_graph.results.request import Timed
from eager_vs_graph.scenario import Feed, State

TURN = 3
"""Calls of a turn, each a round of its own; the fastest stands for the turn. Few, so that a block
of all programs falls into one state of the machine; and more than one, because the first finds the
caches full of another program's data: what is compared is a call that follows one of its own
(tests/benchmarks/turns.py)."""
LONG_BLOCK_S = 0.05
"""Where a block would take longer, a turn has two calls."""
LONG_CALLS_S = 0.5
"""Where one call of every program takes longer, a turn is one call."""
WHOLE_CALL_S = 1.0
_WARM_S = 0.005
_WARM_CALLS = 3
_MAX_WARM_CALLS = 100
_LONG_WARM_S = 0.05


@dataclass(frozen=True)
class Prepared:
    """A warm program with its calibration."""

    cell: Cell
    group: str
    mode: str
    """The mode that the program is built in: for the A/A control, its twin's."""
    program: Program
    initial: State
    build_s: float
    first_call_s: float
    call_s: float
    """Seconds of a warm call, the median of a few: for planning only."""
    warm_traces: int
    """Traces before the first timed call."""
    turn: int = 1
    """Calls of a turn, each a round: the same for all programs of a group."""

    @property
    def turn_s(self) -> float:
        """Expected seconds of a turn."""
        return self.call_s * self.turn


def warm_tensorflow(modes: Iterable[str]) -> None:
    """Use every way of executing once, so that no cell's cold cost holds TensorFlow's own start.

    The first op of a process creates devices and thread pools, some 60 ms that belong to nobody.

    Args:
        modes: the modes that will be built; some have a cost of their own (a compiler, a server).
    """
    tf.function(tf.math.square)(tf.constant(2.0)).numpy()
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        session.run(tf.math.square(tf.Variable(2.0).initial_value))
    for mode in modes:
        with suppress(WorkerLost):  # the mode's cells will say so, one by one
            MODES[mode].warm()


def prepare(subject: Subject, timed: Timed) -> Prepared:
    """Build a program and make it ready for timing.

    The cold cost is what a user pays once: ``build_s`` for variables, graph and session,
    ``first_call_s`` for tracing, Grappler and the first execution.

    Args:
        subject: the cell's scenario and size.
        timed: the cell, and the program behind its name.
    """
    cell = Cell.parse(timed.cell)
    start = time.perf_counter()
    program = subject.build(cell.in_mode(timed.mode))
    build_s = time.perf_counter() - start
    with program.task.on_device():
        return _calibrated(subject, timed, cell, program, build_s)


def _calibrated(
    subject: Subject, timed: Timed, cell: Cell, program: Program, build_s: float
) -> Prepared:
    assert subject.initial is not None
    start = time.perf_counter()
    program.call()
    first_call_s = time.perf_counter() - start
    signatures = list(_signatures(subject.feeds, subject.scenario.python_inputs))
    if len(signatures) > 1:
        for feed in signatures:
            program.warm(feed)  # so that no shape is traced for the first time inside the clock
    if timed.slowdown is not None:
        program.call = slowed(program.call, timed.slowdown)
    # A call of a second or more needs no warming beyond its first, and no second calibration.
    call_s = first_call_s if first_call_s > WHOLE_CALL_S else _warm(program)
    return Prepared(
        cell=cell,
        group=timed.group,
        mode=timed.mode,
        program=program,
        initial=subject.initial,
        build_s=build_s,
        first_call_s=first_call_s,
        call_s=call_s,
        warm_traces=program.traces,
    )


def calibrate(group: Sequence[Prepared]) -> list[Prepared]:
    """Give the programs of a group their turn: as many calls for each, so that none is favoured."""
    calls_s = sum(prepared.call_s for prepared in group)
    turn = 1 if calls_s > LONG_CALLS_S else 2 if calls_s * TURN > LONG_BLOCK_S else TURN
    return [replace(prepared, turn=turn) for prepared in group]


def slowed(call: Call, fraction: float) -> Call:
    """The call, made longer by a fraction of its own duration, by spinning."""

    def spinning() -> object:
        start = time.perf_counter()
        outputs = call()
        end = start + (time.perf_counter() - start) * (1 + fraction)
        while time.perf_counter() < end:
            pass
        return outputs

    return spinning


def _warm(program: Program) -> float:
    """Call until warm; the median call in seconds."""
    calls_s: list[float] = []
    while len(calls_s) < _MAX_WARM_CALLS and (
        sum(calls_s) < _WARM_S or (len(calls_s) < _WARM_CALLS and sum(calls_s) < _LONG_WARM_S)
    ):
        start = time.perf_counter()
        program.call()
        calls_s.append(time.perf_counter() - start)
    return statistics.median(calls_s)


def _signatures(feeds: Sequence[Feed], python_inputs: Sequence[str]) -> Iterator[Feed]:
    """One feed for each combination of shapes and of Python numbers."""
    seen = set()
    for feed in feeds:
        signature = tuple(
            (name, array.item() if name in python_inputs else array.shape)
            for name, array in sorted(feed.items())
        )
        if signature not in seen:
            seen.add(signature)
            yield feed
