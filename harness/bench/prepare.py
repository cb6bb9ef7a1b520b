"""Builds the programs of a pass, takes their cold costs, warms and calibrates them."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import tensorflow as tf

from harness.grid import Cell
from harness.parity.check import Subject
from harness.plan import Timed
from harness.runners.program import Call, Program
from harness.scenario import Array, Feed, State

ROUND_S = 1.0e-3
"""A round lasts at least this long: long enough that the clock's own 0.1 µs does not count,
short enough that several rounds of every mode fall into one state of the machine."""
ROUNDS = 5
"""Rounds in a block; one where a call is so long that five of them would be a pass. Few, so that
the modes take turns often: see tests/benchmarks/estimators.py."""
LONG_CALL_S = 0.1
WHOLE_CALL_S = 1.0
_WARM_S = 0.02
_WARM_CALLS = 3


@dataclass(frozen=True)
class Prepared:
    """A warm program with its calibration."""

    cell: Cell
    group: str
    program: Program
    initial: State
    build_s: float
    first_call_s: float
    call_s: float
    """Seconds of a warm call, the median of a few: for planning only."""
    iterations: int
    rounds: int
    warmup_rounds: int
    warm_traces: int
    """Traces before the first timed call."""

    @property
    def block_s(self) -> float:
        """Expected seconds of one block, with its warm-up round."""
        return self.call_s * self.iterations * (self.rounds + self.warmup_rounds)


def warm_tensorflow() -> None:
    """Use every way of executing once, so that no cell's cold cost holds TensorFlow's own start.

    The first op of a process creates devices and thread pools, some 60 ms that belong to nobody.
    """
    tf.function(tf.math.square)(tf.constant(2.0)).numpy()
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        session.run(tf.math.square(tf.Variable(2.0).initial_value))


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
    signatures = list(_signatures(subject.feeds))
    if len(signatures) > 1:
        for feed in signatures:
            program.run(feed)  # so that no shape is traced for the first time inside the clock
    if timed.slowdown:
        program.call = slowed(program.call, timed.slowdown)
    # A call of a second or more needs no warming beyond its first, and no second calibration.
    call_s = first_call_s if first_call_s > WHOLE_CALL_S else _warm(program)
    long = call_s > LONG_CALL_S
    return Prepared(
        cell=cell,
        group=timed.group,
        program=program,
        initial=subject.initial,
        build_s=build_s,
        first_call_s=first_call_s,
        call_s=call_s,
        iterations=1 if long else max(1, math.ceil(ROUND_S / call_s)),
        rounds=1 if long else ROUNDS,
        warmup_rounds=0 if long else 1,
        warm_traces=program.traces,
    )


def slowed(call: Call, fraction: float) -> Call:
    """The call, made longer by a fraction of its own duration, by spinning."""

    def spinning() -> list[Array]:
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
    while len(calls_s) < _WARM_CALLS or (sum(calls_s) < _WARM_S and len(calls_s) < 100):
        start = time.perf_counter()
        program.call()
        calls_s.append(time.perf_counter() - start)
        if calls_s[-1] > LONG_CALL_S:
            break
    return statistics.median(calls_s)


def _signatures(feeds: Sequence[Feed]) -> Iterator[Feed]:
    """One feed for each combination of shapes."""
    seen = set()
    for feed in feeds:
        signature = tuple((name, array.shape) for name, array in sorted(feed.items()))
        if signature not in seen:
            seen.add(signature)
            yield feed
