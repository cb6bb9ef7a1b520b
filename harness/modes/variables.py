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
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf

from eager_vs_graph.errors import ScenarioError
from eager_vs_graph.modes import kerases
from eager_vs_graph.modes.object_graph import walk
from eager_vs_graph.scenario import Scenario, State


class Part(NamedTuple):
    """A step on the way from a scenario to a variable."""

    name: str
    """Of the structural name; empty where the step has no name of its own."""
    code: str
    """The Python that takes the step, such as ``.kernel`` or ``[0]``."""


def variables_of(scenario: Scenario) -> dict[str, tf.Variable]:
    """The ``tf.Variable`` behind every variable that the scenario's attributes hold."""
    return {_name(path): variable for path, variable in _paths(scenario)}


def code_of_variables(scenario: Scenario) -> dict[str, str]:
    """The Python that reaches each variable from the scenario, such as ``.layers[0].kernel``."""
    return {_name(path): "".join(part.code for part in path) for path, _ in _paths(scenario)}


def checkpointed(scenario: Scenario) -> frozenset[str] | None:
    """Names of the variables that the scenario's checkpoint tracks; None where it has none."""
    if scenario.checkpoint is None:
        return None
    tracked = {
        # Keras 3 wraps the variable that a checkpoint holds.
        id(each.value if isinstance(each, keras.Variable) else each)
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
                f"variable {name!r} exists in {where} but not in {missing}; every mode should have "
                "the same variables"
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


def _paths(scenario: Scenario) -> Iterator[tuple[tuple[Part, ...], tf.Variable]]:
    for path, value in walk(scenario, _parts):
        if isinstance(value, tf.Variable):
            yield path, value


def _name(path: Iterable[Part]) -> str:
    return "/".join(part.name for part in path if part.name)


def _parts(value: Any) -> Iterator[tuple[Part, Any]]:
    """The variables of an object, and the objects that may hold some."""
    if isinstance(value, tf.Variable):
        return
    if isinstance(value, keras.Variable):
        yield Part("", ".value"), value.value
    elif isinstance(value, tf.random.Generator):
        yield Part("state", ".state"), value.state
    elif kerases.is_of_keras(value):
        listed = kerases.variables_of(value)
        for index, (name, variable) in enumerate(zip(_keras_names(value), listed, strict=True)):
            if isinstance(variable, keras.Variable):
                yield Part(name, f".variables[{index}].value"), variable.value
            else:
                yield Part(name, f".variables[{index}]"), variable
        yield from _unlisted(value)
    elif isinstance(value, tf.Module | Scenario):
        # TensorFlow's own book-keeping begins with _self_.
        yield from _attributes(value, "_self_")
    else:
        yield from _items(value)


def _keras_names(value: Any) -> list[str]:
    """Names for the variables that a Keras object lists, in the order of the list."""
    listed = kerases.variables_of(value)
    if not all(isinstance(variable, keras.Variable) for variable in listed):
        # Keras 2: the whole path is in the name, with an output's number.
        return _renumbered(variable.name.partition(":")[0] for variable in listed)
    if kerases.is_metric(value):
        return _renumbered(variable.name for variable in listed)
    # Keras 3 keeps its variables' paths; the first part is the object itself, but in a functional
    # model, where it is the layer.
    is_model = kerases.is_model(value)
    return _renumbered(
        variable.path
        if is_model and not variable.path.startswith(f"{value.name}/")
        else variable.path.partition("/")[2]
        for variable in listed
    )


def _unlisted(value: Any) -> Iterator[tuple[Part, tf.Variable]]:
    """Every ``tf.Variable`` that a Keras object's attributes hold: Keras 3 does not list them."""
    for path, variable in walk(value, _public_parts):
        if isinstance(variable, tf.Variable):
            yield Part(_name(path), "".join(part.code for part in path)), variable


def _public_parts(value: Any) -> Iterator[tuple[Part, Any]]:
    if kerases.is_layer(value) or isinstance(value, tf.Module):
        yield from _attributes(value, "_")
        if kerases.is_model(value):
            yield Part("layers", ".layers"), value.layers
    else:
        yield from _items(value)


def _attributes(value: Any, private: str) -> Iterator[tuple[Part, Any]]:
    for name, item in list(vars(value).items()):
        if not name.startswith(private):
            yield Part(name, f".{name}"), item


def _items(value: Any) -> Iterator[tuple[Part, Any]]:
    if isinstance(value, Mapping):
        yield from ((Part(str(key), f"[{key!r}]"), item) for key, item in value.items())
    elif isinstance(value, list | tuple):
        yield from ((Part(str(index), f"[{index}]"), item) for index, item in enumerate(value))


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
