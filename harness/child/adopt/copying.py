"""Copies an object with everything it refers to, as often as there are programs.

The way of what has no source to be made from again. A program must not share state with another,
and a session's variables must be made inside its graph. So the object is taken apart once
(``Snapshot``) and put together again where a program is built: code, closures, globals, layers and
optimizers through cloudpickle, *by value* where they are the user's own, and leaves
(``leaves.py``).

Objects are copied attribute by attribute, past constructors and setters: Keras pickles a model by
saving it, which loses what it does not know (a subclass's attributes, an optimizer shared with a
closure), and a class may have a ``__new__`` of its own. Each has a pickle of its own for its
attributes, so that no depth of a model is too deep.
"""

from __future__ import annotations

import contextlib
import copyreg
import io
import linecache
import pickle
import sys
import threading
import types
import weakref
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cloudpickle
import keras
import tensorflow as tf

from eager_vs_graph.child.adopt import leaves
from eager_vs_graph.child.adopt.leaves import Leaf
from eager_vs_graph.child.adopt.modules import is_users
from eager_vs_graph.child.adopt.tracing import plain
from eager_vs_graph.errors import ScenarioError

_TRAINER_FUNCTIONS = ("train_function", "test_function", "predict_function")
_STACK_BYTES = 2**29
_DEPTH = 100_000


class Snapshot:
    """An object and all it refers to, to be copied.

    Args:
        value: a function, or any structure that holds functions, models and variables.
        what: what to call it in a message.

    Raises:
        ScenarioError: it holds something that cannot be copied; the message names it.
    """

    def __init__(self, value: Any, what: str = "the function") -> None:
        self.sources: dict[str, list[str]] = {}
        """Lines of code that is in no file, such as a notebook's: AutoGraph reads them."""
        self._leaves: list[Leaf] = []
        buffer = io.BytesIO()
        pickler = _Pickler(self, buffer)
        with _by_value():
            try:
                # In a thread, whose stack can be made large; its context is eager, always.
                self._objects = deeply(lambda: pickler.dump_all(value))
            except ScenarioError as error:
                raise ScenarioError(f"{what} cannot be copied: {error}") from error
            except Exception as error:
                raise ScenarioError(f"{what} cannot be copied: {_told(error)}") from error
        self._bytes = buffer.getvalue()

    def copy(self, *, double: bool = False) -> Any:
        """A new copy; its variables are made in the current graph, device and strategy.

        Args:
            double: whether floating-point variables, tensors, arrays and dtype policies become
                float64.
        """
        for name, lines in self.sources.items():
            size = sum(map(len, lines))
            linecache.cache.setdefault(name, (size, None, lines, name))
        unpickler = _Unpickler(io.BytesIO(self._bytes), self._leaves)
        with leaves.in_double_precision() if double else contextlib.nullcontext():
            return unpickler.load_all(self._objects)

    @property
    def nbytes(self) -> int:
        """Size of what it holds, about."""
        arrays = [each for leaf in self._leaves for each in leaf.arguments]
        return len(self._bytes) + sum(getattr(array, "nbytes", 0) for array in arrays)

    def keep_source(self, file: str) -> None:
        """Remember the lines of a function's code, where they are in no file."""
        if file not in self.sources and not Path(file).exists():
            self.sources[file] = linecache.getlines(file)

    def add(self, leaf: Leaf) -> int:
        """Number a leaf."""
        self._leaves.append(leaf)
        return len(self._leaves) - 1


class _Unpickler(pickle.Unpickler):
    def __init__(self, file: io.BytesIO, made_of: list[Leaf]) -> None:
        super().__init__(file)
        self._leaves = made_of
        self.made: dict[int, Any] = {}
        self._objects: list[Any] = []

    def load_all(self, objects: int) -> Any:
        """The value, and the attributes of every object in it."""
        value = self.load()
        for index in range(objects):
            _set_attributes(self._objects[index], *self.load())
        for each in self._objects:
            if isinstance(each, keras.optimizers.Optimizer):
                _index_again(each)
        return value

    def persistent_load(self, place: int | tuple[int, type]) -> Any:
        if isinstance(place, int):
            if place not in self.made:
                self.made[place] = self._leaves[place]()
            return self.made[place]
        number, kind = place
        while len(self._objects) <= number:
            self._objects.append(object.__new__(kind))
        return self._objects[number]


