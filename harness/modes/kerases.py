"""What belongs to Keras: Keras 3, and Keras 2, the package ``tf_keras``.

Keras 2 takes the place of ``tf.keras`` where ``TF_USE_LEGACY_KERAS`` is set, and TensorFlow
Probability and others use it beside Keras 3. A class of the one is none of the other's.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import keras
import tensorflow as tf

_PLACES = {
    "Layer": "layers.Layer",
    "Model": "Model",
    "Optimizer": "optimizers.Optimizer",
    "Metric": "metrics.Metric",
}
"""By kind: where both packages have its class."""
_COUNTERS = ("_train_counter", "_test_counter", "_predict_counter")


def is_layer(value: Any) -> bool:
    """Whether it is a layer; a model is one, too."""
    return isinstance(value, _classes("Layer"))


def is_model(value: Any) -> bool:
    """Whether it is a model."""
    return isinstance(value, _classes("Model"))


def is_optimizer(value: Any) -> bool:
    """Whether it is an optimizer."""
    return isinstance(value, _classes("Optimizer"))


def is_metric(value: Any) -> bool:
    """Whether it is a metric."""
    return isinstance(value, _classes("Metric"))


def is_of_keras(value: Any) -> bool:
    """Whether it is a layer, a model, an optimizer or a metric."""
    return is_layer(value) or is_optimizer(value) or is_metric(value)


def class_of_models(model: Any) -> Any:
    """The ``Model`` that a model's class is derived from."""
    return next(each for each in _classes("Model") if isinstance(model, each))


def class_of_layers(layer: Any) -> Any:
    """The ``Layer`` that a layer's class is derived from."""
    return next(each for each in _classes("Layer") if isinstance(layer, each))


def is_legacy(value: Any) -> bool:
    """Whether it is of Keras 2."""
    return is_of_keras(value) and not isinstance(
        value, keras.Layer | keras.optimizers.Optimizer | keras.Metric
    )


def variables_of(value: Any) -> list[Any]:
    """The variables that a Keras object lists: Keras 3's wrappers, or TensorFlow's own."""
    try:
        listed = value.variables
    except ValueError:  # a model of Keras 2 that was never called
        return []
    return list(listed if isinstance(listed, list | tuple) else listed())


def counters_of(value: Any) -> list[Any]:
    """Variables in which ``fit`` and its kin count batches: no state of a model of Keras 2.

    No checkpoint has them, and in a v1 graph there are none.
    """
    if "tf_keras" not in sys.modules or not (is_model(value) and is_legacy(value)):
        return []
    return [vars(value)[name] for name in _COUNTERS if name in vars(value)]


@contextmanager
def classes_kept() -> Iterator[None]:
    """Within, Keras 2 may change its classes; after it, they are what they were.

    Where it makes a layer in a v1 graph, it gives the layer's class, and those that it is derived
    from, other bases: those of TensorFlow 1. Layers that were made eagerly would have them, too.
    """
    legacy = sys.modules.get("tf_keras")
    bases = {} if legacy is None else {c: c.__bases__ for c in _derived(legacy.layers.Layer)}
    try:
        yield
    finally:
        for each, before in bases.items():
            if each.__bases__ != before:
                each.__bases__ = before


def _derived(base: type) -> list[type]:
    """A class and all that are derived from it, each after its bases."""
    found, waiting = [], [base]
    while waiting:
        each = waiting.pop(0)
        if each not in found:
            found.append(each)
            waiting += each.__subclasses__()
    return found


def seed_all(seed: int) -> None:
    """Seed Python, NumPy, TensorFlow and every Keras there is."""
    tf.keras.utils.set_random_seed(seed)
    keras.utils.set_random_seed(seed)


def version() -> str:
    """The version of the package that is ``tf.keras``."""
    package = tf.keras.Model.__module__.partition(".")[0]
    return str(sys.modules[package].__version__)


def set_floatx(name: str) -> str:
    """Have every Keras make this dtype where nobody names one; returns what it was."""
    before: str = keras.config.floatx()
    keras.config.set_floatx(name)
    if (legacy := sys.modules.get("tf_keras")) is not None:
        legacy.backend.set_floatx(name)
    return before


def _classes(kind: str) -> tuple[type, ...]:
    """The classes of a kind in the packages that are imported."""
    found = []
    for package in (keras, sys.modules.get("tf_keras")):
        value: Any = package
        for part in _PLACES[kind].split("."):
            value = getattr(value, part, None)  # a package that is just being imported has not all
        if value is not None:
            found.append(value)
    return tuple(found)
