"""What is known of a cell when changes are tried, and the trial of one."""

from __future__ import annotations

import statistics
import time
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from eager_vs_graph.child.parity.subject import Subject
from eager_vs_graph.child.why.calls import Calls
from eager_vs_graph.child.why.retraces import Traces
from eager_vs_graph.modes.program import Program
from eager_vs_graph.results.cells import Cell
from eager_vs_graph.results.why import Advice, CellWhy
from eager_vs_graph.scenario import Array

CALL = "call"
FIRST_CALL = "first call"

_TURNS = 9
_TURN_S = 0.03
_MOST_CALLS = 50
_GAIN = 1.1
"""A smaller gain is none: two programs of one kind differ by some percent."""
_RTOL, _ATOL = 1e-3, 1e-5
"""How far outputs may be from each other that are called the same: parity is another question."""
_AGREE = 0.8
"""Part of the turns that have to be of the same opinion."""


@dataclass(frozen=True)
class Look:
    """What was seen of a cell."""

    subject: Subject
    cell: Cell
    found: CellWhy
    traces: Traces
    called: Counter[str]
    """What Python called in a warm call: ``file.py:qualified.name``, and builtins by their name."""
    graph_ops: Counter[str]
    """Types of the ops of the graph that was traced last."""

    @property
    def mode(self) -> str:
        """The cell's mode."""
        return self.cell.mode

    def share(self, *names: str) -> float:
        """The sum of some shares, as a part of the call's time."""
        return sum(map(self.found.share, names))

    def calls_of(self, qualified: str) -> int:
        """How often Python called functions of this qualified name, such as ``Trainer.predict``."""
        return sum(number for name, number in self.called.items() if name.endswith(qualified))


def _unchanged(_look: Look) -> AbstractContextManager[object]:
    return nullcontext()


def _same_cell(look: Look) -> Cell:
    return look.cell


def _same_subject(subject: Subject) -> Subject:
    return subject


@dataclass(frozen=True, kw_only=True)
class Pattern:
    """Something that makes calls slow, and the change that shows it.

    Attributes:
        name: of the pattern.
        seen: what was seen of it in a cell, as a sentence begins; empty where it is not there.
        remedy: what a user does.
        change: within, programs are built and called as the remedy has it.
        other: the cell whose program is as the remedy has it, where that is another one.
        subject: what is called as the remedy has it, where that is something else.
        units: how many of ``of`` the changed call does.
        general: whether the remedy is another way to execute, and not a change of the code.
        of: ``CALL``, ``FIRST_CALL``, or what a call does one of.
    """

    name: str
    seen: Callable[[Look], str]
    remedy: str
    change: Callable[[Look], AbstractContextManager[object]] = _unchanged
    other: Callable[[Look], Cell] = _same_cell
    subject: Callable[[Subject], Subject] = _same_subject
    units: int = 1
    of: str = CALL
    general: bool = False


@dataclass
class Trials:
    """Tries changes on a cell.

    Attributes:
        look: the cell.
        calls: of its program, which was called before.
        failed: by pattern, why its change could not be tried.
    """

    look: Look
    program: Program
    calls: Calls
    failed: dict[str, str] = field(default_factory=dict)

    def advice(self, pattern: Pattern) -> Advice | None:
        """What a change gains; None where nothing is seen of it, or it gains nothing."""
        seen = pattern.seen(self.look)
        if not seen:
            return None
        try:
            before_s, after_s = (
                self._first(pattern) if pattern.of == FIRST_CALL else self._turns(pattern)
            )
        except Exception as error:  # the changed program does not run: then there is no advice
            self.failed[pattern.name] = f"{type(error).__name__}: {error}"
            return None
        if before_s < _GAIN * after_s:
            return None
        return Advice(
            pattern.name, seen, pattern.remedy, before_s, after_s, pattern.of, pattern.general
        )

    @cached_property
    def _expected(self) -> dict[str, Array]:
        """What the cell's program returns for the first feed, from the initial state."""
        program = self.look.subject.build(self.look.cell)
        try:
            with program.task.on_device():
                return program.run(self.look.subject.feeds[0])
        finally:
            program.close()

    def _require_same(self, pattern: Pattern, program: Program) -> None:
        """Check that the change does not change the answer; otherwise it is no remedy.

        Raises:
            ValueError: it does; naming the output.
        """
        if pattern.subject is not _same_subject:
            return
        expected = self._expected
        with pattern.change(self.look), program.task.on_device():
            found = program.run(self.look.subject.feeds[0])
        for name, value in expected.items():
            other = found.get(name)
            if other is None or other.shape != value.shape or not _alike(value, other):
                raise ValueError(f"output {name!r} is another one")

    def _build(self, pattern: Pattern) -> Program:
        return pattern.subject(self.look.subject).build(pattern.other(self.look))

    def _turns(self, pattern: Pattern) -> tuple[float, float]:
        """Seconds of a call as it is and changed, in turn; the same where turns do not agree."""
        with pattern.change(self.look):
            program = self._build(pattern)
        self._require_same(pattern, program)
        with pattern.change(self.look):
            changed = Calls(program)
            with program.task.on_device():
                for _ in range(2 * changed.feeds + 1):
                    changed.bare()
                once_s = _seconds(changed.bare)
        slower_s = max(once_s, self.look.found.call_s)
        number = max(1, min(_MOST_CALLS, int(_TURN_S / slower_s))) * changed.feeds
        pairs = []
        try:
            for _ in range(_TURNS):
                with self.program.task.on_device():
                    before = _median_s(self.calls.bare, number)
                with pattern.change(self.look), program.task.on_device():
                    after = _median_s(changed.bare, number) / pattern.units
                    pairs.append((before, after))
        finally:
            program.close()
        agreeing = sum(before > after for before, after in pairs)
        before_s = statistics.median(before for before, _ in pairs)
        ratio = statistics.median(before / after for before, after in pairs)
        if agreeing < _AGREE * len(pairs):
            return before_s, before_s
        return before_s, before_s / ratio

    def _first(self, pattern: Pattern) -> tuple[float, float]:
        """Seconds of a first call as it is and changed, in turn, the shorter of two."""
        plain = replace(pattern, change=_unchanged)
        taken: dict[str, list[float]] = {"before": [], "after": []}
        for _ in range(2):
            for side, each in (("before", plain), ("after", pattern)):
                with each.change(self.look):
                    program = self._build(each)
                    calls = Calls(program)
                    with program.task.on_device():
                        taken[side].append(_seconds(calls.bare))
                    program.close()
        with pattern.change(self.look):
            program = self._build(pattern)
        self._require_same(pattern, program)
        program.close()
        return min(taken["before"]), min(taken["after"])


def _alike(value: Array, other: Array) -> bool:
    if value.dtype.kind not in "fc" or other.dtype.kind not in "fc":
        return bool(np.array_equal(value, other))
    return bool(np.allclose(value, other, rtol=_RTOL, atol=_ATOL, equal_nan=True))


def _seconds(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def _median_s(call: Callable[[], object], number: int) -> float:
    return statistics.median(_seconds(call) for _ in range(number))
