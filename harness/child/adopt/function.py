"""A user's function as a scenario: the way of everything that is adopted into the engine.

``scenario_of`` takes the function with its arguments and makes a ``Scenario`` class. Each program
has objects of its own (``making.py``), with the values that eager's variables begin with.

The reference is the function itself, run eagerly in float64: feeds, variables, captured tensors and
dtype policies are cast. Where it does not run so, there is none, and the report says why.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar

import numpy as np
import tensorflow as tf

from eager_vs_graph.catalog.user_code import DEFAULT_SIZE, identifier
from eager_vs_graph.child.adopt import modules, study
from eager_vs_graph.child.adopt.arguments import Arguments
from eager_vs_graph.child.adopt.call_arguments import (
    file_of,
    name_of,
    refuse_what_is_no_function,
)
from eager_vs_graph.child.adopt.created import FirstCall
from eager_vs_graph.child.adopt.described import described, told
from eager_vs_graph.child.adopt.leaves import in_double_precision
from eager_vs_graph.child.adopt.making import Made, Maker, Product
from eager_vs_graph.child.adopt.reach import reached
from eager_vs_graph.child.adopt.results import results
from eager_vs_graph.child.adopt.source import TargetSource
from eager_vs_graph.child.adopt.state_roots import held, names_of
from eager_vs_graph.child.adopt.structure import identifiers
from eager_vs_graph.child.adopt.successive import WHICH, Calls, Template, split_calls
from eager_vs_graph.child.adopt.tracing import inline
from eager_vs_graph.child.adopt.way import Way
from eager_vs_graph.errors import CallRaised, NoReference, ScenarioError, Unsupported
from eager_vs_graph.modes import kerases
from eager_vs_graph.modes.program import handed
from eager_vs_graph.scenario import Array, Feed, Scenario, Size, State


class Adopted(Scenario):
    """A function of the user's. Subclasses are made by ``scenario_of``.

    Attributes:
        function: what is called.
        making: what a reader should know of how this program's objects were made.
    """

    sizes: ClassVar[Mapping[str, Size]] = {DEFAULT_SIZE: Size()}
    concept = "adopted"
    judged_by_eager = True

    maker: ClassVar[Maker]
    tried: ClassVar[study.Tried]
    feeds: ClassVar[Sequence[Feed]]
    names: ClassVar[tuple[str, ...]]
    file: ClassVar[str]
    notes: ClassVar[tuple[str, ...]] = ()
    """What a reader of the report should know of how the function was adopted."""
    function: _Callable
    making = ""

    def inputs(self, rng: np.random.Generator) -> Sequence[Feed]:  # noqa: ARG002 - given
        """The feeds that the scenario was made with."""
        return self.feeds

    def build(self) -> None:
        """Make this program's own objects, and name what holds its variables."""
        made = self.maker.make()
        self.making = made.note
        self._take(made)

    def _take(self, made: Made) -> None:
        product = made.product
        if not (self.traces_itself or self.keeps_functions):
            inline(made.functions)
        created = [None if leaf is None else leaf() for leaf in self.tried.created]
        attributes = held(made.variables, *product.roots)
        if created:
            names = names_of(attributes, made.variables)
            kept = [each for each in created if each is not None]
            variables = _renamed(dict(zip(names, made.variables, strict=True)), self.tried.renamed)
            variables |= zip(self.tried.created_names, kept, strict=True)
            attributes = _by_attribute(variables)
        if made.resources:
            attributes[_unused("resources", attributes)] = list(made.resources)
        for name, value in attributes.items():
            setattr(self, f"{name}_" if hasattr(Adopted, name) else name, value)
        # Not an attribute that state is looked for in: the function may be a model itself.
        function = FirstCall(product.function, created) if created else product.function
        self.function = _Callable(function, made)
        self._templates = product.templates
        self._direct = not self.python_inputs and self._templates[0].is_direct(len(self.names))

    def call(self, *tensors: Any, **named: Any) -> Mapping[str, Any]:
        """Call the function on its arguments, and name its results.

        What is simple takes the shortest way: in eager mode, every line here is inside the clock.
        """
        if named:
            tensors = tuple(named[name] for name in self.names)
        if self._direct:
            return results(self.function.call(*tensors))
        which = 0
        if self.python_inputs:
            *tensors, which = tensors  # type: ignore[assignment]
            if not isinstance(which, int):
                raise ScenarioError("a tensor cannot say which Python arguments a call has")
        arguments, keywords = self._templates[which].filled(tensors)
        return results(self.function.call(*arguments, **keywords))

    def reference(self, state: State, /, *_args: Any, **inputs: Any) -> Mapping[str, Array]:
        """The function itself, run eagerly in float64.

        Raises:
            NoReference: it does not run so, or not only in float64; the message says why.
        """
        if reason := study.no_reference(type(self)):
            raise NoReference(reason)
        from eager_vs_graph.modes.variables import variables_of

        if "function" not in vars(self):
            self._copy_in_double()
        with in_double():
            variables = variables_of(self)
            try:
                for name, value in state.items():
                    variables[name].assign(value)
                outputs = self.step(*handed(type(self), inputs, self.names))
            except Exception as error:
                raise NoReference(f"it does not run in float64 ({told(error)})") from error
        found = {name: np.array(tensor.numpy()) for name, tensor in outputs.items()}
        for name, array in found.items():
            if array.dtype in (np.float32, np.float16) or array.dtype.name == "bfloat16":
                raise NoReference(
                    f"output {name!r} is {array.dtype} even where all it is given is float64; the "
                    "function names the dtype itself"
                )
        state.update({name: np.array(v.numpy()) for name, v in variables.items()})
        return found

    def _copy_in_double(self) -> None:
        try:
            snapshot = self.maker.snapshot()
            with in_double(), in_double_precision():
                self._take(self.maker.copied(snapshot, double=True))
        except ScenarioError as error:
            raise NoReference(str(error)) from error
        except Exception as error:
            raise NoReference(f"its copy cannot be put together: {told(error)}") from error

    def call_templates(self) -> Sequence[Template]:
        """What each of the successive calls is given besides tensors."""
        return self._templates

    def functions(self) -> Sequence[Any]:
        """Every tf.function that the function can reach."""
        product = self.function.made.product
        return reached(*product.roots).functions

    @classmethod
    def source_file(cls) -> str:
        """The user's file."""
        return cls.file

    @classmethod
    def way(cls) -> Way:
        """How a script comes to the function, and calls it.

        Raises:
            ValueError: no script can.
        """
        return cls.maker.way()

    @classmethod
    def adopted(cls) -> dict[str, Any]:
        """The arguments, as ``x: float32[32,784]``, and what a reader should know."""
        shown = [name for name in cls.names if name not in cls.python_inputs]
        arguments = [_described(name, [feed[name] for feed in cls.feeds]) for name in shown]
        return {
            "scenario": cls.name,
            "arguments": ", ".join(arguments) or "no arguments",
            "notes": list(cls.notes),
        }


