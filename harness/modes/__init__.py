"""The modes: one file each, and this registry. Importing the registry does not import TensorFlow.

A new mode is a file ``modes/<name>.py`` and an entry in ``MODES``. The file has

    build(task)   returns a ``Program`` of the task's scenario (``modes/program.py``)
    warm()        optional: pays what the mode costs once in a process, before a program is built
    run_mode(…)   optional: runs a scenario in a reproduction script (``modes/script_parts.py``)

``python -c "from eager_vs_graph.modes import *; print(markdown_table())"`` prints the table of
docs/modes.md.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING

from eager_vs_graph.errors import Unsupported
from eager_vs_graph.results.request import ModeInfo

if TYPE_CHECKING:
    from eager_vs_graph.modes.program import Program, Task


@dataclass(frozen=True, kw_only=True)
class Mode:
    """An execution mode, as the command line, reports and docs/modes.md present it."""

    name: str
    summary: str
    use_for: str = ""
    cannot: str = ""
    """What it cannot do, as it follows "it cannot": TensorFlow's limits, and the mode's own."""
    kind: str = "execution"
    """What the mode is about: ``execution``, ``deployment`` or ``distribution``. Reports group
    modes by it."""
    colour: str = ""
    """How charts draw it, such as ``#1f7fc4``, with a contrast of 3:1 or more on white and on
    near-black; empty: reports choose a colour and a marker that no other mode of the run has."""
    marker: str = ""
    """Matplotlib's, such as ``s``."""
    default: bool = False
    """Whether the mode belongs to the default grid; the others are asked for by name or ``all``."""
    devices: int = 1
    """How many logical devices of one kind the mode needs."""
    runs_self_traced: bool = False
    """Whether the mode runs the Python of a step that ``traces_itself`` in every call."""
    takes_python: bool = False
    """Whether a step can be given Python values that change from call to call."""
    needs_functions: bool = False
    """Whether the mode is about the tf.functions that the user's own code calls. A run that asks
    for no modes has it for code that calls some."""
    counted: bool = False
    """Whether the work of a call is counted in a program of this mode. For the other graph modes,
    it is counted in one of ``function``."""
    splits_batch: bool = False
    """Whether a call computes shares of the batch: less work for each replica is then intended."""

    def about(self) -> ModeInfo:
        """What ``list`` and a run's record say of the mode."""
        return ModeInfo(self.summary, self.kind, self.default, self.colour, self.marker)

    def module(self) -> ModuleType:
        """The mode's file, imported, and TensorFlow with it."""
        return importlib.import_module(f"eager_vs_graph.modes.{self.name}")

    def build(self, task: Task) -> Program:
        """Build the task's scenario in this mode.

        Raises:
            Unsupported: the scenario ``traces_itself``, and the mode would trace it.
        """
        if task.scenario.traces_itself and not self.runs_self_traced:
            *most, last = [mode.name for mode in MODES.values() if mode.runs_self_traced]
            raise Unsupported(
                "it makes tf.functions of its own and needs its Python in every call, so that it "
                f"cannot be part of another graph; it runs in {', '.join(most)} and {last}"
            )
        if task.scenario.python_inputs and not self.takes_python:
            raise Unsupported(
                "Python arguments change from call to call, and this mode has one graph, which was "
                "made for the first call's"
            )
        program: Program = self.module().build(task)
        return program

    def warm(self) -> None:
        """Pay what the mode costs once in a process, so that no program's cold cost includes it."""
        if hasattr(self.module(), "warm"):
            self.module().warm()


