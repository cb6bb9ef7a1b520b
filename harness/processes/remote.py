"""An object in a process of its own, with TensorFlow, and requests to it.

``Remote(Counter, 5)`` starts a process that imports TensorFlow and makes ``Counter(5)``. A request
names a method of that object, the verb; the answer is what the method returns or raises::

    remote = Remote(Counter, 5)
    remote.request("add", 2, timeout_s=60)

Requests are answered in order, one at a time. Arguments and results are whatever can be pickled.

The process ends when it is closed or killed, and when this process ends, however that comes about.
One that ended raises ``WorkerLost``, and so does one that gives no answer in time, which is killed;
every later request raises the same.
"""

from __future__ import annotations

import builtins
import os
import socket
import struct
import subprocess
import sys
import tempfile
import weakref
from collections.abc import Callable, Mapping
from contextlib import suppress
from multiprocessing.connection import Connection, Pipe
from multiprocessing.reduction import ForkingPickler
from typing import IO, Any, NamedTuple

import psutil

from eager_vs_graph import errors
from eager_vs_graph.errors import WorkerLost
from eager_vs_graph.processes.lean_import import import_tensorflow
from eager_vs_graph.processes.lifeline import end_with
from eager_vs_graph.processes.python import (
    DEFAULT_SILENCE_S,
    SILENCE_S,
    child_environment,
    how_it_ended,
    last_lines,
    python_module,
)
from eager_vs_graph.results.record import CRASHED, TIMEOUT

_GRACE_S = 10.0
"""Seconds for a process to end that has closed its end of the pipe."""
_TAIL_BYTES = 10_000


class Answer(NamedTuple):
    """What a method returned, or the exception that it raised."""

    value: Any = None
    error: str = ""
    """The name of the exception's class; empty where none was raised."""
    message: str = ""
    status: str = ""
    """Of a ``WorkerLost``."""

    @classmethod
    def of_error(cls, error: Exception) -> Answer:
        """An exception; of one of TensorFlow's, the message without the graph's nodes."""
        message = str(getattr(error, "message", error))
        status = error.status if isinstance(error, WorkerLost) else ""
        return cls(None, type(error).__name__, message, status)

    def result(self) -> Any:
        """What the method returned.

        Raises:
            Exception: what the method raised, of the same class where the class is ours, Python's
                or TensorFlow's; else a RuntimeError that names it.
        """
        if self.error:
            raise self._exception()
        return self.value

    def _exception(self) -> Exception:
        if self.status:
            return WorkerLost(self.status, self.message)
        # Where TensorFlow is not imported, nobody waits for its exceptions.
        for module in (errors, builtins, getattr(sys.modules.get("tensorflow"), "errors", None)):
            kind = getattr(module, self.error, None)
            if isinstance(kind, type) and issubclass(kind, Exception):
                node_and_op = (None, None) if hasattr(kind, "error_code") else ()
                try:
                    return kind(*node_and_op, self.message)
                except TypeError:  # some classes are made from something else
                    break
        return RuntimeError(f"{self.error}: {self.message}")