class _Pickler(cloudpickle.Pickler):  # type: ignore[misc]
    def __init__(self, snapshot: Snapshot, file: io.BytesIO) -> None:
        super().__init__(file, protocol=5)
        self._snapshot = snapshot
        self._places: dict[int, int | tuple[int, type]] = {}
        self._kept: list[Any] = []  # an id is one object's as long as the object lives
        self._waiting: deque[Any] = deque()
        self._objects = 0

    def dump_all(self, value: Any) -> int:
        """Write the value, then the attributes of every object in it; returns their number."""
        self.dump(value)
        while self._waiting:
            self.dump(_attributes(self._waiting.popleft()))
        return self._objects

    def persistent_id(self, value: Any) -> int | tuple[int, type] | None:
        if id(value) in self._places:
            return self._places[id(value)]
        place: int | tuple[int, type]
        if (leaf := leaves.leaf(value)) is not None:
            place = self._snapshot.add(leaf)
        elif _is_keras_object(value) or (
            _is_plain_object(value) and type(value).__hash__ is _BY_IDENTITY
        ):
            place = self._objects, type(value)
            self._objects += 1
            self._waiting.append(value)
        else:
            return None
        self._kept.append(value)
        self._places[id(value)] = place
        return place

    def reducer_override(self, value: Any) -> Any:
        if isinstance(value, type):
            return _with_identity_of_its_own(super().reducer_override(value))
        if isinstance(value, types.FunctionType):
            self._snapshot.keep_source(value.__code__.co_filename)
        elif isinstance(value, types.CodeType):
            # cloudpickle 3.1.3 leaves out the file, which AutoGraph and messages need.
            made = self.dispatch_table[types.CodeType](value)
            return _make_code, (value.co_filename, *made)
        return _reduced(value) or super().reducer_override(value)


def _reduced(value: Any) -> Any:
    """How pickle is to make a value that is neither a leaf nor an object with a place."""
    for kind, reduce in _REDUCERS:
        if isinstance(value, kind):
            return reduce(value)
    if type(value).__module__ == _TRACKED and isinstance(value, list | dict | tuple):
        # As a plain one: TensorFlow's would initialise what is put into it, too early.
        plain_kind = next(each for each in (list, dict, tuple) if isinstance(value, each))
        return plain_kind, (plain_kind(value),)
    if isinstance(value, list | dict | set) and _is_of(value, "keras"):
        items = dict(value) if isinstance(value, dict) else list(value)
        return _new, (type(value),), (items, vars(value)), None, None, _set_tracked
    if _is_plain_object(value):  # what a dict may need the hash of, at once
        return object.__new__, (type(value),), _attributes(value), None, None, _set_all
    return None


def _is_plain_object(value: Any) -> bool:
    """Whether a value is all in its attributes, and says nothing of how it is pickled."""
    kind = type(value)
    if (
        kind.__module__ == "builtins"
        or hasattr(kind, "__setstate__")
        or not all(getattr(kind, name) is getattr(object, name) for name in _PICKLED_BY)
    ):
        return False
    try:
        make, arguments, _state, *items = value.__reduce_ex__(2)
    except TypeError:  # Python says of it that it is more than its attributes
        return False
    return make is _NEW_OBJECT and arguments == (kind,) and not any(items)


_TRACKED = "tensorflow.python.trackable.data_structures"
_BY_IDENTITY: Any = object.__hash__
_NEW_OBJECT: Any = vars(copyreg)["__newobj__"]
_slot_names: Any = vars(copyreg)["_slotnames"]
_PICKLED_BY = ("__reduce__", "__reduce_ex__", "__getstate__")


