"""The base of the deployment modes: a program that is exported, loaded again and called."""

from __future__ import annotations

import re
import shutil
import tempfile
import weakref
from abc import abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import tensorflow as tf

from eager_vs_graph.errors import Unsupported, WorkerLost
from eager_vs_graph.modes import saved_model_process as fresh
from eager_vs_graph.modes.program import Call, Program, Task
from eager_vs_graph.modes.saved_model_export import export
from eager_vs_graph.modes.saved_model_loading import Loaded, Loader
from eager_vs_graph.scenario import Array, Feed, State


class DeployedProgram(Program):
    """A SavedModel, loaded twice: in this process, to be timed, and in a fresh one, to be compared.

    ``run``, which parity uses, takes a step in a process that has never imported the scenario's
    code (``saved_model_process``); the state stays there from step to step. The timed call is made
    in the measuring process, on the model that was loaded there, so that no pipe is inside the
    clock. There is one state, in one of the two places: ``run`` moves it to the fresh process, and
    reading ``call`` moves it back (so read it again after each ``run``). ``load`` and ``call``
    alone never start the fresh process.

    The export is in a temporary folder, which goes with ``close``, with the program, or at exit.
    """

    loader: ClassVar[Loader]
    """How the mode loads the SavedModel, in both processes."""

    def __init__(self, task: Task) -> None:
        super().__init__(task)
        folder = Path(tempfile.mkdtemp(prefix="saved-model-"))
        self._remove = weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        self._export = export(task, folder)
        self._resident = task.inputs == "resident"
        self._here = type(self).loader(folder, task.device, self._resident)
        self._there: fresh.RemoteModel | None = None
        self._at: Loaded = self._here
        """Where the state is."""
        self._call = self._timed_call()

    @abstractmethod
    def _timed_call(self) -> Call:
        """The timed call on the model that is loaded here."""

    @property
    def call(self) -> Call:
        """The timed call; reading it moves the state to this process."""
        self._move(self._here)
        return self._call

    @call.setter
    def call(self, call: Call) -> None:
        self._call = call

    def run(self, feed: Feed) -> dict[str, Array]:
        """One step in the fresh process.

        Raises:
            Unsupported: the SavedModel does not deploy, with TensorFlow's reason.
            WorkerLost: the fresh process ended, or gave no answer in time.
        """
        self._move(self._in_fresh_process())
        try:
            outputs = self._at.call("step", feed)
        except tf.errors.OpError as error:
            raise refusal(error) from None
        return {name: outputs[name] for name in self._export.outputs}

    def warm(self, feed: Feed) -> None:
        self._move(self._here)
        self._here.call("step", feed)

    def state(self) -> State:
        if not self._export.variables:
            return {}
        values = self._export.from_signature(self._at.call("state", {}))
        return {name: np.array(value) for name, value in values.items()}

    def load(self, state: State) -> None:
        self._at = self._here
        self._load(self._here, state)

    def _load(self, place: Loaded, state: State) -> None:
        if self._export.variables:
            place.call("load", self._export.to_signature(state))

    def _move(self, place: Loaded) -> None:
        if self._at is not place:
            self._load(place, self.state())
            self._at = place

    def _in_fresh_process(self) -> fresh.RemoteModel:
        if self._there is None or not self._there.process.alive:
            place = self._export.folder, self.task.device, self._resident
            try:
                self._there = fresh.shared().load(type(self).loader, *place)
            except WorkerLost:
                raise
            except Exception as error:  # it loads in this process, which has the scenario's Python
                raise Unsupported(f"does not deploy: {type(error).__name__}: {error}") from None
        return self._there

    @property
    def traces(self) -> int:
        return self._export.traces

    def variables(self) -> Mapping[str, Any]:
        """The variables' specifications (``tf.TensorSpec``), as they were exported."""
        return self._export.variables

    def close(self) -> None:
        self._here.close()
        if self._there is not None:
            self._there.close()
        self._remove()


def refusal(error: Exception) -> Exception:
    """What to raise for an op's error: ``Unsupported`` where the op needs another process.

    ``tf.py_function`` and ``tf.numpy_function`` leave in the graph a key to a table of Python
    functions, which is empty in another process.
    """
    message = str(getattr(error, "message", error))
    if missing := re.search(r"Could not find callback with key=\S+ in the registry", message):
        return Unsupported(
            f"does not deploy: {missing[0]}: tf.py_function and tf.numpy_function need the Python "
            "process that traced them"
        )
    return error
