"""A function's arguments from what a user types.

    float32[32,784]          drawn from a normal distribution; float32[] is a scalar
    float32[3] in 0..1       drawn evenly from an interval
    int32[32] in 0..9        drawn from 0 to 9, both included; without a range, 0 or 1
    bool[3]  string[4]       drawn
    images.npy               the array of a file
    batch.npz                one argument for each array, by the parameter's name where one fits
    mymodule:make_args       what the function returns: a tuple of arguments, or a dict by name; if
                             it yields, each step takes the next of what it yields
    0.5  True  "mean"        a Python constant
    name=...                 any of these for the parameter of that name

Drawn values are seeded: the same in every process.
"""

from __future__ import annotations

import ast
import re
import string
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from eager_vs_graph.errors import ScenarioError
from eager_vs_graph.scenario import SEED, Array

STEPS = 3
"""Feeds that are drawn: successive steps must not all see the same values."""
MOST_CALLS = 16
"""Calls that are taken of a factory that yields them; a factory may yield without end."""
_SPEC = re.compile(
    r"(?P<dtype>[a-z]+[0-9]*)\s*\[(?P<shape>[\d,\s]*)\]"
    r"(\s+in\s+(?P<low>-?[\d.e+-]*?\d)\.\.(?P<high>-?[\d.e+-]+))?\s*$"
)
_NAMED = re.compile(r"(?P<name>[A-Za-z_]\w*)=(?P<text>.*)$", re.DOTALL)
_FACTORY = re.compile(r"[\w./-]+:[\w.]+$")
_WRITTEN = (
    "an argument is written as float32[32,784], int32[32] in 0..9, bool[3], string[4], a .npy or "
    ".npz file, module:make_args, or a Python constant, with NAME= before it where needed"
)


@dataclass
class Arguments:
    """The arguments of one call."""

    args: list[Any] = field(default_factory=list)
    kwargs: dict[str, Any] = field(default_factory=dict)


def calls(
    texts: Sequence[str],
    made_by: Callable[[str], Any],
    parameters: Sequence[str] = (),
) -> list[Arguments]:
    """The arguments of successive calls; one call where nothing is drawn or yielded.

    Args:
        texts: what was typed, one argument each.
        made_by: gives what the factory of a reference returns.
        parameters: names of the function's parameters, which a file's arrays may go to.

    Raises:
        ScenarioError: a text is none of the above, or a file cannot be read.
    """
    made = {
        reference: _successive(reference, made_by(reference))
        for reference in dict.fromkeys(_split(text)[1] for text in texts if names_factory(text))
    }
    drawn = any(_SPEC.match(_split(text)[1]) for text in texts)
    steps = max([STEPS if drawn else 1, *map(len, made.values())])
    found = []
    for step in range(steps):
        rng = np.random.default_rng([SEED, step])
        of_step = {name: values[step % len(values)] for name, values in made.items()}
        call = Arguments()
        for text in texts:
            _add(call, text, rng, of_step.__getitem__, parameters)
        found.append(call)
    return found


def _successive(reference: str, value: Any) -> list[Any]:
    """What a factory gives for successive calls: what it yields; else one value for all.

    Raises:
        ScenarioError: it yields nothing.
    """
    if not isinstance(value, Iterator):
        return [value]
    if not (found := list(islice(value, MOST_CALLS))):
        raise ScenarioError(f"{reference} yields nothing, but should yield a call's arguments")
    return found


def drawn(text: str, rng: np.random.Generator) -> Array | None:
    """An array for a text such as ``float32[3] in 0..1``; None where it is no such text.

    Raises:
        ScenarioError: the dtype is none, or the range does not fit it.
    """
    if (match := _SPEC.match(text.strip())) is None:
        return None
    try:
        shape = tuple(int(part) for part in match["shape"].split(",") if part.strip())
        low, high = (None, None) if match["low"] is None else (match["low"], match["high"])
        return _draw(match["dtype"], shape, low, high, rng)
    except ValueError as error:
        raise ScenarioError(f"argument {text!r}: {error}; {_WRITTEN}") from None