class _Callable:
    """Keeps a function from being taken for a model, whose variables have another name already.

    Attributes:
        call: the function.
        made: the objects that it was made with, which live as long.
    """

    __slots__ = ("call", "made")

    def __init__(self, call: Callable[..., Any], made: Made) -> None:
        self.call = call
        self.made = made


def scenario_of(
    function: Callable[..., Any],
    args: Sequence[Any] = (),
    kwargs: Mapping[str, Any] | None = None,
    *,
    name: str | None = None,
    feeds: Sequence[tuple[Sequence[Any], Mapping[str, Any]]] = (),
    traces_itself: bool = False,
    may_raise: bool = False,
    file: str = "",
) -> type[Adopted]:
    """Make a scenario of a function and its arguments, which are copied for each program.

    Nothing of the caller's is changed.

    Args:
        function: what takes tensors and returns tensors, in any nested structure of mappings, lists
            and tuples: a function, a method, a Keras model, a ``tf.Module``, a ``tf.function``
            (whose Python is taken).
        args: its arguments. Arrays and tensors in them are inputs; everything else is constant.
        kwargs: its keyword arguments, likewise.
        name: the scenario's; default: made of the function's.
        feeds: further arguments for the steps after the first: tensors in the same places, of the
            same dtypes.
        traces_itself: see ``Scenario``.
        may_raise: whether a function that raises in its first call is taken as it is.
        file: where the user's code is; default: where the function is defined.

    Raises:
        ScenarioError: it cannot be called with these arguments, cannot be copied, or does not
            return tensors; in one line.
    """
    name = identifier(name or name_of(function))
    refuse_what_is_no_function(function, name)
    kwargs = dict(kwargs or {})
    given = [Arguments(list(args), kwargs)]
    given += [Arguments(list(more), dict(named)) for more, named in feeds]
    calls = split_calls(function, name, given)
    maker = Maker(name, live=Product(function, calls.templates))
    return _scenario(
        function,
        name,
        maker,
        calls,
        traces_itself=traces_itself,
        may_raise=may_raise,
        file=file,
    )


