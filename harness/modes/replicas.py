"""The base of the modes that split a batch: several replicas do one step, each on its share.

The strategy is TensorFlow's own. ``Strategy.run`` calls the step in every replica. Their results
are combined as ``Scenario.batch`` and ``Scenario.replicas`` say: variables by their
``aggregation``, outputs by ``Strategy.reduce`` and ``Strategy.gather``.

A replica cannot update variables inside a loop or branch of the graph: TensorFlow merges the
updates of all replicas between the ops of the step, and not inside a nested graph.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Any

import numpy as np
import tensorflow as tf

from eager_vs_graph.errors import ScenarioError, Unsupported
from eager_vs_graph.modes.object_graph import contents, walk
from eager_vs_graph.modes.program import (
    Call,
    Task,
    TensorProgram,
    cycled,
    require_no_new_variables,
    require_outputs,
    synchronised,
)
from eager_vs_graph.modes.variables import variables_of
from eager_vs_graph.scenario import Array, Feed, Scenario

_MERGE = "`merge_call` called while defining a new graph"


class ReplicatedProgram(TensorProgram):
    """The step under ``Strategy.run`` inside one ``tf.function``.

    The replicas of other processes are not seen here: with ``MultiWorkerMirroredStrategy`` every
    worker builds this program, and feeds it the whole batch, of which it takes its own shares.
    """

    def __init__(self, task: Task, strategy: tf.distribute.Strategy) -> None:
        require_shares(task, strategy.num_replicas_in_sync)
        self._strategy = strategy
        self._devices = strategy.extended.worker_devices
        super().__init__(task)
        if task.scenario.replicas == "mean":
            _average_gradients(self.scenario, strategy.num_replicas_in_sync)

    def building(self) -> AbstractContextManager[Any]:
        scope = ExitStack()
        scope.enter_context(self._strategy.scope())
        scope.enter_context(tf.variable_creator_scope(_aggregated(self.task.scenario.replicas)))
        return scope

    def step(self) -> Callable[..., Any]:
        # TensorFlow's warning of retracing counts traces by function, and should name the author's.
        @functools.wraps(self.scenario.step)
        def together(*shares: Any) -> tuple[Any, Mapping[str, Any]]:
            return self._together(*shares)

        self._traced: Callable[..., Any] = tf.function(together)
        return self._traced

    def _together(self, *shares: Any) -> tuple[Any, Mapping[str, Any]]:
        """One step of all replicas.

        Returns:
            The outputs, and those of every replica for outputs that must be the same in all.
        """
        results: Any = self._strategy.run(self._step_of_replica, args=shares)
        if not isinstance(results, Mapping):
            return results, {}
        local = {name: self._strategy.experimental_local_results(results[name]) for name in results}
        same = {name for name in results if not self._is_combined(name, local[name][0])}
        outputs = {
            name: local[name][0] if name in same else self._combined(name, results[name])
            for name in results
        }
        return outputs, {name: local[name] for name in same}

    def _step_of_replica(self, *shares: Any) -> Any:
        outputs: Any = self.scenario.step(*shares)
        if not isinstance(outputs, Mapping):
            return outputs
        # A mirrored variable is to be read here, by the replica that returns it.
        return {name: tf.convert_to_tensor(value) for name, value in outputs.items()}

    def _is_combined(self, name: str, value: Any) -> bool:
        return name in self.task.scenario.batch or _is_number(value.dtype)

    def _combined(self, name: str, value: Any) -> Any:
        if name in self.task.scenario.batch:
            return self._strategy.gather(value, axis=0)
        return self._strategy.reduce(self.task.scenario.replicas.upper(), value, axis=None)

    def _tensors(self, feed: Feed) -> list[Any]:
        arrays = [feed[name] for name in self.task.argument_names()]
        return list(map(self._placed, arrays, self._shared))

    @property
    def _shared(self) -> list[bool]:
        return [name in self.task.scenario.batch for name in self.task.argument_names()]

    def _placed(self, array: Array, shared: bool) -> Any:
        """The array on the devices of the replicas: a share for each, or a copy for each."""
        replicas = self._strategy.num_replicas_in_sync

        def share(context: Any) -> Any:
            replica = context.replica_id_in_sync_group
            rows = len(array) // replicas if shared else 0
            mine = array[replica * rows : (replica + 1) * rows] if shared else array
            with tf.device(self._devices[replica % len(self._devices)]):
                return tf.constant(mine)

        return self._strategy.experimental_distribute_values_from_function(share)

    def _timed_call(self) -> Call:
        step = self._traced
        if self.task.inputs == "resident":
            tensors = self._resident

            def call() -> list[Array]:
                outputs, _ = step(*tensors)
                return [tensor.numpy() for tensor in outputs.values()]

        else:
            feeds, shared, placed = cycled(self.task), self._shared, self._placed

            def call() -> list[Array]:
                outputs, _ = step(*map(placed, next(feeds), shared))
                return [tensor.numpy() for tensor in outputs.values()]

        return synchronised(call) if self.task.asynchronous else call

    def run(self, feed: Feed) -> dict[str, Array]:
        before = self._variables.keys()
        with _merges_refused():
            outputs, copies = self._traced(*self._tensors(feed))
        if self._names is None:
            require_outputs(outputs)
            require_no_new_variables(before, variables_of(self.scenario))
            _require_known(self.task, outputs)
            self._names = tuple(outputs)
        for name, values in copies.items():
            require_same(f"output {name!r}", [value.numpy() for value in values])
        return {name: tensor.numpy() for name, tensor in outputs.items()}

    @property
    def traces(self) -> int:
        count: int = self._traced.experimental_get_tracing_count()  # type: ignore[attr-defined]
        return count


def require_shares(task: Task, replicas: int) -> None:
    """Check that the task's inputs can be split evenly.

    Raises:
        Unsupported: the scenario declares no batch, or a batch that leaves a remainder.
        ScenarioError: an input of the batch has no first dimension, or the declaration is wrong.
    """
    scenario = task.scenario
    if scenario.replicas not in ("mean", "sum"):
        raise ScenarioError(f"replicas is {scenario.replicas!r}, but should be 'mean' or 'sum'")
    if not (names := [name for name in task.argument_names() if name in scenario.batch]):
        raise Unsupported("declares no batch to split among replicas")
    for name in names:
        for feed in task.feeds:
            if not feed[name].shape:
                raise ScenarioError(
                    f"batch names input {name!r}, which is a scalar, but should have a first "
                    "dimension to split"
                )
            if (rows := len(feed[name])) % replicas:
                raise Unsupported(
                    f"input {name!r} has a batch of {rows}, which cannot be split evenly among "
                    f"{replicas} replicas"
                )


def require_same(what: str, values: Sequence[Array], who: str = "replica") -> None:
    """Check that all replicas, or all workers, have the same value, bit for bit.

    Raises:
        ScenarioError: saying what differs, and the first two values that do.
    """
    first = np.asarray(values[0])
    for number, value in enumerate(map(np.asarray, values)):
        if _bits(value) != _bits(first):
            raise ScenarioError(
                f"{what} is {_short(first)} in {who} 0 and {_short(value)} in {who} {number}, but "
                "should be the same in all; name an output in batch if it has a row for each "
                "example"
            )


def _require_known(task: Task, outputs: Mapping[str, Any]) -> None:
    for name in task.scenario.batch:
        if name not in outputs and name not in task.argument_names():
            raise ScenarioError(
                f"batch names {name!r}, but should name inputs or outputs of step: "
                f"{', '.join([*task.argument_names(), *outputs])}"
            )


def _bits(value: Array) -> tuple[Any, ...]:
    content = value.tolist() if value.dtype.hasobject else value.tobytes()
    return value.dtype, value.shape, content


def _short(value: Any) -> str:
    return np.array2string(np.asarray(value), threshold=4, edgeitems=1).replace("\n", "")


def _is_number(dtype: tf.DType) -> bool:
    """Whether a dtype holds numbers that may be averaged."""
    return bool(dtype.is_floating or dtype.is_complex)


def _aggregated(replicas: str) -> Callable[..., Any]:
    """A creator of variables that says how the replicas' updates become one.

    Only where the author said nothing. Keras says nothing for weights and slots, which its
    optimizers update with one value for all replicas, so that nothing is left to aggregate.
    """
    together = tf.VariableAggregation[replicas.upper()]

    def create(creator: Callable[..., Any], **arguments: Any) -> Any:
        if arguments.get("aggregation") in (None, tf.VariableAggregation.NONE):
            value = arguments["initial_value"]
            value = value() if callable(value) else value
            value = tf.convert_to_tensor(value, arguments.get("dtype"))
            first = tf.VariableAggregation.ONLY_FIRST_REPLICA
            arguments["aggregation"] = together if _is_number(value.dtype) else first
            arguments["initial_value"] = value
        return creator(**arguments)

    return create


def _average_gradients(scenario: Scenario, replicas: int) -> None:
    """Make Keras optimizers average the replicas' gradients, which they sum.

    Their ``loss_scale_factor`` divides each gradient, which is what it is for: the loss that the
    replicas differentiate together, the sum of theirs, is the mean scaled by their number.

    Raises:
        Unsupported: an optimizer scales already.
    """
    for _, optimizer in walk(scenario, contents):
        if not isinstance(optimizer, tf.keras.optimizers.Optimizer):
            continue
        scales = isinstance(optimizer, tf.keras.optimizers.LossScaleOptimizer)
        if scales or optimizer.loss_scale_factor is not None:
            raise Unsupported(
                f"optimizer {optimizer.name!r} scales the loss itself, so that the gradients of "
                "replicas cannot be averaged by its loss_scale_factor"
            )
        optimizer.loss_scale_factor = float(replicas)


@contextmanager
def _merges_refused() -> Iterator[None]:
    """Raise ``Unsupported`` where TensorFlow refuses to merge replicas."""
    try:
        yield
    except RuntimeError as error:
        if _MERGE not in str(error):
            raise
        raise Unsupported(
            "step updates variables inside a loop or branch of the graph, where TensorFlow cannot "
            "merge the updates of replicas (merge_call)"
        ) from error
