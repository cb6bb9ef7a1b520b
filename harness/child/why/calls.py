"""A cell's calls, for those that watch them: the same call bare, and with its stages marked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from eager_vs_graph.child.why.profile import FEED, FETCH
from eager_vs_graph.modes.program import Program


class Calls:
    """The calls of a program, one after the other, each with the next feed.

    Attributes:
        bare: makes a call, with nothing of ours in it: for the clock.
        marked: makes the same call, and marks its stages in a profile.
        feeds: how many calls it takes until the first feed comes again.
    """

    def __init__(self, program: Program) -> None:
        self.bare: Callable[[], object] = program.call
        self.marked: Callable[[], object] = program.call
        self.feeds = len(program.task.feeds)
        self._stages = stages = program.stages()
        if stages is None:
            return
        feed, step, fetch = stages.feed, stages.step, stages.fetch
        trace = tf.profiler.experimental.Trace

        def bare() -> object:
            return fetch(step(*feed()))  # type: ignore[misc]

        def marked() -> object:
            with trace(FEED):
                tensors = feed()
            outputs = step(*tensors)  # type: ignore[misc]
            with trace(FETCH):
                return fetch(outputs)

        self.bare, self.marked = bare, marked

    def step(self) -> tuple[Callable[..., object], list[Any]]:
        """What a call is between its inputs and its outputs, and inputs for it."""
        if self._stages is None:
            return self.bare, []
        inputs: Any = self._stages.feed()
        return self._stages.step, inputs
