"""A v1 session against a TensorFlow server in another process, over gRPC on this machine.

Graph, inputs and calls are those of ``session``; variables, resident inputs and every op are in the
server. **The timed call** is that of ``session``, a callable of ``Session.make_callable``. Besides
the step it includes the request and the answer over gRPC (fed inputs and outputs are sent as
protocol buffers), and the server's master, which hands the partitioned graph to its worker.

One server serves all programs of a process, on as many CPUs as the process has, and ends with it.
Sessions isolate their state, so programs share no variable. A Python function of this process
cannot be called from there: TensorFlow documents that ``tf.py_function`` "must run in the same
address space as the Python program that calls" it; its message is the reason of ``unsupported``.

TensorFlow lets a client wait for a server that is gone ("wait for ready"). So a server that dies is
started again on the same address, and the new one says at once that it does not know the sessions
of the old one. With a server that hangs, a call fails after ``CALL_S``, TensorFlow's limit on a
request. A cell's peak memory is that of this process, without the server's. The server listens on
all interfaces, without authentication: TensorFlow offers no choice.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import tensorflow as tf

from eager_vs_graph.errors import WorkerLost
from eager_vs_graph.modes.program import Task
from eager_vs_graph.modes.session import SessionProgram
from eager_vs_graph.processes.remote import Remote
from eager_vs_graph.results.record import CRASHED, TIMEOUT
from eager_vs_graph.scenario import Array, Feed, State

v1 = tf.compat.v1

READY_S = 100.0
"""Seconds that a server may take to start, TensorFlow's import included."""
CALL_S = 60.0
"""Seconds that one request to the server may take."""
_GONE = (tf.errors.AbortedError, tf.errors.UnavailableError)


class TensorFlowServer:
    """A TensorFlow server; lives in a process of its own."""

    def __init__(self, cpus: int, port: int) -> None:
        """Start the server.

        Args:
            cpus: how many logical CPU devices to have.
            port: the TCP port; 0 means a free one.
        """
        self._server = tf.distribute.Server(
            {"local": [f"localhost:{port}"]}, config=v1.ConfigProto(device_count={"CPU": cpus})
        )

    def target(self) -> str:
        """The server's address, ``grpc://host:port``."""
        target: str = self._server.target
        return target


class Server:
    """A server process that is started again, on the same address, whenever it ends.

    Attributes:
        target: its address, ``grpc://host:port``: the same for all its processes.
        usable: whether the server lives, or is being started again.

    Raises:
        WorkerLost: it did not start.
    """

    def __init__(self) -> None:
        self._ended = self._hung = ""
        self._cpus = len(tf.config.list_logical_devices("CPU"))
        self.target = ""
        self.usable = False
        self._process: Remote
        self.start()

    def start(self) -> None:
        """Start the server, at first or after it could not be started again."""
        self._start_process()
        self.usable = True
        self._keeper = threading.Thread(target=self._keep, daemon=True)
        self._keeper.start()

    @property
    def pid(self) -> int:
        """Process id of the present server."""
        return self._process.pid

    def _start_process(self) -> None:
        port = int(self.target.rpartition(":")[2] or 0)
        process = Remote(TensorFlowServer, self._cpus, port, name="TensorFlow server")
        self.target = process.request("target", timeout_s=READY_S)
        self._process = process

    def _keep(self) -> None:
        while True:
            ended = self._process.wait(None)
            self._ended, self._hung = self._hung or ended, ""
            try:
                self._start_process()
            except WorkerLost as lost:
                self._ended = str(lost)
                self.usable = False
                return

    @contextmanager
    def losses_named(self) -> Iterator[None]:
        """Raise the loss of the server instead of what TensorFlow makes of it.

        A server that hangs is killed, so that nobody waits for it again.

        Raises:
            WorkerLost: the server died (``crashed``) or hangs (``timeout``).
        """
        try:
            yield
        except (*_GONE, tf.errors.DeadlineExceededError) as error:
            if isinstance(error, _GONE) or not self._process.alive:
                raise WorkerLost(
                    CRASHED, f"the TensorFlow server is gone: {self._ended}"
                ) from error
            self._hung = f"it did not answer within {CALL_S:g} s"
            self._process.kill()
            raise WorkerLost(TIMEOUT, f"the TensorFlow server hangs: {self._hung}") from error


_server: Server | None = None


def server() -> Server:
    """The server of this process; started when there is none.

    Raises:
        WorkerLost: it does not start.
    """
    global _server  # noqa: PLW0603 - one for the whole process is the point
    if _server is None:
        _server = Server()
    elif not _server.usable:
        _server.start()
    return _server


def warm() -> None:
    """Start the server and connect to it, so that no program's cold cost holds either."""
    with tf.Graph().as_default(), v1.Session(server().target) as session:
        session.run(tf.math.square(tf.Variable(2.0).initial_value))


class SessionRemoteProgram(SessionProgram):
    """A graph with its session on the server. Building traces and connects."""

    def __init__(self, task: Task) -> None:
        self._server = server()
        with self._server.losses_named():
            super().__init__(task)

    def _open_session(self) -> Any:
        config = v1.ConfigProto(
            isolate_session_state=True, operation_timeout_in_ms=round(CALL_S * 1000)
        )
        return v1.Session(self._server.target, graph=self._graph, config=config)

    def run(self, feed: Feed) -> dict[str, Array]:
        with self._server.losses_named():
            return super().run(feed)

    def state(self) -> State:
        with self._server.losses_named():
            return super().state()

    def load(self, state: State) -> None:
        with self._server.losses_named():
            super().load(state)

    def close(self) -> None:
        with suppress(tf.errors.OpError):  # the server is gone, and everything it held
            super().close()


build: Callable[[Task], SessionRemoteProgram] = SessionRemoteProgram
