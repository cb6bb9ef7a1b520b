"""The contract of a program, and the base class of modes whose step takes eager tensors.

**The timed call** (``Program.call``) is the same in every mode: run one step and return when its
outputs are NumPy arrays on the host. Inputs are ``resident`` (on the device before the clock
starts) or ``fed`` (NumPy arrays handed over in each call). No tracing, session creation or input
generation is inside it, and no Python frame that another mode does not also have.
"""

from __future__ import annotations

import functools
import inspect
import itertools
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import tensorflow as tf

from eager_vs_graph.errors import ScenarioError, Unsupported
from eager_vs_graph.modes.host_arrays import as_value
from eager_vs_graph.modes.variables import variables_of
from eager_vs_graph.scenario import Array, Feed, Scenario, State

Call = Callable[[], object]


@functools.cache
def _default_device() -> str:
    """The device of ops without a scope, as ``CPU:0``; TensorFlow prefers a GPU."""
    others = [each.device_type for each in tf.config.list_logical_devices()]
    accelerators = [kind for kind in others if kind not in ("CPU", "XLA_CPU", "XLA_GPU")]
    return f"{accelerators[0]}:0" if accelerators else "CPU:0"


@dataclass(frozen=True)
class Task:
    """What a mode needs to build a program."""

    scenario: type[Scenario]
    size: str
    device: str
    """Logical device such as ``CPU:0``."""
    inputs: str
    """``resident`` or ``fed``."""
    feeds: Sequence[Feed]

    def instance(self) -> Scenario:
        """A new scenario of the task's size, not yet built."""
        return self.scenario(self.scenario.sizes[self.size])

    def on_device(self) -> AbstractContextManager[Any]:
        """Place ops on the task's device, where TensorFlow would not place them there anyway.

        A scope makes every eager op 5 % slower, which a user's program does not pay for.
        """
        if self.device == _default_device():
            return nullcontext()
        device: AbstractContextManager[Any] = tf.device(f"/device:{self.device}")
        return device

    def argument_names(self) -> list[str]:
        """Names of the feed's entries in the order of ``step``'s parameters."""
        return list(inspect.signature(self.scenario.step).parameters)[1:]

    def specs(self) -> list[tf.TensorSpec]:
        """What ``step``'s arguments are in every feed, in their order."""
        return specs_of(self.feeds, self.argument_names())

    @property
    def asynchronous(self) -> bool:
        """Whether a call can return before the device has finished."""
        return not self.device.startswith("CPU")


@dataclass(frozen=True)
class Stages:
    """A timed call in its three stages, for those that watch it."""

    feed: Call
    """Gives the inputs of the next call as ``step`` takes them, in a list."""
    step: Callable[..., Mapping[str, Any]]
    fetch: Callable[[Mapping[str, Any]], object]
    """Waits for the outputs, and gives them as NumPy arrays."""


