"""The two programs of a function: eager's and the mode's, called in turn and compared."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from eager_vs_graph.child.adopt.function import Adopted
from eager_vs_graph.child.bench.prepare import Prepared, prepare
from eager_vs_graph.child.parity import check, random_draws
from eager_vs_graph.child.parity.check import Subject
from eager_vs_graph.child.parity.trajectory import Trajectory, onwards
from eager_vs_graph.errors import ScenarioError
from eager_vs_graph.modes import BASELINE, MODES
from eager_vs_graph.modes.program import Program
from eager_vs_graph.modes.variables import require_same
from eager_vs_graph.pytest_plugin import random_state
from eager_vs_graph.pytest_plugin.structure import Structure
from eager_vs_graph.results.cells import Cell
from eager_vs_graph.results.record import (
    DIFFERS,
    NONDETERMINISTIC,
    CellParity,
    TensorComparison,
)
from eager_vs_graph.results.request import Timed
from eager_vs_graph.scenario import Array, Feed, State


@dataclass(frozen=True)
class Outcome:
    """What one call did: its outputs and the variables after it, or the exception it raised."""

    did: Trajectory | None
    error: Exception | None = None


@dataclass(frozen=True)
class Call:
    """One call that returned, eagerly and in the mode."""

    feed: Feed
    streams: bytes = field(repr=False)
    """The random streams that both began with."""
    eager: dict[str, Array]
    found: dict[str, Array]


class Pair:
    """The programs of one function for arguments of one shape.

    Args:
        scenario: the adopted function.
        cell: the cell of the mode.
        feed: the arguments of the first call.
        started: the variables to start from; None means the function's own.
    """

    def __init__(
        self, scenario: type[Adopted], cell: Cell, feed: Feed, started: State | None
    ) -> None:
        self.scenario, self.cell = scenario, cell
        self.structure = Structure()
        self._first = [feed]
        self.eager = self._build(cell.in_mode(BASELINE))
        assert isinstance(self.eager.scenario, Adopted)
        called = self.eager.scenario.function
        called.call = self.structure.watching(called.call)
        if started is not None:
            self.eager.load(started)
        self.program: Program | None = None
        """The mode's; made in the first call, because making it may trace, and so raise."""
        self.calls: list[Call] = []
        """The calls since ``initial``."""
        self._restarted = False
        self.initial = self.eager.state()

    def start_from(self, state: State) -> None:
        """Go on from these variables, in both programs."""
        self.eager.load(state)
        if self.program is not None:
            self.program.load(state)
        self._restarted = self._restarted or bool(self.calls)
        self.calls, self.initial = [], state

    def call(self, feed: Feed) -> tuple[Outcome, Outcome]:
        """Call eagerly and in the mode.

        After a call that raised, both go on from eager's variables: in a graph, the ops beside the
        one that failed may have run or not.
        """
        before = random_state.streams()
        if self.calls and self.calls[-1].streams == before:
            before = self.calls[-1].streams  # one copy of it
        eager = _outcome(lambda: onwards(self.eager, [feed], 0, 1))
        after = random_state.streams()
        random_state.go_to(before)
        found = _outcome(lambda: self._in_mode(feed))
        random_state.go_to(after)
        if eager.did is not None and found.did is not None:
            self.calls.append(Call(feed, before, eager.did.outputs[0], found.did.outputs[0]))
        else:
            self._restarted = True
            self.start_from(self.eager.state())
        return eager, found

    def compared(self, eager: Trajectory, found: Trajectory) -> list[TensorComparison]:
        """Compare the last call with eager's: outputs, and the variables after it."""
        self.scenario.parity_steps = 1
        subject = Subject(self.scenario, self.cell.size, [self.calls[-1].feed])
        number = len(self.calls) - 1
        with random_state.kept():  # whether a difference is declared, a trace of the function says
            compared = list(check.compare_trajectories(subject, self.cell, BASELINE, found, eager))
        return [
            replace(tensor, worst_step=None if tensor.worst_step is None else number)
            for tensor in compared
        ]

    def judged(self) -> tuple[CellParity, CellParity]:
        """What parity says of all calls: of eager, called once more, and of the mode."""
        with random_state.kept(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a suite that makes errors of warnings means its own
            subject, program = self.subject(), self._mode()
            eager = Trajectory([call.eager for call in self.calls], self.eager.state())
            found = Trajectory([call.found for call in self.calls], program.state())
            with random_draws.watched(self.scenario.source_file()) as draws:
                again = self._eager_again()
            subject.draws = draws.ops
            if self._restarted:  # a new program begins with Python's state, not where eager was
                again = eager
            try:
                return self._parities(subject, eager, again, found)
            except ScenarioError as error:
                subject.no_reference = str(error)
                return self._parities(subject, eager, again, found)
            finally:
                program.load(found.state)

    def subject(self) -> Subject:
        """All calls since the last start, for parity and for the experiments of ``explain``."""
        self.scenario.parity_steps = len(self.calls)
        feeds = [call.feed for call in self.calls]
        return Subject(self.scenario, self.cell.size, feeds, self.initial)

    def timed(self, feed: Feed) -> Prepared:
        """A further program of the mode, warm, in the state that the calls so far led to."""
        state = self.eager.state() if self.program is None else self.program.state()
        with random_state.kept():
            subject = Subject(self.scenario, self.cell.size, [feed], state)
            prepared = prepare(subject, Timed(self.cell.id, self.cell.mode, self.cell.group))
        prepared.program.load(state)
        return prepared

    def close(self) -> None:
        """Free what the programs hold."""
        self.eager.close()
        if self.program is not None:
            self.program.close()

    def _build(self, cell: Cell) -> Program:
        # Not Subject.build, which seeds: until something differs, the test's own seeds hold.
        subject = Subject(self.scenario, cell.size, self._first)
        return MODES[cell.mode].build(subject.task(cell))

    def _in_mode(self, feed: Feed) -> Trajectory:
        return onwards(self._mode(), [feed], 0, 1)

    def _mode(self) -> Program:
        if self.program is None:
            program = self._build(self.cell)
            require_same(self.initial, program.variables(), self.cell.mode)
            program.load(self.initial)
            self.program = program
        return self.program

    def _eager_again(self) -> Trajectory:
        program = self._build(self.cell.in_mode(BASELINE))
        program.load(self.initial)
        outputs = []
        for call in self.calls:
            random_state.go_to(call.streams)
            outputs += onwards(program, [call.feed], 0, 1).outputs
        return Trajectory(outputs, program.state())

    def _parities(
        self, subject: Subject, eager: Trajectory, again: Trajectory, found: Trajectory
    ) -> tuple[CellParity, CellParity]:
        baseline = self.cell.in_mode(BASELINE)
        of_eager = check.of_trajectories(subject, baseline, eager, again=again)
        return of_eager, check.of_trajectories(subject, self.cell, found, program=self._mode())


def failures(tensors: Sequence[TensorComparison]) -> list[TensorComparison]:
    """The comparisons with eager that fail a test: differences that nobody has declared."""
    return [
        tensor
        for tensor in tensors
        if tensor.status in (DIFFERS, NONDETERMINISTIC)
        and tensor.known is None
        and tensor.against == BASELINE
    ]


def _outcome(call: Callable[[], Trajectory]) -> Outcome:
    try:
        return Outcome(call())
    except Exception as error:
        return Outcome(None, error)
