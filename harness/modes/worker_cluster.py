"""The two worker processes of the mode ``multi_worker``: both get the same requests.

All programs of a process share one cluster, because each worker imports TensorFlow when it starts.
When a worker ends or gives no answer in time, both are ended, the reason names the worker, and the
next program starts another cluster.
"""

from __future__ import annotations

import itertools
import json
import socket
from collections.abc import Sequence
from contextlib import ExitStack
from multiprocessing.connection import wait
from typing import Any

from eager_vs_graph.errors import WorkerLost
from eager_vs_graph.modes.worker_main import Worker
from eager_vs_graph.processes.remote import Answer, Remote, answer_limit_s
from eager_vs_graph.results.record import CRASHED, TIMEOUT

WORKERS = 2
_GRACE_S = 5.0
"""Seconds for the answer of a worker whose partner has failed."""


class Cluster:
    """Two worker processes on this machine, in one cluster of TensorFlow's gRPC servers.

    Attributes:
        limit_s: seconds that an answer may take.
        lost: why the cluster cannot be used any more; None while it can.
        unused: numbers of programs that the workers need not keep.

    Raises:
        WorkerLost: a worker ended before it was ready, or was not ready in time.
    """

    def __init__(self) -> None:
        self.limit_s = answer_limit_s()
        self.lost: WorkerLost | None = None
        self.unused: list[int] = []
        self._numbers = itertools.count()
        addresses = [f"127.0.0.1:{port}" for port in _free_ports(WORKERS)]
        self._workers = [
            Remote(Worker, environment=_place(addresses, index), name=f"worker {index}")
            for index in range(WORKERS)
        ]
        self.ask("ready")

    @property
    def alive(self) -> bool:
        """Whether the workers can be asked for something."""
        return self.lost is None and all(worker.alive for worker in self._workers)

    @property
    def pids(self) -> list[int]:
        """The workers' process ids, in order."""
        return [worker.pid for worker in self._workers]

    def number(self) -> int:
        """A number for a new program."""
        return next(self._numbers)

    def take_unused(self) -> list[int]:
        """The numbers in ``unused``, which is empty afterwards."""
        taken = self.unused[:]
        del self.unused[: len(taken)]
        return taken

    def ask(self, verb: str, *arguments: Any) -> list[Any]:
        """Ask every worker for the same and return their answers, in order.

        Args:
            verb: a method of ``Worker``.
            arguments: what it is called with.

        Raises:
            WorkerLost: a worker ended or gave no answer in time.
            Unsupported, ScenarioError: the method raised it in a worker.
        """
        if self.lost is not None:
            raise self.lost
        answers: dict[Remote, Answer] = {}
        try:
            for worker in self._workers:
                worker.send(verb, *arguments, timeout_s=self.limit_s)
            while len(answers) < WORKERS:
                self._receive(answers)
        except WorkerLost as lost:
            self._end_for(lost)
            # A worker that ended is the reason for whatever the other one answered.
            if lost.status == CRASHED:
                raise
        except BaseException:  # an answer that nobody waited for would be taken for the next one's
            self._end_for(WorkerLost(CRASHED, "the workers were ended by an interruption"))
            raise
        # A failure is the reason for the silence of the other worker, which waits for its partner
        # in a collective.
        for answer in answers.values():
            answer.result()
        if self.lost is not None:
            raise self.lost
        return [answers[worker].value for worker in self._workers]

    def _receive(self, answers: dict[Remote, Answer]) -> None:
        """Wait for one more answer at least."""
        waiting = [worker for worker in self._workers if worker not in answers]
        failed = any(answer.error for answer in answers.values())
        ready = wait([worker.fileno() for worker in waiting], _GRACE_S if failed else self.limit_s)
        if not ready:
            who = " and ".join(worker.description for worker in waiting)
            raise WorkerLost(TIMEOUT, f"no answer for {self.limit_s:g} s from {who}")
        for worker in waiting:
            if worker.fileno() in ready:
                answers[worker] = worker.receive()

    def _end_for(self, reason: WorkerLost) -> None:
        self.lost = reason
        self.end()

    def end(self) -> None:
        """End the workers: they hold nothing that needs an orderly end."""
        for worker in self._workers:
            worker.kill()
        for worker in self._workers:
            worker.close()


_clusters: list[Cluster] = []


def cluster() -> Cluster:
    """The cluster of this process; a new one where there is none that can be used.

    Raises:
        WorkerLost: it does not start.
    """
    if _clusters and not _clusters[-1].alive:
        _clusters.pop().end()
    if not _clusters:
        try:
            _clusters.append(Cluster())
        except WorkerLost as lost:
            if lost.status != CRASHED:
                raise
            _clusters.append(Cluster())  # a port that was free may be taken by now: once more
    return _clusters[-1]


def _place(addresses: Sequence[str], index: int) -> dict[str, str]:
    """A worker's environment: its place in the cluster, and no GPU.

    Two processes cannot share a GPU in one collective, so that the workers compute on the CPU.
    """
    task = {"type": "worker", "index": index}
    place = {"cluster": {"worker": list(addresses)}, "task": task}
    return {"TF_CONFIG": json.dumps(place), "CUDA_VISIBLE_DEVICES": "-1"}


def _free_ports(count: int) -> list[int]:
    """Ports of the loopback interface that nobody listens on at the moment."""
    with ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
