"""The variables of a built scenario, under names that are the same in every mode.

A variable's own name will not do: Keras numbers layers through the life of a process (``dense``,
``dense_1``) and a graph makes names unique, so the same variable is called differently in the
second program. A *structural name* starts from the scenario's attribute instead:

    self.weight = tf.Variable(5.0)       weight
    self.layers = [Dense(3), Dense(4)]   layers/0/kernel, layers/0/bias, layers/1/kernel, …
    self.model  = MnistModel()           model/dense/kernel, model/dense_1/kernel, …
    self.module = Module()               module/weight, module/parts/0, … (tf.Module: attributes)

with automatic numbers counted afresh within each attribute, in order of creation.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from eager_vs_graph.errors import ScenarioError
from eager_vs_graph.scenario import Scenario, State


def variables_of(scenario: Scenario) -> dict[str, tf.Variable]:
    """The ``tf.Variable`` behind every variable that the scenario's attributes hold."""
    return variables_in(vars(scenario))


def variables_in(attributes: Mapping[str, Any]) -> dict[str, tf.Variable]:
    """The same for attributes that belong to no scenario."""
    variables: dict[str, tf.Variable] = {}
    seen: set[int] = set()
    for attribute, value in attributes.items():
        for name, variable in _walk(attribute, value):
            if id(variable) not in seen:
                seen.add(id(variable))
                variables[name] = variable
    return variables


def checkpointed(scenario: Scenario) -> frozenset[str] | None:
    """Names of the variables that the scenario's checkpoint tracks; None where it has none."""
    if scenario.checkpoint is None:
        return None
    tracked = {
        # Keras 3 wraps the variable that a checkpoint holds.
        id(each.value if isinstance(each, tf.keras.Variable) else each)
        for each in tf.train.TrackableView(scenario.checkpoint).descendants()
    }
    variables = variables_of(scenario)
    return frozenset(name for name, variable in variables.items() if id(variable) in tracked)


def require_same(expected: State, found: Mapping[str, tf.Variable], mode: str) -> None:
    """Check that a program's variables are those that eager built.

    Raises:
        ScenarioError: a name, shape or dtype does not match; the message names it.
    """
    for name in [*expected, *found]:
        if name not in found or name not in expected:
            where, missing = ("eager", mode) if name in expected else (mode, "eager")
            raise ScenarioError(
                f"variable {name!r} exists in {where} but not in {missing}: build must create the "
                "same variables in every mode"
            )
        want, have = expected[name], found[name]
        if tuple(have.shape) != want.shape or have.dtype.as_numpy_dtype != want.dtype:
            raise ScenarioError(
                f"variable {name!r} is {have.dtype.name}{tuple(have.shape)} in {mode}, but "
                f"should be {want.dtype}{want.shape} as in eager"
            )


def as_reference(values: Mapping[str, Any]) -> dict[str, Any]:
    """Copies of arrays in double precision, which a reference computes in; integers as they are."""
    return {name: _as_double(np.asarray(value)) for name, value in values.items()}


def _as_double(array: Any) -> Any:
    if array.dtype.kind == "c":
        return np.array(array, np.complex128)
    # bfloat16 is not a NumPy float (kind 'V'), but converts.
    is_float = array.dtype.kind == "f" or array.dtype.name == "bfloat16"
    return np.array(array, dtype=np.float64 if is_float else array.dtype)


def _walk(
    prefix: str, value: Any, above: frozenset[int] = frozenset()
) -> Iterator[tuple[str, tf.Variable]]:
    """Variables that a value holds; ``above`` are the modules around it, which may form rings."""
    if isinstance(value, tf.Variable):
        yield prefix, value
    elif isinstance(value, tf.keras.Variable):
        yield prefix, value.value
    elif isinstance(value, tf.random.Generator):
        yield f"{prefix}/state", value.state
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _walk(f"{prefix}/{key}", item, above)
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield from _walk(f"{prefix}/{index}", item, above)
    elif isinstance(value, tf.keras.layers.Layer | tf.keras.optimizers.Optimizer):
        # Keras 3 keeps its variables' paths; the first part is the object itself, but in a
        # functional model, where it is the layer.
        is_model = isinstance(value, tf.keras.Model)
        paths = [
            variable.path
            if is_model and not variable.path.startswith(f"{value.name}/")
            else variable.path.partition("/")[2]
            for variable in value.variables
        ]
        names = _renumbered(paths)
        yield from ((f"{prefix}/{n}", v.value) for n, v in zip(names, value.variables, strict=True))
        yield from _raw_variables(prefix, value)
    elif isinstance(value, tf.keras.Metric):
        names = _renumbered(variable.name for variable in value.variables)
        yield from ((f"{prefix}/{n}", v.value) for n, v in zip(names, value.variables, strict=True))
    elif isinstance(value, tf.Module) and id(value) not in above:
        for attribute, item in vars(value).items():
            if not attribute.startswith("_self_"):  # TensorFlow's own book-keeping
                yield from _walk(f"{prefix}/{attribute}", item, above | {id(value)})


def _raw_variables(
    prefix: str, value: Any, above: frozenset[int] = frozenset()
) -> Iterator[tuple[str, tf.Variable]]:
    """Every ``tf.Variable`` that a Keras object's attributes hold: Keras 3 does not list them."""
    if isinstance(value, tf.Variable):
        yield prefix, value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _raw_variables(f"{prefix}/{key}", item, above)
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield from _raw_variables(f"{prefix}/{index}", item, above)
    elif isinstance(value, tf.keras.layers.Layer | tf.Module) and id(value) not in above:
        held = {name: item for name, item in vars(value).items() if not name.startswith("_")}
        if isinstance(value, tf.keras.Model):
            held["layers"] = value.layers
        for name, item in held.items():
            yield from _raw_variables(f"{prefix}/{name}", item, above | {id(value)})


def _renumbered(paths: Iterable[str]) -> list[str]:
    """Count automatic numbers (``dense_7``) from the start, scope by scope; keep names unique.

    An optimizer flattens paths into its slots' names, so numbers stand inside a part as well:
    ``model_dense_7_kernel_momentum``.
    """
    numbers: dict[tuple[str, str], list[str]] = {}
    names: list[str] = []
    for path in paths:
        scope = ""
        for part in path.split("/"):
            stem = re.sub(r"_\d+(?=_|$)", "", part)
            siblings = numbers.setdefault((scope, stem), [])
            if part not in siblings:
                siblings.append(part)
            number = siblings.index(part)
            new = f"{stem}_{number}" if number else stem
            scope = f"{scope}/{new}" if scope else new
        while scope in names:
            scope += "'"
        names.append(scope)
    return names
