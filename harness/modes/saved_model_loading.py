"""A SavedModel that a process has loaded: TensorFlow and NumPy only, nothing of a scenario.

The measuring process and the fresh process load an export by the same code.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray
from tensorflow.core.protobuf import saved_model_pb2

v1 = tf.compat.v1
Arrays = dict[str, NDArray[Any]]


class Loaded(Protocol):
    """A SavedModel wherever it is loaded, in this process or in another."""

    def call(self, signature: str, arrays: Mapping[str, NDArray[Any]]) -> Arrays:
        """Call a signature with named arrays; returns its outputs by name. Not for timing."""

    def close(self) -> None:
        """Free what it holds."""


class Loader(Protocol):
    """Loads a SavedModel: ``LoadedModel``, ``LoadedSession``, or what a mode brings along."""

    def __call__(self, folder: Path, device: str, resident: bool, /) -> Loaded:
        """Load a folder on a device; ``resident`` says whether the step's inputs are."""


class LoadedModel:
    """Loaded by ``tf.saved_model.load`` on a device."""

    def __init__(self, folder: Path, device: str, _resident: bool) -> None:
        self._device = f"/device:{device}"
        with tf.device(self._device), _quietly():
            # The model must be kept: its signatures do not keep their variables alive.
            self.model = tf.saved_model.load(str(folder))

    def signature(self, name: str) -> Callable[..., Mapping[str, Any]]:
        """A signature as it is called: tensors by name in and out."""
        signature: Callable[..., Mapping[str, Any]] = self.model.signatures[name]
        return signature

    def call(self, signature: str, arrays: Mapping[str, NDArray[Any]]) -> Arrays:
        """Call a signature; the arrays are copied onto the device."""
        with tf.device(self._device):
            tensors = {name: tf.constant(array) for name, array in arrays.items()}
            outputs = self.signature(signature)(**tensors)
        return {name: np.array(tensor.numpy()) for name, tensor in outputs.items()}

    def close(self) -> None:
        """Free the variables."""
        self.model = None


class LoadedSession:
    """Loaded by ``tf.compat.v1.saved_model.load`` into a session.

    A program that was written for a session feeds the signature's placeholders. With ``resident``,
    the step's graph is imported with variables in their place (``input_map``), and nothing is fed.
    """

    def __init__(self, folder: Path, device: str, resident: bool) -> None:
        signatures = signatures_of(folder)
        self.graph = tf.Graph()
        cpus = len(tf.config.list_logical_devices("CPU"))
        config = v1.ConfigProto(device_count={"CPU": cpus})
        with self.graph.as_default(), tf.device(f"/device:{device}"):
            self.session = v1.Session(graph=self.graph, config=config)
            inputs = signatures["step"].inputs
            self._places = {name: _Place(name, inputs[name]) for name in inputs if resident}
            inside = {inputs[name].name: place.value for name, place in self._places.items()}
            with _quietly():
                v1.saved_model.load(self.session, ["serve"], str(folder), input_map=inside)
        self._signatures = signatures
        self._callables: dict[str, tuple[list[str], list[str], Callable[..., Any]]] = {}

    def tensors(self, signature: str) -> Arrays:
        """The tensors that a signature's outputs are fetched from, by name."""
        return self._find(self._signatures[signature].outputs)

    def placeholders(self, signature: str) -> Arrays:
        """The placeholders of a signature's inputs, by name; none for a resident step."""
        if signature == "step" and self._places:
            return {}
        return self._find(self._signatures[signature].inputs)

    def _find(self, infos: Mapping[str, Any]) -> dict[str, Any]:
        return {
            name: self.graph.get_tensor_by_name(info.name) for name, info in sorted(infos.items())
        }

    def callable(self, fetches: Any, feeds: Sequence[Any]) -> Callable[..., Any]:
        """The session's callable for these fetches.

        Not with an empty list of feeds: with one, make_callable falls back to Session.run, 70 µs.
        """
        made: Callable[..., Any] = self.session.make_callable(fetches, feed_list=feeds or None)
        return made

    def place(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Put the resident inputs of the step where the graph reads them."""
        for name, place in self._places.items():
            place.fill(self.session, arrays[name])

    def call(self, signature: str, arrays: Mapping[str, NDArray[Any]]) -> Arrays:
        """Call a signature; the arrays are copied."""
        if signature not in self._callables:
            outputs, feeds = self.tensors(signature), self.placeholders(signature)
            made = self.callable(list(outputs.values()), list(feeds.values()))
            self._callables[signature] = list(outputs), list(feeds), made
        names, fed, call = self._callables[signature]
        if signature == "step":
            self.place(arrays)
        # A session takes an aligned array's memory as it is, and a variable may keep it.
        found = call(*(np.array(arrays[name]) for name in fed))
        return dict(zip(names, found, strict=True))

    def close(self) -> None:
        """Close the session."""
        self.session.close()


class _Place:
    """A variable that stands for one of the step's inputs."""

    def __init__(self, name: str, info: Any) -> None:
        shape = tf.TensorShape(info.tensor_shape)
        sizes = [size or 1 for size in shape] if shape.rank is not None else []
        start = tf.zeros(sizes, tf.as_dtype(info.dtype))
        self._variable = tf.Variable(start, trainable=False, shape=shape, name=f"resident_{name}")
        self.value = tf.identity(self._variable)
        self._held = v1.placeholder(start.dtype, shape)
        self._assign = self._variable.assign(self._held, read_value=False)

    def fill(self, session: Any, array: NDArray[Any]) -> None:
        session.run(self._assign, {self._held: np.array(array)})


@contextmanager
def _quietly() -> Iterator[None]:
    """Suppress TensorFlow's warnings of loading.

    They are about a deprecated loader, which is the one under test, and about gradients, which an
    exported step does not need. As the last lines of a process that ended they would mislead.
    """
    loggers = [logging.getLogger(name) for name in ("tensorflow", "absl")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def signatures_of(folder: Path) -> Mapping[str, Any]:
    """The SignatureDefs of a SavedModel, from its protocol buffer."""
    model = saved_model_pb2.SavedModel()
    model.ParseFromString((folder / "saved_model.pb").read_bytes())
    signatures: Mapping[str, Any] = model.meta_graphs[0].signature_def
    return signatures
