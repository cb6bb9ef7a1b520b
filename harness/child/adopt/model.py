"""A Keras model's parts as functions: forward, train_step, predict, fit."""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from eager_vs_graph.catalog.target import CALL, FIT, FORWARD, PREDICT, TRAIN_STEP, Target
from eager_vs_graph.child.adopt.arguments import STEPS, Arguments, calls, drawn
from eager_vs_graph.child.adopt.call_arguments import as_array
from eager_vs_graph.child.adopt.described import described_array, told
from eager_vs_graph.child.adopt.modules import is_users
from eager_vs_graph.errors import PartNotFound, ScenarioError, Unsupported, one_line
from eager_vs_graph.modes import kerases
from eager_vs_graph.scenario import SEED, Array


class Forward:
    """The model's answer, as it answers when it is used."""

    def __init__(self, model: Any) -> None:
        self.model = model

    def __call__(self, inputs: Any) -> Any:
        """Answer."""
        return self.model(inputs, training=False)


class TrainStep:
    """Forward, loss, gradients and one update, by hand."""

    def __init__(self, model: Any) -> None:
        self.model = model
        self.optimizer = model.optimizer
        knows = "training" in inspect.signature(model.compute_loss).parameters  # Keras 2 does not
        training = {"training": True} if knows else {}
        self._loss = functools.partial(model.compute_loss, **training)

    def __call__(self, inputs: Any, labels: Any) -> dict[str, Any]:
        """Do one step; returns the loss before it."""
        with tf.GradientTape() as tape:
            predicted = self.model(inputs, training=True)
            loss = self._loss(x=inputs, y=labels, y_pred=predicted)
        variables = self.model.trainable_variables
        self.optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))
        return {"loss": loss}


class OwnTrainStep:
    """The model's own ``train_step``, on what Keras's ``fit`` would give it."""

    def __init__(self, model: Any) -> None:
        self.model = model
        self.optimizer = getattr(model, "optimizer", None)

    def __call__(self, inputs: Any, labels: Any = None) -> Any:
        """Do one step; returns what the model's does."""
        return self.model.train_step(inputs if labels is None else (inputs, labels))


class Predict:
    """Keras's own ``predict``, with its own tf.function, on one batch."""

    def __init__(self, model: Any) -> None:
        self.model = model

    def __call__(self, inputs: Any) -> Any:
        """Answer."""
        return self.model.predict(_one_batch(inputs), verbose=0)

    def alike(self) -> Callable[..., Any]:
        """What does the same in one piece that can be traced."""
        return Forward(self.model)


class Fit:
    """Keras's own ``fit``, with its own tf.function, for an epoch of one batch."""

    def __init__(self, model: Any) -> None:
        self.model = model
        self.optimizer = model.optimizer

    def __call__(self, inputs: Any, labels: Any = None) -> dict[str, Any]:
        """Train for the epoch; returns Keras's loss, or what a step of the model's own returns."""
        batch = _one_batch(inputs if labels is None else (inputs, labels))
        history = self.model.fit(batch, epochs=1, shuffle=False, verbose=0).history
        return {
            name: float(values[0])
            for name, values in history.items()
            if name == "loss" or has_own_step(self.model)
        }

    def alike(self) -> Callable[..., Any]:
        """What does the same in one piece that can be traced."""
        return OwnTrainStep(self.model) if has_own_step(self.model) else TrainStep(self.model)


PARTS: dict[str, Callable[[Any], Callable[..., Any]]] = {
    CALL: Forward,
    FORWARD: Forward,
    TRAIN_STEP: TrainStep,
    PREDICT: Predict,
    FIT: Fit,
}
TRAINING = (TRAIN_STEP, FIT)


def has_own_step(model: Any) -> bool:
    """Whether the model's class says itself what a training step is."""
    return type(model).train_step is not kerases.class_of_models(model).train_step


def _one_batch(tensors: Any) -> Any:
    # Of arrays, Keras would make a data set whose functions are traced anew in every call.
    return tf.data.Dataset.from_tensors(tensors)


