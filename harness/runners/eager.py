"""Eager execution: the step's ops run one by one, as Python reaches them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from harness.runners.program import Task, TensorProgram


class EagerProgram(TensorProgram):
    """The step as it is written."""

    def step(self) -> Callable[..., Mapping[str, Any]]:
        return self.scenario.step

    @property
    def traces(self) -> int:
        return 0


build: Callable[[Task], EagerProgram] = EagerProgram
