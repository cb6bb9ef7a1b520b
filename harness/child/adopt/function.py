"""A user's function as a scenario: the way of everything that is adopted into the engine.

``scenario_of`` takes the function with its arguments and makes a ``Scenario`` class. Each program
has a copy of the function of its own (``child/adopt/copying.py``), with the values that the
function's variables had when it was adopted.

The reference is the function itself, run eagerly in float64: feeds, variables, captured tensors and
dtype policies are cast. Where it does not run so, there is none, and the report says why.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar

import keras
import numpy as np
import tensorflow as tf

from eager_vs_graph.catalog.user_code import DEFAULT_SIZE, identifier
from eager_vs_graph.child.adopt import study
from eager_vs_graph.child.adopt.copying import Copy, Snapshot, plain
from eager_vs_graph.child.adopt.state_roots import holders
from eager_vs_graph.child.adopt.structure import Hole, changed, filled, identifiers, leaves
from eager_vs_graph.errors import NoReference, ScenarioError, one_line
from eager_vs_graph.scenario import Array, Feed, Scenario, Size, State


class Adopted(Scenario):
    """A function of the user's. Subclasses are made by ``scenario_of``."""

    sizes: ClassVar[Mapping[str, Size]] = {DEFAULT_SIZE: Size()}
    concept = "adopted"
    judged_by_eager = True
    unsupported: ClassVar[Mapping[str, str]] = {
        "multi_worker": "an adopted function lives in the process that adopted it"
    }
    known_differences = study.Randomness()

    snapshot: ClassVar[Snapshot]
    feeds: ClassVar[Sequence[Feed]]
    names: ClassVar[tuple[str, ...]]
    file: ClassVar[str]
    notes: ClassVar[tuple[str, ...]] = ()
    """What a reader of the report should know of how the function was adopted."""
    function: _Callable

    def inputs(self, rng: np.random.Generator) -> Sequence[Feed]:  # noqa: ARG002 - given
        """The feeds that the scenario was made with."""
        return self.feeds

    def build(self) -> None:
        """Make this program's own copy, and name what holds its variables."""
        self._take(self.snapshot.copy())

    def _take(self, copy: Copy) -> None:
        function, self._arguments, self._keywords = copy.value
        for name, value in _held(copy, function, self._arguments, self._keywords).items():
            setattr(self, f"{name}_" if hasattr(Scenario, name) else name, value)
        # Not an attribute that state is looked for in: the function may be a model itself.
        self.function = _Callable(function)
        in_order = [Hole(index) for index in range(len(self.names))]
        self._direct = self._arguments == in_order and not self._keywords

    def call(self, *tensors: Any, **named: Any) -> Mapping[str, Any]:
        """Call the function on its arguments, and name its results.

        What is simple takes the shortest way: in eager mode, every line here is inside the clock.
        """
        if named:
            tensors = tuple(named[name] for name in self.names)
        if self._direct:
            return results(self.function.call(*tensors))
        arguments = [filled(each, tensors) for each in self._arguments]
        keywords = {name: filled(each, tensors) for name, each in self._keywords.items()}
        return results(self.function.call(*arguments, **keywords))

    def reference(self, state: State, /, *_args: Any, **inputs: Any) -> Mapping[str, Array]:
        """The function itself, run eagerly in float64.

        Raises:
            NoReference: it does not run so, or not only in float64; the message says why.
        """
        if reason := study.no_reference(type(self)):
            raise NoReference(reason)
        from eager_vs_graph.modes.variables import variables_of

        with in_double():
            if "function" not in vars(self):
                self._take(self.snapshot.copy(double=True))
            variables = variables_of(self)
            try:
                for name, value in state.items():
                    variables[name].assign(value)
                outputs = self.step(*(tf.constant(inputs[name]) for name in self.names))
            except Exception as error:
                told = one_line(error)
                raise NoReference(
                    f"it does not run in float64 ({type(error).__name__}: {told})"
                ) from error
        found = {name: np.array(tensor.numpy()) for name, tensor in outputs.items()}
        for name, array in found.items():
            if array.dtype in (np.float32, np.float16) or array.dtype.name == "bfloat16":
                raise NoReference(
                    f"output {name!r} is {array.dtype} even where all it is given is float64; the "
                    "function names the dtype itself"
                )
        state.update({name: np.array(v.numpy()) for name, v in variables.items()})
        return found

    @classmethod
    def source_file(cls) -> str:
        """The user's file."""
        return cls.file

    @classmethod
    def adopted(cls) -> dict[str, Any]:
        """The arguments, as ``x: float32[32,784]``, and what a reader should know."""
        arguments = [described(name, cls.feeds[0][name]) for name in cls.names]
        return {
            "scenario": cls.name,
            "arguments": ", ".join(arguments) or "no arguments",
            "notes": list(cls.notes),
        }


