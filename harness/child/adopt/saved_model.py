"""The folder of a SavedModel as a scenario: its default signature, called in every mode.

Its Python is gone, so that there is one graph whatever the mode: ``eager`` calls it from Python, as
a program that loads a SavedModel does, and the other modes put it into a graph of their own.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import tensorflow as tf

from eager_vs_graph.catalog.target import Target
from eager_vs_graph.child.adopt.arguments import STEPS, calls, drawn
from eager_vs_graph.child.adopt.described import described
from eager_vs_graph.child.adopt.function import Adopted, members_of
from eager_vs_graph.child.adopt.results import results
from eager_vs_graph.child.adopt.structure import identifiers
from eager_vs_graph.errors import NoReference, PartNotFound, ScenarioError, one_line
from eager_vs_graph.scenario import SEED, Array, KnownDifference, State

SIGNATURE = "serving_default"


class Saved(Adopted):
    """A SavedModel's default signature."""

    path: ClassVar[str]
    arguments: ClassVar[tuple[str, ...]]
    """The signature's own names, in the order of ``names``."""
    known_differences: ClassVar[tuple[KnownDifference, ...]] = ()
    notes: ClassVar[tuple[str, ...]] = (
        "a SavedModel has no Python left: eager calls its graph, so that the modes differ in how "
        "it is called",
    )

    def build(self) -> None:
        """Load it into the current graph."""
        self.loaded = tf.saved_model.load(self.path)
        signature = self.loaded.signatures[SIGNATURE]
        self.variables = list(signature.variables)
        self.signature = signature

    def call(self, *tensors: Any, **named: Any) -> Any:
        """Call the signature."""
        if named:
            tensors = tuple(named[name] for name in self.names)
        return results(self.signature(**dict(zip(self.arguments, tensors, strict=True))))

    def reference(self, _state: State, /, *_args: Any, **_inputs: Any) -> dict[str, Array]:
        """There is none."""
        raise NoReference("the dtypes of a SavedModel's graph are fixed")


def scenario_of_folder(target: Target, name: str) -> type[Saved]:
    """The scenario of a SavedModel.

    Raises:
        ScenarioError: the folder holds none, it does not load, or the arguments do not fit.
        NotThere: an optional part other than the forward pass.
    """
    path = Path(target.reference)
    if target.part not in ("call", "forward"):
        if target.part == "predict":
            raise PartNotFound(target.part)
        raise ScenarioError(
            f"{path}: a SavedModel cannot be trained, for its Python is gone; give the .keras file "
            "or the function that makes the model"
        )
    if not (path / "saved_model.pb").is_file():
        raise ScenarioError(f"{path}: no SavedModel: it holds no saved_model.pb")
    try:
        loaded = tf.saved_model.load(str(path))
    except Exception as error:
        told = one_line(error)
        raise ScenarioError(f"{path}: does not load: {type(error).__name__}: {told}") from error
    if SIGNATURE not in loaded.signatures:
        raise ScenarioError(
            f"{path}: has no signature {SIGNATURE!r}, but: {', '.join(loaded.signatures) or 'none'}"
        )
    specs = loaded.signatures[SIGNATURE].structured_input_signature[1]
    names = identifiers(specs)
    feeds = [dict(zip(names, arrays, strict=True)) for arrays in _arrays(target, specs)]
    first = feeds[0]
    return type(
        name,
        (Saved,),
        {
            **members_of(name, names, feeds),
            "__doc__": f"{name}({', '.join(described(each, first[each]) for each in names)}).",
            "path": str(path),
            "arguments": tuple(specs),
            "file": str(path),
        },
    )


def _arrays(target: Target, specs: dict[str, tf.TensorSpec]) -> Sequence[list[Array]]:
    """Values for the signature's arguments, for successive steps."""
    if target.arguments:
        found = []
        for call in calls(target.arguments, _no_factory, list(specs)):
            values = {**dict(zip(specs, call.args, strict=False)), **call.kwargs}
            if values.keys() != specs.keys() or len(call.args) > len(specs):
                raise ScenarioError(
                    f"{target.reference}: takes {', '.join(map(_told, specs.values()))}, but was "
                    f"given {len(call.args) + len(call.kwargs)} arguments"
                )
            arrays = {each: np.asarray(values[each]) for each in specs}
            for each, spec in specs.items():
                if not spec.is_compatible_with(arrays[each]):
                    raise ScenarioError(
                        f"{target.reference}: argument {described(each, arrays[each])} should be "
                        f"{_told(spec)}"
                    )
            found.append(list(arrays.values()))
        return found
    return [
        [_drawn(target, spec, np.random.default_rng([SEED, step])) for spec in specs.values()]
        for step in range(STEPS)
    ]


def _drawn(target: Target, spec: tf.TensorSpec, rng: np.random.Generator) -> Array:
    shape = [None] if spec.shape.rank is None else spec.shape.as_list()
    shape = [
        target.batch if size is None and place == 0 else size for place, size in enumerate(shape)
    ]
    if spec.shape.rank is None or None in shape:
        raise ScenarioError(
            f"{target.reference}: the shape of {_told(spec)} is open; give one with --arg"
        )
    array = drawn(f"{spec.dtype.name}[{','.join(map(str, shape))}]", rng)
    assert array is not None
    return array


def _told(spec: tf.TensorSpec) -> str:
    sizes = ["?" if size is None else str(size) for size in spec.shape.as_list()]
    return f"{spec.name}: {spec.dtype.name}[{','.join(sizes)}]"


def _no_factory(reference: str) -> Any:
    raise ScenarioError(
        f"argument {reference!r} should be a shape such as float32[32,784], or a file of arrays"
    )