class Part:
    """One part of a model, with the calls of its successive steps.

    Args:
        model: the model; it is built here if it is not.
        target: which part, and what its batch, labels, loss and optimizer are.
        given: what the user gave as inputs, for successive steps; empty calls: drawn by shape.

    Attributes:
        calls: the arguments of successive steps: inputs, and labels where it is trained.
        traces_itself: see ``Scenario``.

    Raises:
        ScenarioError: the inputs or labels are not known, or do not fit; the model lacks a loss.
    """

    def __init__(self, model: Any, target: Target, given: Sequence[Arguments]) -> None:
        self._target = target
        if target.part not in TRAINING:
            _require_call(model, target)
        self.traces_itself = target.part in (PREDICT, FIT)
        inputs = [_inputs(model, target, call) for call in given]
        if not any(call.args or call.kwargs for call in given):
            inputs = [_drawn_inputs(model, target, step) for step in range(STEPS)]
        self.calls = [Arguments([each]) for each in inputs]
        if target.part in TRAINING:
            _compile(model, target)
            if _needs_no_label(model, target):
                return
        try:
            outputs = model(_tensors(inputs[0]), training=False)
        except Exception as error:
            raise ScenarioError(
                f"{target.reference}: the model does not take these inputs: {told(error)}"
            ) from error
        if target.part in TRAINING:
            for step, call in enumerate(self.calls):
                call.args.append(_labels(model, target, outputs, step, _rows(call.args[0])))

    def of(self, model: Any) -> Callable[..., Any]:
        """The part of a model, which is built, and compiled, as the first one was.

        Raises:
            Unsupported: it is a model of Keras 2 in a v1 graph.
        """
        if kerases.is_legacy(model) and not tf.executing_eagerly():
            raise Unsupported(
                "in a session's graph, Keras 2 makes a model of TensorFlow 1's kind, which has "
                "another optimizer and no `train_step`; a function that calls its layers can run"
            )
        own_step = self._target.part in TRAINING and has_own_step(model)
        if not (model.built or own_step):  # a step of its own may use other models only
            _call(model, self.calls[0].args[0])
        if self._target.part in TRAINING:
            _compile(model, self._target)
            if not own_step:
                model.optimizer.build(model.trainable_variables)
        model.jit_compile = False  # Keras would choose XLA on a GPU, which is a mode of its own
        if self._target.part == TRAIN_STEP and has_own_step(model):
            return OwnTrainStep(model)
        return PARTS[self._target.part](model)


def _require_call(model: Any, target: Target) -> None:
    """Check that a model answers when it is called: one may be there to be trained only.

    Raises:
        PartNotFound: it does not, and other parts of it were asked for too.
        ScenarioError: it does not.
    """
    if type(model).call not in (
        kerases.class_of_layers(model).call,
        kerases.class_of_models(model).call,
    ):
        return
    if target.part != CALL:
        raise PartNotFound(target.part)
    raise ScenarioError(
        f"{target.reference}: {type(model).__name__} has no `call`, so that it answers nothing; "
        "--train runs its training step"
    )


def _needs_no_label(model: Any, target: Target) -> bool:
    """Whether a training step of the model's own has no use for labels."""
    return has_own_step(model) and not (target.label or model.loss)


def _call(model: Any, inputs: Any) -> None:
    """Call a model, so that it is built; in a graph, nothing of the call is left in the graph."""
    if tf.executing_eagerly():
        model(_tensors(inputs), training=False)
        return
    specs = keras.tree.map_structure(
        lambda each: tf.TensorSpec(each.shape, tf.as_dtype(each.dtype)), inputs
    )
    tf.function(lambda values: model(values, training=False)).get_concrete_function(specs)


def _inputs(model: Any, target: Target, call: Arguments) -> Any:
    """The one structure of inputs that a model takes."""
    values = [*call.args, *call.kwargs.values()]
    if not values:
        return None
    known = getattr(model, "inputs", None) or []
    if len(known) > 1 and len(values) == 1 and isinstance(values[0], Mapping | list | tuple):
        # All inputs in one structure, as the model itself takes them.
        if not isinstance(values[0], Mapping):
            call = Arguments(list(values[0]))
        elif {each.name for each in known} == values[0].keys():
            call = Arguments([], dict(values[0]))
        values = [*call.args, *call.kwargs.values()]
    if known and call.kwargs and not call.args:
        values = _by_name(known, target, call.kwargs)
    if known and len(values) != len(known):
        raise ScenarioError(
            f"{target.reference}: {len(values)} inputs were given, but the model takes "
            f"{len(known)}: {', '.join(_told(each) for each in known)}"
        )
    for each, value in zip(known, values, strict=bool(known)):
        array = as_array(f"{target.reference}: input {each.name!r}", value)
        rank = len(array.shape) == len(each.shape)
        fits = rank and all(b in (None, a) for a, b in zip(array.shape, each.shape, strict=True))
        kind = array.dtype.kind if array.dtype.name != "bfloat16" else "f"
        dtype = tf.as_dtype(each.dtype).name
        wanted = "f" if "float" in dtype else "i" if "int" in dtype else kind
        if not fits or (kind in "fiu") != (wanted in "fi") or (kind == "f") != (wanted == "f"):
            raise ScenarioError(
                f"{target.reference}: input {each.name!r} is {described_array(array)}, but "
                f"the model takes {_told(each)}"
            )
    structure = getattr(model, "_inputs_struct", None)  # a Functional's, where it is nested
    if known and structure is not None and len(values) > 1:
        return keras.tree.pack_sequence_as(structure, values)
    if call.kwargs and not call.args and len(values) > 1:
        return dict(call.kwargs)
    return values[0] if len(values) == 1 else values


