"""A concrete function: one trace of ``tf.function``, called without choosing among traces.

``tf.function`` is polymorphic: every call looks at its arguments' types and shapes to find the
trace that they belong to, or to make a new one. A concrete function has one signature, fixed when
it is made; what it saves over ``function`` is what that choice costs. Dimensions in which the
task's feeds differ are None in the signature: one trace serves all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import tensorflow as tf

from eager_vs_graph.modes.program import Task, TensorProgram, specs_of
from eager_vs_graph.modes.script_parts import Build, Outcome, VariablesOf, take_steps
from eager_vs_graph.scenario import Feed


class ConcreteProgram(TensorProgram):
    """The step as a concrete function. Building traces; the first call only executes."""

    def step(self) -> Callable[..., Mapping[str, Any]]:
        self._function = tf.function(self.scenario.step)
        with self.task.on_device():
            concrete: Callable[..., Mapping[str, Any]] = self._function.get_concrete_function(
                *self.task.specs()
            )
        return concrete

    @property
    def traces(self) -> int:
        count: int = self._function.experimental_get_tracing_count()
        return count


def run_mode(build: Build, feeds: Sequence[Feed], variables_of: VariablesOf) -> Outcome:
    """Take the steps as a concrete function."""
    scenario = build()
    specs = {spec.name: spec for spec in specs_of(feeds, list(feeds[0]))}
    step = tf.function(scenario.step).get_concrete_function(**specs)
    return take_steps(step, feeds, variables_of(scenario))


build: Callable[[Task], ConcreteProgram] = ConcreteProgram