MODES = {
    mode.name: mode
    for mode in (
        Mode(
            name="eager",
            summary="ops run one by one as Python reaches them",
            use_for="writing, debugging, dynamic Python",
            cannot="hide Python's cost per op (µs to tens of µs)",
            colour="#7d8590",
            marker="o",
            default=True,
            runs_self_traced=True,
            takes_python=True,
        ),
        Mode(
            name="function",
            summary="tf.function: traced once, then run as a graph",
            use_for="anything called more often than its break-even",
            cannot="run Python side effects or NumPy in each call",
            colour="#1f7fc4",
            marker="s",
            default=True,
            runs_self_traced=True,
            takes_python=True,
            counted=True,
        ),
        Mode(
            name="session",
            summary="a v1 tf.Graph run by a tf.compat.v1.Session",
            use_for=(
                "existing v1 programs; the least overhead per call with resident inputs (with "
                "feeds, `make_callable` goes through `Session.run`, some 70 µs)"
            ),
            cannot=(
                "run Python side effects or NumPy in each call; `tensor == value` compares "
                "identity in a v1 graph"
            ),
            colour="#d55e00",
            marker="D",
            default=True,
            counted=True,
        ),
        Mode(
            name="as_written",
            summary="your code as it stands, called eagerly; its own tf.functions are kept",
            use_for="what your program costs today, and how often its functions are traced",
            cannot="differ from `eager` where nothing calls a tf.function",
            colour="#b8443a",
            marker="h",
            runs_self_traced=True,
            takes_python=True,
            needs_functions=True,
        ),
        Mode(
            name="concrete",
            summary="a concrete function: tf.function without its choice among traces",
            use_for=(
                "hot loops of one signature; seeing what `tf.function`'s choice among traces costs"
            ),
            cannot="take another dtype or shape than its signature",
            colour="#00946c",
            marker="^",
            counted=True,
        ),
        Mode(
            name="xla",
            summary="tf.function(jit_compile=True): the step compiled by XLA",
            use_for="fusing many small ops, if compiling pays",
            cannot=(
                "run strings, files, `py_function`, gradients of loops of unknown length; it drops "
                "assertions, clamps indices, draws other random numbers and rounds differently"
            ),
            colour="#c2559a",
            marker="v",
            takes_python=True,
            counted=True,
        ),
        Mode(
            name="saved_model",
            summary="a SavedModel, called by its signature",
            use_for="what is deployed without its Python",
            cannot=(
                "run `py_function` or `numpy_function`, or use a resource that the scenario does "
                "not hold"
            ),
            kind="deployment",
            colour="#8a63d2",
            marker="P",
        ),
        Mode(
            name="saved_model_session",
            summary="a SavedModel loaded into a v1 session",
            use_for="v1 programs that serve TF2 models",
            cannot="do what `saved_model` cannot",
            kind="deployment",
            colour="#a67c00",
            marker="X",
        ),
        Mode(
            name="mirrored",
            summary="tf.distribute.MirroredStrategy: replicas on the logical devices of a process",
            use_for="checking that training survives being split",
            cannot=(
                "split a scenario without `batch`; update variables inside a graph's loop or "
                "branch; reproduce what is no mean or sum over examples (clipping, batch "
                "normalization)"
            ),
            kind="distribution",
            colour="#008c95",
            marker="<",
            devices=2,
            splits_batch=True,
        ),
        Mode(
            name="multi_worker",
            summary="tf.distribute.MultiWorkerMirroredStrategy: two processes over gRPC",
            use_for="the same across processes; what communication costs",
            cannot=(
                "do what `mirrored` cannot; use any device but CPU:0; be timed without the round "
                "trip to its workers"
            ),
            kind="distribution",
            colour="#a0623a",
            marker=">",
            splits_batch=True,
        ),
        Mode(
            name="session_remote",
            summary="a v1 session against a TensorFlow server in another process",
            use_for="v1 programs on a cluster; what the hop costs",
            cannot="call this process's Python (`py_function`)",
            kind="distribution",
            colour="#6b8500",
            marker="p",
        ),
    )
}
BASELINE = "eager"
DEFAULT_MODES = tuple(mode.name for mode in MODES.values() if mode.default)
FUNCTION_MODES = tuple(mode.name for mode in MODES.values() if mode.needs_functions)
"""Modes that belong to the default grid of user's code that calls tf.functions."""


def markdown_table() -> str:
    """The modes as the table of docs/modes.md."""
    rows = ["| mode | what it is | use it for | it cannot |", "| --- | --- | --- | --- |"]
    for mode in MODES.values():
        name = f"`{mode.name}`{'*' * mode.default}"
        rows.append(f"| {name} | {mode.summary} | {mode.use_for} | {mode.cannot} |")
    return "\n".join(rows) + "\n"
