"""Options that several verbs share: a dataclass is a group, its fields are the options.

Typer reads a verb's options from its parameters. ``grouped`` lets a verb take a dataclass as one
parameter: Typer sees the dataclass's fields, the verb gets them back as one object. So an option is
written once, in its dataclass, whichever verbs have it.
"""

from __future__ import annotations

import dataclasses
import functools
import inspect
from collections.abc import Callable
from typing import Any, get_type_hints


def grouped(verb: Callable[..., None]) -> Callable[..., None]:
    """Give a verb the fields of its dataclass parameters as options of its own.

    Raises:
        TypeError: two groups have an option of the same name.
    """
    hints = get_type_hints(verb, include_extras=True)
    groups: dict[str, Any] = {
        name: kind for name, kind in hints.items() if dataclasses.is_dataclass(kind)
    }
    own = [
        parameter.replace(annotation=hints[name])
        for name, parameter in inspect.signature(verb).parameters.items()
        if name not in groups
    ]
    options = {name: _parameters(kind) for name, kind in groups.items()}
    every = [*own, *(each for of_group in options.values() for each in of_group)]
    names = [parameter.name for parameter in every]
    if twice := {name for name in names if names.count(name) > 1}:
        raise TypeError(f"{verb.__name__} has options twice: {', '.join(sorted(twice))}")

    @functools.wraps(verb)
    def call(**values: Any) -> None:
        for name, kind in groups.items():
            values[name] = kind(**{each.name: values.pop(each.name) for each in options[name]})
        verb(**values)

    keyword = [each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in every]
    call.__signature__ = inspect.Signature(keyword)  # type: ignore[attr-defined]
    call.__annotations__ = {each.name: each.annotation for each in every}
    return call


def _parameters(kind: Any) -> list[inspect.Parameter]:
    hints = get_type_hints(kind, include_extras=True)
    return [
        inspect.Parameter(
            field.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=field.default,
            annotation=hints[field.name],
        )
        for field in dataclasses.fields(kind)
    ]
