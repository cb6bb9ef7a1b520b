"""Trains a program to its scenario's goal: what it learned, and the curve on the way."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from eager_vs_graph.errors import ScenarioError
from eager_vs_graph.modes.program import Program
from eager_vs_graph.scenario import Array, Feed, Goal, Scenario, State


@dataclass(frozen=True)
class Learned:
    """What one program learned; empty where the scenario has no goal at this size."""

    measured: dict[str, float | None] = field(default_factory=dict)
    """By quantity; None where it is not finite, which JSON cannot say."""
    curves: dict[str, list[float | None]] = field(default_factory=dict)
    """By output; see ``CellParity``."""
    missed: str = ""
    """Which quantities are outside what the goal expects; empty where none is."""


def learn(
    program: Program,
    scenario: type[Scenario],
    size: str,
    initial: State,
    feeds: Sequence[Feed],
) -> Learned:
    """Run a program for its goal's steps from a state, and measure.

    Args:
        program: the program; its variables are left as training left them.
        scenario: its scenario.
        size: its size.
        initial: the state to start from.
        feeds: the feeds, which are cycled.

    Raises:
        ScenarioError: the goal's curve is no output, or neither a scalar nor a vector.
    """
    goal = scenario.goal
    if goal is None or (goal.sizes and size not in goal.sizes):
        return Learned()
    program.load(initial)
    curve: list[float | None] = []
    for step in range(goal.steps):
        outputs = program.run(feeds[step % len(feeds)])
        if goal.curve:
            curve += map(_finite, _values(outputs, goal.curve, scenario.name))
    measured = scenario(scenario.sizes[size]).measure(program.state())
    return Learned(
        measured={name: _finite(float(value)) for name, value in measured.items()},
        curves={goal.curve: curve} if goal.curve else {},
        missed=_missed(goal, measured),
    )


def _values(outputs: Mapping[str, Array], name: str, scenario: str) -> list[float]:
    """One step's part of the curve."""
    if name not in outputs:
        raise ScenarioError(
            f"{scenario}: goal.curve is {name!r}, but step returns: {', '.join(outputs)}"
        )
    values = np.asarray(outputs[name])
    if values.ndim > 1 or not (values.dtype.kind in "fiu" or values.dtype.name == "bfloat16"):
        raise ScenarioError(
            f"{scenario}: goal.curve is {name!r}, which is {values.dtype}{values.shape}, but "
            "should be a real scalar or vector"
        )
    return [float(value) for value in np.atleast_1d(values)]


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _missed(goal: Goal, measured: Mapping[str, float]) -> str:
    return "; ".join(
        f"{name} = {measured.get(name, math.nan):.4g} after {goal.steps} steps, but "
        f"should be in [{low:g}, {high:g}]"
        for name, (low, high) in goal.expect.items()
        if not low <= measured.get(name, math.nan) <= high
    )
