"""Random numbers: which ops draw them, and draws that are the same in every mode.

TensorFlow's Python calls each random op through one generated function, in eager mode and while
tracing. That is where draws are seen here, and where they can be replaced: by numbers that depend
on nothing but their place in the tensor, so that what still differs is not a matter of chance.
"""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import tensorflow as tf
from tensorflow.python.ops import (  # TensorFlow exports the ops, not the functions that are called
    gen_random_index_shuffle_ops,
    gen_random_ops,
    gen_stateful_random_ops,
    gen_stateless_random_ops,
    gen_stateless_random_ops_v2,
)

from eager_vs_graph.child import first_calls
from eager_vs_graph.child.user_files import place, users_frame

_MODULES = (
    gen_random_ops,
    gen_stateful_random_ops,
    gen_stateless_random_ops,
    gen_stateless_random_ops_v2,
    gen_random_index_shuffle_ops,
)
_NO_DRAW = ("_get_key_counter", "_get_alg", "_grad", "rng_skip", "rng_read_and_skip", "_fallback")
_MULTIPLIER, _OFFSET, _RANGE = 40503, 12345, 65536
_BELOW_ALL = -1e300
"""Below every number that is drawn."""


@dataclass
class Draws:
    """The random ops that were called."""

    own: str = ""
    """The user's file."""
    ops: dict[str, list[str]] = field(default_factory=dict)
    """Lines of the user's that drew, by type of op."""

    def note(self, op: str, line: tuple[str, int] | None) -> None:
        """Remember a draw."""
        lines = self.ops.setdefault(op, [])
        if line is not None and (text := place(*line)) not in lines:
            lines.append(text)


@contextmanager
def watched(own: str = "", *, replaced: bool = False) -> Iterator[Draws]:
    """Note every random op that is called or traced within.

    Args:
        own: the user's file.
        replaced: whether to give out numbers that are the same for every program in place of those
            that were drawn. The op itself still runs, so that its state moves on as always.
    """
    draws = Draws(own)
    originals = [(module, name, each) for module in _MODULES for name, each in _drawing(module)]
    for module, name, function in originals:
        setattr(module, name, _seen(function, name, draws, replaced=replaced))
    try:
        yield draws
    finally:
        for module, name, function in originals:
            setattr(module, name, function)


def _drawing(module: Any) -> list[tuple[str, Callable[..., Any]]]:
    return [
        (name, each)
        for name, each in vars(module).items()
        if inspect.isfunction(each)
        and each.__module__ == module.__name__
        and name.islower()
        and not name.startswith("_")
        and not any(part in name for part in _NO_DRAW)
    ]


def _seen(
    function: Callable[..., Any], name: str, draws: Draws, *, replaced: bool
) -> Callable[..., Any]:
    op = "".join(part.capitalize() for part in name.split("_"))
    names = list(inspect.signature(function).parameters)

    @functools.wraps(function)
    @tf.autograph.experimental.do_not_convert  # type: ignore[untyped-decorator]
    def call(*positional: Any, **named: Any) -> Any:
        drawn = function(*positional, **named)
        if not first_calls.may_be_initial_value():
            draws.note(op, users_frame(sys._getframe(1), draws.own))
        if not replaced:
            return drawn
        given = {**dict(zip(names, positional, strict=False)), **named}
        return _not_known(_fixed(name, given, drawn), drawn)

    return call


def _not_known(fixed: Any, drawn: Any) -> Any:
    """Fixed numbers of which no optimiser can tell that they are: draws are no constants.

    Otherwise a graph would be optimised in ways in which it is not with draws.
    """
    if fixed is drawn or not (drawn.dtype.is_floating or drawn.dtype.is_integer):
        return fixed
    return tf.where(tf.cast(drawn, tf.float64) < _BELOW_ALL, drawn, fixed)


def _fixed(name: str, arguments: dict[str, Any], drawn: Any) -> Any:  # noqa: PLR0911 - each kind
    """Numbers of the shape, dtype and range of those that were drawn."""
    if "shuffle" in name:
        value = arguments.get("value")
        return tf.reverse(value, [0]) if value is not None else drawn * 0
    places = tf.reshape(tf.range(tf.size(drawn)), tf.shape(drawn))
    scattered = (places * _MULTIPLIER + _OFFSET) % _RANGE
    part = tf.cast(scattered, tf.float32) / float(_RANGE)  # exact, in [0, 1)
    if "multinomial" in name:
        classes = tf.shape(arguments["logits"])[-1]
        return tf.cast(tf.floor(part * tf.cast(classes, tf.float32)), drawn.dtype)
    if "uniform_int" in name:
        low, high = (tf.cast(arguments[bound], tf.float64) for bound in ("minval", "maxval"))
        return tf.cast(low + tf.floor(tf.cast(part, tf.float64) * (high - low)), drawn.dtype)
    if drawn.dtype.is_integer and ("full_int" in name or "deterministic" in name):
        return tf.cast(scattered, drawn.dtype)
    if "uniform" in name:
        return tf.cast(part, drawn.dtype)
    if "parameterized" in name:
        spread = arguments.get("stdevs", arguments.get("stddevs"))
        return drawn * 0 + arguments["means"] + spread * tf.cast(part - 0.5, drawn.dtype)
    if "normal" in name:
        return tf.cast((part - 0.5) * 3.0, drawn.dtype)
    if "binomial" in name:
        middle = tf.floor(arguments["counts"] * arguments["probs"])
        return tf.cast(middle + 0 * tf.cast(part, middle.dtype), drawn.dtype)
    rate = arguments.get("alpha", arguments.get("rate", arguments.get("lam")))
    if rate is None:
        return drawn
    rate = tf.convert_to_tensor(rate)
    return tf.cast(rate * (0.5 + tf.cast(part, rate.dtype)), drawn.dtype)
