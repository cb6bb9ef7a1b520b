"""Runs programs under conditions and keeps what they gave."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace

import numpy as np
import tensorflow as tf

from eager_vs_graph.child.explain import python_state
from eager_vs_graph.child.explain.conditions import PLAIN, Condition, changes, optimizer, seen_from
from eager_vs_graph.child.explain.local_shapes import telling_shapes
from eager_vs_graph.child.parity.check import Subject, compare_trajectories
from eager_vs_graph.child.parity.trajectory import Trajectory, of_reference
from eager_vs_graph.modes import BASELINE, MODES
from eager_vs_graph.modes.failures import failure
from eager_vs_graph.modes.program import Program, Task
from eager_vs_graph.results.cells import Cell
from eager_vs_graph.results.explanation import Key
from eager_vs_graph.results.record import CLOSE, IDENTICAL, VACUOUS, TensorComparison
from eager_vs_graph.scenario import SEED, Array, Scenario, State

_RANK = {IDENTICAL: 0, VACUOUS: 0, CLOSE: 1}


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
    traces: int = 0
    error: str = ""

    @property
    def trajectory(self) -> Trajectory:
        """As parity compares it."""
        return Trajectory(self.outputs, self.states[-1])

    def values(self, key: Key) -> list[Array]:
        """A tensor's value after each step."""
        kind, name = key
        return [step[name] for step in (self.outputs if kind == "output" else self.states)]


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
    def initial(self) -> State:
        """The variables that every experiment starts from."""
        assert self.subject.initial is not None
        return self.subject.initial

    def observe(self, cell: Cell, condition: Condition = PLAIN) -> Observation:
        """Run a cell's program under a condition; the second time, from memory."""
        key = (cell.id, condition)
        if key not in self._observed:
            try:
                self._observed[key] = self._run(cell, condition)
            except Exception as error:
                self._observed[key] = Observation(error=failure(error)[1])
        return self._observed[key]

    def observe_anew(self, cell: Cell, condition: Condition = PLAIN) -> Observation:
        """Run a cell's program, even if that was done before: to be watched."""
        self._observed.pop((cell.id, condition), None)
        return self.observe(cell, condition)

    def eager(self, cell: Cell, condition: Condition = PLAIN) -> Observation:
        """Eager, on the same device and with the same inputs policy."""
        return self.observe(cell.in_mode(BASELINE), condition)

    def reference(self) -> Trajectory:
        """The float64 reference's outputs."""
        if self.subject.reference is None:
            instance = self.scenario(self.scenario.sizes[self.subject.size])
            self.subject.reference = of_reference(
                instance, self.initial, self.subject.feeds, self.steps
            )
        return self.subject.reference

    @contextmanager
    def undisturbed(self) -> Iterator[None]:
        """Seed everything, and put back afterwards what Python holds outside of instances."""
        tf.keras.utils.set_random_seed(SEED)
        memory = python_state.remember(self._module_items())
        try:
            yield
        finally:
            memory.put_back()

    def program(self, cell: Cell, condition: Condition = PLAIN) -> tuple[Program, Scenario]:
        """A program at the initial state, and its scenario."""
        tf.keras.utils.set_random_seed(SEED)
        return self._program(cell, condition, self.initial)

    def compare(
        self, cell: Cell, found: Observation, reference: Observation
    ) -> dict[Key, TensorComparison]:
        """Compare two observations as parity does; one that failed agrees in nothing."""
        if found.error or reference.error:
            return {}
        compared = compare_trajectories(
            self.subject, cell, "eager", found.trajectory, reference.trajectory
        )
        return {(tensor.kind, tensor.tensor): tensor for tensor in compared}

    def removed(
        self,
        cell: Cell,
        before: dict[Key, TensorComparison],
        found: Observation,
        reference: Observation,
        keys: Iterable[Key],
    ) -> set[Key]:
        """The tensors that agree better under a condition than they did before.

        A tensor that was out of tolerance must be within it; one that was within it, identical.
        """
        after = self.compare(cell, found, reference)
        return {key for key in keys if key in after and rank(after[key]) < rank(before[key])}

    def _run(self, cell: Cell, condition: Condition) -> Observation:
        with ExitStack() as stack:
            stack.enter_context(optimizer(condition))
            module = python_state.module_of(self.scenario)
            stack.enter_context(seen_from(module, changes(condition)))
            if condition.shapes:
                file = self.scenario.source_file()
                stack.enter_context(telling_shapes(dict(condition.shapes), file))
            stack.enter_context(self.undisturbed())
            run = self._stepwise if condition.stepwise else self._through
            return run(cell, condition)

    def _module_items(self) -> dict[str, python_state.Item]:
        """State outside of instances: every experiment leaves it as it was."""
        instance = self.scenario(self.scenario.sizes[self.subject.size])
        return {
            name: item
            for name, item in python_state.items(instance).items()
            if not name.startswith("self.")
        }

    def _through(self, cell: Cell, condition: Condition) -> Observation:
        """One program for all steps, as it is ordinarily run."""
        touched: list[tuple[dict[str, python_state.Item], dict[str, str]]] = []

        def after_build(scenario: Scenario) -> None:
            items = python_state.items(scenario)
            touched.append((items, python_state.fingerprints(items)))

        program, scenario = self._program(cell, condition, self.initial, after_build)
        items, before = touched[-1]
        chosen = {
            name: item
            for name, item in items.items()
            if name in condition.freeze or "*" in condition.freeze
        }
        memory = python_state.remember(chosen) if chosen else None
        found = Observation()
        for again in range(1 + condition.again):
            if again:
                program.load(self.initial)
                found = Observation()
            for step in range(self.steps):
                if memory is not None and (step or again):
                    memory.put_back()
                self._step(program, found, self._feed(step, condition))
        found.traces = program.traces
        self._note_python(found, scenario, before)
        program.close()
        return found

    def _stepwise(self, cell: Cell, condition: Condition) -> Observation:
        """A program for each step; all state is carried over."""
        found, state = Observation(), self.initial
        before: dict[str, str] = {}
        last: Scenario | None = None
        for step in range(self.steps):
            generators = python_state.remember(
                {n: i for n, i in self._module_items().items() if n in ("np.random", "random")}
            )

            def after_build(
                scenario: Scenario,
                last: Scenario | None = last,
                generators: python_state.Memory = generators,
            ) -> None:
                if last is None:
                    before.update(python_state.fingerprints(python_state.items(scenario)))
                else:
                    python_state.carry_over(last, scenario)
                    generators.put_back()

            feed = self._feed(step, condition)
            told = replace(self.subject, feeds=[feed]) if condition.one_feed else self.subject
            program, last = self._program(cell, condition, state, after_build, told)
            self._step(program, found, feed)
            state = found.states[-1]
            found.traces += program.traces
            program.close()
        if last is not None:
            self._note_python(found, last, before)
        return found

    def _feed(self, step: int, condition: Condition) -> dict[str, Array]:
        feeds = self.subject.feeds
        return feeds[0 if condition.first_feed else step % len(feeds)]

    def _program(
        self,
        cell: Cell,
        condition: Condition,
        state: State,
        after_build: Callable[[Scenario], None] = lambda _scenario: None,
        subject: Subject | None = None,
    ) -> tuple[Program, Scenario]:
        subject = subject or self.subject
        task = WatchedTask(
            subject.scenario, subject.size, cell.device, cell.inputs, subject.feeds, after_build
        )
        if condition.op_seed is not None:
            tf.random.set_seed(condition.op_seed)
        program = MODES[cell.mode].build(task)
        program.load(state)
        return program, task.made[-1]

    @staticmethod
    def _step(program: Program, found: Observation, feed: dict[str, Array]) -> None:
        outputs = program.run(feed)
        found.outputs.append({name: np.array(array) for name, array in outputs.items()})
        found.states.append(program.state())

    @staticmethod
    def _note_python(found: Observation, scenario: Scenario, before: dict[str, str]) -> None:
        items = python_state.items(scenario)
        after = python_state.fingerprints(items)
        found.python = {n: text for n, text in after.items() if before.get(n) != text}
        found.shown = {name: python_state.shown(items[name].get()) for name in found.python}


def rank(tensor: TensorComparison) -> int:
    """How bad a disagreement is: 0 none, 1 within tolerance, 2 out of it."""
    return _RANK.get(tensor.status, 2)


def disagreeing(compared: dict[Key, TensorComparison]) -> dict[Key, TensorComparison]:
    """Those that are not bit-identical."""
    return {key: tensor for key, tensor in compared.items() if rank(tensor)}


def names(keys: Iterable[Key]) -> tuple[str, ...]:
    """Tensors by name, in order."""
    return tuple(sorted({name for _kind, name in keys}))
