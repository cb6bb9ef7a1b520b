"""The modes: one file each, and this list. Importing the list does not import TensorFlow."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from eager_vs_graph.errors import Unsupported

if TYPE_CHECKING:
    from eager_vs_graph.modes.program import Program, Task


@dataclass(frozen=True)
class Mode:
    """An execution mode as the command line and reports present it."""

    name: str
    summary: str
    kind: str = "execution"
    """What the mode is about: ``execution``, ``deployment`` or ``distribution``. Reports group
    modes by it."""
    default: bool = False
    """Whether the mode belongs to the default grid; the others are asked for by name or ``all``."""
    devices: int = 1
    """How many logical devices of one kind the mode needs."""
    runs_self_traced: bool = False
    """Whether the mode runs the Python of a step that ``traces_itself`` in every call."""

    def about(self) -> dict[str, Any]:
        """What ``list`` and a run's record say of the mode."""
        return {"summary": self.summary, "kind": self.kind, "default": self.default}

    def build(self, task: Task) -> Program:
        """Build the task's scenario in this mode (imports the runner, and with it TensorFlow).

        Raises:
            Unsupported: the scenario ``traces_itself``, and the mode would trace it.
        """
        if task.scenario.traces_itself and not self.runs_self_traced:
            able = " and ".join(mode.name for mode in MODES.values() if mode.runs_self_traced)
            raise Unsupported(
                "step makes its own tf.functions (traces_itself) and needs its Python in every "
                f"call, so that it cannot be part of another graph; it runs in {able}"
            )
        runner = importlib.import_module(f"eager_vs_graph.modes.{self.name}")
        program: Program = runner.build(task)
        return program

    def warm(self) -> None:
        """Pay what the mode costs once in a process, so that no program's cold cost holds it.

        A runner that has such a cost has a function ``warm``.
        """
        runner = importlib.import_module(f"eager_vs_graph.modes.{self.name}")
        if hasattr(runner, "warm"):
            runner.warm()


MODES = {
    mode.name: mode
    for mode in (
        Mode(
            "eager",
            "ops run one by one as Python reaches them",
            default=True,
            runs_self_traced=True,
        ),
        Mode(
            "function",
            "tf.function: traced once, then run as a graph",
            default=True,
            runs_self_traced=True,
        ),
        Mode("session", "a v1 tf.Graph run by a tf.compat.v1.Session", default=True),
        Mode("concrete", "a concrete function: tf.function without its choice among traces"),
        Mode("xla", "tf.function(jit_compile=True): the step compiled by XLA"),
        Mode("saved_model", "a SavedModel, called by its signature", kind="deployment"),
        Mode("saved_model_session", "a SavedModel loaded into a v1 session", kind="deployment"),
        Mode(
            "mirrored",
            "tf.distribute.MirroredStrategy: replicas on the logical devices of a process",
            kind="distribution",
            devices=2,
        ),
        Mode(
            "multi_worker",
            "tf.distribute.MultiWorkerMirroredStrategy: two processes over gRPC",
            kind="distribution",
        ),
        Mode(
            "session_remote",
            "a v1 session against a TensorFlow server in another process",
            kind="distribution",
        ),
    )
}
BASELINE = "eager"
DEFAULT_MODES = tuple(mode.name for mode in MODES.values() if mode.default)
