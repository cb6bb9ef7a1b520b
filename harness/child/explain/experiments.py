"""Runs programs under conditions and keeps what they gave."""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import tensorflow as tf

from eager_vs_graph.child.explain import outside_world
from eager_vs_graph.child.explain.conditions import PLAIN, Condition, optimizer, seen_by_user
from eager_vs_graph.child.explain.local_shapes import telling_shapes
from eager_vs_graph.child.parity import python_state, random_draws
from eager_vs_graph.child.parity.comparisons import compare_trajectories
from eager_vs_graph.child.parity.python_values import is_iterator, shown
from eager_vs_graph.child.parity.subject import Subject
from eager_vs_graph.child.parity.trajectory import Trajectory
from eager_vs_graph.modes import BASELINE, MODES
from eager_vs_graph.modes.failures import failure
from eager_vs_graph.modes.program import Program, Task, TensorProgram
from eager_vs_graph.results.cells import Cell
from eager_vs_graph.results.explanation import Key
from eager_vs_graph.results.record import CLOSE, ERROR, IDENTICAL, VACUOUS, TensorComparison
from eager_vs_graph.scenario import Array, Feed, Scenario, State

_WHOLE = ("np.random", "random", "os.environ")
"""State of the whole process, whose content says nothing."""
_RANK = {IDENTICAL: 0, VACUOUS: 0, CLOSE: 1, ERROR: 3}


class NotPossibleError(Exception):
    """An experiment cannot be made with this program."""


@dataclass(frozen=True)
class WatchedTask(Task):
    """A task that keeps hold of the scenario it makes, and touches it after ``build``."""

    after_build: Callable[[Scenario], None] = lambda _scenario: None
    made: list[Scenario] = field(default_factory=list)

    def instance(self) -> Scenario:
        """A new scenario, kept in ``made``."""
        scenario = super().instance()
        build = scenario.build

        def build_and_touch() -> None:
            build()
            self.after_build(scenario)

        scenario.build = build_and_touch  # type: ignore[method-assign]
        self.made.append(scenario)
        return scenario


@dataclass
class Observation:
    """What a program gave under a condition; ``error`` when it gave nothing."""

    outputs: list[dict[str, Array]] = field(default_factory=list)
    states: list[State] = field(default_factory=list)
    """The variables after each step."""
    python: dict[str, str] = field(default_factory=dict)
    """What of Python's state the steps changed, as a fingerprint after the last step."""
    shown: dict[str, str] = field(default_factory=dict)
    """The same in an author's words."""
    taken: dict[str, list[str]] = field(default_factory=dict)
    """The user's lines that took something from outside of the program, by what was called."""
    draws: dict[str, list[str]] = field(default_factory=dict)
    """The user's lines that drew random numbers, by type of op."""
    traces: int = 0
    error: str = ""
    raised: Exception | None = None

    @property
    def trajectory(self) -> Trajectory:
        """As parity compares it."""
        return Trajectory(self.outputs, self.states[-1])

    def values(self, key: Key) -> list[Array]:
        """A tensor's value after each step."""
        kind, name = key
        return [step[name] for step in (self.outputs if kind == "output" else self.states)]


Compared = dict[Key, TensorComparison]


