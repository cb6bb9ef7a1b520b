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
import linecache
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

from eager_vs_graph.errors import ScenarioError, one_line

_SHARED_BYTES = 2**24
"""Arrays beyond this are shared among copies: a data set that nobody changes."""
_LOW = ("float16", "bfloat16", "float32")
_TRAINER_FUNCTIONS = ("train_function", "test_function", "predict_function")
_OURS = ("eager_vs_graph",)

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
        self.sources: dict[str, list[str]] = {}
        """Lines of code that is in no file, such as a notebook's: AutoGraph reads them."""
        self._leaves: list[Leaf] = []
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
        for name, lines in self.sources.items():
            size = sum(map(len, lines))
            linecache.cache.setdefault(name, (size, None, lines, name))
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

    def keep_source(self, file: str) -> None:
        """Remember the lines of a function's code, where they are in no file."""
        if file not in self.sources and not Path(file).exists():
            self.sources[file] = linecache.getlines(file)

    def add(self, leaf: Leaf) -> int:
        """Number a leaf."""
        self._leaves.append(leaf)
        return len(self._leaves) - 1


class _Unpickler(pickle.Unpickler):
    def __init__(self, file: io.BytesIO, leaves: list[Leaf]) -> None:
        super().__init__(file)
        self._leaves = leaves
        self.made: dict[int, Any] = {}

    def persistent_load(self, number: int) -> Any:
        if number not in self.made:
            self.made[number] = self._leaves[number]()
        return self.made[number]


class _Pickler(cloudpickle.Pickler):  # type: ignore[misc]
    def __init__(self, snapshot: Snapshot, file: io.BytesIO) -> None:
        super().__init__(file, protocol=5)
        self._snapshot = snapshot
        self._numbers: dict[int, int] = {}
        self._kept: list[Any] = []  # an id is one object's as long as the object lives

    def persistent_id(self, value: Any) -> int | None:
        if id(value) in self._numbers:
            return self._numbers[id(value)]
        if (leaf := _leaf(value)) is None:
            return None
        self._kept.append(value)
        self._numbers[id(value)] = self._snapshot.add(leaf)
        return self._numbers[id(value)]

    def reducer_override(self, value: Any) -> Any:
        if isinstance(value, type):
            return _with_identity_of_its_own(super().reducer_override(value))
        for kind, reduce in _REDUCERS:
            if isinstance(value, kind):
                return reduce(self._snapshot, value)
        if isinstance(value, list | dict | set) and _is_of(value, "keras"):
            items = dict(value) if isinstance(value, dict) else list(value)
            return _new, (type(value),), (items, vars(value)), None, None, _set_tracked
        if isinstance(value, types.FunctionType):
            self._snapshot.keep_source(value.__code__.co_filename)
        if _is_keras_object(value):
            return _new, (type(value),), vars(value), None, None, _set_state
        return super().reducer_override(value)


def _with_identity_of_its_own(reduced: Any) -> Any:
    """Have a class of the user's be made anew for each copy.

    cloudpickle gives a class back that it has seen before, with its attributes set anew: then all
    copies would have the globals of the last one.
    """
    if not isinstance(reduced, tuple) or len(reduced[1]) != 6:
        return reduced
    *arguments, _identity, extra = reduced[1]
    return (reduced[0], (*arguments, None, extra), *reduced[2:])


def _reduce_traced(snapshot: Snapshot, value: Any) -> Any:
    python = plain(value)
    snapshot.traced.append(getattr(python, "__qualname__", repr(python)))
    return _itself, (python,)


def _refuse_concrete(_snapshot: Snapshot, _value: Any) -> Any:
    raise ScenarioError(
        "the function calls a concrete function, whose Python is gone; give the function that it "
        "was traced from"
    )


def _reduce_weak(_snapshot: Snapshot, value: Any) -> Any:
    return _weak, (value(),)


def _reduce_weak_keys(_snapshot: Snapshot, value: Any) -> Any:
    return _weak_keys, (list(value.items()),)


def _reduce_local(_snapshot: Snapshot, _value: Any) -> Any:
    return threading.local, ()


_REDUCERS: tuple[tuple[type, Callable[[Snapshot, Any], Any]], ...] = (
    (tf.types.experimental.PolymorphicFunction, _reduce_traced),
    (tf.types.experimental.ConcreteFunction, _refuse_concrete),
    (weakref.ref, _reduce_weak),
    (weakref.WeakKeyDictionary, _reduce_weak_keys),
    (threading.local, _reduce_local),
)


