"""Clocks that stand still and entropy that is always the same, for as long as an experiment lasts.

What a step takes from outside of the program is another in every run. With the outside held still,
two runs differ by what TensorFlow does, or not at all; and the calls show which line took it.
"""

from __future__ import annotations

import datetime
import os
import random
import secrets
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Any

import numpy as np
import tensorflow as tf

from eager_vs_graph.child.explain.conditions import AUTOGRAPH, GENERATED
from eager_vs_graph.child.user_files import is_of_python, is_users_file, place

_CLOCKS = ("time", "time_ns", "perf_counter", "perf_counter_ns", "process_time", "monotonic")
_MOMENT = 1_541_000_000.25
_SHOWN = {"random._urandom": "random.SystemRandom"}


@contextmanager
def held_still(
    own: str, namespaces: Sequence[dict[str, Any]] = (), *, stopped: bool = True
) -> Iterator[dict[str, list[str]]]:
    """Note what is taken from outside, and give out the same each time.

    Args:
        own: the user's file.
        namespaces: globals of the user's functions, which may hold a clock by a name of their own.
        stopped: whether to give out the same each time, or only to note.

    Yields:
        The lines of the user's that took something, by what was called.
    """
    taken: dict[str, list[str]] = {}

    def watched(name: str, real: Callable[..., Any], fixed: Callable[..., Any]) -> Any:
        @tf.autograph.experimental.do_not_convert  # type: ignore[untyped-decorator]
        def call(*arguments: Any, **options: Any) -> Any:
            line = _asked_by_user(sys._getframe(1), own)
            if line is None:  # TensorFlow's own clocks go on
                return real(*arguments, **options)
            _note(taken, name, line)
            return (fixed if stopped else real)(*arguments, **options)

        return call

    replaced: dict[int, tuple[Any, Any]] = {}
    changes: list[tuple[Any, str, Any]] = []
    for module, name, fixed in _taps():
        real = getattr(module, name)
        shown = f"{module.__name__}.{name}"
        made = watched(_SHOWN.get(shown, shown), real, fixed)
        replaced[id(real)] = real, made
        changes.append((module, name, made))
    real_datetime = datetime.datetime
    if stopped:
        stopped_datetime = _stopped(real_datetime, taken, own)
        replaced[id(real_datetime)] = real_datetime, stopped_datetime
        changes.append((datetime, "datetime", stopped_datetime))
    before = [(module, name, getattr(module, name)) for module, name, _ in changes]
    bound = [
        (namespace, name, value)
        for namespace in namespaces
        for name, value in list(namespace.items())
        if id(value) in replaced and replaced[id(value)][0] is value
    ]
    for module, name, made in changes:
        setattr(module, name, made)
    for namespace, name, value in bound:
        namespace[name] = replaced[id(value)][1]
    try:
        yield taken
    finally:
        for module, name, value in before:
            setattr(module, name, value)
        for namespace, name, value in bound:
            namespace[name] = value


def _taps() -> Iterator[tuple[Any, str, Callable[..., Any]]]:
    """Where a program takes from outside, and what it is given in place of it."""
    for name in _CLOCKS:
        moment = int(_MOMENT * 1e9) if name.endswith("_ns") else _MOMENT
        yield time, name, lambda moment=moment: moment
    yield os, "urandom", lambda size: b"\x2a" * size
    yield os, "getpid", lambda: 42
    yield uuid, "uuid4", lambda: uuid.UUID(int=42, version=4)
    yield uuid, "uuid1", lambda *_a, **_k: uuid.UUID(int=42, version=1)
    for name in ("randbelow", "randbits"):
        yield secrets, name, lambda bound: 42 % max(1, bound)
    yield secrets, "token_bytes", lambda size=32: b"\x2a" * (size or 32)
    yield secrets, "token_hex", lambda size=32: "2a" * (size or 32)
    if hasattr(np.random.bit_generator, "randbits"):  # entropy of default_rng()
        yield np.random.bit_generator, "randbits", lambda bits: 42 % (1 << bits)
    # What SystemRandom draws from: the class stays one, which isinstance may be asked about.
    yield random, "_urandom", lambda size: b"\x2a" * size


def _asked_by_user(frame: FrameType | None, own: str) -> str | None:
    """The user's line that called, where nothing but Python's own library stands between.

    Of AutoGraph's copy of the user's code, the line is not told: empty.
    """
    while frame is not None and _passes_on(frame.f_code.co_filename):
        frame = frame.f_back
    if frame is None:
        return None
    file = frame.f_code.co_filename
    if GENERATED in file:
        return ""
    return place(file, frame.f_lineno) if is_users_file(file, own) else None


def _note(taken: dict[str, list[str]], name: str, line: str) -> None:
    lines = taken.setdefault(name, [])
    if line and line not in lines:
        lines.append(line)


def _passes_on(file: str) -> bool:
    return GENERATED not in file and (is_of_python(file) or AUTOGRAPH in file)


def _stopped(real: Any, taken: dict[str, list[str]], own: str) -> Any:
    def note(name: str) -> None:
        if (line := _asked_by_user(sys._getframe(2), own)) is not None:
            _note(taken, name, line)

    class _Meta(type):
        def __instancecheck__(cls, instance: object) -> bool:
            return isinstance(instance, real)

    class Stopped(real, metaclass=_Meta):  # type: ignore[misc]
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            note("datetime.now")
            return real.fromtimestamp(_MOMENT, tz)

        @classmethod
        def utcnow(cls) -> Any:
            note("datetime.utcnow")
            return real.fromtimestamp(_MOMENT, datetime.UTC).replace(tzinfo=None)

        @classmethod
        def today(cls) -> Any:
            note("datetime.today")
            return real.fromtimestamp(_MOMENT)

    return Stopped
