"""``tf.function``: the first call traces the step into a graph, later calls run the graph."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import tensorflow as tf

from eager_vs_graph.modes.grappler import executed_graphs
from eager_vs_graph.modes.program import Task, TensorProgram
from eager_vs_graph.modes.script_parts import Build, Outcome, VariablesOf, take_steps
from eager_vs_graph.scenario import Feed


class FunctionProgram(TensorProgram):
    """The step under ``tf.function`` with its defaults (AutoGraph, no XLA).

    A step that ``traces_itself`` is called as it is: it brings its own tf.functions.
    """

    def step(self) -> Callable[..., Mapping[str, Any]]:
        if self.scenario.traces_itself:
            return self.scenario.step
        function: Callable[..., Mapping[str, Any]] = tf.function(self.scenario.step)
        return function

    def optimised_graphs(self, feed: Feed) -> list[Any]:
        tensors = self._tensors(feed)
        return executed_graphs(lambda: self._step(*tensors))

    @property
    def traces(self) -> int:
        if self.scenario.traces_itself:
            return sum(self.inner_traces().values())
        count: int = self._step.experimental_get_tracing_count()  # type: ignore[attr-defined]
        return count


def run_mode(build: Build, feeds: Sequence[Feed], variables_of: VariablesOf) -> Outcome:
    """Take the steps as a ``tf.function``."""
    scenario = build()
    return take_steps(tf.function(scenario.step), feeds, variables_of(scenario))


build: Callable[[Task], FunctionProgram] = FunctionProgram
