"""A v1 session: the scenario built in a ``tf.Graph`` and run by ``tf.compat.v1.Session``.

``step`` is called through ``tf.function`` *inside* the graph. Built plainly, its ``assign_sub``
would never run: a session runs what a fetch depends on, and a loss does not depend on the update.
Inside a function, automatic control dependencies and AutoGraph hold as everywhere in TensorFlow 2.

Inputs are placeholders (fed) or non-trainable variables (resident), never constants: Grappler
would fold the whole computation away.

All variables are loaded in one run, and so is whatever else a session must initialise: tables, and
iterators that ``build`` made of data sets. A variable that begins with an array is initialised from
a placeholder: as a constant, the array would be in the graph, and in each of its copies.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import numpy as np
import tensorflow as tf

from eager_vs_graph.modes import kerases
from eager_vs_graph.modes.grappler import graph_options
from eager_vs_graph.modes.program import (
    Call,
    Program,
    Task,
    cycled,
    require_no_new_variables,
    require_outputs,
    specs_of,
    synchronised,
    writers_of,
)
from eager_vs_graph.modes.script_parts import Build, Outcome, VariablesOf
from eager_vs_graph.modes.variables import variables_of
from eager_vs_graph.scenario import Array, Feed, Scenario, State

v1 = tf.compat.v1


class SessionProgram(Program):
    """A graph with its session. Building traces; the first call runs Grappler."""

    scenario: Scenario

    def __init__(self, task: Task) -> None:
        super().__init__(task)
        self._names = task.argument_names()
        self._graph = tf.Graph()
        # An op's seed is combined with that of its graph; of a new graph, with a constant. So the
        # seed that was set is given to this graph, or `shuffle(seed=1)` would be another order.
        seed, _ = v1.get_seed(0)
        starts = _Starts()
        with (
            self._graph.as_default(),
            task.on_device(),
            starts.fed(),
            _iterators_kept(),
            kerases.classes_kept(),
        ):
            tf.random.set_seed(seed)
            self.scenario = scenario = task.instance()
            scenario.build()
            self._variables = variables_of(scenario)
            self._inputs = [self._input(spec) for spec in task.specs()]
            self._function = tf.function(scenario.step)
            outputs = self._function(*(tf.identity(value) for value in self._inputs))
            require_outputs(outputs)
            require_no_new_variables(self._variables, variables_of(scenario))
            self._output_names = list(outputs)
            self._fetches = fetches = [tf.identity(tensor) for tensor in outputs.values()]
            self._load = _Load(list(self._variables.values()))
            self._place_inputs = _Load([v for v in self._inputs if isinstance(v, tf.Variable)])
            every, tables = v1.global_variables(), v1.tables_initializer()
            initialise = v1.variables_initializer(every)
            make_iterators = v1.get_collection(_ITERATORS)
            # In a graph, ops open and flush a summary writer's file; a no-op writer has none.
            opens = [op for writer in writers_of(scenario) if (op := writer.init()) is not None]
            self._flushes = [
                op for writer in writers_of(scenario) if (op := writer.flush()) is not None
            ]
        self._session = self._open_session()
        try:
            self._session.run(initialise, starts.values)
        except tf.errors.FailedPreconditionError:  # one begins with what another one holds
            for variable in every:
                self._session.run(variable.initializer, starts.values)
        self._session.run([tables, opens])
        self._session.run(make_iterators)
        self._read = self._fetcher(list(self._variables.values()))
        self._fetch = self._fetcher(fetches, None if self._resident else self._inputs)
        self._place(task.feeds[0])
        self.call = self._timed_call(fetches)

    def _open_session(self) -> Any:
        """A session of the graph, with as many CPUs as this process."""
        cpus = len(tf.config.list_logical_devices("CPU"))
        config = v1.ConfigProto(device_count={"CPU": cpus}, graph_options=graph_options())
        return v1.Session(graph=self._graph, config=config)

    @property
    def _resident(self) -> bool:
        return self.task.inputs == "resident"

    def _fetcher(
        self, fetches: list[Any], feeds: Sequence[Any] | None = None
    ) -> Callable[..., list[Array]]:
        if not fetches:  # a session refuses to fetch nothing
            return list
        # Not an empty list of feeds: with one, make_callable falls back to Session.run, 70 µs.
        fetch: Callable[..., list[Array]] = self._session.make_callable(fetches, feed_list=feeds)
        return fetch

    def _input(self, spec: tf.TensorSpec) -> Any:
        if not self._resident:
            return v1.placeholder(spec.dtype, spec.shape, name=spec.name)
        start = tf.zeros(self.task.feeds[0][spec.name].shape, spec.dtype)
        return tf.Variable(start, trainable=False, shape=spec.shape, name=f"resident_{spec.name}")

    def _place(self, feed: Feed) -> None:
        if self._resident:
            self._place_inputs(self._session, [feed[name] for name in self._names])

    def _timed_call(self, fetches: list[Any]) -> Call:
        fetch = self._fetch
        call: Call = fetch
        if self._resident and len(fetches) == 1:
            call = self._session.make_callable(fetches[0])  # as anybody would fetch one tensor
        elif not self._resident:
            feeds = cycled(self.task)

            def call() -> object:
                return fetch(*next(feeds))

        return synchronised(call) if self.task.asynchronous else call

    def run(self, feed: Feed) -> dict[str, Array]:
        if self._resident:
            self._place(feed)
            outputs = self._fetch()
        else:
            outputs = self._fetch(*(feed[name] for name in self._names))
        return dict(zip(self._output_names, outputs, strict=True))

    def warm(self, feed: Feed) -> None:
        self.run(feed)
        self._place(self.task.feeds[0])  # run left its own feed there

    def state(self) -> State:
        return dict(zip(self._variables, self._read(), strict=True))

    def load(self, state: State) -> None:
        self._load(self._session, [state[name] for name in self._variables])

    def optimised_graphs(self, feed: Feed) -> list[Any]:
        fetches = self._fetches
        feeds = {}
        if self._resident:
            self._place(feed)
        else:
            feeds = {place: feed[n] for n, place in zip(self._names, self._inputs, strict=True)}
        metadata = v1.RunMetadata()
        options = v1.RunOptions(output_partition_graphs=True)
        self._session.run(fetches, feeds, options=options, run_metadata=metadata)
        return list(metadata.partition_graphs)

    def executed_ops(self, feed: Feed) -> list[str]:
        """The names of the ops that one step executes, each as often as it is executed."""
        feeds = {}
        if self._resident:
            self._place(feed)
        else:
            feeds = {place: feed[n] for n, place in zip(self._names, self._inputs, strict=True)}
        metadata = v1.RunMetadata()
        options = v1.RunOptions(trace_level=v1.RunOptions.FULL_TRACE)
        self._session.run(self._fetches, feeds, options=options, run_metadata=metadata)
        devices = metadata.step_stats.dev_stats
        return [node.node_name for device in devices for node in device.node_stats]

    @property
    def traces(self) -> int:
        count: int = self._function.experimental_get_tracing_count()
        return count

    def variables(self) -> Mapping[str, tf.Variable]:
        return self._variables

    def write_checkpoint(self, prefix: str) -> None:
        with self._graph.as_default(), self._session.as_default():
            self.scenario.checkpoint.write(prefix)

    def restore_checkpoint(self, prefix: str) -> None:
        with self._graph.as_default(), self._session.as_default():
            self.scenario.checkpoint.read(prefix).assert_consumed().run_restore_ops()

    def flush(self) -> None:
        self._session.run(self._flushes)

    def close(self) -> None:
        self._session.close()


class _Load:
    """Assigns variables from the host in one run: a placeholder and an assignment for each."""

    def __init__(self, variables: Sequence[tf.Variable]) -> None:
        self._values = [v1.placeholder(v.dtype.base_dtype, v.shape) for v in variables]
        self._assign = [
            variable.assign(value, read_value=False)
            for variable, value in zip(variables, self._values, strict=True)
        ]

    def __call__(self, session: Any, values: Sequence[Array]) -> None:
        if self._assign:
            # A session takes an aligned array's memory as it is: what becomes of the array would
            # become of the variable.
            copies = map(np.array, values)
            session.run(self._assign, dict(zip(self._values, copies, strict=True)))


class _Starts:
    """Arrays that variables begin with.

    Attributes:
        values: by the placeholder that the variable is initialised from.
    """

    def __init__(self) -> None:
        self.values: dict[Any, Array] = {}

    def fed(self) -> AbstractContextManager[Any]:
        """Within, variables that begin with an array begin with a placeholder's value."""
        scope: AbstractContextManager[Any] = tf.variable_creator_scope(self._create)
        return scope

    def _create(self, next_creator: Callable[..., Any], **settings: Any) -> Any:
        start = settings.get("initial_value")
        if isinstance(start, np.ndarray) and start.dtype != object:
            dtype = tf.as_dtype(settings.get("dtype") or start.dtype)
            place = v1.placeholder(dtype, start.shape)
            self.values[place] = np.array(start, dtype.as_numpy_dtype)
            settings["initial_value"] = place
        return next_creator(**settings)


