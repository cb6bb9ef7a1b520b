"""What a program does from the initial state: outputs of each step, and the state at the end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from eager_vs_graph.errors import NoReference, ScenarioError
from eager_vs_graph.modes.program import Program
from eager_vs_graph.modes.variables import as_reference
from eager_vs_graph.scenario import Array, Feed, Scenario, State


@dataclass(frozen=True)
class Trajectory:
    """Outputs by name for each step, the variables after the last, and what was written."""

    outputs: list[dict[str, Array]]
    state: State
    written: dict[str, Array] = field(default_factory=dict)
    """What the steps wrote to the scenario's folder (see ``Scenario.written``)."""


def of_program(program: Program, initial: State, feeds: Sequence[Feed], steps: int) -> Trajectory:
    """Run a program for some steps from a state; feeds are cycled."""
    program.load(initial)
    return onwards(program, feeds, 0, steps)


def onwards(program: Program, feeds: Sequence[Feed], start: int, steps: int) -> Trajectory:
    """Run a program for some steps from the state it is in, with the feeds from ``start`` on."""
    outputs = [
        {name: np.array(array) for name, array in program.run(feeds[i % len(feeds)]).items()}
        for i in range(start, start + steps)
    ]
    return Trajectory(outputs, program.state())


def of_reference(
    scenario: Scenario, initial: State, feeds: Sequence[Feed], steps: int
) -> Trajectory:
    """Run a scenario's reference for some steps, in float64.

    Raises:
        NoReference: the scenario says that it has none.
        ScenarioError: the reference fails, or changes the names or shapes of the state.
    """
    state = as_reference(initial)
    outputs = []
    for i in range(steps):
        try:
            # The author says what overflows; NumPy's warnings would say it again.
            with np.errstate(all="ignore"):
                result = scenario.reference(state, **as_reference(feeds[i % len(feeds)]))
        except NoReference:
            raise
        except Exception as error:
            raise ScenarioError(
                f"{scenario.name}: the reference raised {type(error).__name__}: {error}"
            ) from error
        if not isinstance(result, Mapping):
            raise ScenarioError(
                f"{scenario.name}: the reference returned {type(result).__name__}, but "
                "should return "
                "a dict of named arrays, as step does"
            )
        outputs.append({name: np.array(array) for name, array in result.items()})
    for name, array in initial.items():
        if name not in state or np.shape(state[name]) != array.shape:
            seen = np.shape(state[name]) if name in state else "missing"
            raise ScenarioError(
                f"{scenario.name}: the reference left variable {name!r} as {seen}, but "
                "should leave "
                f"it in shape {array.shape}"
            )
    if extra := state.keys() - initial.keys():
        raise ScenarioError(
            f"{scenario.name}: the reference set {', '.join(sorted(extra))}, but the scenario's "
            f"variables are: {', '.join(initial) or 'none'}"
        )
    try:
        written = {name: np.array(a) for name, a in scenario.reference_written(outputs).items()}
    except Exception as error:
        raise ScenarioError(
            f"{scenario.name}: reference_written raised {type(error).__name__}: {error}"
        ) from error
    return Trajectory(outputs, state, written)


def require_same_outputs(
    scenario: type[Scenario], reference: Trajectory, eager: Trajectory
) -> None:
    """Check that the reference answers what the step answers, by name and shape.

    Raises:
        ScenarioError: naming the output, what was seen and what was expected.
    """
    for found, expected in zip(reference.outputs, eager.outputs, strict=True):
        if found.keys() != expected.keys():
            raise ScenarioError(
                f"{scenario.name}: the reference returned {', '.join(found) or 'nothing'}, "
                "but step "
                f"returns {', '.join(expected)}; their names must be the same"
            )
        for name, array in expected.items():
            if np.shape(found[name]) != np.shape(array):
                raise ScenarioError(
                    f"{scenario.name}: the reference's {name!r} has shape {np.shape(found[name])}, "
                    f"but step's has {np.shape(array)}"
                )
