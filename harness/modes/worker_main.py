"""One worker of the mode ``multi_worker``: builds programs in its process and runs them.

The methods of ``Worker`` are what ``modes/worker_cluster.py`` can ask for.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import tensorflow as tf

from eager_vs_graph.catalog.importing import scenario_class
from eager_vs_graph.errors import ScenarioError, Unsupported, WorkerLost
from eager_vs_graph.modes.failures import failure
from eager_vs_graph.modes.program import Task
from eager_vs_graph.modes.replicas import ReplicatedProgram
from eager_vs_graph.results.record import ERROR, UNSUPPORTED
from eager_vs_graph.scenario import Array, Feed, State

Method = Callable[..., Any]


def _of_program(method: Method) -> Method:
    """Let a method raise what parity would say of the exception, and the author's line in it.

    Both are known in this process only: an exception loses its traceback on the way to another.
    """

    @wraps(method)
    def classified(worker: Worker, number: int, *arguments: Any) -> Any:
        try:
            return method(worker, number, *arguments)
        except Exception as error:
            status, reason = failure(error, worker.files.get(number, ""))
            if status == UNSUPPORTED:
                raise Unsupported(reason) from error
            if status == ERROR:
                raise ScenarioError(reason) from error
            raise WorkerLost(status, reason) from error

    return classified


class Worker:
    """The programs of this process, by number.

    Attributes:
        files: the scenario's file of each program.
    """

    def __init__(self) -> None:
        """Join the cluster that ``TF_CONFIG`` describes, and wait for the other workers."""
        self._strategy = tf.distribute.MultiWorkerMirroredStrategy()
        self._is_first = self._strategy.cluster_resolver.task_id == 0
        self._programs: dict[int, ReplicatedProgram] = {}
        self.files: dict[int, str] = {}

    def ready(self) -> None:
        """Return when the worker can build programs."""

    @_of_program
    def build(
        self, number: int, place: tuple[str, str], task: dict[str, Any], unused: list[int]
    ) -> dict[str, tuple[tuple[int, ...], str]]:
        """Build a program.

        Args:
            number: what it is called from now on.
            place: the scenario's file and class.
            task: the other fields of the ``Task``.
            unused: numbers of programs that nobody needs any more.

        Returns:
            Shape and dtype of every variable by structural name.
        """
        for old in unused:
            self._programs.pop(old, None)
        self.files[number], class_name = place
        scenario = scenario_class(Path(place[0]), class_name)
        program = ReplicatedProgram(Task(scenario, **task), self._strategy)
        self._programs[number] = program
        return {
            name: (tuple(variable.shape), variable.dtype.name)
            for name, variable in program.variables().items()
        }

    @_of_program
    def call(self, number: int) -> object:
        """The timed call; only the first worker hands the outputs over."""
        outputs = self._programs[number].call()
        return outputs if self._is_first else None

    @_of_program
    def run(self, number: int, feed: Feed) -> dict[str, Array]:
        """One step on a feed."""
        return self._programs[number].run(feed)

    @_of_program
    def state(self, number: int) -> State:
        """The variables' values."""
        return self._programs[number].state()

    @_of_program
    def load(self, number: int, state: State) -> None:
        """Give the variables these values."""
        self._programs[number].load(state)

    @_of_program
    def traces(self, number: int) -> int:
        """How often the step has been traced."""
        return self._programs[number].traces