def _attributes(value: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """What an object has in its ``__dict__`` and in its slots."""
    slots = {
        name: getattr(value, name) for name in _slot_names(type(value)) if hasattr(value, name)
    }
    return dict(getattr(value, "__dict__", {})), slots


def _set_attributes(value: Any, names: dict[str, Any], slots: dict[str, Any]) -> None:
    """Give an object its attributes, past its setters."""
    if _is_keras_object(value):
        if leaves.is_double():
            names = {
                name: "float64" if isinstance(item, str) and item in leaves.LOW else item
                for name, item in names.items()
            }
        names |= {name: None for name in _TRAINER_FUNCTIONS if name in names}
    if names:
        value.__dict__.update(names)
    for name, item in slots.items():
        object.__setattr__(value, name, item)


def _set_all(value: Any, state: tuple[dict[str, Any], dict[str, Any]]) -> None:
    _set_attributes(value, *state)


def _make_code(file: str, make: Callable[..., types.CodeType], arguments: Any) -> types.CodeType:
    return make(*arguments).replace(co_filename=file)


def _with_identity_of_its_own(reduced: Any) -> Any:
    """Have a class of the user's be made anew for each copy.

    cloudpickle gives a class back that it has seen before, with its attributes set anew: then all
    copies would have the globals of the last one.
    """
    if not isinstance(reduced, tuple) or len(reduced[1]) != 6:
        return reduced
    *arguments, _identity, extra = reduced[1]
    return (reduced[0], (*arguments, None, extra), *reduced[2:])


def _reduce_traced(value: Any) -> Any:
    # Its traces are of other variables: a copy begins without any.
    settings = {
        "autograph": getattr(value, "_autograph", True),
        "jit_compile": getattr(value, "_jit_compile", None),
        "reduce_retracing": getattr(value, "_reduce_retracing", False),
        "input_signature": getattr(value, "input_signature", None),
    }
    return _make_traced, (plain(value), settings)


def _make_traced(python: Any, settings: dict[str, Any]) -> Any:
    return tf.function(python, **settings)


def _reduce_weak(value: Any) -> Any:
    return _weak, (value(),)


def _reduce_weak_keys(value: Any) -> Any:
    return _weak_keys, (list(value.items()),)


_REDUCERS: tuple[tuple[type, Callable[[Any], Any]], ...] = (
    (tf.types.experimental.PolymorphicFunction, _reduce_traced),
    (weakref.ref, _reduce_weak),
    (weakref.WeakKeyDictionary, _reduce_weak_keys),
)


def deeply(work: Callable[[], Any]) -> Any:
    """Do some work in a thread with a large stack, and without TensorFlow's present graph."""
    outcome: list[Any] = []
    failed: list[BaseException] = []

    def run() -> None:
        try:
            outcome.append(work())
        except BaseException as error:
            failed.append(error)

    size, depth = threading.stack_size(_STACK_BYTES), sys.getrecursionlimit()
    sys.setrecursionlimit(max(depth, _DEPTH))
    try:
        thread = threading.Thread(target=run)
        thread.start()
        thread.join()
    finally:
        threading.stack_size(size)
        sys.setrecursionlimit(depth)
    if failed:
        raise failed[0]
    return outcome[0]


def _new(kind: Any) -> Any:
    return kind.__new__(kind)


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


def _index_again(optimizer: Any) -> None:
    """Have an optimizer find its variables again: it keeps them by identity."""
    variables = optimizer.__dict__.get("_trainable_variables", [])
    indices = {optimizer._var_key(variable): i for i, variable in enumerate(variables)}
    optimizer.__dict__["_trainable_variables_indices"] = indices


def _is_keras_object(value: Any) -> bool:
    return (
        hasattr(value, "__dict__")
        and not isinstance(value, type | types.FunctionType | list | dict | set)
        and any(
            _is_of_module(kind.__module__, package)
            for kind in type(value).__mro__
            for package in ("keras", "tf_keras")
        )
        and not issubclass(type(value), BaseException)
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


def _told(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())}"
