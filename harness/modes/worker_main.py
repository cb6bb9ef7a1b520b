"""One worker of the mode ``multi_worker``: builds programs in its process and does as it is told.

A command is ``(name, program, arguments)``, an answer ``(word, value or reason)``.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import tensorflow as tf

    from eager_vs_graph.modes.replicas import ReplicatedProgram

DONE = ""
"""The word of an answer that is no failure."""


def serve(connection: Connection[Any, Any]) -> None:
    """Join the cluster that ``TF_CONFIG`` describes, then do commands until the parent is gone."""
    import tensorflow as tf

    worker = Worker(tf.distribute.MultiWorkerMirroredStrategy())
    connection.send((DONE, None))
    try:
        while True:
            connection.send(worker.answer(*connection.recv()))
    except (EOFError, OSError):
        os._exit(0)  # an orderly end would wait for the other worker


class Worker:
    """The programs of this process, by number."""

    def __init__(self, strategy: tf.distribute.Strategy) -> None:
        self._strategy = strategy
        self._first = strategy.cluster_resolver.task_id == 0
        self._programs: dict[int, ReplicatedProgram] = {}
        self._files: dict[int, str] = {}
        self._commands: dict[str, Callable[..., Any]] = {
            "build": self.build,
            "call": self.call,
            "run": lambda number, feed: self._programs[number].run(feed),
            "state": lambda number: self._programs[number].state(),
            "load": lambda number, state: self._programs[number].load(state),
            "traces": lambda number: self._programs[number].traces,
        }

    def answer(self, command: str, number: int, arguments: Iterable[Any]) -> tuple[str, Any]:
        """Do a command; the word of what happened, and the value or the reason."""
        from eager_vs_graph.modes.failures import failure

        try:
            return DONE, self._commands[command](number, *arguments)
        except Exception as error:  # it is told, and the worker goes on
            return failure(error, self._files.get(number, ""))

    def build(
        self,
        number: int,
        place: tuple[str, str],
        task: dict[str, Any],
        closed: list[int],
    ) -> dict[str, tuple[tuple[int, ...], str]]:
        """Build a program.

        Args:
            number: what it is called from now on.
            place: the scenario's file and class.
            task: the other fields of the ``Task``.
            closed: numbers of programs that nobody needs any more.

        Returns:
            Shape and dtype of every variable by structural name.
        """
        from eager_vs_graph.catalog.importing import scenario_class
        from eager_vs_graph.modes.program import Task
        from eager_vs_graph.modes.replicas import ReplicatedProgram

        for old in closed:
            self._programs.pop(old, None)
        self._files[number], class_name = place
        scenario = scenario_class(Path(place[0]), class_name)
        program = ReplicatedProgram(Task(scenario, **task), self._strategy)
        self._programs[number] = program
        return {
            name: (tuple(variable.shape), variable.dtype.name)
            for name, variable in program.variables().items()
        }

    def call(self, number: int) -> object:
        """The timed call; only the first worker hands the outputs over."""
        outputs = self._programs[number].call()
        return outputs if self._first else None
