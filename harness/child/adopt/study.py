"""What a function does when it is called: its first call, and the random numbers it draws."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import tensorflow as tf

from eager_vs_graph.child.adopt.created import Creation
from eager_vs_graph.child.adopt.described import described, told
from eager_vs_graph.child.adopt.leaves import LOW, Leaf
from eager_vs_graph.child.adopt.making import Maker
from eager_vs_graph.child.adopt.reach import reached
from eager_vs_graph.child.adopt.results import results
from eager_vs_graph.child.adopt.state_roots import held, names_of, python_values
from eager_vs_graph.child.adopt.successive import hint
from eager_vs_graph.child.adopt.tracing import inline, noting
from eager_vs_graph.errors import CallRaised, ScenarioError
from eager_vs_graph.modes.program import name_of_function
from eager_vs_graph.scenario import Feed

if TYPE_CHECKING:
    from eager_vs_graph.child.adopt.function import Adopted


@dataclass(frozen=True)
class Tried:
    """What the first call of a function showed."""

    created: tuple[Leaf | None, ...] = ()
    """How to make the variables that the call creates, in order; None for those of the moment."""
    created_names: tuple[str, ...] = ()
    """Their structural names after the call."""
    renamed: Mapping[str, str] = field(default_factory=dict)
    """Where the call creates any: the structural names of the function's other variables after the
    call, by those before it."""
    dtypes: frozenset[str] = frozenset()
    """Of all variables."""
    notes: tuple[str, ...] = ()
    functions: tuple[str, ...] = ()
    """Names of the user's tf.functions that the call calls, where they are part of the step."""


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
    called: list[Any] = []
    if not traces_itself:
        inline(made.functions, noting(called))
    watched = _PythonState(product.function)
    roots = product.roots
    before = names_of(held(made.variables, *roots), made.variables)

    def call() -> Any:
        tensors = [tf.constant(feeds[0][each]) for each in names]
        arguments, keywords = product.templates[0].filled(tensors)
        return product.function(*arguments, **keywords)

    what = f"{name}({', '.join(described(each, feeds[0][each]) for each in names)})"
    eagerly = tf.config.functions_run_eagerly()
    tf.config.run_functions_eagerly(True)
    try:
        with Creation() as creation, warnings.catch_warnings():
            # That functions of tf.data are graphs even so, which is as it should be.
            warnings.filterwarnings("ignore", "Even though the `tf.config", UserWarning)
            value = call()
    except Exception as error:
        tf.config.run_functions_eagerly(eagerly)
        if not _returns_in_a_graph(maker, feeds[0], names):
            more = hint(product.function, product.templates[0].arguments)
            raise CallRaised(f"{what} raised {told(error)}{more}") from error
        return Tried(
            dtypes=frozenset(variable.dtype.base_dtype.name for variable in made.variables),
            notes=(f"{what} raises when it runs eagerly: {told(error)}",),
            functions=names_of_functions(called),
        )
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
    functions = names_of_functions(called)
    if functions:
        notes.append(f"tf.functions that it calls are run as part of it: {', '.join(functions)}")
    created = creation.kept(reached(*roots).variables)
    kept = [
        variable
        for variable, leaf in zip(creation.variables, created, strict=bool(created))
        if leaf is not None
    ]
    variables = [*made.variables, *kept]
    after = names_of(held(variables, *roots), variables) if kept else ()
    return Tried(
        created=created,
        created_names=after[len(before) :],
        renamed=dict(zip(before, after, strict=False)),
        dtypes=frozenset(variable.dtype.base_dtype.name for variable in variables),
        notes=tuple(notes),
        functions=functions,
    )


def names_of_functions(functions: Sequence[Any]) -> tuple[str, ...]:
    """Each name once, in order."""
    return tuple(dict.fromkeys(map(name_of_function, functions)))


def _returns_in_a_graph(maker: Maker, feed: Feed, names: Sequence[str]) -> bool:
    """Whether a graph returns where eager raises: that is no mistake in the call."""
    for compiled in (None, True):
        try:
            product = maker.make().product
            tensors = [tf.constant(feed[each]) for each in names]
            arguments, keywords = product.templates[0].filled(tensors)
            tf.function(product.function, jit_compile=compiled)(*arguments, **keywords)
        except Exception:  # noqa: S112 - the eager call's error is what is reported
            continue
        return True
    return False


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


def no_reference(scenario: type[Adopted]) -> str:
    """Why a function cannot be its own reference in float64; empty where it can."""
    dtypes = {array.dtype.name for feed in scenario.feeds for array in feed.values()}
    if not (dtypes | scenario.tried.dtypes) & {*LOW, "complex64"}:
        return "neither its arguments nor its variables are float32, float16 or bfloat16"
    return ""