def _by_name(known: Sequence[Any], target: Target, given: Mapping[str, Any]) -> list[Any]:
    """Values in the order of the model's inputs.

    Raises:
        ScenarioError: there is no input of a name, or an input was left out.
    """
    names = [each.name for each in known]
    if sorted(given) != sorted(names):
        raise ScenarioError(
            f"{target.reference}: inputs {', '.join(given)} were given, but the model takes "
            f"{', '.join(map(_told_with_name, known))}"
        )
    return [given[name] for name in names]


def _drawn_inputs(model: Any, target: Target, step: int) -> Any:
    known = getattr(model, "inputs", None)
    if not known:
        raise ScenarioError(
            f"{target.reference}: the model does not know the shape of its inputs; give them with "
            '--arg, such as --arg "float32[32,784]"'
        )
    rng = np.random.default_rng([SEED, step])
    if openly := [each for each in known if None in each.shape[1:]]:
        several = len(known) > 1
        arguments = [f'--arg "{f"{e.name}=" * several}{_example(e, target)}"' for e in known]
        raise ScenarioError(
            f"{target.reference}: {', '.join(map(_told_with_name, openly))}: more is open than the "
            f"batch; give {'every input by name' if several else 'a shape'}, such as "
            f"{' '.join(arguments)}"
        )

    def draw(each: Any) -> Array:
        shape = (target.batch, *each.shape[1:])
        array = drawn(f"{tf.as_dtype(each.dtype).name}[{','.join(map(str, shape))}]", rng)
        assert array is not None
        return array

    structure = getattr(model, "_inputs_struct", None)  # a Functional's, where it is nested
    return keras.tree.map_structure(draw, known[0] if structure is None else structure)


def _rows(inputs: Any) -> tuple[int, ...]:
    """How many rows a batch has; empty where its first input has no dimension."""
    return tuple(np.shape(keras.tree.flatten(inputs)[0])[:1])


def _labels(model: Any, target: Target, outputs: Any, step: int, rows: tuple[int, ...]) -> Any:
    """Labels that were given, or that fit the model's loss and its output."""
    if target.label:
        made = calls([target.label], _no_factory)
        return made[min(step, len(made) - 1)].args[0]
    loss = model.loss
    kind = loss if isinstance(loss, str) else getattr(loss, "name", None) or ""
    kind = "".join(c for c in kind.lower() if c.isalpha())
    if not kind or not isinstance(outputs, tf.Tensor):
        raise ScenarioError(
            f"{target.reference}: no labels can be drawn for loss {loss!r}; give them with "
            '--label, such as --label "int32[32] in 0..9"'
        )
    rng = np.random.default_rng([SEED, 1000 + step])
    shape = (*rows, *outputs.shape[len(rows) :])
    if kind.startswith("sparse"):
        return rng.integers(0, shape[-1], shape[:-1], dtype=np.int32)
    if kind.startswith("categorical"):
        chosen = rng.integers(0, shape[-1], shape[:-1])
        return np.eye(shape[-1], dtype=np.float32)[chosen]
    if kind.startswith("binary"):
        return rng.integers(0, 2, shape).astype(np.float32)
    return rng.standard_normal(shape).astype(np.float32)


def _no_factory(reference: str) -> Any:
    raise ScenarioError(
        f"--label {reference!r} should be a shape such as int32[32] in 0..9, or a .npy file"
    )


def _compile(model: Any, target: Target) -> None:
    compiled = bool(getattr(model, "compiled", getattr(model, "_is_compiled", False)))
    compiled = compiled and (model.optimizer is not None or has_own_step(model))
    if not compiled and not (target.loss and target.optimizer):
        raise ScenarioError(
            f"{target.reference}: the model is not compiled, so that it has no training step; give "
            "--loss and --optimizer, such as --loss mean_squared_error --optimizer adam"
        )
    if target.loss or target.optimizer:
        try:
            model.compile(
                optimizer=target.optimizer or model.optimizer, loss=target.loss or model.loss
            )
        except ValueError as error:
            raise ScenarioError(
                f"{target.reference}: Keras does not know it: {one_line(error)}"
            ) from error


def _tensors(inputs: Any) -> Any:
    return keras.tree.map_structure(tf.convert_to_tensor, inputs)


def file_of_model(model: Any) -> str:
    """The file of a model's class, where that is the user's."""
    kind = type(model)
    module = sys.modules.get(kind.__module__)
    return inspect.getfile(kind) if module is not None and is_users(module.__name__, module) else ""


def _told(each: Any) -> str:
    sizes = ",".join("?" if size is None else str(size) for size in each.shape)
    return f"{tf.as_dtype(each.dtype).name}[{sizes}]"


def _told_with_name(each: Any) -> str:
    return f"{each.name}: {_told(each)}"


def _example(each: Any, target: Target) -> str:
    sizes = [str(target.batch), *(str(d or 16) for d in each.shape[1:])]
    return f"{tf.as_dtype(each.dtype).name}[{','.join(sizes)}]"
