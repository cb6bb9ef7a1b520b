"""What a function does when it is called: its first call, and the random numbers it draws."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import tensorflow as tf

from eager_vs_graph.child.adopt.created import Creation
from eager_vs_graph.child.adopt.described import described, told
from eager_vs_graph.child.adopt.leaves import LOW, Leaf
from eager_vs_graph.child.adopt.making import Maker
from eager_vs_graph.child.adopt.reach import reached
from eager_vs_graph.child.adopt.results import results
from eager_vs_graph.child.adopt.state_roots import held, names_of, python_values
from eager_vs_graph.child.adopt.structure import filled
from eager_vs_graph.child.adopt.tracing import inline
from eager_vs_graph.errors import CallRaised, ScenarioError
from eager_vs_graph.scenario import Feed, KnownDifference

if TYPE_CHECKING:
    from eager_vs_graph.child.adopt.function import Adopted

_STATEFUL = re.compile(
    r"^(Random(Uniform|UniformInt|StandardNormal|Shuffle|Gamma|GammaGrad|Poisson|PoissonV2)"
    r"|TruncatedNormal|ParameterizedTruncatedNormal|Multinomial)$"
)
_OF_A_STATE = re.compile(
    r"^(Stateless(Random|Truncated|Multinomial|Parameterized|Shuffle|SampleDistorted)"
    r"|Stateful(Random|Standard|Truncated|Uniform))"
)


@dataclass(frozen=True)
class Tried:
    """What the first call of a function showed."""

    created: tuple[Leaf | None, ...] = ()
    """How to make the variables that the call creates, in order; None for those of the moment."""
    names: tuple[str, ...] = ()
    """Where the call creates any: structural names of the function's variables, then of those."""
    dtypes: frozenset[str] = frozenset()
    """Of all variables."""
    notes: tuple[str, ...] = ()


def first_call(
    maker: Maker, name: str, feeds: Sequence[Feed], names: Sequence[str], *, traces_itself: bool
) -> Tried:
    """Call a function once, eagerly, with objects that are thrown away.

    Raises:
        CallRaised: the call fails.
        ScenarioError: it does not return tensors, or leaves nothing to compare.
    """
    made = maker.make()
    product = made.product
    if not traces_itself:
        inline(made.functions)
    watched = _PythonState(product.function)

    def call() -> Any:
        tensors = [tf.constant(feeds[0][each]) for each in names]
        arguments = [filled(each, tensors) for each in product.arguments]
        keywords = {key: filled(value, tensors) for key, value in product.keywords.items()}
        return product.function(*arguments, **keywords)

    what = f"{name}({', '.join(described(each, feeds[0][each]) for each in names)})"
    eagerly = tf.config.functions_run_eagerly()
    tf.config.run_functions_eagerly(True)
    try:
        with Creation() as creation:
            value = call()
    except Exception as error:
        raise CallRaised(f"{what} raised {told(error)}") from error
    finally:
        tf.config.run_functions_eagerly(eagerly)
    try:
        found = results(value)
    except ScenarioError as error:
        raise ScenarioError(f"{name}: {error}") from None
    if "nothing" in found and not (made.variables or creation.variables):
        raise ScenarioError(
            f"{what} returns nothing and has no variables, so that there is nothing to compare; it "
            "should return tensors"
        )
    notes = watched.notes()
    if made.functions and not traces_itself:
        inner = ", ".join(dict.fromkeys(map(_name_of, made.functions)))
        notes.append(f"tf.functions that it calls are run as part of it: {inner}")
    roots = (product.function, product.arguments, product.keywords)
    created = creation.kept(reached(*roots).variables)
    kept = [
        variable
        for variable, leaf in zip(creation.variables, created, strict=bool(created))
        if leaf is not None
    ]
    variables = [*made.variables, *kept]
    return Tried(
        created=created,
        names=names_of(held(variables, *roots), variables) if kept else (),
        dtypes=frozenset(variable.dtype.base_dtype.name for variable in variables),
        notes=tuple(notes),
    )


def _name_of(function: Any) -> str:
    python = function.python_function
    return str(getattr(python, "__qualname__", repr(python)))


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
    dtypes = {array.dtype.name for feed in scenario.feeds for array in feed.values()}
    if not (dtypes | scenario.tried.dtypes) & {*LOW, "complex64"}:
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
    ops = {node.op for node in nodes if _STATEFUL.match(node.op) or _OF_A_STATE.match(node.op)}
    return sorted(ops - {"StatelessRandomGetKeyCounter", "StatelessRandomGetAlg"})
