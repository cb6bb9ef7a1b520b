"""A concrete function: one trace of ``tf.function``, called without a choice among traces.

``tf.function`` is polymorphic: every call compares the types and shapes of its arguments with those
of the traces that exist, and picks one or makes a new one. A concrete function has one signature,
fixed when it is made. So the difference between ``function`` and ``concrete`` is the cost of that
choice. A dimension in which the feeds differ is None in the signature: one trace serves all feeds.
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
