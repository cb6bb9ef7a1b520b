"""A fresh process that has never seen a scenario: it loads SavedModels and calls them.

One such process serves all programs of the process that asks for it, since TensorFlow's import
takes seconds, and starts when it is first asked for anything. A request is a verb with its
arguments, an answer a success with its value or the kind and message of an exception.

A process that dies, or does not answer in time and is killed for it, costs the program that asked:
its request raises ``WorkerLost``. The next program starts another process.
"""

from __future__ import annotations

import builtins
import itertools
import os
import sys
import threading
import weakref
from collections import deque
from collections.abc import Callable, Mapping
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import tensorflow as tf

from eager_vs_graph.errors import WorkerLost
from eager_vs_graph.modes.saved_model_loading import LOADERS, Arrays, Loaded
from eager_vs_graph.processes.helper import Helper
from eager_vs_graph.processes.python import SILENCE_S
from eager_vs_graph.results.record import CRASHED, TIMEOUT

LIMIT_S = 100.0
"""Seconds for one answer, TensorFlow's import included, where nothing limits a cell."""
_SHARE = 0.8
"""Part of the time that a cell may take: it is given up for this, not with the whole process."""


class FreshProcess:
    """The side that asks.

    Attributes:
        limit_s: seconds that one answer may take.
    """

    def __init__(self, limit_s: float = LIMIT_S) -> None:
        """Start the process, with as many logical CPUs as this one; do not wait for it."""
        self.limit_s = limit_s
        self._helper = Helper(call_saved_models, len(tf.config.list_logical_devices("CPU")))
        self._numbers = itertools.count()
        self._forgotten: deque[int] = deque()
        self._lost: WorkerLost | None = None

    @property
    def pid(self) -> int:
        """The process's id."""
        return self._helper.pid

    @property
    def alive(self) -> bool:
        """Whether it can be asked."""
        return self._lost is None and self._helper.close.alive and self._helper.alive

    def request(self, verb: str, *arguments: Any) -> Any:
        """Ask for something and wait for the answer.

        Raises:
            Lost: the process ended, or gave no answer within ``limit_s`` and was killed.
            Exception: what the other side raised, of the same kind where there is such a kind.
        """
        if self._lost is not None:
            raise self._lost
        forgotten = [self._forgotten.popleft() for _ in range(len(self._forgotten))]
        # What limits the answer limits the question as well: a large one does not get through to a
        # process that reads nothing.
        late = threading.Event()
        timer = threading.Timer(self.limit_s, self._kill, [late])
        timer.daemon = True
        timer.start()
        try:
            self._helper.send((forgotten, verb, arguments))
            done, value = self._helper.receive(2 * self.limit_s)
        except WorkerLost as lost:
            self._lost = lost
            if late.is_set():
                reason = f"gave no answer within {self.limit_s:g} s and was killed"
                self._lost = WorkerLost(TIMEOUT, f"the fresh process, asked to {verb}, {reason}")
            self.close()
            raise self._lost from None
        except BaseException:
            self.close()  # the answer would be taken for that to the next request
            raise
        finally:
            timer.cancel()
        if not done:
            raise _exception(*value)
        return value

    def _kill(self, late: threading.Event) -> None:
        late.set()
        self._helper.kill()

    def load(self, mode: str, folder: Path, device: str, resident: bool) -> RemoteModel:
        """Let the process load a SavedModel, as ``saved_model_loading`` does for the mode."""
        number = next(self._numbers)
        self.request("load", number, mode, folder, device, resident)
        return RemoteModel(self, number)

    def forget(self, number: int) -> None:
        """Let the process drop a model, with the next request."""
        self._forgotten.append(number)  # nothing is sent: a finalizer may be what calls this

    def close(self) -> None:
        """End the process."""
        self._lost = self._lost or WorkerLost(CRASHED, "the fresh process has been ended")
        self._helper.close()


class RemoteModel:
    """A SavedModel that the fresh process has loaded."""

    def __init__(self, process: FreshProcess, number: int) -> None:
        self.process = process
        self._number = number
        self.close = weakref.finalize(self, process.forget, number)
        """Lets the process drop it, as does the end of this object."""
        self.close.atexit = False

    def call(self, signature: str, arrays: Mapping[str, Any]) -> Arrays:
        """Call a signature there, with arrays and for arrays."""
        outputs: Arrays = self.process.request("call", self._number, signature, dict(arrays))
        return outputs


_shared: list[FreshProcess] = []


def shared() -> FreshProcess:
    """The one fresh process of this process; started when there is none, or none any more."""
    if not _shared or not _shared[0].alive:
        allowed = os.environ.get(SILENCE_S)
        _shared[:] = [FreshProcess(_SHARE * float(allowed) if allowed else LIMIT_S)]
    return _shared[0]


def _exception(kind: str, message: str) -> Exception:
    """An exception of the kind that the other side raised, as far as it is known here."""
    found = getattr(tf.errors, kind, None)
    if isinstance(found, type) and issubclass(found, tf.errors.OpError):
        raised: Exception = found(None, None, message)
        return raised
    found = getattr(builtins, kind, None)
    if isinstance(found, type) and issubclass(found, Exception):
        return found(message)
    return RuntimeError(f"{kind}: {message}")


def call_saved_models(connection: Connection, cpus: int) -> None:
    """Be the fresh process: answer requests until the other side is gone."""
    if cpus > 1:
        cpu = tf.config.list_physical_devices("CPU")[0]
        devices = [tf.config.LogicalDeviceConfiguration()] * cpus
        tf.config.set_logical_device_configuration(cpu, devices)
    models: dict[int, Loaded] = {}

    def load(number: int, mode: str, folder: Path, device: str, resident: bool) -> None:
        models[number] = LOADERS[mode](folder, device, resident)

    def call(number: int, signature: str, arrays: Arrays) -> Arrays:
        return models[number].call(signature, arrays)

    def modules() -> list[str]:
        return sorted(sys.modules)

    verbs: dict[str, Callable[..., Any]] = {"load": load, "call": call, "modules": modules}
    while True:
        try:
            forgotten, verb, arguments = connection.recv()
        except EOFError:
            return
        for number in forgotten:
            if model := models.pop(number, None):
                model.close()
        try:
            answer: tuple[bool, Any] = True, verbs[verb](*arguments)
        except Exception as error:  # whatever it is, it is the business of the other side
            message = error.message if isinstance(error, tf.errors.OpError) else str(error)
            answer = False, (type(error).__name__, message)
        connection.send(answer)