class _Callable:
    """Keeps a function from being taken for a model, whose variables have another name already."""

    __slots__ = ("call",)

    def __init__(self, call: Callable[..., Any]) -> None:
        self.call = call


def scenario_of(
    function: Callable[..., Any],
    args: Sequence[Any] = (),
    kwargs: Mapping[str, Any] | None = None,
    *,
    name: str | None = None,
    feeds: Sequence[tuple[Sequence[Any], Mapping[str, Any]]] = (),
    traces_itself: bool = False,
    file: str = "",
) -> type[Adopted]:
    """Make a scenario of a function and its arguments.

    The function and what it refers to are copied: nothing of the caller's is changed.

    Args:
        function: what takes tensors and returns tensors, in any nested structure of mappings, lists
            and tuples: a function, a method, a Keras model, a ``tf.Module``, a ``tf.function``
            (whose Python is taken).
        args: its arguments. Arrays and tensors in them are inputs; everything else is constant.
        kwargs: its keyword arguments, likewise.
        name: the scenario's; default: made of the function's.
        feeds: further arguments for the steps after the first, of the same structure and dtypes.
        traces_itself: see ``Scenario``.
        file: where the user's code is; default: where the function is defined.

    Raises:
        ScenarioError: it cannot be called with these arguments, cannot be copied, or does not
            return tensors; in one line.
    """
    name = identifier(name or name_of(function))
    refuse_what_is_no_function(function, name)
    python = plain(function)
    kwargs = dict(kwargs or {})
    places, feed, template, keywords = split_arguments(python, name, args, kwargs)
    names = tuple(identifiers(places))
    given = [feed]
    for more_args, more_kwargs in feeds:
        more_places, more, _, _ = split_arguments(python, name, more_args, dict(more_kwargs))
        if more_places != places:
            raise ScenarioError(
                f"{name}: the arguments of a further step are {', '.join(more_places)}, but should "
                f"be {', '.join(places)} as in the first"
            )
        given.append(more)
    all_feeds = [dict(zip(names, each, strict=True)) for each in given]
    snapshot = Snapshot((python, template, keywords), name)
    tried = study.first_call(snapshot, name, all_feeds, names, traces_itself=traces_itself)
    notes = list(tried.notes)
    if isinstance(function, tf.types.experimental.PolymorphicFunction):
        notes.insert(0, "it is a tf.function; the Python that it is made from was taken")
    members = {
        **members_of(name, names, all_feeds),
        "__doc__": f"{name}({', '.join(map(described, names, feed))}).",
        "snapshot": tried.snapshot,
        "file": file or file_of(python),
        "notes": tuple(notes),
        "traces_itself": traces_itself,
    }
    return type(name, (Adopted,), members)


def members_of(name: str, names: Sequence[str], feeds: Sequence[Feed]) -> dict[str, Any]:
    """What every adopted class has: its name, its one size, its feeds and its signature."""
    return {
        "__module__": Adopted.__module__,
        "name": name,
        "sizes": {DEFAULT_SIZE: Size()},
        "feeds": feeds,
        "names": tuple(names),
        "step": _with_signature(names),
    }


