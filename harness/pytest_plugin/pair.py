"""A function in one mode, with eager beside it: both run, and what they give is compared."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

from eager_vs_graph.child.adopt.function import Adopted
from eager_vs_graph.child.parity import reference_rule
from eager_vs_graph.child.parity.check import Subject, compare_trajectories
from eager_vs_graph.child.parity.trajectory import Trajectory, of_reference
from eager_vs_graph.errors import NoReference
from eager_vs_graph.modes import BASELINE, MODES
from eager_vs_graph.modes.program import Program, Task
from eager_vs_graph.modes.variables import require_same
from eager_vs_graph.pytest_plugin.results import Structure
from eager_vs_graph.results.cells import Cell
from eager_vs_graph.results.record import CLOSE, DIFFERS, NONDETERMINISTIC, TensorComparison
from eager_vs_graph.scenario import Array, Feed, State


@dataclass
class Pair:
    """The programs of one function for arguments of one shape."""

    scenario: type[Adopted]
    cell: Cell
    structure: Structure
    reference: Program
    """Eager, with a copy of the function and of its variables of its own."""
    program: Program
    initial: State
    """What both started from."""
    history: list[Feed] = field(default_factory=list)

    def start_from(self, other: Pair) -> None:
        """Take over the variables of a pair with arguments of another shape."""
        self.reference.load(other.reference.state())
        self.program.load(other.program.state())
        self.initial = other.reference.state()
        self.history = []

    def compare(self, expected: Trajectory, found: Trajectory) -> list[TensorComparison]:
        """Compare a call with eager's: outputs, and the variables after it.

        Where they are too far apart, eager is asked again from the start, and the reference, where
        the function has one, says whether the mode is as right as eager is.
        """
        compared = self._against(expected, found)
        if not any(failed(tensor) for tensor in compared):
            return compared
        with warnings.catch_warnings():  # a suite that makes errors of warnings means its own code
            warnings.simplefilter("ignore")
            again, reference = self._eager_again(), self._reference()
        unsteady = {
            (tensor.kind, tensor.tensor)
            for tensor in self._against(expected, again)
            if tensor.status == DIFFERS
        }
        return [
            replace(tensor, status=NONDETERMINISTIC)
            if failed(tensor) and (tensor.kind, tensor.tensor) in unsteady
            else self._second_chance(tensor, found, expected, reference)
            for tensor in compared
        ]

    def _against(self, expected: Trajectory, found: Trajectory) -> list[TensorComparison]:
        subject = Subject(self.scenario, self.cell.size, self.history[:1])
        step = len(self.history) - 1
        return [
            replace(tensor, worst_step=None if tensor.worst_step is None else step)
            for tensor in compare_trajectories(subject, self.cell, BASELINE, found, expected)
        ]

    def _eager_again(self) -> Trajectory:
        program = build(self.scenario, self.cell.in_mode(BASELINE), self.history[0])
        program.load(self.initial)
        for feed in self.history:
            outputs = program.run(feed)
        return Trajectory([outputs], program.state())

    def _reference(self) -> Trajectory | None:
        instance = self.scenario(self.scenario.sizes[self.cell.size])
        try:
            whole = of_reference(instance, self.initial, self.history, len(self.history))
        except NoReference:
            return None
        return Trajectory(whole.outputs[-1:], whole.state)

    def _second_chance(
        self,
        tensor: TensorComparison,
        found: Trajectory,
        expected: Trajectory,
        reference: Trajectory | None,
    ) -> TensorComparison:
        """As ``child/parity/check.py`` gives it; and where eager is wrong, that is said."""
        if not failed(tensor) or reference is None or not tensor.max_ulp:
            return tensor
        if self.scenario.tolerance_of(tensor.tensor) is not None:
            return tensor
        sides = (found, expected, reference)
        three = [
            np.asarray(side.state[tensor.tensor])
            if tensor.kind == "variable"
            else np.asarray(side.outputs[0][tensor.tensor])
            for side in sides
        ]
        if reference_rule.passes(*three):
            told = f"{tensor.detail}; as near to the reference as eager"
            return replace(tensor, status=CLOSE, detail=told)
        return replace(tensor, detail=f"{tensor.detail}{_who_is_right(*three)}")

    def close(self) -> None:
        """Free what the programs hold."""
        self.program.close()
        self.reference.close()


def _who_is_right(value: Array, eager: Array, reference: Array) -> str:
    errors = [
        float(np.max(np.abs(side.astype(np.float64) - reference), initial=0.0))
        for side in (value, eager)
    ]
    if not np.isfinite(errors).all():
        return ""
    return f"; in float64, the mode is off by {errors[0]:.3g} and eager by {errors[1]:.3g}"


def failed(tensor: TensorComparison) -> bool:
    """Whether a comparison makes a test fail: a difference that nothing explains."""
    return tensor.status in (DIFFERS, NONDETERMINISTIC) and tensor.known is None


def build(scenario: type[Adopted], cell: Cell, feed: Feed) -> Program:
    """A program of the cell with a copy of the function of its own."""
    return MODES[cell.mode].build(Task(scenario, cell.size, cell.device, cell.inputs, [feed]))


def pair(scenario: type[Adopted], cell: Cell, feed: Feed, started: State | None) -> Pair:
    """Build both programs in one state.

    Args:
        scenario: the adopted function.
        cell: the cell of the mode.
        feed: the arguments of the first call.
        started: the state to start from; None means that of the function's own variables.

    Raises:
        ScenarioError: the mode's variables are not those that eager has.
        Exception: what the runner raises that cannot build it.
    """
    structure = Structure()
    reference = build(scenario, cell.in_mode(BASELINE), feed)
    assert isinstance(reference.scenario, Adopted)
    called = reference.scenario.function
    called.call = structure.watching(called.call)
    initial = reference.state() if started is None else started
    program = build(scenario, cell, feed)
    require_same(initial, program.variables(), cell.mode)
    reference.load(initial)
    program.load(initial)
    return Pair(scenario, cell, structure, reference, program, initial)


@dataclass(frozen=True)
class Timed:
    """A program made for the clock: warm, with the arguments resident on the device."""

    program: Program
    build_s: float
    first_call_s: float
    warm_traces: int

    @property
    def call(self) -> Callable[[], object]:
        """The timed call, the same in every mode; see ``eager_vs_graph.modes.program``."""
        return self.program.call


def timed(scenario: type[Adopted], cell: Cell, feed: Feed, state: State) -> Timed:
    """Build a program for the clock; its calls change nobody else's variables."""
    start = time.perf_counter()
    program = build(scenario, cell, feed)
    build_s = time.perf_counter() - start
    program.load(state)
    with program.task.on_device():
        start = time.perf_counter()
        program.call()
        first_call_s = time.perf_counter() - start
    program.load(state)
    return Timed(program, build_s, first_call_s, program.traces)
