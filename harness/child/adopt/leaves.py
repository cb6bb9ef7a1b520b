"""Values that are not taken apart when an object is copied, but made anew from what they hold.

A variable must belong to its program's graph and a table to its session; a lock cannot be pickled.
So each is a ``Leaf``: how to make it, where the copy is put together.
"""

from __future__ import annotations

import io
import os
import sys
import threading
import types
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from eager_vs_graph.errors import ScenarioError

SHARED_BYTES = 2**24
"""Arrays beyond this are shared among copies: a data set that nobody changes."""
LOW = ("float16", "bfloat16", "float32")

_double: list[bool] = []
"""Not empty while a copy in double precision is put together."""


@contextmanager
def in_double_precision() -> Iterator[None]:
    """Within, floating-point leaves are made in float64."""
    _double.append(True)
    try:
        yield
    finally:
        _double.pop()


def is_double() -> bool:
    """Whether leaves are being made in float64."""
    return bool(_double)


@dataclass(frozen=True, eq=False)
class Leaf:
    """How to make a value anew; can itself be pickled, for another process."""

    make: Callable[..., Any]
    arguments: tuple[Any, ...] = ()

    def __call__(self) -> Any:
        """Make it."""
        return self.make(*self.arguments)


def leaf(value: Any) -> Leaf | None:
    """How to make the value anew; None where it is to be taken apart.

    Raises:
        ScenarioError: it can be neither.
    """
    for kind, of_kind in _KINDS:
        if isinstance(value, kind):
            found: Leaf | None = of_kind(value)
            return found
    return None


def of_variable(variable: tf.Variable, value: Any = None) -> Leaf:
    """A variable of the same settings, with its present value or another one.

    Raises:
        ScenarioError: it has no value that could be read.
    """
    if value is None:
        try:
            value = variable.numpy()
        except NotImplementedError:
            raise ScenarioError(
                f"variable {variable.name!r} is of a v1 graph, and has no value outside of a "
                "session; make it where the function is made"
            ) from None
    settings = {
        "shape": variable.shape,
        "trainable": variable.trainable,
        "name": variable.name.partition(":")[0],
        "synchronization": variable.synchronization,
        "aggregation": variable.aggregation,
    }
    return Leaf(_make_variable, (value, settings))


def _make_variable(value: Any, settings: dict[str, Any]) -> tf.Variable:
    return tf.Variable(_in_precision(value), **settings)


def _of_tensor(tensor: tf.Tensor) -> Leaf:
    try:
        value = tensor.numpy()
    except (AttributeError, NotImplementedError, TypeError, tf.errors.OpError):
        raise ScenarioError(
            f"it holds a tensor of dtype {tensor.dtype.name} without a value (a handle of a "
            "resource, or of a graph)"
        ) from None
    return Leaf(_make_tensor, (value,))


def _make_tensor(value: Any) -> tf.Tensor:
    if tf.executing_eagerly():
        return tf.constant(_in_precision(value))
    # A v1 graph takes no eager tensor, and as a constant it would be folded away.
    return tf.identity(tf.Variable(_in_precision(value), trainable=False, name="captured"))


def _of_array(value: Any) -> Leaf | None:
    if value.dtype == object:
        return None
    shared = isinstance(value, np.generic) or value.nbytes > SHARED_BYTES
    return Leaf(_make_array, (value if shared else value.copy(), shared))


def _make_array(array: Any, shared: bool) -> Any:
    return _in_precision(array if shared else array.copy())


def _of_dtype(value: tf.DType) -> Leaf | None:
    return Leaf(_make_dtype, (value.name,)) if value.name in LOW else None


def _make_dtype(name: str) -> tf.DType:
    return tf.float64 if _double else tf.as_dtype(name)


def _of_policy(value: Any) -> Leaf | None:
    return Leaf(_make_policy, (value.name,)) if type(value) is keras.DTypePolicy else None


def _make_policy(name: str) -> Any:
    return keras.DTypePolicy("float64" if _double else name)


def _in_precision(array: Any) -> Any:
    if _double and getattr(array, "dtype", None) is not None and array.dtype.name in LOW:
        return array.astype(np.float64)
    return array


def _of_static_table(table: Any) -> Leaf:
    keys, values = table.export()
    default = table._default_value
    return Leaf(_make_static_table, (keys.numpy(), values.numpy(), default.numpy()))


def _make_static_table(keys: Any, values: Any, default: Any) -> Any:
    pairs = tf.lookup.KeyValueTensorInitializer(tf.constant(keys), tf.constant(values))
    return tf.lookup.StaticHashTable(pairs, default)


