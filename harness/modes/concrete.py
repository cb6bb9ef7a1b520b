"""A concrete function: one trace of ``tf.function``, called without choosing among traces.

``tf.function`` is polymorphic: every call looks at its arguments' types and shapes to find the
trace that they belong to, or to make a new one. A concrete function has one signature, fixed when
it is made; what it saves over ``function`` is what that choice costs. Dimensions in which the
task's feeds differ are None in the signature: one trace serves all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import tensorflow as tf

from eager_vs_graph.modes.program import Task, TensorProgram


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


build: Callable[[Task], ConcreteProgram] = ConcreteProgram
