"""Eager execution: the step's ops run one by one, as Python reaches them."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import tensorflow as tf

from eager_vs_graph.modes.program import Task, TensorProgram
from eager_vs_graph.modes.script_parts import Build, Outcome, VariablesOf, take_steps
from eager_vs_graph.scenario import Feed


class EagerProgram(TensorProgram):
    """The step as it is written; tf.functions that it makes itself are run eagerly too."""

    def step(self) -> Callable[..., Mapping[str, Any]]:
        step = self.scenario.step
        return _functions_eager(step) if self.scenario.traces_itself else step

    @property
    def traces(self) -> int:
        return 0


def _functions_eager(step: Callable[..., Mapping[str, Any]]) -> Callable[..., Mapping[str, Any]]:
    """The step, with its tf.functions run eagerly.

    TensorFlow has one switch for this, for the whole process. It is on during the call only,
    because programs of other modes run in the same process in between.
    """

    @functools.wraps(step)
    def run(*inputs: Any) -> Mapping[str, Any]:
        before = tf.config.functions_run_eagerly()
        tf.config.run_functions_eagerly(True)
        try:
            return step(*inputs)
        finally:
            tf.config.run_functions_eagerly(before)

    return run


def run_mode(build: Build, feeds: Sequence[Feed], variables_of: VariablesOf) -> Outcome:
    """Take the steps twice from the same state: the second time shows what eager does again."""
    scenario = build()
    variables = variables_of(scenario)
    start = {name: variable.numpy() for name, variable in variables.items()}
    take_steps(scenario.step, feeds, variables)
    for name, variable in variables.items():
        variable.assign(start[name])
    return take_steps(scenario.step, feeds, variables)


build: Callable[[Task], EagerProgram] = EagerProgram