class ExperimentRunner:
    """The programs of one scenario and size, run under any condition from the same state."""

    def __init__(self, subject: Subject, deadline: float) -> None:
        self.subject = subject
        self.scenario = subject.scenario
        self.steps = subject.scenario.parity_steps
        self._deadline = deadline
        self._observed: dict[tuple[str, Condition], Observation] = {}

    def until(self, deadline: float) -> None:
        """Let no experiment begin after this ``time.monotonic()``."""
        self._deadline = deadline

    def in_time(self) -> bool:
        """Whether another experiment may begin."""
        return time.monotonic() < self._deadline

    @property
    def left_s(self) -> float:
        """Seconds until no experiment begins."""
        return self._deadline - time.monotonic()

    @property
    def initial(self) -> State:
        """The variables that every experiment starts from."""
        assert self.subject.initial is not None
        return self.subject.initial

    def observe(self, cell: Cell, condition: Condition = PLAIN) -> Observation:
        """Run a cell's program under a condition; the second time, from memory.

        Without XLA, mode ``xla`` is the same graph without Grappler, which XLA does not use.
        """
        if cell.mode == "xla" and condition.without_jit:
            cell = cell.in_mode("function")
            condition = replace(condition, grappler=False, without=frozenset())
        if cell.mode == BASELINE:
            condition = condition.of_eager()
        key = (cell.id, condition)
        if key not in self._observed:
            try:
                self._observed[key] = self._run(cell, condition)
            except Exception as error:
                self._observed[key] = Observation(error=failure(error)[1], raised=error)
        return self._observed[key]

    def observe_anew(self, cell: Cell, condition: Condition = PLAIN) -> Observation:
        """Run a cell's program, even if that was done before: to be watched."""
        self._observed.pop((cell.id, condition), None)
        return self.observe(cell, condition)

    def eager(self, cell: Cell, condition: Condition = PLAIN) -> Observation:
        """Eager, on the same device and with the same inputs policy."""
        return self.observe(cell.in_mode(BASELINE), condition)

    def reference(self) -> Trajectory | None:
        """The float64 reference's outputs; None where there is none."""
        return self.subject.reference

    @contextmanager
    def undisturbed(self) -> Iterator[None]:
        """Begin as every program does, and leave behind what was there."""
        self.subject.begin_anew()
        try:
            yield
        finally:
            self.subject.begin_anew()

    def program(self, cell: Cell, condition: Condition = PLAIN) -> tuple[Program, Scenario]:
        """A program at the initial state, and its scenario."""
        self.subject.begin_anew()
        return self.made(cell, condition, self.initial)

    def compare(self, cell: Cell, found: Observation, reference: Observation) -> Compared:
        """Compare two observations as parity does; one that failed agrees in nothing."""
        if found.error or reference.error:
            return {}
        compared = compare_trajectories(
            self.subject, cell, "eager", found.trajectory, reference.trajectory
        )
        return {(tensor.kind, tensor.tensor): tensor for tensor in compared}

    @contextmanager
    def under(self, condition: Condition) -> Iterator[tuple[random_draws.Draws, dict[str, Any]]]:
        """What holds while a program is built and run under a condition."""
        own = self.scenario.source_file()
        with ExitStack() as stack:
            stack.enter_context(optimizer(condition))
            stack.enter_context(seen_by_user(condition, own))
            if condition.shapes:
                stack.enter_context(telling_shapes(dict(condition.shapes), own))
            stack.enter_context(self.undisturbed())
            draws = stack.enter_context(random_draws.watched(own, replaced=condition.draws))
            taken: dict[str, list[str]] = {}
            if condition.stopped:
                # The globals of functions that are the same for every program; those that are
                # made with a program find what is held still when they are made.
                instance = self.scenario(self.scenario.sizes[self.subject.size])
                shared = python_state.namespaces(instance)
                taken = stack.enter_context(outside_world.held_still(own, shared))
            yield draws, taken

    def _run(self, cell: Cell, condition: Condition) -> Observation:
        if condition.one_feed:
            with self.under(condition) as (draws, taken):
                found = self._stepwise(cell, condition)
        else:
            found = Observation()
            with self.running(cell, condition) as running:
                for step in range(self.steps):
                    outputs = running.step(step)
                    found.outputs.append({n: np.array(array) for n, array in outputs.items()})
                    found.states.append(running.program.state())
                found.traces = running.program.traces
                running.note_python(found)
                draws, taken = running.draws, running.taken
        return replace(found, draws=dict(draws.ops), taken=dict(taken))

    @contextmanager
    def running(
        self,
        cell: Cell,
        condition: Condition,
        touch: Callable[[Scenario], None] = lambda _scenario: None,
    ) -> Iterator[Running]:
        """A cell's program at the initial state, under a condition, to be run step by step.

        Args:
            cell: the cell.
            condition: what holds until the end.
            touch: is given the program's scenario when it is built and before it is traced.
        """
        made: list[Scenario] = []

        def after_build(scenario: Scenario) -> None:
            made.append(scenario)
            items = python_state.items(scenario)
            begun.append((items, python_state.fingerprints(items)))
            touch(scenario)

        begun: list[tuple[dict[str, python_state.Item], dict[str, str]]] = []
        with self.under(condition) as (draws, taken):
            program, _scenario = self.made(cell, condition, self.initial, after_build)
            if cell.mode == BASELINE:  # what drew the initial values is no draw of a step
                draws.ops.clear()
            try:
                yield Running(self, program, condition, draws, taken, *begun[-1])
            finally:
                program.close()

    def _stepwise(self, cell: Cell, condition: Condition) -> Observation:
        """A program for each step, told of that step's feed alone; variables are carried over."""
        found, state = Observation(), self.initial
        for step in range(self.steps):
            feed = self.feed(step, condition)
            subject = replace(self.subject, feeds=[feed])
            program, _ = self.made(cell, condition, state, subject=subject)
            outputs = program.run(feed)
            found.outputs.append({name: np.array(array) for name, array in outputs.items()})
            found.states.append(program.state())
            state = found.states[-1]
            found.traces += program.traces
            program.close()
        return found

    def feed(self, step: int, condition: Condition) -> Feed:
        """The feed of a step."""
        feeds = self.subject.feeds
        return feeds[0 if condition.first_feed else step % len(feeds)]

    def made(
        self,
        cell: Cell,
        condition: Condition,
        state: Mapping[str, Array],
        after_build: Callable[[Scenario], None] = lambda _scenario: None,
        subject: Subject | None = None,
    ) -> tuple[Program, Scenario]:
        """A program at a state, and its scenario, which may be touched before it is traced."""
        subject = subject or self.subject

        def touch(scenario: Scenario) -> None:
            if not condition.autograph:
                scenario.step = _unconverted(scenario.step)  # type: ignore[method-assign]
            after_build(scenario)

        task = WatchedTask(
            subject.scenario, subject.size, cell.device, cell.inputs, subject.feeds, touch
        )
        if condition.op_seed is not None:
            tf.random.set_seed(condition.op_seed)
        program = MODES[cell.mode].build(task)
        program.load(dict(state))
        return program, task.made[-1]


