"""The arguments of successive calls: tensors, which are inputs, and Python values, which are not.

Each step of a program takes the next call. What is a tensor may have another shape in each. What is
none is part of the function; where it changes from call to call, the step gets one more input, a
Python number, that says which of the templates to use: as with any Python value, a ``tf.function``
is traced anew for each.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np

from eager_vs_graph.child.adopt.arguments import Arguments
from eager_vs_graph.child.adopt.call_arguments import split_arguments
from eager_vs_graph.child.adopt.structure import Hole, filled, leaves
from eager_vs_graph.child.adopt.tracing import plain
from eager_vs_graph.errors import ScenarioError
from eager_vs_graph.scenario import Array

WHICH = "python_arguments"
"""The input that says which Python values a call has."""
SENTENCE = (
    "the arguments of successive calls are yielded one after the other, by a function with `yield` "
    "(try), or given as calls=[(x1, y1), (x2, y2)] (compare)"
)


@dataclass(frozen=True)
class Template:
    """A call's arguments, with a hole in the place of each tensor."""

    arguments: list[Any] = field(default_factory=list)
    keywords: dict[str, Any] = field(default_factory=dict)

    def filled(self, tensors: Sequence[Any]) -> tuple[list[Any], dict[str, Any]]:
        """The arguments and keyword arguments with these tensors."""
        return (
            [filled(each, tensors) for each in self.arguments],
            {name: filled(each, tensors) for name, each in self.keywords.items()},
        )

    def is_direct(self, tensors: int) -> bool:
        """Whether the arguments are so many tensors in their order, and nothing else."""
        return not self.keywords and self.arguments == [Hole(index) for index in range(tensors)]


@dataclass(frozen=True)
class Calls:
    """Successive calls, taken apart.

    Attributes:
        places: where in the arguments the tensors are.
        feeds: their values in each call; empty lists where they were not read.
        templates: what is left of each call.
    """

    places: list[str]
    feeds: list[list[Array]]
    templates: list[Template]

    @property
    def which(self) -> list[int]:
        """For each call, the first one that has the same Python values."""
        found: list[int] = []
        for index, template in enumerate(self.templates):
            alike = (i for i in found if _alike(self.templates[i], template))
            found.append(next(alike, index))
        return found

    @property
    def note(self) -> str:
        """Which Python values change, for a reader of the report; empty where none do."""
        if not any(self.which):
            return ""
        values: dict[str, list[str]] = {}
        for template in self.templates:
            for place, value in _constants(template):
                texts = values.setdefault(place, [])
                if (text := repr(value)[:40]) not in texts:
                    texts.append(text)
        changing = [f"{place} = {', '.join(v)}" for place, v in values.items() if len(v) > 1]
        return f"Python arguments change from call to call: {'; '.join(changing)}"


def changed(
    function: Callable[..., Any], one: Template, other: Template
) -> dict[str, tuple[Any, Any]]:
    """The Python values that differ between two calls: both, by the name of the argument."""
    before, after = dict(_constants(one)), dict(_constants(other))
    try:
        names = list(inspect.signature(plain(function)).parameters)
    except (TypeError, ValueError):
        names = []
    found = {}
    for place, value in after.items():
        if place in before and not (before[place] is value or before[place] == value):
            head, dot, rest = place.partition(".")
            if head.isdigit() and int(head) < len(names):
                head = names[int(head)]
            found[head + dot + rest] = (before[place], value)
    return found


def split_calls(
    function: Callable[..., Any], name: str, given: Sequence[Arguments], *, read: bool = True
) -> Calls:
    """Take the arguments of successive calls apart.

    Args:
        function: what is called.
        name: what to call it in a message.
        given: the calls; none is one without arguments.
        read: whether the tensors' values are wanted; in a graph they have none.

    Raises:
        ScenarioError: the function does not take these arguments, or a call's tensors are not where
            the first one's are.
    """
    places: list[str] = []
    feeds, templates = [], []
    for number, call in enumerate(given or [Arguments()]):
        try:
            found, feed, template, keywords = split_arguments(
                function, name, call.args, call.kwargs, read=read
            )
        except ScenarioError as error:
            raise ScenarioError(f"{error}{hint(function, call.args)}") from None
        if number and found != places:
            raise ScenarioError(
                f"{name}: the tensors of call {number + 1} are {', '.join(found) or 'none'}, but "
                f"should be {', '.join(places) or 'none'} as in the first"
            )
        places = found
        feeds.append(feed)
        templates.append(Template(template, keywords))
    return Calls(places, feeds, templates)


def hint(function: Callable[..., Any], args: Sequence[Any]) -> str:
    """How to say it, where each of some arguments looks like a call of its own; else nothing."""
    python = plain(function)
    try:
        signature = inspect.signature(python.call if isinstance(python, keras.Layer) else python)
    except (TypeError, ValueError):
        return ""
    if len(args) < 2 or not all(_binds(signature, each) for each in args):
        return ""
    return f"; {SENTENCE}"


def _binds(signature: inspect.Signature, call: Any) -> bool:
    try:
        if isinstance(call, Mapping):
            signature.bind(**call)
        elif isinstance(call, list | tuple):
            signature.bind(*call)
        else:
            signature.bind(call)
    except TypeError:
        return False
    return True


def _alike(one: Template, other: Template) -> bool:
    """Whether two calls have the same Python values; 1, 1.0 and True are three."""
    pairs = [list(_constants(each)) for each in (one, other)]
    if [place for place, _ in pairs[0]] != [place for place, _ in pairs[1]]:
        return False
    values = zip((value for _, value in pairs[0]), (value for _, value in pairs[1]), strict=True)
    return all(
        a is b or (type(a) is type(b) and isinstance(a, _PLAIN) and a == b) for a, b in values
    )


_PLAIN = (bool, int, float, complex, str, bytes, type(None), np.generic, Hole)


def _constants(template: Template) -> list[tuple[str, Any]]:
    """What is no tensor, by place."""
    named = {**{str(i): each for i, each in enumerate(template.arguments)}, **template.keywords}
    return [(place, value) for place, value in leaves("", named) if not isinstance(value, Hole)]
