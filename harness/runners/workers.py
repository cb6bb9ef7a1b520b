"""The worker processes of the mode ``multi_worker``: started once, given commands, heard in time.

All programs of a process share one cluster, because starting it costs an import of TensorFlow for
each worker. A worker that ends, or gives no answer in time, is named; the cluster is then ended,
and the next program starts another.
"""

from __future__ import annotations

import atexit
import itertools
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from multiprocessing.connection import Connection, Pipe, wait
from typing import Any

import psutil

from harness.children import SILENCE_S, child_environment, how_it_ended, last_lines
from harness.errors import Lost
from harness.record import CRASHED, TIMEOUT
from harness.runners.worker import DONE

WORKERS = 2
_DEFAULT_LIMIT_S = 120.0
_START_S = 60.0
"""Seconds at least for the workers' start, of which a cell's limit says nothing."""
_END_S = 5.0
"""Seconds for a process that is gone to be seen gone."""


class Cluster:
    """Two worker processes on this machine, in one cluster of TensorFlow's gRPC servers.

    Raises:
        Lost: a worker ended before it was ready, or was not ready in time.
    """

    def __init__(self) -> None:
        # Less than a cell's limit, so that the reason is told before the whole process is ended.
        self.limit_s = 0.8 * float(os.environ.get(SILENCE_S, _DEFAULT_LIMIT_S))
        self.lost: Lost | None = None
        self.closed: list[int] = []
        """Programs that the workers may forget."""
        self._numbers = itertools.count()
        self._held = ExitStack()
        # Files without a name: nothing is left behind, whatever ends this process. Appended to,
        # because the worker's end and this one share a position otherwise.
        self._logs = [tempfile.TemporaryFile("a+b") for _ in range(WORKERS)]  # noqa: SIM115
        for log in self._logs:
            self._held.enter_context(log)
        self._connections: list[Connection[Any, Any]] = []
        self._processes: list[subprocess.Popen[bytes]] = []
        addresses = [f"127.0.0.1:{port}" for port in _free_ports(WORKERS)]
        for index in range(WORKERS):
            self._start(index, addresses)
        limit_s, self.limit_s = self.limit_s, max(self.limit_s, _START_S)
        self._answers()
        self.limit_s = limit_s
        for log in self._logs:
            log.truncate(0)  # what TensorFlow says on its start explains no later end

    def _start(self, index: int, addresses: Sequence[str]) -> None:
        mine, theirs = Pipe()
        place = {
            "cluster": {"worker": addresses},
            "task": {"type": "worker", "index": index},
        }
        # Two processes cannot share a GPU in one collective: the workers compute on the CPU.
        environment = {"TF_CONFIG": json.dumps(place), "CUDA_VISIBLE_DEVICES": "-1"}
        with theirs:
            process = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "harness.runners.worker",
                    str(theirs.fileno()),
                    str(os.getpid()),
                ],
                stdin=subprocess.DEVNULL,
                stdout=self._logs[index],
                stderr=subprocess.STDOUT,
                pass_fds=[theirs.fileno()],
                env={**child_environment(), **environment},
            )
        self._connections.append(self._held.enter_context(mine))
        self._processes.append(process)

    @property
    def alive(self) -> bool:
        """Whether commands can be given."""
        return self.lost is None and all(process.poll() is None for process in self._processes)

    @property
    def pids(self) -> list[int]:
        """The workers' process ids, in order."""
        return [process.pid for process in self._processes]

    def number(self) -> int:
        """A number for a new program."""
        return next(self._numbers)

    def ask(self, command: str, number: int, *arguments: Any) -> list[Any]:
        """Give a command to every worker and return their answers, in order.

        Raises:
            Lost: a worker ended, gave no answer in time, or failed to do it.
        """
        if self.lost is not None:
            raise self.lost
        message = (command, number, arguments)
        for index, connection in enumerate(self._connections):
            if not arguments:
                _send(connection, message)
                continue
            # A stopped worker does not read, and a message larger than the pipe would wait for it.
            sending = threading.Thread(target=_send, args=(connection, message), daemon=True)
            sending.start()
            sending.join(self.limit_s)
            if sending.is_alive():
                raise self._give_up(self._silence([index]))
        return self._answers()

    def take_closed(self) -> list[int]:
        """The programs that may be forgotten, and were not told of before."""
        taken = self.closed[:]
        del self.closed[: len(taken)]
        return taken

    def _answers(self) -> list[Any]:
        """An answer of every worker.

        A worker that ended is the reason for whatever the other says; a failure that was told is
        the reason for the silence of the other, which waits for a partner in a collective.
        """
        answers: dict[int, tuple[str, Any]] = {}
        try:
            while len(answers) < WORKERS:
                self._hear(answers)
        except Lost as lost:
            self._give_up(lost)
            if lost.word == CRASHED:
                raise
        except BaseException:  # an answer that nobody waited for would be taken for the next one's
            self._give_up(Lost(CRASHED, "the workers were ended by an interruption"))
            raise
        for word, reason in answers.values():
            if word != DONE:
                raise Lost(word, reason)
        if self.lost is not None:
            raise self.lost
        return [answers[index][1] for index in range(WORKERS)]

    def _hear(self, answers: dict[int, tuple[str, Any]]) -> None:
        """Wait for one more answer at least."""
        waiting = {self._connections[i]: i for i in range(WORKERS) if i not in answers}
        failed = any(word != DONE for word, _ in answers.values())
        ready = wait(list(waiting), _END_S if failed else self.limit_s)
        if not ready:
            raise self._silence(list(waiting.values()))
        for connection, index in waiting.items():
            if connection in ready:
                try:
                    answers[index] = connection.recv()
                except (EOFError, OSError):
                    raise self._end(index) from None

    def _end(self, index: int) -> Lost:
        process = self._processes[index]
        try:
            how = how_it_ended(process.wait(_END_S)).removeprefix("the process ")
        except subprocess.TimeoutExpired:
            how = "closed its connection"
        self._logs[index].seek(0)
        told = last_lines(self._logs[index].read().decode(errors="replace"))
        return Lost(CRASHED, f"worker {index} {how}{told}")

    def _silence(self, silent: Sequence[int]) -> Lost:
        told = []
        for index in silent:
            status = "gone"
            with suppress(psutil.Error):
                status = psutil.Process(self._processes[index].pid).status()
            told.append(f"worker {index} ({status})")
        return Lost(TIMEOUT, f"no answer for {self.limit_s:.0f} s from {' and '.join(told)}")

    def _give_up(self, reason: Lost) -> Lost:
        self.lost = reason
        self.end()
        return reason

    def end(self) -> None:
        """End the workers: they hold nothing that needs an orderly end."""
        for process in self._processes:
            process.kill()
        for process in self._processes:
            process.wait()
        self._held.close()


def _send(connection: Connection[Any, Any], message: object) -> None:
    with suppress(OSError):  # of a worker that is gone: its answer says so
        connection.send(message)


_clusters: list[Cluster] = []


def cluster() -> Cluster:
    """The cluster of this process; a fresh one where there is none that lives."""
    if _clusters and not _clusters[-1].alive:
        _clusters.pop().end()
    if not _clusters:
        try:
            _clusters.append(Cluster())
        except Lost as lost:
            if lost.word != CRASHED:
                raise
            _clusters.append(Cluster())  # a port that was free may be taken by now: once more
    return _clusters[-1]


@atexit.register
def _end() -> None:
    while _clusters:
        _clusters.pop().end()


def _free_ports(count: int) -> list[int]:
    """Ports of the loopback interface that nobody listens on at the moment."""
    with ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