class Running:
    """A program that is run step by step under a condition."""

    def __init__(
        self,
        lab: ExperimentRunner,
        program: Program,
        condition: Condition,
        draws: random_draws.Draws,
        taken: dict[str, list[str]],
        items: dict[str, python_state.Item],
        before: dict[str, str],
    ) -> None:
        self.program = program
        self.draws, self.taken = draws, taken
        self._lab, self._condition = lab, condition
        self._items, self._before = items, before
        chosen = {
            name: item
            for name, item in items.items()
            if name in condition.freeze or "*" in condition.freeze
        }
        self._memory = python_state.remember(chosen) if chosen else None

    def step(self, number: int) -> Mapping[str, Array]:
        """Run the next step, which is the one of this number."""
        if self._memory is not None and number:
            self._memory.put_back()
        if self._condition.retrace and number:
            _trace_anew(self.program)
        return self.program.run(self._lab.feed(number, self._condition))

    def note_python(self, found: Observation) -> None:
        """Note what of Python's state the steps have changed."""
        after = python_state.fingerprints(self._items)
        found.python = {
            name: text for name, text in after.items() if self._before.get(name) != text
        }
        found.shown = {
            name: "another state" if name in _WHOLE else shown(self._items[name].get())
            for name in found.python
        }
        for name, item in self._items.items():
            # One that does not tell how far it has come may have been asked.
            if is_iterator(item.get()) and name not in found.python:
                found.python[name] = found.shown[name] = "an iterator"


def _trace_anew(program: Program) -> None:
    """Have a program's step traced once more, by the same objects."""
    if not isinstance(program, TensorProgram):
        raise NotPossibleError("a session's graph is traced once")
    program._step = program.step()


def _unconverted(step: Callable[..., Any]) -> Callable[..., Any]:
    """A step that AutoGraph leaves as it is."""

    def call(*arguments: Any, **named: Any) -> Any:
        return step(*arguments, **named)

    call.__signature__ = inspect.signature(step)  # type: ignore[attr-defined]
    converted: Callable[..., Any] = tf.autograph.experimental.do_not_convert(call)
    return converted


def rank(tensor: TensorComparison) -> int:
    """How bad a disagreement is: 0 none, 1 within tolerance, 2 out of it, 3 an error."""
    return _RANK.get(tensor.status, 2)


def differing(compared: Compared) -> Compared:
    """Those that are not bit-identical."""
    return {key: tensor for key, tensor in compared.items() if rank(tensor)}


def names(keys: Iterable[Key]) -> tuple[str, ...]:
    """Tensors by name, in order."""
    return tuple(sorted({name for _kind, name in keys}))
