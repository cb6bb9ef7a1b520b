"""The worker processes of the mode ``multi_worker``: started once, given commands, heard in time.

All programs of a process share one cluster, because starting it costs an import of TensorFlow for
each worker. A worker that ends, or gives no answer in time, is named; the cluster is then ended,
and the next program starts another.
"""

from __future__ import annotations

import itertools
import json
import os
import socket
import threading
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from multiprocessing.connection import wait
from typing import Any

import psutil

from eager_vs_graph.errors import ScenarioError, Unsupported, WorkerLost
from eager_vs_graph.modes.worker_main import DONE, serve
from eager_vs_graph.processes.helper import Helper
from eager_vs_graph.processes.python import SILENCE_S
from eager_vs_graph.results.record import CRASHED, ERROR, TIMEOUT, UNSUPPORTED

WORKERS = 2
_DEFAULT_LIMIT_S = 120.0
_GRACE_S = 5.0
"""Seconds for the answer of a worker whose partner has failed."""


class Cluster:
    """Two worker processes on this machine, in one cluster of TensorFlow's gRPC servers.

    Raises:
        Lost: a worker ended before it was ready, or was not ready in time.
    """

    def __init__(self) -> None:
        # Less than a cell's limit, so that the reason is told before the whole process is ended.
        self.limit_s = 0.8 * float(os.environ.get(SILENCE_S, _DEFAULT_LIMIT_S))
        self.lost: WorkerLost | None = None
        self.closed: list[int] = []
        """Programs that the workers may forget."""
        self._numbers = itertools.count()
        addresses = [f"127.0.0.1:{port}" for port in _free_ports(WORKERS)]
        self._workers = [
            Helper(serve, environment=_place(addresses, index), name=f"worker {index}")
            for index in range(WORKERS)
        ]
        self._answers()
        for worker in self._workers:
            worker.forget()  # what TensorFlow says on its start explains no later end

    @property
    def alive(self) -> bool:
        """Whether commands can be given."""
        return self.lost is None and all(worker.alive for worker in self._workers)

    @property
    def pids(self) -> list[int]:
        """The workers' process ids, in order."""
        return [worker.pid for worker in self._workers]

    def number(self) -> int:
        """A number for a new program."""
        return next(self._numbers)

    def take_closed(self) -> list[int]:
        """The programs that may be forgotten, and were not told of before."""
        taken = self.closed[:]
        del self.closed[: len(taken)]
        return taken

    def ask(self, command: str, number: int, *arguments: Any) -> list[Any]:
        """Give a command to every worker and return their answers, in order.

        Raises:
            Lost: a worker ended or gave no answer in time.
            Unsupported, ScenarioError: a worker refused or failed to do it, for this reason.
        """
        if self.lost is not None:
            raise self.lost
        message = (command, number, arguments)
        for worker in self._workers:
            if not arguments:
                _send(worker, message)
                continue
            # A stopped worker does not read, and a message larger than the pipe would wait for it.
            sending = threading.Thread(target=_send, args=(worker, message), daemon=True)
            sending.start()
            sending.join(self.limit_s)
            if sending.is_alive():
                raise self._give_up(self._silence([worker]))
        return self._answers()

    def _answers(self) -> list[Any]:
        """An answer of every worker.

        A worker that ended is the reason for whatever the other says; a failure that was told is
        the reason for the silence of the other, which waits for a partner in a collective.
        """
        answers: dict[Helper, tuple[str, Any]] = {}
        try:
            while len(answers) < WORKERS:
                self._hear(answers)
        except WorkerLost as lost:
            self._give_up(lost)
            if lost.status == CRASHED:
                raise
        except BaseException:  # an answer that nobody waited for would be taken for the next one's
            self._give_up(WorkerLost(CRASHED, "the workers were ended by an interruption"))
            raise
        for status, reason in answers.values():
            if status != DONE:
                raise _told(status, reason)
        if self.lost is not None:
            raise self.lost
        return [answers[worker][1] for worker in self._workers]

    def _hear(self, answers: dict[Helper, tuple[str, Any]]) -> None:
        """Wait for one more answer at least."""
        waiting = [worker for worker in self._workers if worker not in answers]
        failed = any(status != DONE for status, _ in answers.values())
        ready = wait([worker.fileno() for worker in waiting], _GRACE_S if failed else self.limit_s)
        if not ready:
            raise self._silence(waiting)
        for worker in waiting:
            if worker.fileno() in ready:
                answers[worker] = worker.receive(self.limit_s)

    def _silence(self, silent: Sequence[Helper]) -> WorkerLost:
        told = []
        for worker in silent:
            status = "gone"
            with suppress(psutil.Error):
                status = psutil.Process(worker.pid).status()
            told.append(f"worker {self._workers.index(worker)} ({status})")
        return WorkerLost(TIMEOUT, f"no answer for {self.limit_s:g} s from {' and '.join(told)}")

    def _give_up(self, reason: WorkerLost) -> WorkerLost:
        self.lost = reason
        self.end()
        return reason

    def end(self) -> None:
        """End the workers: they hold nothing that needs an orderly end."""
        for worker in self._workers:
            worker.kill()
        for worker in self._workers:
            worker.close()


_clusters: list[Cluster] = []


def cluster() -> Cluster:
    """The cluster of this process; a fresh one where there is none that lives.

    Raises:
        Lost: it does not start.
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


def _send(worker: Helper, message: object) -> None:
    with suppress(WorkerLost):  # its answer says so
        worker.send(message)


def _told(status: str, reason: str) -> Exception:
    if status == UNSUPPORTED:
        return Unsupported(reason)
    return ScenarioError(reason) if status == ERROR else WorkerLost(status, reason)


def _free_ports(count: int) -> list[int]:
    """Ports of the loopback interface that nobody listens on at the moment."""
    with ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