class Program(ABC):
    """A cell's scenario, built in its mode and ready to be called."""

    call: Call
    """The timed call: one step on the current inputs, outputs as NumPy arrays."""

    scenario: Scenario | None = None
    """The built scenario; None in a program whose scenario lives in another process."""

    def __init__(self, task: Task) -> None:
        self.task = task

    @abstractmethod
    def run(self, feed: Feed) -> dict[str, Array]:
        """One step on the given feed, with named outputs; not for timing."""

    def warm(self, feed: Feed) -> None:
        """Run one step on a feed where the timed call is made.

        Afterwards nothing is left to be traced or compiled for inputs of its shape.
        """
        self.run(feed)

    @abstractmethod
    def state(self) -> State:
        """The variables' values by structural name."""

    @abstractmethod
    def load(self, state: State) -> None:
        """Give the variables these values."""

    @property
    @abstractmethod
    def traces(self) -> int:
        """How often the Python body of ``step`` has been traced; 0 where it is not traced."""

    @abstractmethod
    def variables(self) -> Mapping[str, tf.Variable]:
        """The variables by structural name.

        Where another process has them: something of the same shape and dtype (``tf.TensorSpec``).
        """

    def stages(self) -> Stages | None:
        """The timed call in stages, with every feed in turn; None where it has none in Python."""
        return None

    def inner_traces(self) -> dict[str, int]:
        """How often each tf.function of the user's own was traced, in a mode that keeps them."""
        return {}

    def retraced(self) -> dict[str, int]:
        """Those of ``inner_traces`` that were traced again after the first step."""
        return {}

    def write_checkpoint(self, prefix: str) -> None:  # noqa: ARG002 - for the modes that can
        """Write what the scenario's ``checkpoint`` tracks, to files that begin with ``prefix``.

        Raises:
            Unsupported: the mode has no ``tf.train.Checkpoint`` of the scenario.
        """
        raise self._without_scenario("a tf.train.Checkpoint")

    def restore_checkpoint(self, prefix: str) -> None:  # noqa: ARG002 - for the modes that can
        """Give the variables the values of a checkpoint, whichever mode wrote it.

        Raises:
            Unsupported: the mode has no ``tf.train.Checkpoint`` of the scenario.
            AssertionError: the checkpoint does not hold what the scenario's ``checkpoint`` tracks.
        """
        raise self._without_scenario("a tf.train.Checkpoint")

    def flush(self) -> None:
        """Flush the scenario's summary writers."""
        raise self._without_scenario("summary writers")

    def written(self) -> dict[str, Array]:
        """What the steps have written to the scenario's folder, read back.

        Raises:
            Unsupported: the mode cannot reach the scenario's files.
        """
        if self.scenario is None:
            raise self._without_scenario("files")
        self.flush()
        return dict(self.scenario.written())

    def _without_scenario(self, what: str) -> Unsupported:
        return Unsupported(f"{what} of the scenario cannot be reached in this mode")

    def optimised_graphs(self, feed: Feed) -> list[Any]:  # noqa: ARG002 - eager has none
        """The GraphDefs that one step executes, as Grappler left them; empty without a graph."""
        return []

    def close(self) -> None:  # noqa: B027 - most programs hold nothing
        """Free what the program holds."""


class TensorProgram(Program):
    """A program whose step takes and returns eager tensors.

    Subclasses define ``step``, the callable that is timed.
    """

    scenario: Scenario
    keeps_functions: ClassVar[bool] = False
    """Whether tf.functions of the user's own stay what they are."""

    def __init__(self, task: Task) -> None:
        super().__init__(task)
        with self.building():
            self.scenario = task.instance()
            self.scenario.keeps_functions = self.keeps_functions
            self.scenario.build()
        self._variables = variables_of(self.scenario)
        self._names: tuple[str, ...] | None = None
        self._first_traces: dict[str, int] = {}
        self._step = self.step()
        self._resident = self._tensors(task.feeds[0])
        self.call = self._timed_call()

    @abstractmethod
    def step(self) -> Callable[..., Mapping[str, Any]]:
        """The scenario's step, as this mode runs it."""

    def building(self) -> AbstractContextManager[Any]:
        """What the scenario's ``build`` runs in."""
        return self.task.on_device()

    def _tensors(self, feed: Feed) -> list[Any]:
        # tf.constant copies, as does a session's feed of an array it may not alias.
        with self.task.on_device():
            return handed(self.task.scenario, feed, self.task.argument_names())

    def _timed_call(self) -> Call:
        step = self._step
        if self.task.inputs == "resident":
            tensors = self._resident

            def call() -> list[Array]:
                return [tensor.numpy() for tensor in step(*tensors).values()]

        else:
            feeds = cycled(self.task)
            constant, python = tf.constant, self.task.scenario.python_inputs
            is_python = [name in python for name in self.task.argument_names()]

            def call() -> list[Array]:
                tensors = [constant(array) for array in next(feeds)]
                return [tensor.numpy() for tensor in step(*tensors).values()]

            def call_with_python() -> list[Array]:
                given = [
                    array.item() if as_it_is else constant(array)
                    for array, as_it_is in zip(next(feeds), is_python, strict=True)
                ]
                return [tensor.numpy() for tensor in step(*given).values()]

            call = call_with_python if python else call

        return synchronised(call) if self.task.asynchronous else call

    def stages(self) -> Stages:
        def fetch(outputs: Mapping[str, Any]) -> list[Array]:
            return [tensor.numpy() for tensor in outputs.values()]

        if self.task.inputs == "resident":
            ready = itertools.cycle([self._tensors(feed) for feed in self.task.feeds])
            return Stages(lambda: next(ready), self._step, fetch)
        feeds = itertools.cycle(self.task.feeds)
        return Stages(lambda: self._tensors(next(feeds)), self._step, fetch)

    def run(self, feed: Feed) -> dict[str, Array]:
        before = self._variables.keys()
        with self.task.on_device():
            outputs = self._step(*self._tensors(feed))
        if self._names is None:
            require_outputs(outputs)
            require_no_new_variables(before, variables_of(self.scenario))
            self._names = tuple(outputs)
            self._first_traces = self.inner_traces()
        return {name: tensor.numpy() for name, tensor in outputs.items()}

    def state(self) -> State:
        return {name: np.asarray(v.numpy()) for name, v in self._variables.items()}

    def load(self, state: State) -> None:
        for name, variable in self._variables.items():
            variable.assign(as_value(state[name]))

    def variables(self) -> Mapping[str, tf.Variable]:
        return self._variables

    def inner_traces(self) -> dict[str, int]:
        if not (self.keeps_functions or self.scenario.traces_itself):
            return {}
        found: dict[str, int] = {}
        for function in self.scenario.functions():
            name = name_of_function(function)
            found[name] = found.get(name, 0) + function.experimental_get_tracing_count()
        return {name: count for name, count in found.items() if count}

    def retraced(self) -> dict[str, int]:
        first = self._first_traces
        return {
            name: count
            for name, count in self.inner_traces().items()
            if count > first.get(name, 0) and first
        }

    def write_checkpoint(self, prefix: str) -> None:
        self.scenario.checkpoint.write(prefix)

    def restore_checkpoint(self, prefix: str) -> None:
        self.scenario.checkpoint.read(prefix).assert_consumed()

    def flush(self) -> None:
        for writer in writers_of(self.scenario):
            writer.flush()


