"""A fresh process that has never seen a scenario: it loads SavedModels and calls them.

One such process serves all programs of the process that asks it, since TensorFlow's import takes
seconds; it starts when it is first needed. When it ends, or gives no answer in time, the program
that asked gets ``WorkerLost``, and the next program starts another process.
"""

from __future__ import annotations

import itertools
import sys
import weakref
from collections import deque
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import tensorflow as tf

from eager_vs_graph.modes.saved_model_loading import Arrays, Loaded, Loader
from eager_vs_graph.processes.remote import Remote, answer_limit_s


class FreshProcess(Remote):
    """The fresh process, seen from the process that asks it.

    Attributes:
        limit_s: seconds that one answer may take, TensorFlow's import included.
    """

    def __init__(self) -> None:
        """Start the process, with as many logical CPUs as this one; do not wait for it."""
        cpus = len(tf.config.list_logical_devices("CPU"))
        super().__init__(SavedModels, cpus, name="fresh process")
        self.limit_s = answer_limit_s()
        self._numbers = itertools.count()
        self._unused: deque[int] = deque()

    def ask(self, verb: str, *arguments: Any) -> Any:
        """Ask for something, after the process has dropped the models that are not used any more.

        Args:
            verb: a method of ``SavedModels``.
            arguments: what it is called with.

        Raises:
            WorkerLost: the process ended, or gave no answer in time and was killed.
            Exception: what the method raised.
        """
        if unused := [self._unused.popleft() for _ in range(len(self._unused))]:
            self.request("drop", unused, timeout_s=self.limit_s)
        return self.request(verb, *arguments, timeout_s=self.limit_s)

    def load(self, loader: Loader, folder: Path, device: str, resident: bool) -> RemoteModel:
        """Let the process load a SavedModel."""
        number = next(self._numbers)
        self.ask("load", number, loader, folder, device, resident)
        return RemoteModel(self, number)

    def release(self, number: int) -> None:
        """Let the process drop a model before the next request."""
        self._unused.append(number)  # nothing is sent: a finalizer may be what calls this


class RemoteModel:
    """A SavedModel that the fresh process has loaded."""

    def __init__(self, process: FreshProcess, number: int) -> None:
        self.process = process
        self._number = number
        self.close = weakref.finalize(self, process.release, number)
        """Lets the process drop it, as does the end of this object."""
        self.close.atexit = False

    def call(self, signature: str, arrays: Mapping[str, Any]) -> Arrays:
        """Call a signature there, with arrays and for arrays."""
        outputs: Arrays = self.process.ask("call", self._number, signature, dict(arrays))
        return outputs


class SavedModels:
    """The models that the fresh process has loaded, by number; lives in that process."""

    def __init__(self, cpus: int) -> None:
        if cpus > 1:
            cpu = tf.config.list_physical_devices("CPU")[0]
            devices = [tf.config.LogicalDeviceConfiguration()] * cpus
            tf.config.set_logical_device_configuration(cpu, devices)
        self._models: dict[int, Loaded] = {}

    def load(self, number: int, loader: Loader, folder: Path, device: str, resident: bool) -> None:
        """Load a model."""
        self._models[number] = loader(folder, device, resident)

    def call(self, number: int, signature: str, arrays: Arrays) -> Arrays:
        """Call a signature of a model."""
        return self._models[number].call(signature, arrays)

    def drop(self, numbers: Iterable[int]) -> None:
        """Free models; those that were never loaded are ignored."""
        for number in numbers:
            if model := self._models.pop(number, None):
                model.close()

    def modules(self) -> list[str]:
        """The names of all modules that the process has imported."""
        return sorted(sys.modules)


_shared: list[FreshProcess] = []


def shared() -> FreshProcess:
    """The one fresh process of this process; started when there is none, or none any more."""
    if not _shared or not _shared[0].alive:
        _shared[:] = [FreshProcess()]
    return _shared[0]
