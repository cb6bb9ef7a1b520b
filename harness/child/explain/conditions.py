"""The one thing that an experiment changes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

import tensorflow as tf

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
        grappler: whether Grappler optimises at all.
        without: passes that are off.
        retrace: build and trace the program anew before every step, carrying Python's and
            TensorFlow's state over, so that nothing of Python can be frozen.
        one_feed: as ``retrace``, and tell the program of the step's own feed only, so that no shape
            of an input is unknown.
        freeze: names of Python state (see ``python_state``) that is put back before each step to
            what it was before the first.
        op_seed: another global seed for TensorFlow's random ops; Python's and NumPy's stay.
        eagerly_told: the author's module is told by TensorFlow that it runs eagerly.
        without_jit: ``jit_compile`` is dropped where the author's build and step make tf.functions.
        again: the same program runs all steps twice; the second time counts.
        shapes: static shapes that local variables of the author's functions have in eager; they
            are given to symbolic tensors while tracing.
        first_feed: every step gets the first feed.
        repetition: tells runs apart that are equal in all else.
    """

    grappler: bool = True
    without: frozenset[str] = frozenset()
    retrace: bool = False
    one_feed: bool = False
    freeze: frozenset[str] = frozenset()
    op_seed: int | None = None
    eagerly_told: bool = False
    without_jit: bool = False
    again: bool = False
    shapes: tuple[tuple[tuple[str, str], tuple[int, ...]], ...] = ()
    first_feed: bool = False
    repetition: int = field(default=0)

    @property
    def stepwise(self) -> bool:
        """Whether every step has a program of its own."""
        return self.retrace or self.one_feed


PLAIN = Condition()


def only(kept: str) -> Condition:
    """Every pass off but one."""
    return Condition(without=frozenset(PASSES) - {kept})


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


def changes(condition: Condition) -> dict[str, Any]:
    """What of TensorFlow the author's module sees otherwise under a condition."""
    changed: dict[str, Any] = {}
    if condition.eagerly_told:
        changed = {"executing_eagerly": _yes, "inside_function": _no}
    if condition.without_jit:
        changed["function"] = _function_without_jit
    return changed


@contextmanager
def seen_from(module: ModuleType, changes: dict[str, Any]) -> Iterator[None]:
    """Change what one module sees of TensorFlow, and nothing that others see.

    Only that module's own name for TensorFlow is replaced, for as long as the experiment lasts.
    """
    names = [name for name, value in vars(module).items() if value is tf] if changes else []
    for name in names:
        setattr(module, name, _Seen(tf, changes))
    try:
        yield
    finally:
        for name in names:
            setattr(module, name, tf)


@tf.autograph.experimental.do_not_convert  # type: ignore[untyped-decorator]
def _yes() -> bool:
    return True


@tf.autograph.experimental.do_not_convert  # type: ignore[untyped-decorator]
def _no() -> bool:
    return False


def _function_without_jit(*arguments: Any, **options: Any) -> Any:
    return tf.function(*arguments, **{**options, "jit_compile": None})


class _Seen(ModuleType):
    """TensorFlow, but for a few names."""

    def __init__(self, module: Any, changes: dict[str, Any]) -> None:
        super().__init__(module.__name__)
        self.__dict__.update(changes, _module=module)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__dict__["_module"], name)
