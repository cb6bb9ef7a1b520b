"""How a script comes to what was adopted, and calls it: as text, without this package."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from eager_vs_graph.child.adopt.structure import Hole

_CONSTANTS = (bool, int, float, complex, str, bytes, type(None))


@dataclass(frozen=True)
class Way:
    """The user's object, from its module on, and how it is called."""

    module: str
    """By which it is imported, or its file."""
    steps: tuple[str, ...]
    """Names of attributes; empty: a call without arguments."""
    call: str
    """The arguments of a call as Python, in which ``tensors`` are those of a feed."""
    is_model: bool = False
    """Whether it is a Keras model, of which the forward pass is run."""


def call_of(arguments: Sequence[Any], keywords: Mapping[str, Any]) -> str:
    """The arguments of a call as Python.

    Raises:
        ValueError: there is something in them that has no text.
    """
    texts = [_text(each) for each in arguments]
    texts += [f"{name}={_text(each)}" for name, each in keywords.items()]
    return ", ".join(texts)


def _text(value: Any) -> str:
    if isinstance(value, Hole):
        return f"tensors[{value.index}]"
    if isinstance(value, _CONSTANTS):
        return repr(value)
    if type(value) is dict:
        return f"{{{', '.join(f'{key!r}: {_text(item)}' for key, item in value.items())}}}"
    if type(value) in (list, tuple):
        inside = ", ".join(map(_text, value))
        return f"[{inside}]" if isinstance(value, list) else f"({inside},)"
    raise ValueError(f"an argument that is a {type(value).__name__} cannot stand in a script")