def _of_mutable_table(table: Any) -> Leaf:
    keys, values = table.export()
    default = table._default_value
    return Leaf(_make_mutable_table, (keys.numpy(), values.numpy(), default.numpy()))


def _make_mutable_table(keys: Any, values: Any, default: Any) -> Any:
    keys, values = tf.constant(keys), tf.constant(values)
    table = tf.lookup.experimental.MutableHashTable(keys.dtype, values.dtype, default)
    filled = table.insert(keys, values)
    if filled is not None:  # in a v1 graph, an op that a session is to run first
        tf.compat.v1.add_to_collection(tf.compat.v1.GraphKeys.TABLE_INITIALIZERS, filled)
    return table


def _of_dataset(dataset: Any) -> Leaf:
    try:
        ignore_state = 1  # tf.data.experimental.ExternalStatePolicy.IGNORE
        graph = tf.raw_ops.DatasetToGraphV2(
            input_dataset=tf.data.experimental.to_variant(dataset),
            external_state_policy=ignore_state,
            strip_device_assignment=True,
        ).numpy()
    except (AttributeError, NotImplementedError, tf.errors.OpError) as error:
        told = " ".join(str(error).split())[:200]
        raise ScenarioError(f"it holds a tf.data.Dataset that cannot be written: {told}") from None
    return Leaf(_make_dataset, (graph, dataset.element_spec))


def _make_dataset(graph: bytes, element_spec: Any) -> Any:
    variant = tf.raw_ops.DatasetFromGraph(graph_def=tf.constant(graph))
    return tf.data.experimental.from_variant(variant, element_spec)


def _of_iterator(_value: Any) -> Leaf:
    raise ScenarioError(
        "it holds an iterator of a tf.data.Dataset, whose position is nobody else's"
    )


def _of_generator(value: Any) -> Leaf:
    name = getattr(value, "__qualname__", type(value).__name__)
    raise ScenarioError(f"it holds the generator {name}, whose position is nobody else's")


def _of_file(value: Any) -> Leaf | None:
    if isinstance(value, io.BytesIO):
        return None
    for name in ("stdout", "stderr", "stdin"):
        if value is getattr(sys, name) or value is getattr(sys, f"__{name}__"):
            return Leaf(_standard_stream, (name,))
    if value.closed or not isinstance(value.name, str):
        raise ScenarioError(f"it holds a file that cannot be opened again: {value!r}")
    # A copy must not empty what the user's own program is writing.
    mode = value.mode.replace("w", "a").replace("x", "a")
    at = value.tell() if "r" in mode else None
    text = isinstance(value, io.TextIOBase)
    return Leaf(_open, (os.path.abspath(value.name), mode, value.encoding if text else None, at))  # noqa: PTH100


def _open(file: str, mode: str, encoding: str | None, at: int | None) -> Any:
    opened = open(file, mode, encoding=encoding)  # noqa: SIM115, PTH123 - the program's to close
    if at is not None:
        opened.seek(at)
    return opened


def _standard_stream(name: str) -> Any:
    return getattr(sys, name)


def _of_graph(value: Any) -> Leaf:
    raise ScenarioError(
        f"it holds a {type(value).__name__} of its own; give the function that the graph was made "
        "from"
    )


def _of_concrete(_value: Any) -> Leaf:
    raise ScenarioError(
        "it holds a concrete function, whose Python is gone; give the function that it was traced "
        "from"
    )


def _always(make: Callable[[], Any]) -> Callable[[Any], Leaf]:
    def of_kind(_value: Any) -> Leaf:
        return Leaf(make)

    return of_kind


_KINDS: tuple[tuple[Any, Callable[[Any], Leaf | None]], ...] = (
    (tf.Variable, of_variable),
    (tf.Tensor, _of_tensor),
    (np.ndarray | np.generic, _of_array),
    (tf.DType, _of_dtype),
    (keras.DTypePolicy, _of_policy),
    (tf.lookup.StaticHashTable, _of_static_table),
    (tf.lookup.experimental.MutableHashTable, _of_mutable_table),
    (tf.data.Dataset, _of_dataset),
    (tf.data.Iterator, _of_iterator),
    (types.GeneratorType | types.AsyncGeneratorType | types.CoroutineType, _of_generator),
    (io.TextIOWrapper | io.BufferedIOBase | io.FileIO, _of_file),
    (tf.types.experimental.ConcreteFunction, _of_concrete),
    (tf.Graph | tf.compat.v1.Session, _of_graph),
    (tf.distribute.Strategy, _always(tf.distribute.get_strategy)),
    (type(threading.Lock()), _always(threading.Lock)),
    (type(threading.RLock()), _always(threading.RLock)),
    (threading.local, _always(threading.local)),
)
