"""Helper processes: TensorFlow in another process, which works for this one and ends with it.

``Helper(serve, 2)`` starts a process that imports TensorFlow and calls ``serve(connection, 2)``.
The two talk in messages, any objects that can be pickled; a first one says that it is ready::

    def serve(connection, cpus):
        server = ...
        connection.send(server.target)
        server.join()

    helper = Helper(serve, 2)
    target = helper.receive(timeout_s=60)

A helper ends when its function returns, when it is killed, and when this process ends, however that
comes about. One that dies or is silent raises ``WorkerLost``; none is waited for longer than asked.
"""

from __future__ import annotations

import ctypes
import importlib
import os
import signal
import subprocess
import sys
import tempfile
import threading
import weakref
from collections.abc import Callable, Mapping
from multiprocessing.connection import Connection, Pipe
from typing import IO, Any

from eager_vs_graph.errors import WorkerLost
from eager_vs_graph.processes.lean_import import import_tensorflow
from eager_vs_graph.processes.python import (
    child_environment,
    how_it_ended,
    last_lines,
    python_module,
)
from eager_vs_graph.results.record import CRASHED, TIMEOUT

_GRACE_S = 10.0
_TAIL_BYTES = 10_000
_PR_SET_PDEATHSIG = 1


class Helper:
    """A process that runs one function of an importable module."""

    def __init__(
        self,
        work: Callable[..., None],
        *arguments: object,
        environment: Mapping[str, str] | None = None,
        name: str = "",
    ) -> None:
        """Start the process; do not wait for it.

        Args:
            work: a function of a module, called with the connection and then the arguments.
            arguments: whatever can be pickled.
            environment: variables of the process, besides those that every child has.
            name: what it is called in reasons; default: the function's name.
        """
        self._name = name or work.__name__
        self._heard = 0
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the helper
        self._connection, theirs = Pipe()
        with theirs:
            self._process = subprocess.Popen(
                [
                    *python_module(__name__),
                    *(str(theirs.fileno()), work.__module__, work.__qualname__),
                ],
                stdin=subprocess.PIPE,  # the end of this process closes it
                stdout=self._log,
                stderr=subprocess.STDOUT,
                pass_fds=[theirs.fileno()],
                start_new_session=True,  # Ctrl-C is for this process, which then ends the helper
                env={**child_environment(), **(environment or {})},
            )
        self.close = weakref.finalize(self, _close, self._process, self._connection, self._log)
        """End the process and free what belongs to it. Happens by itself when nothing refers to the
        helper any more."""
        # At the end of this process the helper outlives whatever still works with it: sessions
        # that are freed late would wait for a server that is gone.
        self.close.atexit = False
        self.send(arguments)

    @property
    def pid(self) -> int:
        """The process's id."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether the process still runs."""
        return self._process.poll() is None

    def fileno(self) -> int:
        """For ``multiprocessing.connection.wait``, to wait for messages of several helpers."""
        return self._connection.fileno()

    def forget(self) -> None:
        """Leave what the process has written so far out of its last words."""
        self._heard = os.fstat(self._log.fileno()).st_size

    def send(self, message: object) -> None:
        """Give the helper a message.

        Raises:
            Lost: the process is gone.
        """
        try:
            self._connection.send(message)
        except OSError:
            raise self._lost() from None

    def receive(self, timeout_s: float) -> Any:
        """The helper's next message.

        Raises:
            Lost: the process ended (``crashed``), or said nothing for ``timeout_s`` (``timeout``).
        """
        try:
            if self._connection.poll(timeout_s):
                return self._connection.recv()
        except (EOFError, OSError):
            raise self._lost() from None
        raise WorkerLost(
            TIMEOUT, f"the helper process {self._name!r} was silent for {timeout_s:g} s"
        )

    def kill(self) -> None:
        """End the process at once."""
        self._process.kill()

    def wait(self) -> str:
        """Wait for the process to end and say how it did, with its last words."""
        how = how_it_ended(self._process.wait())
        if not self.close.alive:
            return how
        size = os.fstat(self._log.fileno()).st_size
        # The process writes at the position that both share: reading must not move it.
        tail = os.pread(self._log.fileno(), _TAIL_BYTES, max(self._heard, size - _TAIL_BYTES))
        return f"{how}{last_lines(tail.decode(errors='replace'))}"

    def _lost(self) -> WorkerLost:
        try:
            self._process.wait(_GRACE_S)
        except subprocess.TimeoutExpired:
            self.kill()
        return WorkerLost(CRASHED, f"the helper process {self._name!r} is gone: {self.wait()}")


def _close(process: subprocess.Popen[bytes], connection: Connection, log: IO[bytes]) -> None:
    process.kill()
    process.wait()
    assert process.stdin is not None
    for file in (connection, process.stdin, log):
        file.close()


def main() -> None:
    """Be a helper: import TensorFlow, then call the function with what the parent sends."""
    if sys.platform == "linux":  # where the kernel ends even a process that is stopped
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    descriptor, module, function = sys.argv[1:]
    import_tensorflow()
    with Connection(int(descriptor)) as connection:
        arguments = connection.recv()
        getattr(importlib.import_module(module), function)(connection, *arguments)


def _end_with_parent() -> None:
    """End this process when its standard input closes: the parent holds the other end."""
    os.read(sys.stdin.fileno(), 1)
    os._exit(1)


if __name__ == "__main__":
    main()
