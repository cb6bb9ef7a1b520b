"""A call's arguments: the tensors in them, which are inputs, and the rest, which is constant."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from eager_vs_graph.child.adopt.structure import Hole, changed, leaves
from eager_vs_graph.child.adopt.tracing import plain
from eager_vs_graph.errors import ScenarioError
from eager_vs_graph.modes import kerases
from eager_vs_graph.scenario import Array


def split_arguments(
    function: Callable[..., Any],
    name: str,
    args: Sequence[Any],
    kwargs: Mapping[str, Any],
    *,
    read: bool = True,
) -> tuple[list[str], list[Array], list[Any], dict[str, Any]]:
    """The places and values of the tensors in a call's arguments, and what is left of them.

    Args:
        function: what is called.
        name: what to call it in a message.
        args: its arguments.
        kwargs: its keyword arguments.
        read: whether the tensors' values are wanted; in a graph they have none.

    Raises:
        ScenarioError: the function does not take these arguments; the message names the parameter.
    """
    titles = bound_names(plain(function), name, args, kwargs)
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
            if read:
                feed.append(as_array(f"{name}: argument {place!r}", leaf))
            return Hole(len(places) - 1)

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
    called = getattr(function, "call", function) if kerases.is_layer(function) else function
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
            except (OSError, TypeError):  # its module was executed afresh, and is gone
                if file := _file_of_methods(each):
                    return file
    return __file__


def _file_of_methods(of: type) -> str:
    for value in vars(of).values():
        code = getattr(getattr(value, "__func__", value), "__code__", None)
        if code is not None:
            return str(code.co_filename)
    return ""


def name_of(function: Any) -> str:
    """What a function calls itself."""
    python = plain(function)
    told = getattr(python, "__qualname__", "") or getattr(python, "name", "")
    last = str(told or type(python).__name__).rpartition(".<locals>.")[2]
    return "function" if last == "<lambda>" else last
