"""A SavedModel, loaded by ``tf.saved_model.load`` and called by its signature.

Nothing of the scenario's Python is in what is called: parity runs in a fresh process that never
imported it. **The timed call** is the one that a user of a SavedModel makes, in the process that
loaded it: ``loaded.signatures["step"](x=tensor)``, which takes and returns tensors by name.
"""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf

from eager_vs_graph.modes.program import Call, Task, cycled, synchronised
from eager_vs_graph.modes.saved_model_loading import LoadedModel
from eager_vs_graph.modes.saved_model_program import DeployedProgram
from eager_vs_graph.scenario import Array


class SavedModelProgram(DeployedProgram):
    """The signature ``step`` of a loaded SavedModel."""

    loader = LoadedModel

    def _timed_call(self) -> Call:
        assert isinstance(self._here, LoadedModel)
        step, outputs = self._here.signature("step"), self._export.outputs
        names, constant = self.task.argument_names(), tf.constant
        if self._resident:
            with self.task.on_device():
                resident = {name: constant(self.task.feeds[0][name]) for name in names}

            def call() -> list[Array]:
                found = step(**resident)
                return [found[name].numpy() for name in outputs]

        else:
            feeds = cycled(self.task)

            def call() -> list[Array]:
                tensors = [constant(array) for array in next(feeds)]
                found = step(**dict(zip(names, tensors, strict=True)))
                return [found[name].numpy() for name in outputs]

        return synchronised(call) if self.task.asynchronous else call


build: Callable[[Task], SavedModelProgram] = SavedModelProgram