def scenario_of_source(source: TargetSource, name: str) -> type[Adopted]:
    """Make a scenario of what a target names; its objects are made again for each program.

    Raises:
        ScenarioError: it cannot be made, cannot be called so, or does not return tensors.
        PartNotFound: see ``TargetSource.product``.
    """
    maker = Maker(name, source)
    function = maker.first().function
    assert source.calls is not None
    return _scenario(
        function,
        name,
        maker,
        source.calls,
        traces_itself=source.traces_itself,
        may_raise=False,
        file=source.users_file(function),
    )


def _scenario(
    function: Callable[..., Any],
    name: str,
    maker: Maker,
    calls: Calls,
    *,
    traces_itself: bool,
    may_raise: bool,
    file: str,
) -> type[Adopted]:
    names = tuple(identifiers([*calls.places, WHICH] if any(calls.which) else calls.places))
    which = ([np.array(each)] if any(calls.which) else [] for each in calls.which)
    all_feeds = [
        dict(zip(names, [*feed, *more], strict=True))
        for feed, more in zip(calls.feeds, which, strict=True)
    ]
    tensors = names[: len(calls.places)]
    try:
        tried = study.first_call(maker, name, all_feeds, tensors, traces_itself=traces_itself)
    except CallRaised:
        if not may_raise:
            raise
        tried = study.Tried()
    finally:
        modules.forget()
    notes = [each for each in (*tried.notes, calls.note, maker.note) if each]
    if isinstance(function, tf.types.experimental.PolymorphicFunction):
        notes.insert(0, "it is a tf.function; the Python that it is made from was taken")
    members = {
        **members_of(name, names, all_feeds),
        "__doc__": f"{name}({', '.join(map(described, tensors, calls.feeds[0]))}).",
        "python_inputs": names[len(tensors) :],
        "parity_steps": max(Adopted.parity_steps, len(all_feeds)),
        "maker": maker,
        "tried": tried,
        "own_functions": tried.functions,
        "file": file or file_of(function),
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


def _described(name: str, arrays: Sequence[Array]) -> str:
    """An argument as a report says it, with every shape that it comes in."""
    return " or ".join(dict.fromkeys(described(name, array) for array in arrays))


@contextmanager
def in_double() -> Iterator[None]:
    """Have Keras make float64 where nobody names a dtype."""
    before, eagerly = kerases.set_floatx("float64"), tf.config.functions_run_eagerly()
    tf.config.run_functions_eagerly(True)
    try:
        yield
    finally:
        kerases.set_floatx(before)
        tf.config.run_functions_eagerly(eagerly)


def _unused(name: str, taken: Mapping[str, Any]) -> str:
    while name in taken:
        name += "_"
    return name


def _renamed(
    variables: Mapping[str, tf.Variable], names: Mapping[str, str]
) -> dict[str, tf.Variable]:
    """A function's variables by the names that they have after its first call.

    Raises:
        ScenarioError: they are not those that were there the first time.
        Unsupported: nor are they in a v1 graph, where Keras 2 and others make what they make in
            TensorFlow 1.
    """
    for name in [*names, *variables]:
        if name not in variables or name not in names:
            if not tf.executing_eagerly():
                where = "missing" if name in names else "there only"
                raise Unsupported(
                    "in a graph of TensorFlow 1, this code makes other variables than eagerly: "
                    f"{name!r} is {where}"
                )
            missing = "made again" if name in names else "made the first time"
            raise ScenarioError(
                f"variable {name!r} was not {missing}; making the objects again should make the "
                "same variables"
            )
    return {names[name]: variable for name, variable in variables.items()}


def _by_attribute(variables: Mapping[str, tf.Variable]) -> dict[str, Any]:
    """Attributes in which the variables are found under these names."""
    attributes: dict[str, Any] = {}
    for name, variable in variables.items():
        root, _, rest = name.partition("/")
        if rest:
            attributes.setdefault(root, {})[rest] = variable
        else:
            attributes[root] = variable
    return attributes


def _with_signature(names: Sequence[str]) -> Callable[..., Any]:
    """``Adopted.step`` with the function's own parameters, which TensorFlow reads off it."""

    def step(self: Adopted, *tensors: Any, **named: Any) -> Mapping[str, Any]:
        return self.call(*tensors, **named)

    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    parameters = [inspect.Parameter(name, kind) for name in ("self", *names)]
    step.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    return step
