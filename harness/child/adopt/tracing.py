"""The user's own tf.functions: their Python, and how a program runs that in their place."""

from __future__ import annotations

import types
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

import tensorflow as tf

from eager_vs_graph.errors import ScenarioError

_Function: Any = type(tf.function(lambda: None))


def plain(function: Any) -> Any:
    """The Python of a tf.function, bound to its instance where it is a method.

    Raises:
        ScenarioError: it is a method of an object that is gone.
    """
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


class Inlined(_Function):  # type: ignore[misc]
    """A tf.function that runs its Python wherever it is called: eagerly, or as part of a graph.

    Not ``tf.config.run_functions_eagerly``: that leaves AutoGraph out where a graph is made, and
    holds for all programs of the process.
    """

    _python: Any = None

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the Python; AutoGraph converts this method, and with it what it calls."""
        if self._python is None:
            self._python = plain(self)
        return self._python(*args, **kwargs)


def noting(called: list[Any]) -> type[Inlined]:
    """A kind of ``Inlined`` that notes what was called."""

    class Noting(Inlined):
        def __call__(self, *args: Any, **kwargs: Any) -> Any:
            called.append(self)
            return super().__call__(*args, **kwargs)

    return Noting


def inline(functions: Iterable[Any], kind: type[Inlined] = Inlined) -> None:
    """Have tf.functions be part of what calls them, in place."""
    for function in functions:
        if type(function) is _Function:
            function.__class__ = kind
            with suppress(ScenarioError):
                function._python = plain(function)
