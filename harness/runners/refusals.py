"""Tells a mode's refusal (``unsupported``) from a failure (``error``), in a word and a line."""

from __future__ import annotations

import re
import traceback
from pathlib import Path

import tensorflow as tf

from harness.errors import Lost, ScenarioError, Unsupported
from harness.record import ERROR, UNSUPPORTED

_SYMBOLIC = ("symbolic tf.Tensor", "'SymbolicTensor' object has no attribute", "numpy() is only")


def failure(error: Exception, scenario_file: str = "") -> tuple[str, str]:
    """The word for an exception from building or calling a program, and the reason in a line.

    Args:
        error: what was raised.
        scenario_file: where the author's code is; its line is named in the reason.
    """
    if isinstance(error, Unsupported | ScenarioError):
        return (UNSUPPORTED if isinstance(error, Unsupported) else ERROR), str(error)
    if isinstance(error, Lost):
        return error.word, str(error)
    word = UNSUPPORTED if _is_refusal(error) else ERROR
    place = _author_line(error, scenario_file)
    return word, f"{type(error).__name__}: {_message(error)}{place}"


def _is_refusal(error: Exception) -> bool:
    """Whether TensorFlow says that the code cannot be a graph, rather than that it is wrong."""
    if isinstance(error, tf.errors.OperatorNotAllowedInGraphError | tf.errors.UnimplementedError):
        return True
    text = str(error)
    return isinstance(error, NotImplementedError | AttributeError | TypeError) and any(
        phrase in text for phrase in _SYMBOLIC
    )


def _message(error: Exception) -> str:
    """The line that says what happened; AutoGraph puts it last, below the user's stack."""
    text = error.message if isinstance(error, tf.errors.OpError) else str(error)
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if not lines:
        return "no message"
    line = lines[-1] if lines[0] == "in user code:" else lines[0]
    prefix = f"{type(error).__name__}: "
    return line.removeprefix(prefix)[:300]


def _author_line(error: Exception, scenario_file: str) -> str:
    """Where in the author's file it happened; AutoGraph tells the place in the message only."""
    if not scenario_file:
        return ""
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if frame.filename == scenario_file]
    told = re.findall(rf'File "{re.escape(scenario_file)}", line (\d+)', str(error))
    if not (found := [*lines, *told]):
        return ""
    return f" ({Path(scenario_file).name}:{found[-1]})"