def described(name: str, array: Array) -> str:
    """An argument as a report says it: ``x: float32[32,784]``."""
    return f"{name}: {described_array(array)}"


def described_array(array: Array) -> str:
    """An array's dtype and shape as they are typed: ``float32[32,784]``."""
    dtype = "string" if array.dtype == object else array.dtype
    return f"{dtype}[{','.join(map(str, array.shape))}]"


def results(value: Any) -> dict[str, Any]:
    """A function's result as named tensors.

    A single tensor is ``output``; mappings, lists and tuples give their keys and indices.

    Raises:
        ScenarioError: there is something in it that is no tensor, or nothing at all.
    """
    if isinstance(value, tf.Tensor):
        return {"output": value}
    if type(value) is dict and value and all(map(_is_named_tensor, value.items())):
        return value
    named: dict[str, Any] = {}
    for place, leaf in leaves("" if isinstance(value, Mapping) else "output", value):
        for name, tensor in _tensors(place or "output", leaf):
            named[name] = tensor
    return named or {"nothing": tf.zeros(())}


def _is_named_tensor(item: tuple[Any, Any]) -> bool:
    return isinstance(item[1], tf.Tensor) and isinstance(item[0], str)


def _tensors(name: str, leaf: Any) -> Iterator[tuple[str, Any]]:
    if leaf is None:
        return
    if isinstance(leaf, tf.Tensor):
        yield name, leaf
    elif isinstance(leaf, float):
        yield name, tf.constant(leaf, keras.config.floatx())
    elif isinstance(leaf, tf.Variable | keras.Variable | bool | int | str | bytes) or (
        isinstance(leaf, np.ndarray | np.generic) and leaf.dtype != object
    ):
        yield name, tf.convert_to_tensor(leaf)
    elif isinstance(leaf, tf.__internal__.CompositeTensor):
        parts = tf.nest.flatten(leaf, expand_composites=True)
        yield from ((f"{name}.{index}", part) for index, part in enumerate(parts))
    else:
        raise ScenarioError(
            f"the function returns {type(leaf).__name__} as {name!r}, but should return tensors "
            "(or numbers, or nested dicts, lists and tuples of them)"
        )


def split_arguments(
    function: Callable[..., Any], name: str, args: Sequence[Any], kwargs: Mapping[str, Any]
) -> tuple[list[str], list[Array], list[Any], dict[str, Any]]:
    """The places and values of the tensors in a call's arguments, and what is left of them.

    Raises:
        ScenarioError: the function does not take these arguments; the message names the parameter.
    """
    titles = bound_names(function, name, args, kwargs)
    places: list[str] = []
    feed: list[Array] = []

    def taken(title: str, value: Any) -> Any:
        found = leaves(title, value)

        def hole(leaf: Any) -> Any:
            place = next(found)[0]
            if isinstance(leaf, tf.Variable | keras.Variable) or not isinstance(
                leaf, tf.Tensor | np.ndarray | np.generic
            ):
                return leaf
            places.append(place)
            feed.append(as_array(f"{name}: argument {place!r}", leaf))
            return Hole(len(feed) - 1)

        return changed(value, hole)

    template = [taken(titles[index], value) for index, value in enumerate(args)]
    keywords = {key: taken(key, value) for key, value in kwargs.items()}
    return places, feed, template, keywords


def as_array(what: str, leaf: Any) -> Array:
    """A tensor's or an array's value; raises ``ScenarioError`` where it has none."""
    try:
        array = np.asarray(leaf.numpy() if isinstance(leaf, tf.Tensor) else leaf)
    except (AttributeError, NotImplementedError, TypeError, ValueError) as error:
        raise ScenarioError(f"{what} has no value: {error}") from None
    if array.dtype == object and not all(isinstance(each, bytes | str) for each in array.flat):
        raise ScenarioError(
            f"{what} is an array of Python objects, but should have a dtype of its own"
        )
    if array.dtype.kind in "US":
        array = array.astype(object)
    return array


