"""A SavedModel loaded into a v1 session.

A program that was written for a session loads it by ``tf.compat.v1.saved_model.load``. The export
is that of ``saved_model``, and parity runs in a fresh process as there. **The timed call** fetches
the outputs of the signature ``step`` by ``Session.make_callable``, as in ``session``. Fed inputs go
into the signature's placeholders. Resident inputs are variables, which the graph is imported onto.
"""

from __future__ import annotations

from collections.abc import Callable

from eager_vs_graph.modes.program import Call, Task, cycled, synchronised
from eager_vs_graph.modes.saved_model_loading import LoadedSession
from eager_vs_graph.modes.saved_model_program import DeployedProgram
from eager_vs_graph.scenario import Feed


class SavedModelSessionProgram(DeployedProgram):
    """The signature ``step`` of a SavedModel in a session."""

    loader = LoadedSession

    def _timed_call(self) -> Call:
        here, task = self._here, self.task
        assert isinstance(here, LoadedSession)
        tensors, placeholders = here.tensors("step"), here.placeholders("step")
        fetches = [tensors[name] for name in self._export.outputs]
        if self._resident:
            here.place(task.feeds[0])
            # One tensor is fetched as a tensor, not as a list of one.
            call = here.callable(fetches if len(fetches) > 1 else fetches[0], [])
        else:
            fetch = here.callable(fetches, [placeholders[name] for name in task.argument_names()])
            feeds = cycled(task)

            def call() -> object:
                return fetch(*next(feeds))

        return synchronised(call) if task.asynchronous else call

    def warm(self, feed: Feed) -> None:
        super().warm(feed)
        if isinstance(self._here, LoadedSession):
            self._here.place(self.task.feeds[0])  # the step left its own feed there


build: Callable[[Task], SavedModelSessionProgram] = SavedModelSessionProgram
