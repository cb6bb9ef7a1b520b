"""Tells a mode's refusal (``unsupported``) from a failure (``error``), in a word and a line."""

from __future__ import annotations

import re
import traceback
from pathlib import Path

import tensorflow as tf

from eager_vs_graph.errors import ScenarioError, Unsupported, WorkerLost, one_line
from eager_vs_graph.modes.messages import hint_of_loop, message
from eager_vs_graph.results.record import CRASHED, ERROR, TIMEOUT, UNSUPPORTED

_SYMBOLIC = ("symbolic tf.Tensor", "'SymbolicTensor' object has no attribute", "numpy() is only")
_NO_VALUE = ("to a numpy array", "has no attribute 'numpy'", "numpy() is only")
_BRIDGE = (
    "; a graph's tensor has no value while the step is traced, and tf.numpy_function calls NumPy "
    "when it has one"
)
_NO_CALLBACK = "Could not find callback with key="
"""What ``tf.py_function`` says in a process that is not the Python function's."""
_IN_ITS_PROCESS = " (tf.py_function must run in the process that made the function)"
_NO_SESSION = re.compile(r"Session \w+ is not found")
"""What a TensorFlow server that was started again says to the sessions of the one before."""
_OURS = Path(__file__).parents[1]


def failure(error: Exception, scenario_file: str = "") -> tuple[str, str]:
    """The word for an exception from building or calling a program, and the reason in a line.

    Args:
        error: what was raised.
        scenario_file: where the author's code is; its line is named in the reason.
    """
    if isinstance(error, Unsupported):
        place = _author_line(error.__cause__, scenario_file) if error.__cause__ else ""
        return UNSUPPORTED, f"{error}{place}"
    if isinstance(error, ScenarioError):
        return ERROR, str(error)
    if isinstance(error, WorkerLost):
        return error.status, str(error)
    text = message(error) + (_IN_ITS_PROCESS if _NO_CALLBACK in str(error) else "")
    reason = f"{type(error).__name__}: {text}{_author_line(error, scenario_file)}"
    if not _is_refusal(error):
        return _loss(error) or ERROR, reason
    bridge = _BRIDGE if any(phrase in reason for phrase in _NO_VALUE) else ""
    return UNSUPPORTED, reason + (hint_of_loop(error) or bridge)


def _is_refusal(error: Exception) -> bool:
    """Whether TensorFlow says that the code cannot be a graph, rather than that it is wrong."""
    if isinstance(error, tf.errors.OperatorNotAllowedInGraphError | tf.errors.UnimplementedError):
        return True
    text = str(error)
    if isinstance(error, tf.errors.OpError):
        return _NO_CALLBACK in text
    return isinstance(error, NotImplementedError | AttributeError | TypeError) and any(
        phrase in text for phrase in _SYMBOLIC
    )


def _loss(error: Exception) -> str:
    """The word for a process that the call needed and that is gone or silent; empty if none is."""
    if isinstance(error, tf.errors.DeadlineExceededError):
        return TIMEOUT
    gone = isinstance(error, tf.errors.UnavailableError) or _NO_SESSION.search(str(error))
    return CRASHED if gone else ""


def users_place(error: BaseException) -> str:
    """The user's line that raised it, as `` (file:line)``; empty where there is none."""
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if "site-packages" not in frame.filename
        and not frame.filename.startswith("<frozen")
        and not Path(frame.filename).is_relative_to(_OURS)
    ]
    return f" ({frames[-1].filename}:{frames[-1].lineno})" if frames else ""


def is_of_xla(error: Exception) -> bool:
    """Whether the error comes from compiling a function with XLA, before anything ran."""
    return isinstance(error, tf.errors.OpError) and "tf2xla conversion failed" in str(error)


def xla_reason(error: tf.errors.OpError) -> str:
    """XLA's reason in a line that names the op, without the names of graph and nodes."""
    told = re.split(r"\n(?:The op is created at|\s*Stack trace|\s*\[\[|\s*tf2xla)", error.message)[
        0
    ]
    told = re.sub(r"graph __inference_\S+\[.*?\] on", "graph on", told)
    told = re.sub(r" compatible with node \{\{.*?\}\}|\{\{node .*?\}\}", "", told)
    return f"{type(error).__name__}: {one_line(told)}"


def _author_line(error: BaseException, scenario_file: str) -> str:
    """Where in the author's file it happened; AutoGraph tells the place in the message only."""
    if not scenario_file:
        return ""
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if frame.filename == scenario_file]
    # XLA leaves out the first slash.
    name = re.escape(scenario_file.removeprefix("/"))
    told = re.findall(rf'File "/?{name}", line (\d+)', str(error))
    if not (found := [*lines, *told]):
        return ""
    return f" ({Path(scenario_file).name}:{found[-1]})"
