"""``tf.function``: the first call traces the step into a graph, later calls run the graph."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import tensorflow as tf

from harness.runners.program import Task, TensorProgram


class FunctionProgram(TensorProgram):
    """The step under ``tf.function`` with its defaults (AutoGraph, no XLA)."""

    def step(self) -> Callable[..., Mapping[str, Any]]:
        function: Callable[..., Mapping[str, Any]] = tf.function(self.scenario.step)
        return function

    @property
    def traces(self) -> int:
        count: int = self._step.experimental_get_tracing_count()  # type: ignore[attr-defined]
        return count


build: Callable[[Task], FunctionProgram] = FunctionProgram
