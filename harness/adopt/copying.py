"""Copies a function with everything it refers to, as often as there are programs.

A program must not share state with another, and a session's variables must be made inside its
graph. So the function is taken apart once (``Snapshot``), and put together again where a program is
built: code, closures, globals, layers and optimizers through cloudpickle, *by value* where they are
the user's own; and *leaves*, which know how to be made anew: variables, tensors, arrays, locks.

Keras pickles a model by saving it, which loses what it does not know (a subclass's attributes, an
optimizer shared with a closure); here its objects are copied attribute by attribute.
"""

from __future__ import annotations

import contextlib
import io
import pickle
import sys
import sysconfig
import threading
import types
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cloudpickle
import keras
import numpy as np
import tensorflow as tf

from harness.errors import ScenarioError

_SHARED_BYTES = 2**24
"""Arrays beyond this are shared among copies: a data set that nobody changes."""
_LOW = ("float16", "bfloat16", "float32")
_TRAINER_FUNCTIONS = ("train_function", "test_function", "predict_function")
_OURS = ("harness", "scenarios", "reports")

_doubled: list[bool] = []
"""Not empty while a copy in double precision is put together."""
_optimizers: list[Any] = []
"""The optimizers of the copy that is being put together."""


@dataclass(frozen=True)
class Copy:
    """A copy, and the variables made for it in the order in which the original refers to them."""

    value: Any
    variables: tuple[tf.Variable, ...]


class Snapshot:
    """An object and all it refers to, to be copied.

    Args:
        value: a function, or any structure that holds functions, models and variables.
        what: what to call it in a message.

    Raises:
        ScenarioError: it holds something that cannot be copied; the message names it.
    """

    def __init__(self, value: Any, what: str = "the function") -> None:
        self.traced: list[str] = []
        """Names of the tf.functions that were replaced by the Python they are made from."""
        self._leaves: list[Callable[[], Any]] = []
        self._kept: list[Any] = []
        buffer = io.BytesIO()
        with _by_value():
            try:
                _Pickler(self, buffer).dump(value)
            except ScenarioError:
                raise
            except Exception as error:
                raise ScenarioError(
                    f"{what} cannot be copied, and every mode needs a copy of its own: "
                    f"{_told(error)}; make it in a function without arguments and name that one "
                    "(MODULE:make_it)"
                ) from error
        self._bytes = buffer.getvalue()

    def copy(self, *, double: bool = False) -> Copy:
        """A new copy; its variables are made in the current graph, device and strategy.

        Args:
            double: whether floating-point variables, tensors, arrays and dtype policies become
                float64.
        """
        if double:
            _doubled.append(True)
        unpickler = _Unpickler(io.BytesIO(self._bytes), self._leaves)
        try:
            value = unpickler.load()
            for optimizer in _optimizers:
                _index_again(optimizer)
        finally:
            _optimizers.clear()
            if double:
                _doubled.pop()
        made = unpickler.made.items()
        return Copy(value, tuple(each for _, each in sorted(made) if isinstance(each, tf.Variable)))

    def add(self, original: Any, make: Callable[[], Any]) -> int:
        """Number a leaf; the original lives as long as its number."""
        self._kept.append(original)
        self._leaves.append(make)
        return len(self._leaves) - 1


class _Unpickler(pickle.Unpickler):
    def __init__(self, file: io.BytesIO, leaves: list[Callable[[], Any]]) -> None:
        super().__init__(file)
        self._leaves = leaves
        self.made: dict[int, Any] = {}

    def persistent_load(self, number: int) -> Any:
        if number not in self.made:
            self.made[number] = self._leaves[number]()
        return self.made[number]


