"""The value of the fixture ``tf_modes``: a test's functions, in the mode of the test's item."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import tensorflow as tf

from eager_vs_graph.pytest_plugin.checked_function import CheckedFunction
from eager_vs_graph.results.cells import Cell
from eager_vs_graph.scenario import Tolerance


@dataclass(frozen=True)
class Settings:
    """What the command line and the marker ask of a test."""

    tolerance: Tolerance | None = None
    skip_unsupported: bool = False
    explain_s: float = 0.0
    """Seconds to spend on finding the cause where a mode disagrees."""


class TfModes:
    """The fixture's value: ``tf_modes(function)`` is the function in the mode of this item."""

    def __init__(self, mode: str, test: str, size: str, summary: str, settings: Settings) -> None:
        self.mode = mode
        """Name of the mode, such as ``session``."""
        self.functions: list[CheckedFunction] = []
        """Every function that the test has asked for, in order."""
        self._test, self._size, self._summary = test, size, summary
        self._settings = settings

    def __call__(
        self,
        function: Callable[..., Any],
        *,
        rtol: float | None = None,
        atol: float | None = None,
        traces_itself: bool = False,
    ) -> CheckedFunction:
        """The function in this mode, to be called with the arguments that it takes.

        Args:
            function: takes and returns tensors, in any nested structure: a function, a method, a
                Keras model, a ``tf.Module``, a ``tf.function`` (whose Python is taken).
            rtol: relative tolerance against eager; default: the marker's, else by dtype. Where only
                one of the two is given, the other is 0.
            atol: absolute tolerance, likewise, in the unit of the tensor.
            traces_itself: for a function that makes tf.functions of its own, as Keras's ``fit``
                does; see ``eager_vs_graph.Scenario``.

        Raises:
            TypeError: it is nothing that can be called.
            ValueError: a tolerance is out of range.
        """
        if not callable(function):
            raise TypeError(
                f"tf_modes was given {type(function).__name__}, but should be given a function, a "
                "Keras model or a tf.Module that can be called"
            )
        settings = self._settings
        if rtol is not None or atol is not None:
            settings = replace(settings, tolerance=Tolerance(rtol or 0.0, atol or 0.0))
        number = len(self.functions) + 1
        name = self._test if number == 1 else f"{self._test}-{number}"
        cell = Cell(name, self._size, self.mode, _device(), "resident")
        checked = CheckedFunction(
            function, cell, self._summary, settings, traces_itself=traces_itself
        )
        self.functions.append(checked)
        return checked

    @property
    def used(self) -> bool:
        """Whether anything was called in the mode."""
        return any(function.calls for function in self.functions)

    def close(self) -> None:
        """Free what the programs hold."""
        for function in self.functions:
            function.close()
        self.functions.clear()


def _device() -> str:
    """Where a test's programs run: on the first GPU, as TensorFlow itself would, or the CPU."""
    return "GPU:0" if tf.config.list_logical_devices("GPU") else "CPU:0"
