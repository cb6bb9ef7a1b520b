"""The user's code exactly as it stands: called eagerly, with its own tf.functions kept.

The other modes take the step as Python: a tf.function in it runs eagerly in ``eager`` and is part
of the one graph elsewhere. What a program costs that was written with tf.functions, and how often
these are traced, only this mode shows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from eager_vs_graph.errors import Unsupported
from eager_vs_graph.modes.program import Task, TensorProgram


class AsWrittenProgram(TensorProgram):
    """The step, called from Python."""

    keeps_functions = True

    def __init__(self, task: Task) -> None:
        if not (task.scenario.own_functions or task.scenario.traces_itself):
            raise Unsupported(
                "it calls no tf.function that the other modes would take apart, so that it runs "
                "in eager as it is written"
            )
        super().__init__(task)

    def step(self) -> Callable[..., Mapping[str, Any]]:
        return self.scenario.step

    @property
    def traces(self) -> int:
        return sum(self.inner_traces().values())


build: Callable[[Task], AsWrittenProgram] = AsWrittenProgram