class _Pickler(cloudpickle.Pickler):  # type: ignore[misc] - cloudpickle has no types
    def __init__(self, snapshot: Snapshot, file: io.BytesIO) -> None:
        super().__init__(file, protocol=5)
        self._snapshot = snapshot
        self._numbers: dict[int, int] = {}

    def persistent_id(self, value: Any) -> int | None:
        if id(value) in self._numbers:
            return self._numbers[id(value)]
        if (make := _leaf(value)) is None:
            return None
        self._numbers[id(value)] = self._snapshot.add(value, make)
        return self._numbers[id(value)]

    def reducer_override(self, value: Any) -> Any:
        if isinstance(value, tf.types.experimental.PolymorphicFunction):
            python = plain(value)
            self._snapshot.traced.append(getattr(python, "__qualname__", repr(python)))
            return _itself, (python,)
        if isinstance(value, tf.types.experimental.ConcreteFunction):
            raise ScenarioError(
                "the function calls a concrete function, whose Python is gone; give the function "
                "that it was traced from"
            )
        if isinstance(value, weakref.ref):
            return _weak, (value(),)
        if isinstance(value, weakref.WeakKeyDictionary):
            return _weak_keys, (list(value.items()),)
        if isinstance(value, list | dict | set) and _is_of(value, "keras"):
            items = dict(value) if isinstance(value, dict) else list(value)
            return _new, (type(value),), (items, vars(value)), None, None, _set_tracked
        if not isinstance(value, type) and _is_keras_object(value):
            return _new, (type(value),), vars(value), None, None, _set_state
        reduced = super().reducer_override(value)
        if isinstance(value, type) and isinstance(reduced, tuple) and len(reduced[1]) == 6:
            # cloudpickle gives a class back that it has seen before, with its attributes set
            # anew: then all copies would have the globals of the last one.
            *arguments, _identity, extra = reduced[1]
            return (reduced[0], (*arguments, None, extra), *reduced[2:])
        return reduced


def plain(function: Any) -> Any:
    """The Python of a tf.function, bound to its instance where it is a method."""
    while isinstance(function, tf.types.experimental.PolymorphicFunction):
        python = function.python_function
        bound = getattr(python, "__wrapped__", python)
        target = getattr(bound, "__self__", None)
        if hasattr(target, "weakrefself_func__"):  # how TensorFlow binds a traced method
            python = types.MethodType(target.weakrefself_func__(), target.target)
        function = python
    return function


def _leaf(value: Any) -> Callable[[], Any] | None:  # noqa: PLR0911 - one return a kind
    """How to make the value anew; None where it is to be taken apart."""
    if isinstance(value, tf.Variable):
        return _variable(value)
    if isinstance(value, tf.Tensor):
        return _tensor(value)
    if isinstance(value, np.ndarray | np.generic) and value.dtype != object:
        return _array(value)
    if isinstance(value, tf.DType):
        return lambda: tf.float64 if _doubled and value.name in _LOW else value
    if isinstance(value, keras.DTypePolicy):
        return lambda: keras.DTypePolicy("float64") if _doubled else value
    if isinstance(value, tf.distribute.Strategy):
        return tf.distribute.get_strategy
    if isinstance(value, type(threading.Lock())):
        return threading.Lock
    if isinstance(value, type(threading.RLock())):
        return threading.RLock
    if type(value) is threading.local:
        return threading.local
    if isinstance(value, tf.Graph | tf.compat.v1.Session):
        raise ScenarioError(
            f"the function refers to a {type(value).__name__} of its own; give the function that "
            "the graph was made from"
        )
    return None


def _variable(variable: tf.Variable) -> Callable[[], tf.Variable]:
    try:
        value = variable.numpy()
    except NotImplementedError:
        raise ScenarioError(
            f"the function refers to variable {variable.name!r} of a v1 graph, whose value cannot "
            "be read; make it in a function without arguments and name that one (MODULE:make_it)"
        ) from None
    shape = variable.shape
    settings = {
        "trainable": variable.trainable,
        "name": variable.name.partition(":")[0],
        "synchronization": variable.synchronization,
        "aggregation": variable.aggregation,
    }

    def make() -> tf.Variable:
        return tf.Variable(_in_precision(value), shape=shape, **settings)

    return make


