"""What a function does when it is called: its first call, and the random numbers it draws."""

from __future__ import annotations

import re
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf

from eager_vs_graph.child.adopt.copying import Snapshot
from eager_vs_graph.errors import CallRaised, ScenarioError
from eager_vs_graph.modes.failures import failure
from eager_vs_graph.scenario import Feed, KnownDifference

if TYPE_CHECKING:
    from eager_vs_graph.child.adopt.function import Adopted

_LOW = ("float16", "bfloat16", "float32")
_STATEFUL = re.compile(
    r"^(Random(Uniform|UniformInt|StandardNormal|Shuffle|Gamma|GammaGrad|Poisson|PoissonV2)"
    r"|TruncatedNormal|ParameterizedTruncatedNormal|Multinomial)$"
)
_ANY = re.compile(r"^(Stateless(Random|Truncated|Multinomial|Parameterized|Shuffle)|Stateful)")


@dataclass(frozen=True)
class Tried:
    """A function after its first call."""

    snapshot: Snapshot
    """The function as it was before the call, but with the variables that the call created."""
    notes: tuple[str, ...]


def first_call(
    snapshot: Snapshot,
    name: str,
    feeds: Sequence[Feed],
    names: Sequence[str],
    *,
    traces_itself: bool,
) -> Tried:
    """Call a copy of the function once, eagerly, so that it creates the variables it lacks.

    Layers and optimizers that nobody built do so on their first call; they are given back with the
    values that their variables were created with.

    Raises:
        CallRaised: the call fails.
        ScenarioError: it does not return tensors, or creates variables each time.
    """
    from eager_vs_graph.child.adopt.function import described, results
    from eager_vs_graph.child.adopt.structure import filled

    copy = snapshot.copy()
    function, arguments, keywords = copy.value
    before = [(variable, variable.numpy()) for variable in copy.variables]
    created: list[tuple[tf.Variable, Any]] = []
    watched = _PythonState(function)

    def remember(next_creator: Callable[..., Any], **settings: Any) -> Any:
        variable = next_creator(**settings)
        created.append((variable, np.array(variable.numpy())))
        return variable

    def call() -> Any:
        tensors = [tf.constant(feeds[0][each]) for each in names]
        filled_in = [filled(each, tensors) for each in arguments]
        return function(*filled_in, **{k: filled(v, tensors) for k, v in keywords.items()})

    told = f"{name}({', '.join(described(each, feeds[0][each]) for each in names)})"
    eagerly = tf.config.functions_run_eagerly()
    tf.config.run_functions_eagerly(True)
    try:
        with tf.variable_creator_scope(remember):
            value = call()
    except Exception as error:
        raise CallRaised(f"{told} raised {_told(error)}") from error
    finally:
        tf.config.run_functions_eagerly(eagerly)
    try:
        found = results(value)
    except ScenarioError as error:
        raise ScenarioError(f"{name}: {error}") from None
    if "nothing" in found and not (before or created):
        raise ScenarioError(
            f"{told} returns nothing and has no variables, so that there is nothing to compare; it "
            "should return tensors"
        )
    notes = watched.notes()
    if snapshot.traced and not traces_itself:
        inner = ", ".join(dict.fromkeys(snapshot.traced))
        notes.append(f"tf.functions that it calls are run as part of it: {inner}")
    if not created:
        return Tried(snapshot, tuple(notes))
    for variable, start in [*before, *created]:
        variable.assign(start)
    return Tried(Snapshot((function, arguments, keywords), name), tuple(notes))


class _PythonState:
    """Python values that a function can reach and change: in a graph they change once only."""

    def __init__(self, function: Any) -> None:
        self._function = function
        self._before = self._values()

    def notes(self) -> list[str]:
        """One line for each value that is another now."""
        after = self._values()
        return [
            f"it changes {name} ({old} before a call, {after[name]} after it); in a graph that "
            "happens once, while it is traced"
            for name, old in self._before.items()
            if name in after and after[name] != old
        ]

    def _values(self) -> dict[str, str]:
        from eager_vs_graph.child.adopt.state_roots import python_values

        return python_values(self._function)


class Randomness:
    """``known_differences`` of an adopted function: what random numbers without a seed explain."""

    def __get__(self, _: object, scenario: type[Adopted]) -> tuple[KnownDifference, ...]:
        drawn = random_ops(scenario)
        unseeded = [op for op in drawn if _STATEFUL.match(op)]
        if not unseeded:
            return ()
        reason = (
            f"the function draws random numbers with {', '.join(unseeded)}, whose stream is "
            "another in each call and mode; draw them with tf.random.stateless_* or a "
            "tf.random.Generator to have the answers compared"
        )
        return (KnownDifference(_Everything(), reason),)


class _Everything(tuple[str, ...]):
    """Every tensor's name."""

    __slots__ = ()

    def __contains__(self, name: object) -> bool:
        return True


def no_reference(scenario: type[Adopted]) -> str:
    """Why a function cannot be its own reference in float64; empty where it can."""
    if drawn := random_ops(scenario):
        return f"it draws random numbers ({', '.join(drawn)}), which are others in float64"
    floats = [array for feed in scenario.feeds for array in feed.values()]
    floats += [variable.numpy() for variable in scenario.snapshot.copy().variables]
    if not any(array.dtype.name in (*_LOW, "complex64") for array in floats):
        return "neither its arguments nor its variables are float32, float16 or bfloat16"
    return ""


def random_ops(scenario: type[Adopted]) -> list[str]:
    """Types of the ops in the function's graph that draw random numbers; none where it has none."""
    if "_random_ops" not in vars(scenario):
        scenario._random_ops = _random_ops(scenario)  # type: ignore[attr-defined]
    found: list[str] = vars(scenario)["_random_ops"]
    return found


def _random_ops(scenario: type[Adopted]) -> list[str]:
    instance = scenario(next(iter(scenario.sizes.values())))
    instance.build()
    if scenario.traces_itself:
        if not hasattr(instance.function.call, "alike"):
            return []
        instance.function.call = instance.function.call.alike()
    specs = [
        tf.TensorSpec(array.shape, tf.as_dtype(array.dtype), name)
        for name, array in scenario.feeds[0].items()
    ]
    try:
        graph = tf.function(instance.step).get_concrete_function(*specs).graph.as_graph_def()
    except Exception:  # a function that cannot be a graph: the modes will say so
        return []
    nodes = [*graph.node, *(node for f in graph.library.function for node in f.node_def)]
    ops = {node.op for node in nodes if _STATEFUL.match(node.op) or _ANY.match(node.op)}
    return sorted(ops - {"StatelessRandomGetKeyCounter", "StatelessRandomGetAlg"})


def _told(error: Exception) -> str:
    """An exception in a line, with the user's own line."""
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if "site-packages" not in frame.filename and "/eager_vs_graph/" not in frame.filename
    ]
    place = f" ({frames[-1].filename}:{frames[-1].lineno})" if frames else ""
    return f"{failure(error)[1]}{place}"
