"""What an experiment changes. One condition holds for both of the programs that are compared."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from types import FrameType
from typing import Any

import tensorflow as tf

from eager_vs_graph.child.user_files import is_users_file

AUTOGRAPH = "tensorflow/python/autograph"
"""Part of the names of AutoGraph's own files…"""
GENERATED = "__autograph_generated_file"
"""… and of those that it makes of the user's functions."""
PASSES = (
    "constant_folding",
    "arithmetic_optimization",
    "remapping",
    "layout_optimizer",
    "loop_optimization",
    "dependency_optimization",
    "shape_optimization",
    "function_optimization",
    "implementation_selector",
)
"""Grappler's passes that run by default and that ``tf.config.optimizer`` can switch off."""


@dataclass(frozen=True)
class Condition:
    """What is different from an ordinary run; equal conditions are run once.

    Attributes:
        freeze: names of Python state (see ``python_state``) that is put back before each step to
            what it was before the first.
        draws: whether every random op gives the same numbers in every mode.
        stopped: whether clocks stand still and entropy is always the same.
        retrace: trace the step anew before every call, so that nothing of Python can be frozen.
        eagerly: the user's code is answered that it runs eagerly.
        without_jit: nothing is compiled by XLA.
        autograph: whether AutoGraph rewrites the step.
        one_feed: tell the program of the step's own feed only, so that no shape of an input is
            unknown.
        shapes: static shapes that local variables of the user's functions have in eager; they are
            given to symbolic tensors while tracing.
        grappler: whether Grappler optimises at all.
        without: Grappler's passes that are off.
        op_seed: another global seed for TensorFlow's random ops; Python's and NumPy's stay.
        first_feed: every step gets the first feed.
        repetition: tells runs apart that are equal in all else.
    """

    freeze: frozenset[str] = frozenset()
    draws: bool = False
    stopped: bool = False
    retrace: bool = False
    eagerly: bool = False
    without_jit: bool = False
    autograph: bool = True
    one_feed: bool = False
    shapes: tuple[tuple[tuple[str, str], tuple[int, ...]], ...] = ()
    grappler: bool = True
    without: frozenset[str] = frozenset()
    op_seed: int | None = None
    first_feed: bool = False
    repetition: int = 0

    def of_eager(self) -> Condition:
        """The part that can matter to an eager program."""
        return replace(
            self,
            retrace=False,
            eagerly=False,
            autograph=True,
            one_feed=False,
            shapes=(),
            grappler=True,
            without=frozenset(),
        )


PLAIN = Condition()


def only(kept: str, base: Condition = PLAIN) -> Condition:
    """Every pass of Grappler off but one."""
    return replace(base, without=frozenset(PASSES) - {kept})


@contextmanager
def optimizer(condition: Condition) -> Iterator[None]:
    """Switch Grappler and its passes as the condition says, and back on afterwards."""
    off = dict.fromkeys(condition.without, False)
    tf.config.optimizer.set_experimental_options(
        {"disable_meta_optimizer": not condition.grappler, **off}
    )
    try:
        yield
    finally:
        tf.config.optimizer.set_experimental_options(
            {"disable_meta_optimizer": False, **dict.fromkeys(off, True)}
        )


@contextmanager
def seen_by_user(condition: Condition, own: str) -> Iterator[None]:
    """Change what ``tf.executing_eagerly`` and ``tf.function`` are to the user's code.

    Args:
        condition: what to change.
        own: the user's file.
    """
    changed: dict[str, Any] = {}
    if condition.eagerly:
        changed = {
            name: _answered(getattr(tf, name), answer, own)
            for name, answer in (("executing_eagerly", True), ("inside_function", False))
        }
    if condition.without_jit:
        changed["function"] = _function_without_jit
    before = {name: getattr(tf, name) for name in changed}
    for name, value in changed.items():
        setattr(tf, name, value)
    try:
        yield
    finally:
        for name, value in before.items():
            setattr(tf, name, value)


def _answered(question: Callable[[], bool], answer: bool, own: str) -> Callable[[], bool]:
    """A question after the mode that is answered otherwise where the user's code asks it."""

    def ask() -> bool:
        frame: FrameType | None = sys._getframe(1)
        while frame is not None and AUTOGRAPH in frame.f_code.co_filename:
            frame = frame.f_back
        file = frame.f_code.co_filename if frame is not None else ""
        return answer if is_users_file(file, own) or GENERATED in file else question()

    converted: Callable[[], bool] = tf.autograph.experimental.do_not_convert(ask)
    return converted


_function = tf.function


def _function_without_jit(*arguments: Any, **options: Any) -> Any:
    return _function(*arguments, **{**options, "jit_compile": None})
