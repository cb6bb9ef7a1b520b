"""Keras 2 beside Keras 3: a package that does what ``tf_keras`` does, which is not installed."""

from __future__ import annotations

import sys
import types
from typing import Any

import pytest
import tensorflow as tf

from eager_vs_graph.child.adopt.reach import reached
from eager_vs_graph.modes import kerases


@pytest.fixture
def legacy(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A package whose layers, made in a v1 graph, change the bases of their class."""

    class Layer:
        def __new__(cls) -> Any:
            if not tf.compat.v1.executing_eagerly_outside_functions() and cls is not LayerV1:
                cls.__bases__ = tuple(LayerV1 if each is Layer else each for each in cls.__bases__)
            return super().__new__(cls)

        def version(self) -> int:
            return 2

    class LayerV1(Layer):
        def version(self) -> int:
            return 1

    class Model(Layer):
        def __init__(self) -> None:
            self.weight = tf.Variable(1.0)
            self._train_counter = tf.Variable(0)
            self._test_counter = tf.Variable(0)
            self._predict_counter = tf.Variable(0)

    package: Any = types.ModuleType("tf_keras")
    package.Model = Model
    package.layers = types.SimpleNamespace(Layer=Layer)
    package.optimizers = types.SimpleNamespace()
    package.metrics = types.SimpleNamespace()
    monkeypatch.setitem(sys.modules, "tf_keras", package)
    return package


def test_what_a_v1_graph_does_to_classes_does_not_outlive_its_making(legacy: Any) -> None:
    class Dense(legacy.layers.Layer):  # type: ignore[misc, name-defined]
        pass

    eager = Dense()
    with tf.Graph().as_default(), kerases.classes_kept():
        assert Dense().version() == 1
        assert eager.version() == 1, "the package changes what was made before"
    assert eager.version() == 2


def test_counters_of_keras_2_are_no_state(legacy: Any) -> None:
    model = legacy.Model()
    assert reached(model).variables == [model.weight]


def test_counters_of_other_objects_are_state() -> None:
    class Model(tf.Module):
        def __init__(self) -> None:
            self._train_counter = tf.Variable(0)

    model = Model()
    assert reached(model).variables == [model._train_counter]