_ITERATORS = "eager_vs_graph_iterators"
"""The graph's collection of ops that a session runs after all others are initialised."""


@contextmanager
def _iterators_kept() -> Iterator[None]:
    """Within, ``iter`` of a data set works in a v1 graph, outside of functions as well.

    TensorFlow has iterators there that a session initialises and that keep their place from run to
    run; only Python's ``iter`` it refuses.
    """
    of_tensorflow = tf.data.Dataset.__iter__

    def make(dataset: Any) -> Any:
        if tf.executing_eagerly() or tf.inside_function():
            return of_tensorflow(dataset)
        made = v1.data.make_initializable_iterator(dataset)
        v1.add_to_collection(_ITERATORS, made.initializer)
        kind = tf.data.IteratorSpec(dataset.element_spec)
        parts = [made._iterator_resource]
        return tf.nest.pack_sequence_as(kind, parts, expand_composites=True)

    tf.data.Dataset.__iter__ = make
    try:
        yield
    finally:
        tf.data.Dataset.__iter__ = of_tensorflow


def run_mode(build: Build, feeds: Sequence[Feed], variables_of: VariablesOf) -> Outcome:
    """Take the steps in a session, from the values that eager gives the variables.

    Inputs are variables: as constants they would be folded into the graph.
    """
    v1 = tf.compat.v1
    start = [variable.numpy() for variable in variables_of(build()).values()]
    with tf.Graph().as_default():
        scenario = build()
        variables = variables_of(scenario)
        specs = specs_of(feeds, list(feeds[0]))
        inputs = [
            tf.Variable(
                tf.zeros(feeds[0][spec.name].shape, spec.dtype), trainable=False, shape=spec.shape
            )
            for spec in specs
        ]
        tensors = {spec.name: tf.identity(v) for spec, v in zip(specs, inputs, strict=True)}
        outputs = tf.function(scenario.step)(**tensors)
        fetches = {name: tf.identity(output) for name, output in outputs.items()}
        places = [*variables.values(), *inputs]
        holders = [v1.placeholder(place.dtype.base_dtype, place.shape) for place in places]
        loads = [v.assign(held, read_value=False) for v, held in zip(places, holders, strict=True)]
        count = len(start)
        config = v1.ConfigProto(graph_options=graph_options())
        with v1.Session(config=config) as session:
            session.run(v1.global_variables_initializer())
            session.run(loads[:count], dict(zip(holders, start, strict=False)))
            taken = []
            for feed in feeds:
                values = [feed[spec.name] for spec in specs]
                session.run(loads[count:], dict(zip(holders[count:], values, strict=True)))
                taken.append(session.run(fetches))
            return taken, session.run(dict(variables))


build: Callable[[Task], SessionProgram] = SessionProgram