def bound_names(
    function: Callable[..., Any], name: str, args: Sequence[Any], kwargs: Mapping[str, Any]
) -> list[str]:
    """The parameters that positional arguments go to.

    Raises:
        ScenarioError: there are too many or too few.
    """
    called = function.call if isinstance(function, keras.Layer) else function
    try:
        signature = inspect.signature(called)
    except (TypeError, ValueError):  # written in C
        return [f"input_{index}" for index in range(len(args))]
    try:
        signature.bind(*args, **kwargs)
    except TypeError as error:
        many = "1 argument" if len(args) == 1 else f"{len(args)} arguments"
        named = f" and {', '.join(kwargs)}" if kwargs else ""
        hint = (
            ""
            if args or kwargs
            else '; give each, such as --arg "float32[32,784]" (try) or args=(x,)'
        )
        raise ScenarioError(f"{name}{signature} was given {many}{named}: {error}{hint}") from None
    names: list[str] = []
    for parameter in signature.parameters.values():
        if parameter.kind is parameter.VAR_POSITIONAL:
            rest = range(len(args) - len(names))
            names += [f"{parameter.name}_{index}" for index in rest]
        elif parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD):
            names.append(parameter.name)
    return names


def refuse_what_is_no_function(function: Any, name: str) -> None:
    """Raise ``ScenarioError`` for what cannot be called, or gives no result when it is."""
    if not callable(function):
        raise ScenarioError(
            f"{name} is {type(function).__name__}, but should be a function, a Keras model or a "
            "tf.Module that can be called"
        )
    python = plain(function)
    for is_kind, kind in (
        (inspect.iscoroutinefunction, "async"),
        (inspect.isasyncgenfunction, "an async generator"),
        (inspect.isgeneratorfunction, "a generator"),
    ):
        if is_kind(python) or is_kind(getattr(python, "__call__", None)):  # noqa: B004 - not called
            raise ScenarioError(
                f"{name} is {kind}, which returns before its work is done; give a function that "
                "returns tensors"
            )


def file_of(function: Any) -> str:
    """The file that defines the function, or its class; ours where nobody can tell."""
    for each in (function, getattr(function, "func", None), type(function)):
        code = getattr(getattr(each, "__func__", each), "__code__", None)
        if code is not None:
            return str(code.co_filename)
        if isinstance(each, type) and each is not type(None):
            try:
                return inspect.getfile(each)
            except (OSError, TypeError):
                continue
    return __file__


def name_of(function: Any) -> str:
    """What a function calls itself."""
    python = plain(function)
    told = getattr(python, "__qualname__", "") or getattr(python, "name", "")
    last = str(told or type(python).__name__).rpartition(".<locals>.")[2]
    return "function" if last == "<lambda>" else last


@contextmanager
def in_double() -> Iterator[None]:
    """Have Keras make float64 where nobody names a dtype."""
    before, eagerly = keras.config.floatx(), tf.config.functions_run_eagerly()
    keras.config.set_floatx("float64")
    tf.config.run_functions_eagerly(True)
    try:
        yield
    finally:
        keras.config.set_floatx(before)
        tf.config.run_functions_eagerly(eagerly)


def _held(copy: Copy, *values: Any) -> dict[str, Any]:
    """The objects with the copy's variables, by name; those that nothing names come last."""
    from eager_vs_graph.modes.variables import variables_of

    named = holders(*values)
    probe = Scenario(Size())
    vars(probe).update(named)
    reached = {id(variable) for variable in variables_of(probe).values()}
    others = [variable for variable in copy.variables if id(variable) not in reached]
    return {**named, **({"others": others} if others else {})}


def _with_signature(names: Sequence[str]) -> Callable[..., Any]:
    """``Adopted.step`` with the function's own parameters, which TensorFlow reads off it."""

    def step(self: Adopted, *tensors: Any, **named: Any) -> Mapping[str, Any]:
        return self.call(*tensors, **named)

    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    parameters = [inspect.Parameter(name, kind) for name in ("self", *names)]
    step.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    return step
