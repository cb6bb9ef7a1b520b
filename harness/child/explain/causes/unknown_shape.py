"""A shape that is known in eager and unknown while tracing, where Python reads it."""

from __future__ import annotations

from typing import Any

from eager_vs_graph.child.explain import local_shapes
from eager_vs_graph.child.explain.conditions import Condition
from eager_vs_graph.child.explain.disagreement import Case, Finding
from eager_vs_graph.child.explain.experiments import Observation, names
from eager_vs_graph.child.explain.source import SHAPE
from eager_vs_graph.results.explanation import SHAPE as UNKNOWN_SHAPE
from eager_vs_graph.results.explanation import Cause, Key

_REMEDY = (
    "read a shape with tf.shape(x), which is right in every mode, not x.shape or len(x), which "
    "tracing may not know; or give tensors a static shape (tf.ensure_shape, input_signature)"
)


def find(case: Case, keys: set[Key]) -> Finding:
    """Tell the mode one feed's shapes only; give local tensors the shapes they have in eager."""
    if not keys or case.eager_itself or case.eager.error:
        return Finding()
    if not case.source.of_kind(SHAPE):
        return Finding(excluded=["unknown shapes: the step reads no static shape"])
    found = Finding()
    _one_feed(case, keys, found)
    if left := keys - found.explained:
        _told(case, left, found)
    if not found.causes:
        found.excluded.append("unknown shapes: the shapes that eager sees change nothing")
    return found


def _one_feed(case: Case, keys: set[Key], found: Finding) -> None:
    """Feeds of several shapes leave a dimension unknown in a program that takes them all."""
    varying = [name for name in case.lab.subject.feeds[0] if len(_shapes_of(case, name)) > 1]
    if not varying:
        return
    single = case.lab.observe(case.cell, Condition(one_feed=True))
    removed = case.removed(single, keys)
    if removed:
        told = [f"{name} comes in the shapes {_listed(case, name)}" for name in varying]
        found.causes.append(_cause(case, removed, single, ", ".join(varying), told, varying))
        found.explained |= removed


def _told(case: Case, keys: set[Key], found: Finding) -> None:
    """Let the trace know of local variables' shapes what eager knows."""
    eager, traced = _seen(case)
    unknown = {
        variable: eager[variable]
        for variable, shape in traced.items()
        if variable in eager and not shape.is_fully_defined()
    }
    if not unknown:
        return
    condition = Condition(shapes=tuple(sorted(unknown.items())))
    told = case.lab.observe(case.cell, condition)
    removed = case.removed(told, keys)
    if not removed:
        return
    seen = [
        f"{variable} in {function}: shape {tuple(eager[function, variable])} in eager, "
        f"{traced[function, variable]} while tracing"
        for function, variable in unknown
    ]
    variables = [variable for _function, variable in unknown]
    found.causes.append(_cause(case, removed, told, ", ".join(variables), seen, variables))
    found.explained |= removed


def _cause(
    case: Case,
    keys: set[Key],
    known: Observation,
    what: str,
    evidence: list[str],
    variables: list[str],
) -> Cause:
    key = case.worst(keys)
    lines = case.source.of_kind(SHAPE)
    of_variable = [line for line in lines if line.subject in variables]
    return Cause(
        UNKNOWN_SHAPE,
        what,
        f"Python reads a shape that tracing does not know ({what})",
        _REMEDY,
        names(keys),
        tuple(dict.fromkeys(line.place for line in of_variable or lines)),
        (
            *evidence,
            f"{key[1]}: eager {case.value(case.eager, key)}, {case.cell.mode} "
            f"{case.value(case.found, key)}, {case.cell.mode} with the shapes known "
            f"{case.value(known, key)}",
        ),
    )


def _seen(
    case: Case,
) -> tuple[dict[local_shapes.Variable, tuple[int, ...]], dict[local_shapes.Variable, Any]]:
    """Shapes of local variables in eager (those that never change) and while tracing."""
    file = case.lab.scenario.source_file()
    in_eager: dict[local_shapes.Variable, set[tuple[int, ...]]] = {}
    in_trace: dict[local_shapes.Variable, Any] = {}

    def see(function: str, variable: str, tensor: Any) -> None:
        if hasattr(tensor, "numpy"):  # a symbolic tensor has none
            in_eager.setdefault((function, variable), set()).add(tuple(tensor.shape))
        elif not tensor.shape.is_fully_defined() or (function, variable) not in in_trace:
            in_trace[function, variable] = tensor.shape

    with local_shapes.watching(see, file):
        case.lab.observe_anew(case.cell.in_mode("eager"))
        case.lab.observe_anew(case.cell)
    return {name: next(iter(s)) for name, s in in_eager.items() if len(s) == 1}, in_trace


def _shapes_of(case: Case, name: str) -> list[tuple[int, ...]]:
    return list(dict.fromkeys(feed[name].shape for feed in case.lab.subject.feeds))


def _listed(case: Case, name: str) -> str:
    return ", ".join(map(str, _shapes_of(case, name)))