def handed(scenario: type[Scenario], feed: Mapping[str, Array], names: Sequence[str]) -> list[Any]:
    """A feed's entries as ``step`` takes them: tensors, and Python numbers where it wants these."""
    return [
        feed[name].item() if name in scenario.python_inputs else tf.constant(feed[name])
        for name in names
    ]


def name_of_function(function: Any) -> str:
    """What a tf.function's Python is called, within its module."""
    python = function.python_function
    return str(getattr(python, "__qualname__", repr(python))).rpartition("<locals>.")[2]


def writers_of(scenario: Scenario) -> list[Any]:
    """The summary writers that ``build`` assigned to the scenario's attributes."""
    return [
        value for value in vars(scenario).values() if isinstance(value, tf.summary.SummaryWriter)
    ]


def specs_of(feeds: Sequence[Feed], names: Sequence[str]) -> list[tf.TensorSpec]:
    """What the named inputs are in every feed: the dtype, and the dimensions that all feeds share.

    A dimension that varies is None, and the shape is unknown where the rank varies.
    """
    specs = []
    for name in names:
        arrays = [feed[name] for feed in feeds]
        shape = None
        if len({array.ndim for array in arrays}) == 1:
            by_axis = zip(*(array.shape for array in arrays), strict=True)
            shape = [sizes[0] if len(set(sizes)) == 1 else None for sizes in by_axis]
        specs.append(tf.TensorSpec(shape, tf.as_dtype(arrays[0].dtype), name))
    return specs


def cycled(task: Task) -> Iterator[list[Array]]:
    """The feeds' arrays in the order of ``step``'s parameters, repeated without end."""
    names = task.argument_names()
    return itertools.cycle([[feed[name] for name in names] for feed in task.feeds])


def synchronised(call: Call) -> Call:
    """The call, ended by waiting for every device.

    Fetching the outputs does not wait for updates of variables that no output depends on.
    """

    def call_and_wait() -> object:
        outputs = call()
        tf.test.experimental.sync_devices()
        return outputs

    return call_and_wait


def require_outputs(outputs: object) -> None:
    """Check that ``step`` returned named tensors.

    Raises:
        ScenarioError: naming the output and what it is.
    """
    if not isinstance(outputs, Mapping) or not outputs:
        raise ScenarioError(
            f"step returned {type(outputs).__name__}, but should return a dict of named tensors"
        )
    for name, value in outputs.items():
        if not isinstance(value, tf.Tensor | tf.Variable):
            raise ScenarioError(
                f"step returned output {name!r} as {type(value).__name__}, but should return a "
                "tensor (tf.convert_to_tensor)"
            )


def require_no_new_variables(before: Any, after: Any) -> None:
    """Check that the first step created no variable.

    Raises:
        ScenarioError: naming the variables.
    """
    if created := sorted(set(after) - set(before)):
        raise ScenarioError(
            f"step created variables on its first call: {', '.join(created)}; create them in "
            "build (layer.build(shape), optimizer.build(variables)), so that every mode can start "
            "from the same state"
        )
