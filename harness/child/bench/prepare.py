"""Builds the programs of a pass, takes their cold costs, warms and calibrates them."""

from __future__ import annotations

import math
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

ROUND_S = 1.0e-3
"""A round lasts at least this long: long enough that the clock's own 0.1 µs does not count,
short enough that several rounds of every mode fall into one state of the machine."""
ROUNDS = 5
"""Rounds in a block. Few, so that the modes take turns often: what the machine does to one turn and
not to the next is most of the noise (see tests/benchmarks/estimators.py); and enough to outweigh
the 3 ms that a turn costs beside its rounds. The first finds the caches full of another program's
data: neither the fastest nor the median of five minds."""
LONG_BLOCK_S = 0.1
"""A block that would take longer has fewer rounds, but two: a turn costs little beside them, and
ten short blocks tell more than five long ones (tests/benchmarks/rounds.py)."""
LONG_ROUND_S = 0.5
"""A group whose one round of all programs takes longer has one round in a block."""
SHARE_OF_SLOWEST = 0.1
"""A round lasts at least this part of the slowest mode's: where that takes a second, a millisecond
of the others would be a poor match, and ten times as much costs little."""
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
    iterations: int = 1
    """Calls in a round."""
    rounds: int = 1
    """Rounds in a block: the same for all programs of a group."""

    @property
    def block_s(self) -> float:
        """Expected seconds of one block."""
        return self.call_s * self.iterations * self.rounds


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
    """Give the programs of a group their rounds and iterations.

    A block counts with its fastest round, so the programs of a group have the same number of
    rounds, and programs of one mode (the A/A control and its twin) the same number of calls in
    one: the fastest of many would be faster than the fastest of few.
    """
    call_s = {p.mode: min(q.call_s for q in group if q.mode == p.mode) for p in group}
    round_s = max(ROUND_S, SHARE_OF_SLOWEST * max(call_s.values()))
    calls = {mode: math.ceil(round_s / seconds) for mode, seconds in call_s.items()}
    all_s = sum(call_s[p.mode] * calls[p.mode] for p in group)
    rounds = 1 if all_s > LONG_ROUND_S else min(ROUNDS, max(2, int(LONG_BLOCK_S / all_s)))
    return [
        replace(p, call_s=call_s[p.mode], iterations=calls[p.mode], rounds=rounds) for p in group
    ]


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