def plain(function: Any) -> Any:
    """The Python of a tf.function, bound to its instance where it is a method."""
    while isinstance(function, tf.types.experimental.PolymorphicFunction):
        python = function.python_function
        bound = getattr(python, "__wrapped__", python)
        target: Any = getattr(bound, "__self__", None)
        if hasattr(target, "weakrefself_func__"):  # how TensorFlow binds a traced method
            if target.target is None:
                raise ScenarioError(
                    f"{python.__qualname__} is a tf.function of an object that is gone: a traced "
                    "method does not keep its object alive; return or name the object, and the "
                    "method by MODULE:make_object.method"
                )
            python = types.MethodType(target.weakrefself_func__(), target.target)
        function = python
    return function


@dataclass(frozen=True, eq=False)
class Leaf:
    """How to make a value anew; can itself be pickled, for another process."""

    make: Callable[..., Any]
    arguments: tuple[Any, ...] = ()

    def __call__(self) -> Any:
        """Make it."""
        return self.make(*self.arguments)


_PLAIN_LEAVES: tuple[tuple[type, Callable[[], Any]], ...] = (
    (tf.distribute.Strategy, tf.distribute.get_strategy),
    (type(threading.Lock()), threading.Lock),
    (type(threading.RLock()), threading.RLock),
)


def _leaf(value: Any) -> Leaf | None:
    """How to make the value anew; None where it is to be taken apart."""
    leaf: Leaf | None = None
    if isinstance(value, tf.Variable):
        leaf = _variable(value)
    elif isinstance(value, tf.Tensor):
        leaf = _tensor(value)
    elif isinstance(value, np.ndarray | np.generic) and value.dtype != object:
        shared = isinstance(value, np.generic) or value.nbytes > _SHARED_BYTES
        leaf = Leaf(_make_array, (value if shared else value.copy(), shared))
    elif isinstance(value, tf.DType):
        leaf = Leaf(_make_dtype, (value.name,)) if value.name in _LOW else None
    elif type(value) is keras.DTypePolicy:
        leaf = Leaf(_make_policy, (value.name,))
    elif isinstance(value, tf.Graph | tf.compat.v1.Session):
        raise ScenarioError(
            f"the function refers to a {type(value).__name__} of its own; give the function that "
            "the graph was made from"
        )
    else:
        kinds = (make for kind, make in _PLAIN_LEAVES if isinstance(value, kind))
        if (make := next(kinds, None)) is not None:
            leaf = Leaf(make)
    return leaf


def _variable(variable: tf.Variable) -> Leaf:
    try:
        value = variable.numpy()
    except NotImplementedError:
        raise ScenarioError(
            f"the function refers to variable {variable.name!r} of a v1 graph, whose value cannot "
            "be read; make it in a function without arguments and name that one (MODULE:make_it)"
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


def _tensor(tensor: tf.Tensor) -> Leaf:
    try:
        value = tensor.numpy()
    except (AttributeError, NotImplementedError, TypeError, tf.errors.OpError):
        raise ScenarioError(
            f"the function refers to a tensor of dtype {tensor.dtype.name} that cannot be copied "
            "(a handle of a table, a data set or a graph); make what holds it inside the function, "
            "or write a scenario, whose build makes it"
        ) from None
    return Leaf(_make_tensor, (value,))


def _make_tensor(value: Any) -> tf.Tensor:
    if tf.executing_eagerly():
        return tf.constant(_in_precision(value))
    # A v1 graph takes no eager tensor, and as a constant it would be folded away.
    return tf.identity(tf.Variable(_in_precision(value), trainable=False, name="captured"))


def _make_array(array: Any, shared: bool) -> Any:
    return _in_precision(array if shared else array.copy())


def _make_dtype(name: str) -> tf.DType:
    return tf.float64 if _doubled else tf.as_dtype(name)


def _make_policy(name: str) -> Any:
    return keras.DTypePolicy("float64" if _doubled else name)


def _in_precision(array: Any) -> Any:
    if _doubled and getattr(array, "dtype", None) is not None and array.dtype.name in _LOW:
        return array.astype(np.float64)
    return array


def _itself(value: Any) -> Any:
    return value


def _new(kind: Any) -> Any:
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
    if isinstance(value, dict):
        dict.update(value, items)
    elif isinstance(value, list):
        list.extend(value, items)
    else:
        set.update(value, items)
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
    return f"{type(error).__name__}: {one_line(error)}"
