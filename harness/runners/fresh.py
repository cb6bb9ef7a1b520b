"""A fresh process that has never seen a scenario: it loads SavedModels and calls them.

One such process serves all programs of the process that asks for it, since TensorFlow's import
takes seconds, and starts when it is first asked for anything. The two speak over a socket, in
pickled tuples of text and NumPy arrays: a request is a verb with its arguments, an answer a
success with its value or the kind and message of an exception.

The fresh process ends with the one that started it. When it dies, or does not answer in time and
is killed for it, the request raises ``Lost``, and the next request of a program that does not
depend on what was lost starts another.
"""

from __future__ import annotations

import builtins
import importlib
import itertools
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import weakref
from collections import deque
from collections.abc import Callable, Mapping
from multiprocessing.connection import Connection
from pathlib import Path
from typing import IO, Any

from harness.errors import Lost
from harness.lean_import import import_tensorflow
from harness.record import CRASHED, TIMEOUT

LIMIT_S = 100.0
"""Seconds for one answer, TensorFlow's import included, where nothing limits a cell."""
_SHARE = 0.8
"""Part of the time that a cell may take: it is given up for this, not with the whole process."""
_ROOT = Path(__file__).resolve().parent.parent.parent
_GRACE_S = 5.0
_WATCH_S = 0.5


class FreshProcess:
    """The side that asks.

    Attributes:
        limit_s: seconds that one answer may take.
    """

    def __init__(self, cpus: int = 1, limit_s: float = LIMIT_S) -> None:
        """Start the process; it is ready when it answers.

        Args:
            cpus: into how many logical devices it splits its CPU.
            limit_s: seconds that one answer may take.
        """
        self.limit_s = limit_s
        self._numbers = itertools.count()
        self._forgotten: deque[int] = deque()
        ours, theirs = socket.socketpair()
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the process
        with theirs:
            number = theirs.fileno()
            self._process = subprocess.Popen(
                [sys.executable, "-m", __name__, str(number), str(cpus)],
                pass_fds=[number],
                stdin=subprocess.DEVNULL,
                stdout=self._log,
                stderr=subprocess.STDOUT,
                env=_environment(),
            )
        self._connection: Connection[Any, Any] = Connection(ours.detach())
        self._end = weakref.finalize(self, _end, self._process, self._connection, self._log)

    @property
    def pid(self) -> int:
        """The process's number."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether it can be asked."""
        return self._end.alive and self._process.poll() is None

    def request(self, verb: str, *arguments: Any) -> Any:
        """Ask for something and wait for the answer.

        Raises:
            Lost: the process ended, or gave no answer within ``limit_s`` and was killed.
            Exception: what the other side raised, of the same kind where there is such a kind.
        """
        late = threading.Event()

        def kill() -> None:
            late.set()
            self._process.kill()

        forgotten = [self._forgotten.popleft() for _ in range(len(self._forgotten))]
        # The timer ends the sending as well: a process that reads nothing lets it wait for ever.
        timer = threading.Timer(self.limit_s, kill)
        timer.daemon = True
        timer.start()
        try:
            self._connection.send((forgotten, verb, arguments))
            done, value = self._connection.recv()
        except (EOFError, OSError):
            raise self._lost(verb, late.is_set()) from None
        except BaseException:
            self.close()  # its answer would be taken for that to the next request
            raise
        finally:
            timer.cancel()
        if not done:
            raise _exception(*value)
        return value

    def load(self, mode: str, folder: Path, device: str, resident: bool) -> RemoteModel:
        """Let the process load a SavedModel, as ``harness.runners.loaded`` does for the mode."""
        number = next(self._numbers)
        self.request("load", number, mode, folder, device, resident)
        return RemoteModel(self, number)

    def forget(self, number: int) -> None:
        """Let the process drop a model, with the next request."""
        self._forgotten.append(number)  # nothing is sent: a finalizer may be what calls this

    def close(self) -> None:
        """End the process."""
        self._end()

    def _lost(self, verb: str, late: bool) -> Lost:
        log = ""
        if self._end.alive:
            self._process.kill()
            self._process.wait()
            log = _last_lines(self._log)
        code = self._process.returncode
        self.close()
        what = f"the fresh process that calls the SavedModel (asked to {verb})"
        if late:
            return Lost(TIMEOUT, f"{what} gave no answer within {self.limit_s:g} s and was killed")
        how = f"by {signal.Signals(-code).name}" if code < 0 else f"with exit code {code}"
        return Lost(CRASHED, f"{what} was ended {how}{log}")


