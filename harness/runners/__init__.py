"""The modes: one file each, and this list. Importing the list does not import TensorFlow."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.runners.program import Program, Task


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

    def build(self, task: Task) -> Program:
        """Build the task's scenario in this mode (imports the runner, and with it TensorFlow)."""
        runner = importlib.import_module(f"harness.runners.{self.name}")
        program: Program = runner.build(task)
        return program

    def warm(self) -> None:
        """Pay what the mode costs once in a process, so that no program's cold cost holds it.

        A runner that has such a cost has a function ``warm``.
        """
        runner = importlib.import_module(f"harness.runners.{self.name}")
        if hasattr(runner, "warm"):
            runner.warm()


MODES = {
    mode.name: mode
    for mode in (
        Mode("eager", "ops run one by one as Python reaches them", default=True),
        Mode("function", "tf.function: traced once, then run as a graph", default=True),
        Mode("session", "a v1 tf.Graph run by a tf.compat.v1.Session", default=True),
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
    )
}
BASELINE = "eager"
DEFAULT_MODES = tuple(mode.name for mode in MODES.values() if mode.default)
