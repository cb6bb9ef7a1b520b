"""XLA: ``tf.function(jit_compile=True)``, the whole step compiled into fused machine code.

The first call traces and compiles, and so does the first call of every new combination of input
shapes. XLA's kernels round differently from TensorFlow's, so that results may differ in the last
digits; Grappler does not rewrite the graph. XLA refuses to compile what it has no kernel for
(strings, ``tf.py_function``, ``tf.data``, printing) and gradients of a loop of unknown length. Some
of what it compiles has another meaning there: assertions are left out, indices out of range are
clamped, and the same state gives other random numbers (but for stateless ones with
``alg="philox"``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import tensorflow as tf

from eager_vs_graph.errors import Unsupported
from eager_vs_graph.modes.failures import is_of_xla, xla_reason
from eager_vs_graph.modes.function import FunctionProgram
from eager_vs_graph.modes.program import Task
from eager_vs_graph.modes.script_parts import Build, Outcome, VariablesOf, take_steps
from eager_vs_graph.scenario import Array, Feed


class XlaProgram(FunctionProgram):
    """The step under ``tf.function`` with ``jit_compile=True``."""

    def run(self, feed: Feed) -> dict[str, Array]:
        try:
            return super().run(feed)
        except tf.errors.OpError as error:
            if not is_of_xla(error) or not self._runs_without_xla(feed):
                raise
            raise Unsupported(xla_reason(error)) from error

    def _runs_without_xla(self, feed: Feed) -> bool:
        """Whether the step runs in a graph. Then XLA refuses it; else the step is wrong."""
        try:
            with self.task.on_device():
                tf.function(self.scenario.step)(*self._tensors(feed))
        except Exception:  # whatever it is, XLA is not the reason
            return False
        return True

    def step(self) -> Callable[..., Mapping[str, Any]]:
        function: Callable[..., Mapping[str, Any]] = tf.function(
            self.scenario.step, jit_compile=True
        )
        return function


def warm() -> None:
    """Compile once: the first compilation of a process also starts the compiler."""
    tf.function(tf.math.square, jit_compile=True)(tf.constant(2.0)).numpy()


def run_mode(build: Build, feeds: Sequence[Feed], variables_of: VariablesOf) -> Outcome:
    """Take the steps as a ``tf.function`` that XLA compiles."""
    scenario = build()
    step = tf.function(scenario.step, jit_compile=True)
    return take_steps(step, feeds, variables_of(scenario))


build: Callable[[Task], XlaProgram] = XlaProgram
