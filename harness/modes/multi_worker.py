"""``tf.distribute.MultiWorkerMirroredStrategy``: two worker processes over gRPC on loopback.

This process has no part in the computation. It sends the same requests to both workers, which
import the scenario from its file, and returns the first worker's result when both agree. Each
worker has one replica, on CPU:0 of its own process, and takes its share of the batch from its own
memory.

**The timed call** lasts from the request until the first worker's outputs are NumPy arrays in this
process. Besides the step it includes a round trip over a pipe to each worker, which carries the
outputs. ``fed`` inputs are NumPy arrays of the worker, as a cluster's workers read their own
inputs.
"""

from __future__ import annotations

import inspect
import weakref
from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from eager_vs_graph.errors import Unsupported
from eager_vs_graph.modes.program import Program, Task
from eager_vs_graph.modes.replicas import require_same, require_shares
from eager_vs_graph.modes.worker_cluster import WORKERS, cluster
from eager_vs_graph.scenario import Array, Feed, State


class MultiWorkerProgram(Program):
    """A program in every worker of the cluster, and the requests to them."""

    def __init__(self, task: Task) -> None:
        super().__init__(task)
        if task.device != "CPU:0":
            raise Unsupported(
                f"its workers compute on CPU:0 of their own processes, which have no {task.device}"
            )
        file = inspect.getfile(task.scenario)
        if task.scenario.source_file() != file:
            raise Unsupported(
                "its workers import the scenario from a file, and adopted code exists only in the "
                "process that adopted it"
            )
        require_shares(task, WORKERS)
        self._cluster = cluster()
        self._number = self._cluster.number()
        place = (file, task.scenario.__name__)
        fields = {
            "size": task.size,
            "device": task.device,
            "inputs": task.inputs,
            "feeds": task.feeds,
        }
        built = self._ask("build", place, fields, self._cluster.take_unused())
        self._specs = {
            name: tf.TensorSpec(shape, dtype, name) for name, (shape, dtype) in built.items()
        }
        self._finish = weakref.finalize(self, self._cluster.unused.append, self._number)
        ask, number = self._cluster.ask, self._number

        def call() -> object:
            return ask("call", number)[0]

        self.call = call

    def _ask(self, verb: str, *arguments: Any) -> Any:
        """The first worker's answer."""
        return self._cluster.ask(verb, self._number, *arguments)[0]

    def _agreed(self, what: str, verb: str, *arguments: Any) -> dict[str, Array]:
        """The answer that all workers have to give.

        Raises:
            ScenarioError: they do not; ``what`` is the kind of value that is not the same.
        """
        answers = self._cluster.ask(verb, self._number, *arguments)
        for name in answers[0]:
            require_same(f"{what} {name!r}", [answer[name] for answer in answers], "worker")
        first: dict[str, Array] = answers[0]
        return first

    def run(self, feed: Feed) -> dict[str, Array]:
        return self._agreed("output", "run", feed)

    def state(self) -> State:
        return self._agreed("variable", "state")

    def load(self, state: State) -> None:
        self._ask("load", state)

    @property
    def traces(self) -> int:
        traces: int = self._ask("traces")
        return traces

    def variables(self) -> Mapping[str, tf.Variable]:
        return self._specs

    def close(self) -> None:
        self._finish()


def warm() -> None:
    """Start the workers.

    Raises:
        WorkerLost: they do not start.
    """
    cluster()


build = MultiWorkerProgram
