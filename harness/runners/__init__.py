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

    def build(self, task: Task) -> Program:
        """Build the task's scenario in this mode (imports the runner, and with it TensorFlow)."""
        runner = importlib.import_module(f"harness.runners.{self.name}")
        program: Program = runner.build(task)
        return program


MODES = {
    mode.name: mode
    for mode in (
        Mode("eager", "ops run one by one as Python reaches them"),
        Mode("function", "tf.function: traced once, then run as a graph"),
        Mode("session", "a v1 tf.Graph run by a tf.compat.v1.Session"),
    )
}
BASELINE = "eager"
