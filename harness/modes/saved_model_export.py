"""Writes a scenario as a SavedModel, with signatures for its step and for its state.

The scenario is built and its step traced as for ``tf.function``; what is written has no Python in
it. Three signatures serve every way of loading it, in TensorFlow 2, in a v1 session or in a server:

    step    the step: inputs and outputs under their own names
    state   nothing in; the value of every variable out
    load    a value for every variable in; assigns them

A signature's names must be valid names in a graph. A structural name (``dense/kernel``) is not: in
``state`` and ``load`` the variables are ``variable_0``, ``variable_1``, … in the order of
``Export.variables``. A scenario without variables has the signature ``step`` only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tensorflow as tf

from eager_vs_graph.errors import Unsupported, one_line
from eager_vs_graph.modes.object_graph import contents, walk
from eager_vs_graph.modes.program import Task, require_no_new_variables, require_outputs
from eager_vs_graph.modes.variables import variables_of
from eager_vs_graph.scenario import Scenario, State


@dataclass(frozen=True)
class Export:
    """A SavedModel on disk, and what its signatures' names mean."""

    folder: Path
    outputs: tuple[str, ...]
    """Names of the step's outputs, in the step's order: a signature sorts them."""
    variables: Mapping[str, Any]
    """By structural name, a ``tf.TensorSpec`` of each variable."""
    traces: int
    """How often the step was traced for it."""
    writer: Scenario | None = None
    """The scenario, where its step uses files: their folder, whose path is in the SavedModel, goes
    with the instance."""

    def to_signature(self, state: State) -> State:
        """The state under the names that the signature ``load`` takes."""
        return {_argument(index): state[name] for index, name in enumerate(self.variables)}

    def from_signature(self, outputs: State) -> State:
        """The state from what the signature ``state`` returned."""
        return {name: outputs[_argument(index)] for index, name in enumerate(self.variables)}


def export(task: Task, folder: Path) -> Export:
    """Build the task's scenario, trace its step and write both into an empty folder.

    Inputs whose feeds differ in a dimension have that dimension open.

    Raises:
        ScenarioError: the step breaks its contract.
        Unsupported: TensorFlow cannot write it, for the reason given.
    """
    with task.on_device():
        scenario = task.instance()
        scenario.build()
        held = variables_of(scenario)
        function = tf.function(scenario.step)
        step = function.get_concrete_function(*task.specs())
        require_outputs(step.structured_outputs)
        require_no_new_variables(held, variables_of(scenario))
        module = tf.Module()
        module.kept = list(held.values())
        module.resources = _resources(scenario)
        signatures = {"step": step, **_state_signatures(module.kept)}
        try:
            tf.saved_model.save(module, str(folder), signatures)
        except (AssertionError, NotImplementedError, TypeError, ValueError) as error:
            raise Unsupported(f"does not deploy: tf.saved_model.save: {one_line(error)}") from error
    return Export(
        folder=folder,
        outputs=tuple(step.structured_outputs),
        variables={name: tf.TensorSpec(v.shape, v.dtype) for name, v in held.items()},
        traces=function.experimental_get_tracing_count(),
        writer=scenario if "folder" in vars(scenario) else None,
    )


def _state_signatures(variables: list[Any]) -> dict[str, Any]:
    if not variables:
        return {}
    names = [_argument(index) for index in range(len(variables))]

    @tf.function(input_signature=[])
    def state() -> dict[str, Any]:
        return {name: v.read_value() for name, v in zip(names, variables, strict=True)}

    @tf.function
    def load(**values: Any) -> dict[str, Any]:
        for name, variable in zip(names, variables, strict=True):
            variable.assign(values[name])
        return {"loaded": tf.constant(len(names))}  # a session runs what it can fetch

    specs = {
        name: tf.TensorSpec(variable.shape, variable.dtype, name)
        for name, variable in zip(names, variables, strict=True)
    }
    return {
        "state": state.get_concrete_function(),
        "load": load.get_concrete_function(**specs),
    }


def _argument(index: int) -> str:
    return f"variable_{index}"


def _resources(scenario: Scenario) -> list[Any]:
    """What a step may use beside variables, which a SavedModel does not find by itself.

    Tables, summary writers and data sets, in attributes, lists, dicts, modules and layers.
    """
    kinds = tf.saved_model.experimental.TrackableResource | tf.data.Dataset
    return [value for _, value in walk(scenario, contents) if isinstance(value, kinds)]
