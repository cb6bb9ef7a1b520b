"""The fixture ``modes``: a test's functions, run in the mode of the test's item."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import tensorflow as tf

from eager_vs_graph.pytest_plugin.run import Run
from eager_vs_graph.results.cells import Cell
from eager_vs_graph.scenario import Tolerance


@dataclass(frozen=True)
class Settings:
    """What command line and marker say of a test."""

    tolerance: Tolerance | None = None
    skip_unsupported: bool = False
    explain_s: float = 0.0
    """Seconds to spend on finding out why a mode disagrees."""


class Modes:
    """The fixture's value: ``modes(function)`` is the function in the mode of this item."""

    def __init__(self, mode: str, test: str, size: str, summary: str, settings: Settings) -> None:
        self.mode = mode
        """Name of the mode, such as ``session``."""
        self.runs: list[Run] = []
        self._test, self._size, self._summary = test, size, summary
        self._settings = settings

    def __call__(
        self,
        function: Callable[..., Any],
        *,
        rtol: float | None = None,
        atol: float | None = None,
        traces_itself: bool = False,
    ) -> Run:
        """The function, to be called with the arguments it takes.

        Args:
            function: takes and returns tensors, in any nested structure: a function, a method, a
                Keras model, a ``tf.Module``, a ``tf.function`` (whose Python is taken).
            rtol: relative tolerance against eager; default: the marker's, else by dtype.
            atol: absolute tolerance, likewise, in the unit of the tensor.
            traces_itself: for a function that makes tf.functions of its own, as Keras's ``fit``
                does; see ``eager_vs_graph.Scenario``.
        """
        settings = self._settings
        if rtol is not None or atol is not None:
            settings = replace(settings, tolerance=Tolerance(rtol or 0.0, atol or 0.0))
        number = len(self.runs) + 1
        name = self._test if number == 1 else f"{self._test}-{number}"
        cell = Cell(name, self._size, self.mode, _device(), "resident")
        run = Run(function, cell, self._summary, settings, traces_itself=traces_itself)
        self.runs.append(run)
        return run

    @property
    def used(self) -> bool:
        """Whether anything was run in the mode."""
        return any(run.calls for run in self.runs)

    def close(self) -> None:
        """Free what the programs hold."""
        for run in self.runs:
            run.close()


def _device() -> str:
    """Where a test's programs run: on the first GPU, as TensorFlow itself would, or the CPU."""
    return "GPU:0" if tf.config.list_logical_devices("GPU") else "CPU:0"
