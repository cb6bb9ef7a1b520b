"""A shape that is known in eager and unknown while tracing, where Python reads it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from eager_vs_graph.child.explain import local_shapes
from eager_vs_graph.child.explain.conditions import Condition
from eager_vs_graph.child.explain.disagreement import Disagreement
from eager_vs_graph.child.explain.experiments import Observation, names, rank
from eager_vs_graph.child.explain.source import SHAPE
from eager_vs_graph.child.explain.toggles import Hit, Toggle
from eager_vs_graph.results.explanation import SHAPE as UNKNOWN_SHAPE
from eager_vs_graph.results.explanation import Cause, Key

_REMEDY = (
    "read a shape with tf.shape(x), which is right in every mode, not x.shape or len(x), which "
    "tracing may not know; or give tensors a static shape (tf.ensure_shape, input_signature)"
)


def toggles(disagreement: Disagreement) -> list[Toggle]:
    """Tell the mode one feed's shapes only; give local tensors the shapes they have in eager."""
    if disagreement.eager_itself or not disagreement.source.of_kind(SHAPE):
        return []
    found = []
    if varying := _varying(disagreement):
        found.append(
            Toggle(
                UNKNOWN_SHAPE,
                f"other shapes of {', '.join(varying)}",
                lambda condition: replace(condition, one_feed=True),
                excluded="unknown shapes: one feed's shapes alone change nothing",
            )
        )
    if unknown := _unknown(disagreement):
        # Shapes may be others in each step; those of the first feed's are told, for it alone.
        alone = disagreement.compare(Condition(first_feed=True))
        found.append(
            Toggle(
                UNKNOWN_SHAPE,
                _LOCAL,
                lambda condition: replace(
                    condition, shapes=tuple(sorted(unknown.items())), first_feed=True
                ),
                only=frozenset(key for key, each in alone.items() if rank(each)),
                excluded="unknown shapes: the shapes that eager sees change nothing",
            )
        )
    return found


_LOCAL = "unknown shapes of local tensors"


def causes(disagreement: Disagreement, hit: Hit) -> list[Cause]:
    """The cause that the hit shows."""
    known = disagreement.observe(hit.after)
    eager_known = disagreement.lab.eager(disagreement.cell, hit.after)
    if hit.toggle.label != _LOCAL:
        varying = _varying(disagreement)
        seen = [f"{name} comes in the shapes {_listed(disagreement, name)}" for name in varying]
        what = ", ".join(varying)
        return [_cause(disagreement, hit.keys, known, eager_known, what, seen, varying)]
    eager, traced = _seen(disagreement)
    unknown = list(_unknown(disagreement))
    seen = [
        f"{variable} in {function}: shape {tuple(eager[function, variable])} in eager, "
        f"{traced[function, variable]} while tracing"
        for function, variable in unknown
    ]
    variables = [variable for _function, variable in unknown]
    what = ", ".join(variables)
    return [_cause(disagreement, hit.keys, known, eager_known, what, seen, variables)]


def _varying(disagreement: Disagreement) -> list[str]:
    """Inputs of several shapes: a dimension is unknown in a program that takes them all."""
    first = disagreement.lab.subject.feeds[0]
    return [name for name in first if len(_shapes_of(disagreement, name)) > 1]


def _unknown(disagreement: Disagreement) -> dict[local_shapes.Variable, tuple[int, ...]]:
    """Eager's shapes of the local tensors whose shape tracing does not know."""
    eager, traced = _seen(disagreement)
    return {
        variable: eager[variable]
        for variable, shape in traced.items()
        if variable in eager and not shape.is_fully_defined()
    }


def _cause(
    disagreement: Disagreement,
    keys: set[Key],
    known: Observation,
    eager_known: Observation,
    what: str,
    evidence: list[str],
    variables: list[str],
) -> Cause:
    key = disagreement.worst(keys)
    lines = disagreement.source.of_kind(SHAPE)
    of_variable = [line for line in lines if line.subject in variables]
    mode = disagreement.cell.mode
    return Cause(
        UNKNOWN_SHAPE,
        what,
        f"Python reads a shape that tracing does not know ({what})",
        _REMEDY,
        names(keys),
        tuple(dict.fromkeys(line.place for line in of_variable or lines)),
        (
            *evidence,
            f"{key[1]}: eager {disagreement.value(disagreement.eager, key)}, {mode} "
            f"{disagreement.value(disagreement.found, key)}; with the shapes known: eager "
            f"{disagreement.value(eager_known, key)}, {mode} {disagreement.value(known, key)}",
        ),
    )


def _seen(
    disagreement: Disagreement,
) -> tuple[dict[local_shapes.Variable, tuple[int, ...]], dict[local_shapes.Variable, Any]]:
    """Shapes of local variables in eager (those that never change) and while tracing."""
    file = disagreement.lab.scenario.source_file()
    in_eager: dict[local_shapes.Variable, set[tuple[int, ...]]] = {}
    in_trace: dict[local_shapes.Variable, Any] = {}

    def see(function: str, variable: str, tensor: Any) -> None:
        if hasattr(tensor, "numpy"):  # a symbolic tensor has none
            in_eager.setdefault((function, variable), set()).add(tuple(tensor.shape))
        elif not tensor.shape.is_fully_defined() or (function, variable) not in in_trace:
            in_trace[function, variable] = tensor.shape

    condition = Condition(first_feed=True)
    with local_shapes.watching(see, file):
        disagreement.lab.observe_anew(disagreement.cell.in_mode("eager"), condition)
        disagreement.lab.observe_anew(disagreement.cell, condition)
    return {name: next(iter(s)) for name, s in in_eager.items() if len(s) == 1}, in_trace


def _shapes_of(disagreement: Disagreement, name: str) -> list[tuple[int, ...]]:
    return list(dict.fromkeys(feed[name].shape for feed in disagreement.lab.subject.feeds))


def _listed(disagreement: Disagreement, name: str) -> str:
    return ", ".join(map(str, _shapes_of(disagreement, name)))