def _add(
    call: Arguments,
    text: str,
    rng: np.random.Generator,
    made_by: Callable[[str], Any],
    parameters: Sequence[str],
) -> None:
    name, rest = _split(text)
    if (array := drawn(rest, rng)) is not None:
        values: Any = [array]
    elif rest.endswith((".npy", ".npz")):
        values = _from_file(Path(rest))
    elif (constant := _constant(rest)) is not None:
        values = [constant[0]]
    elif _FACTORY.match(rest):
        values = made_by(rest)
        if not isinstance(values, Mapping | list | tuple):
            values = [values]
    else:
        raise ScenarioError(f"argument {text!r} is not understood; {_WRITTEN}")
    if isinstance(values, Mapping):
        fitting = {key: values[key] for key in parameters if key in values}
        if len(fitting) == len(values) and not name:
            call.kwargs.update(fitting)
            return
        values = list(values.values())
    if not name:
        call.args.extend(values)
        return
    if len(values) != 1:
        raise ScenarioError(f"argument {text!r} gives {len(values)} values, but should give one")
    if name in call.kwargs:
        raise ScenarioError(f"argument {name!r} is given twice")
    call.kwargs[name] = values[0]


def names_factory(text: str) -> bool:
    """Whether a text such as ``module:make_args`` names what is to be called."""
    rest = _split(text)[1]
    is_other = _SPEC.match(rest) or rest.endswith((".npy", ".npz")) or _constant(rest)
    return not is_other and bool(_FACTORY.match(rest))


def _split(text: str) -> tuple[str, str]:
    """The parameter's name, where there is one, and the rest."""
    match = _NAMED.match(text.strip())
    return (match["name"], match["text"].strip()) if match else ("", text.strip())


def _constant(text: str) -> tuple[Any] | None:
    try:
        return (ast.literal_eval(text),)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return None


def _from_file(path: Path) -> Any:
    try:
        content = np.load(path, allow_pickle=False)
    except FileNotFoundError:
        raise ScenarioError(f"{path}: no such file") from None
    except (OSError, ValueError, EOFError) as error:
        raise ScenarioError(f"{path}: cannot be read as an array: {error}") from None
    if isinstance(content, np.ndarray):
        return [content]
    with content:
        return {name: content[name] for name in content.files}


def _draw(
    dtype: str, shape: tuple[int, ...], low: str | None, high: str | None, rng: np.random.Generator
) -> Array:
    if dtype == "string":
        if low is not None:
            raise ValueError("a string has no range")
        letters = np.array(list(string.ascii_lowercase))
        texts = ["".join(row) for row in rng.choice(letters, (int(np.prod(shape)), 8))]
        return np.array([text.encode() for text in texts], object).reshape(shape)
    if dtype == "bfloat16":
        import ml_dtypes

        kind = np.dtype(ml_dtypes.bfloat16)
    else:
        try:
            kind = np.dtype(dtype)
        except TypeError:
            raise ValueError(f"{dtype!r} is no dtype") from None
    if kind.kind == "b":
        return rng.integers(0, 2, shape).astype(bool)
    if kind.kind in "iu":
        start, end = (0, 1) if low is None or high is None else (int(low), int(high))
        if end < start:
            raise ValueError(f"the range {start}..{end} is empty")
        return rng.integers(start, end, shape, dtype=kind, endpoint=True)
    if kind.kind == "c":
        parts = (rng.standard_normal(shape) for _ in range(2))
        return np.asarray(next(parts) + 1j * next(parts)).astype(kind)
    if kind.kind != "f" and dtype != "bfloat16":
        raise ValueError(f"{dtype!r} is no dtype of tensors")
    if low is None or high is None:
        return np.asarray(rng.standard_normal(shape)).astype(kind)
    if not float(low) < float(high):
        raise ValueError(f"the range {low}..{high} is empty")
    return np.asarray(rng.uniform(float(low), float(high), shape)).astype(kind)


def told(arguments: Arguments) -> Iterator[str]:
    """The arguments as a message shows them."""
    for value in arguments.args:
        yield _told(value)
    for name, value in arguments.kwargs.items():
        yield f"{name}={_told(value)}"


def _told(value: Any) -> str:
    if hasattr(value, "dtype") and hasattr(value, "shape"):
        return f"{np.dtype(value.dtype).name}[{','.join(map(str, value.shape))}]"
    return repr(value)[:40]