class Remote:
    """A process with an object that answers requests.

    Attributes:
        name: what the process is called in messages.
        lost: why nothing can be asked for any more; None while it can.
    """

    def __init__(
        self,
        make: Callable[..., object],
        *arguments: object,
        environment: Mapping[str, str] | None = None,
        name: str = "",
    ) -> None:
        """Start the process; do not wait for it.

        Args:
            make: a class of an importable module, called there with the arguments.
            arguments: whatever can be pickled.
            environment: variables of the process, besides those that every child has.
            name: what it is called in messages; default: the class's name.
        """
        self.name = name or make.__name__
        self.lost: WorkerLost | None = None
        self._verb = ""
        self._limit_s = 0.0
        self._has_answered = False
        self._log_start = 0
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the process
        self._connection, theirs = Pipe()
        with theirs:
            self._process = subprocess.Popen(
                [*python_module(__name__), str(os.getpid()), str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=self._log,
                stderr=subprocess.STDOUT,
                pass_fds=[theirs.fileno()],
                start_new_session=True,  # Ctrl-C is for this process, which then ends the other
                env={**child_environment(), **(environment or {})},
            )
        self.close = weakref.finalize(self, _close, self._process, self._connection, self._log)
        """End the process and free what belongs to it. Happens by itself when nothing refers to
        this object any more."""
        # At the end of this process the other one outlives whatever still works with it: sessions
        # that are freed late would wait for a server that is gone.
        self.close.atexit = False
        with suppress(OSError):  # a process that has ended already is noticed by the first request
            self._connection.send((make, arguments))

    @property
    def pid(self) -> int:
        """The process's id."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether something can be asked for."""
        return self.lost is None and self.close.alive and self._process.poll() is None

    @property
    def description(self) -> str:
        """Name and state of the process, such as ``worker 1 (stopped)``."""
        state = "ended"
        with suppress(psutil.Error):
            state = psutil.Process(self.pid).status()
        return f"{self.name} ({state})"

    def fileno(self) -> int:
        """For ``multiprocessing.connection.wait``, to wait for answers of several processes."""
        return self._connection.fileno()

    def request(self, verb: str, *arguments: Any, timeout_s: float) -> Any:
        """Ask for something and wait for the answer.

        Args:
            verb: a method of the object.
            arguments: what it is called with.
            timeout_s: seconds that sending may take, and the answer after it.

        Raises:
            WorkerLost: the process ended, or gave no answer in time and was killed.
            Exception: what the method raised.
        """
        self.send(verb, *arguments, timeout_s=timeout_s)
        return self.receive().result()

    def send(self, verb: str, *arguments: Any, timeout_s: float) -> None:
        """The first half of ``request``."""
        if self.lost is not None:
            raise self.lost
        self._verb = verb
        try:
            self._limit(timeout_s)
            self._connection.send((verb, arguments))
        except BaseException as error:
            raise self._lose(error) from None

    def receive(self) -> Answer:
        """The second half of ``request``, within the same time limit."""
        try:
            answer = Answer(*self._connection.recv())
        except BaseException as error:
            raise self._lose(error) from None
        if not self._has_answered:
            # What TensorFlow prints on its start explains no later end.
            self._log_start = os.fstat(self._log.fileno()).st_size
            self._has_answered = True
        return answer

    def _limit(self, timeout_s: float) -> None:
        """Let no read or write of the pipe wait longer; then they raise ``BlockingIOError``.

        A process that is stopped reads nothing: a request larger than the pipe would wait for it.
        """
        if timeout_s == self._limit_s:
            return
        limit = struct.pack("ll", int(timeout_s), int(timeout_s % 1 * 1e6))
        with socket.socket(fileno=os.dup(self.fileno())) as pipe:
            pipe.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, limit)
            pipe.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, limit)
        self._limit_s = timeout_s

    def _lose(self, error: BaseException) -> BaseException:
        """End the process after an exception of the pipe; the exception to raise."""
        if isinstance(error, BlockingIOError):
            what = f"the process {self.description}, asked to {self._verb}, gave no answer within"
            self.lost = WorkerLost(TIMEOUT, f"{what} {self._limit_s:g} s and was killed")
        elif isinstance(error, EOFError | OSError):
            self.lost = WorkerLost(CRASHED, f"the process {self.name!r} is gone: {self.wait()}")
        else:  # an answer that nobody waited for would be taken for that to the next request
            what = f"the process {self.name!r} was ended, because waiting for it was interrupted"
            self.lost = WorkerLost(CRASHED, what)
            self.close()
            return error
        self.close()
        return self.lost

    def kill(self) -> None:
        """End the process at once."""
        self._process.kill()

    def wait(self, timeout_s: float | None = _GRACE_S) -> str:
        """Wait for the process to end and say how it did, with the last lines that it printed.

        Args:
            timeout_s: seconds after which the process is killed; None: it never is.
        """
        try:
            self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self.kill()
        how = how_it_ended(self._process.wait())
        if not self.close.alive:
            return how
        size = os.fstat(self._log.fileno()).st_size
        # The process writes at the position that both share: reading must not move it.
        tail = os.pread(self._log.fileno(), _TAIL_BYTES, max(self._log_start, size - _TAIL_BYTES))
        return f"{how}{last_lines(tail.decode(errors='replace'))}"


def answer_limit_s() -> float:
    """Seconds that an answer may take: less than a cell may, so that the reason can be given."""
    return 0.8 * float(os.environ.get(SILENCE_S, DEFAULT_SILENCE_S))


def _close(process: subprocess.Popen[bytes], connection: Connection, log: IO[bytes]) -> None:
    process.kill()
    process.wait()
    connection.close()
    log.close()


def main() -> None:
    """Be the other process: make the object, then answer requests until the parent is gone."""
    end_with(int(sys.argv[1]))
    connection: Connection[Any, Any] = Connection(int(sys.argv[2]))
    import_tensorflow()
    make, arguments = connection.recv()
    target = make(*arguments)
    with suppress(EOFError, OSError):
        while True:
            connection.send_bytes(_answered(target, *connection.recv()))
    os._exit(0)  # an orderly end of TensorFlow could wait for yet another process


def _answered(target: object, verb: str, arguments: tuple[Any, ...]) -> Any:
    """The pickled answer to a request."""
    try:
        return ForkingPickler.dumps(tuple(Answer(getattr(target, verb)(*arguments))))
    except Exception as error:  # whatever it is, it is the business of the other side
        return ForkingPickler.dumps(tuple(Answer.of_error(error)))


if __name__ == "__main__":
    main()