class RemoteModel:
    """A SavedModel that the fresh process has loaded."""

    def __init__(self, process: FreshProcess, number: int) -> None:
        self.process = process
        self._number = number
        self.close = weakref.finalize(self, process.forget, number)
        """Lets the process drop it, as does the end of this object."""
        self.close.atexit = False

    def call(self, signature: str, arrays: Mapping[str, Any]) -> dict[str, Any]:
        """Call a signature there, with arrays and for arrays."""
        outputs: dict[str, Any] = self.process.request(
            "call", self._number, signature, dict(arrays)
        )
        return outputs


_shared: list[FreshProcess] = []


def shared() -> FreshProcess:
    """The one fresh process of this process; started when there is none, or none any more."""
    if not _shared or not _shared[0].alive:
        import tensorflow as tf

        from harness.children import SILENCE_S

        allowed = os.environ.get(SILENCE_S)
        limit_s = _SHARE * float(allowed) if allowed else LIMIT_S
        _shared[:] = [FreshProcess(len(tf.config.list_logical_devices("CPU")), limit_s)]
    return _shared[0]


def _environment() -> dict[str, str]:
    path = os.pathsep.join(filter(None, [str(_ROOT), os.environ.get("PYTHONPATH", "")]))
    return {"TF_CPP_MIN_LOG_LEVEL": "2", **os.environ, "PYTHONPATH": path}


def _end(process: subprocess.Popen[bytes], connection: Connection[Any, Any], log: IO[Any]) -> None:
    connection.close()  # which ends it
    try:
        process.wait(_GRACE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    log.close()


def _last_lines(log: IO[bytes], count: int = 3) -> str:
    log.seek(0)
    lines = [line.strip() for line in log.read().decode(errors="replace").splitlines()]
    told = [line for line in lines if line][-count:]
    return f": {' | '.join(told)}" if told else ""


def _exception(kind: str, message: str) -> Exception:
    """An exception of the kind that the other side raised, as far as it is known here."""
    import tensorflow as tf

    found = getattr(tf.errors, kind, None)
    if isinstance(found, type) and issubclass(found, tf.errors.OpError):
        raised: Exception = found(None, None, message)
        return raised
    found = getattr(builtins, kind, None)
    if isinstance(found, type) and issubclass(found, Exception):
        return found(message)
    return RuntimeError(f"{kind}: {message}")


# The fresh process itself.


def serve(connection: Connection[Any, Any], cpus: int) -> None:
    """Answer requests until the other side is gone."""
    import_tensorflow()
    import tensorflow as tf

    if cpus > 1:
        devices = [tf.config.LogicalDeviceConfiguration()] * cpus
        tf.config.set_logical_device_configuration(
            tf.config.list_physical_devices("CPU")[0], devices
        )
    loaders = importlib.import_module("harness.runners.loaded").LOADERS
    models: dict[int, Any] = {}

    def load(number: int, mode: str, folder: Path, device: str, resident: bool) -> None:
        models[number] = loaders[mode](folder, device, resident)

    def call(number: int, signature: str, arrays: dict[str, Any]) -> dict[str, Any]:
        outputs: dict[str, Any] = models[number].call(signature, arrays)
        return outputs

    def modules() -> list[str]:
        return sorted(sys.modules)

    verbs: dict[str, Callable[..., Any]] = {"load": load, "call": call, "modules": modules}
    while True:
        try:
            forgotten, verb, arguments = connection.recv()
        except (EOFError, OSError):
            return
        for number in forgotten:
            if model := models.pop(number, None):
                model.close()
        try:
            answer = (True, verbs[verb](*arguments))
        except Exception as error:
            message = error.message if isinstance(error, tf.errors.OpError) else str(error)
            answer = (False, (type(error).__name__, message))
        connection.send(answer)


def _end_with(parent: int) -> None:
    """End this process when its parent has ended, whatever it is at."""

    def watch() -> None:
        while os.getppid() == parent:
            threading.Event().wait(_WATCH_S)
        os._exit(0)

    threading.Thread(target=watch, daemon=True).start()


def main() -> None:
    """Serve the socket whose number is the first argument."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's business
    _end_with(os.getppid())
    serve(Connection(int(sys.argv[1])), int(sys.argv[2]))


if __name__ == "__main__":
    main()