def _tensor(tensor: tf.Tensor) -> Callable[[], tf.Tensor]:
    try:
        value = tensor.numpy()
    except (AttributeError, NotImplementedError, TypeError, tf.errors.OpError):
        raise ScenarioError(
            f"the function refers to a tensor of dtype {tensor.dtype.name} that cannot be copied "
            "(a handle of a table, a data set or a graph); make it in a function without arguments "
            "and name that one (MODULE:make_it)"
        ) from None

    def make() -> tf.Tensor:
        if tf.executing_eagerly():
            return tf.constant(_in_precision(value))
        # A v1 graph takes no eager tensor, and as a constant it would be folded away.
        return tf.identity(tf.Variable(_in_precision(value), trainable=False, name="captured"))

    return make


def _array(array: Any) -> Callable[[], Any]:
    if array.nbytes > _SHARED_BYTES or isinstance(array, np.generic):
        return lambda: _in_precision(array)
    array = array.copy()
    return lambda: _in_precision(array.copy())


def _in_precision(array: Any) -> Any:
    if _doubled and array.dtype.name in _LOW:
        return array.astype(np.float64)
    return array


def _itself(value: Any) -> Any:
    return value


def _new(kind: type) -> Any:
    return kind.__new__(kind) if issubclass(kind, list | dict | set) else object.__new__(kind)


def _weak(value: Any) -> Any:
    return weakref.ref(value) if value is not None else _nothing


def _nothing() -> None:
    return None


def _weak_keys(items: list[tuple[Any, Any]]) -> Any:
    return weakref.WeakKeyDictionary(items)


def _set_tracked(value: Any, state: tuple[Any, dict[str, Any]]) -> None:
    """Fill a container of Keras's without having it tracked a second time."""
    items, attributes = state
    kind = next(kind for kind in (dict, list, set) if isinstance(value, kind))
    fill = kind.extend if kind is list else kind.update
    fill(value, items)  # type: ignore[operator]
    value.__dict__.update(attributes)


def _set_state(value: Any, state: dict[str, Any]) -> None:
    """Give an object of Keras's its attributes, past their setters."""
    if _doubled:
        state = {
            name: "float64" if isinstance(item, str) and item in _LOW else item
            for name, item in state.items()
        }
    value.__dict__.update(state)
    for name in _TRAINER_FUNCTIONS:
        if name in state:
            value.__dict__[name] = None
    if isinstance(value, keras.optimizers.Optimizer):
        _optimizers.append(value)


def _index_again(optimizer: Any) -> None:
    """Have an optimizer find its variables again: it keeps them by identity."""
    variables = optimizer.__dict__.get("_trainable_variables", [])
    indices = {optimizer._var_key(variable): i for i, variable in enumerate(variables)}
    optimizer.__dict__["_trainable_variables_indices"] = indices


def _is_keras_object(value: Any) -> bool:
    return any(_is_of_module(kind.__module__, "keras") for kind in type(value).__mro__) and hasattr(
        value, "__dict__"
    )


def _is_of(value: Any, package: str) -> bool:
    return _is_of_module(type(value).__module__, package)


def _is_of_module(module: str, package: str) -> bool:
    return module == package or module.startswith(f"{package}.")


@contextmanager
def _by_value() -> Iterator[None]:
    """Have cloudpickle take the user's own modules by value."""
    with contextlib.ExitStack() as stack:
        for name, module in list(sys.modules.items()):
            if not is_users(name, module) or name in cloudpickle.list_registry_pickle_by_value():
                continue
            cloudpickle.register_pickle_by_value(module)
            stack.callback(cloudpickle.unregister_pickle_by_value, module)
        yield


def is_users(name: str, module: Any) -> bool:
    """Whether a module is the user's own: neither installed nor Python's nor ours."""
    file = getattr(module, "__file__", None)
    top = name.partition(".")[0]
    if not isinstance(module, types.ModuleType) or module.__name__ != name:
        return False
    if not isinstance(file, str) or top in _OURS or name == "__main__":
        return False
    return top in ADOPTED or not any(Path(file).is_relative_to(place) for place in _INSTALLED)


ADOPTED: set[str] = set()
"""Top-level packages that are the user's although they are installed: what ``try`` was given."""
_INSTALLED = tuple(
    Path(sysconfig.get_path(kind)) for kind in ("stdlib", "platstdlib", "purelib", "platlib")
)


def _told(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
