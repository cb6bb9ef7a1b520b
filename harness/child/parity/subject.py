"""One scenario at one size, as all of its cells begin: feeds, initial state, Python's state."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np

from eager_vs_graph.child.parity import python_state
from eager_vs_graph.child.parity.python_values import is_iterator
from eager_vs_graph.child.parity.trajectory import Trajectory
from eager_vs_graph.errors import ScenarioError, Unsupported, one_line
from eager_vs_graph.modes import BASELINE, MODES, kerases
from eager_vs_graph.modes.program import Program, Task
from eager_vs_graph.modes.variables import checkpointed, require_same
from eager_vs_graph.results.cells import Cell
from eager_vs_graph.scenario import SEED, Array, Feed, Scenario, State


@dataclass
class Subject:
    """One scenario at one size: its feeds, and what its programs are compared with."""

    scenario: type[Scenario]
    size: str
    feeds: list[Feed]
    initial: State | None = None
    """The variables that the first eager program built."""
    eager: Trajectory | None = None
    again: Trajectory | None = None
    """What a second eager program did, where it is kept."""
    reference: Trajectory | None = None
    no_reference: str = ""
    """Why the scenario has no reference; empty where it has one."""
    perturbed: list[Trajectory] | None = None
    """Eager once more, and from inputs and variables that were moved by a rounding error."""
    lossy: set[tuple[str, str]] = field(default_factory=set)
    """(kind, tensor) in which eager itself has lost digits, as a reference made of eager shows."""
    learned: set[str] = field(default_factory=set)
    """Modes that have trained for the goal: once each, for it takes many steps."""
    unsteady: set[tuple[str, str]] = field(default_factory=set)
    """(kind, tensor) for which eager disagrees with itself."""
    checkpointed: frozenset[str] | None = None
    """Names of the variables that the scenario's checkpoint tracks; None where it has none."""
    writes: bool = False
    """Whether the scenario uses its folder."""
    files: Path | None = None
    """Where the files that the compared steps wrote are kept, one folder a cell."""
    eager_error: str = ""
    """What eager raised when it was run; empty where it returned."""
    draws: dict[str, list[str]] = field(default_factory=dict)
    """Lines of the user's that drew random numbers in eager, by type of op."""
    moved_references: list[Trajectory] | None = None
    """The reference from inputs and variables that are off by rounding errors."""
    steady_draws: Trajectory | None = None
    """What eager does when every draw gives the same numbers in every mode."""
    repeated: list[dict[str, Array]] | None = None
    """Eager's outputs for the first feed, from the initial state, several times."""

    def task(self, cell: Cell) -> Task:
        """What the cell's runner needs."""
        return Task(self.scenario, self.size, cell.device, cell.inputs, self.feeds)

    @cached_property
    def _python(self) -> python_state.Memory:
        """The Python state of modules, classes and the process before anything was built."""
        return python_state.remember(
            {
                name: item
                for name, item in python_state.outside(self.scenario).items()
                if not is_iterator(item.get())
            }
        )

    def begin_anew(self) -> None:
        """Seed everything, and put Python's state outside of programs back to the beginning."""
        self._python.put_back()
        kerases.seed_all(SEED)

    def build(self, cell: Cell) -> Program:
        """Build the cell's program and load the initial state.

        Random initializers are seeded, so that every process builds the same initial state. What
        of Python's state is outside of the program is put back to what it was before the first.

        Raises:
            ScenarioError: the variables are not those that eager built.
            Unsupported: nor are they where the user's own code makes others in this mode.
        """
        self.begin_anew()
        program = MODES[cell.mode].build(self.task(cell))
        if self.initial is None and cell.mode != BASELINE:
            self.initial = self.build(cell.in_mode(BASELINE)).state()
        if self.initial is None:
            self.initial = program.state()
        if cell.mode == BASELINE and program.scenario is not None:
            self.checkpointed = checkpointed(program.scenario)
            self.writes = "folder" in vars(program.scenario)
        try:
            require_same(self.initial, program.variables(), cell.mode)
        except ScenarioError as error:
            if cell.mode == BASELINE or not self.scenario.adopted():
                raise
            raise Unsupported(
                f"this code makes other variables in {cell.mode} than in eager: {one_line(error)}"
            ) from error
        program.load(self.initial)
        return program


def subject(scenario: type[Scenario], size: str) -> Subject:
    """Make the feeds of a scenario and check them.

    Raises:
        ScenarioError: the feeds break the contract, or ``inputs`` raised.
    """
    instance = scenario(scenario.sizes[size])
    # An op's seed is combined with this one, so that without it `shuffle(seed=1)` in inputs would
    # depend on what the process did before.
    kerases.seed_all(SEED)
    try:
        feeds = list(instance.inputs(np.random.default_rng(SEED)))
    except Exception as error:
        raise ScenarioError(
            f"{scenario.name}/{size}: inputs raised {type(error).__name__}: {error}"
        ) from error
    _require_feeds(scenario, size, feeds)
    return Subject(scenario, size, feeds)


def _require_feeds(scenario: type[Scenario], size: str, feeds: Sequence[Feed]) -> None:
    where = f"{scenario.name}/{size}"
    arguments = list(inspect.signature(scenario.step).parameters)[1:]
    if not feeds:
        raise ScenarioError(f"{where}: inputs returned no feed, but should return at least one")
    for number, feed in enumerate(feeds):
        if sorted(feed) != sorted(arguments):
            raise ScenarioError(
                f"{where}: feed {number} has {', '.join(feed) or 'nothing'}, but step takes "
                f"{', '.join(arguments) or 'nothing'}"
            )
        for name, array in feed.items():
            if not isinstance(array, np.ndarray | np.generic):
                raise ScenarioError(
                    f"{where}: input {name!r} of feed {number} is {type(array).__name__}, but "
                    "should be a NumPy array of explicit dtype (a Python value makes tf.function "
                    "trace again for every new value)"
                )
            if array.dtype != feeds[0][name].dtype:
                raise ScenarioError(
                    f"{where}: input {name!r} is {array.dtype} in feed {number}, but "
                    f"{feeds[0][name].dtype} in feed 0"
                )
