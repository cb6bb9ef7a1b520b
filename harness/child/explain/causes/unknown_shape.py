"""A shape that is known in eager and unknown while tracing, where Python reads it."""

from __future__ import annotations

from typing import Any

from eager_vs_graph.child.explain import local_shapes
from eager_vs_graph.child.explain.conditions import Condition
from eager_vs_graph.child.explain.disagreement import Disagreement, Finding
from eager_vs_graph.child.explain.experiments import Observation, names
from eager_vs_graph.child.explain.source import SHAPE
from eager_vs_graph.results.explanation import SHAPE as UNKNOWN_SHAPE
from eager_vs_graph.results.explanation import Cause, Key

_REMEDY = (
    "read a shape with tf.shape(x), which is right in every mode, not x.shape or len(x), which "
    "tracing may not know; or give tensors a static shape (tf.ensure_shape, input_signature)"
)


def find(disagreement: Disagreement, keys: set[Key]) -> Finding:
    """Tell the mode one feed's shapes only; give local tensors the shapes they have in eager."""
    if not keys or disagreement.eager_itself or disagreement.eager.error:
        return Finding()
    if not disagreement.source.of_kind(SHAPE):
        return Finding(excluded=["unknown shapes: the step reads no static shape"])
    found = Finding()
    _one_feed(disagreement, keys, found)
    if left := keys - found.explained:
        _told(disagreement, left, found)
    if not found.causes:
        found.excluded.append("unknown shapes: the shapes that eager sees change nothing")
    return found


def _one_feed(disagreement: Disagreement, keys: set[Key], found: Finding) -> None:
    """Feeds of several shapes leave a dimension unknown in a program that takes them all."""
    varying = [
        name
        for name in disagreement.lab.subject.feeds[0]
        if len(_shapes_of(disagreement, name)) > 1
    ]
    if not varying:
        return
    single = disagreement.lab.observe(disagreement.cell, Condition(one_feed=True))
    removed = disagreement.removed(single, keys)
    if removed:
        told = [f"{name} comes in the shapes {_listed(disagreement, name)}" for name in varying]
        found.causes.append(
            _cause(disagreement, removed, single, ", ".join(varying), told, varying)
        )
        found.explained |= removed


def _told(disagreement: Disagreement, keys: set[Key], found: Finding) -> None:
    """Let the trace know of local variables' shapes what eager knows."""
    eager, traced = _seen(disagreement)
    unknown = {
        variable: eager[variable]
        for variable, shape in traced.items()
        if variable in eager and not shape.is_fully_defined()
    }
    if not unknown:
        return
    condition = Condition(shapes=tuple(sorted(unknown.items())))
    told = disagreement.lab.observe(disagreement.cell, condition)
    removed = disagreement.removed(told, keys)
    if not removed:
        return
    seen = [
        f"{variable} in {function}: shape {tuple(eager[function, variable])} in eager, "
        f"{traced[function, variable]} while tracing"
        for function, variable in unknown
    ]
    variables = [variable for _function, variable in unknown]
    found.causes.append(_cause(disagreement, removed, told, ", ".join(variables), seen, variables))
    found.explained |= removed


def _cause(
    disagreement: Disagreement,
    keys: set[Key],
    known: Observation,
    what: str,
    evidence: list[str],
    variables: list[str],
) -> Cause:
    key = disagreement.worst(keys)
    lines = disagreement.source.of_kind(SHAPE)
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
            f"{key[1]}: eager {disagreement.value(disagreement.eager, key)}, "
            f"{disagreement.cell.mode} "
            f"{disagreement.value(disagreement.found, key)}, {disagreement.cell.mode} with "
            "the shapes known "
            f"{disagreement.value(known, key)}",
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

    with local_shapes.watching(see, file):
        disagreement.lab.observe_anew(disagreement.cell.in_mode("eager"))
        disagreement.lab.observe_anew(disagreement.cell)
    return {name: next(iter(s)) for name, s in in_eager.items() if len(s) == 1}, in_trace


def _shapes_of(disagreement: Disagreement, name: str) -> list[tuple[int, ...]]:
    return list(dict.fromkeys(feed[name].shape for feed in disagreement.lab.subject.feeds))


def _listed(disagreement: Disagreement, name: str) -> str:
    return ", ".join(map(str, _shapes_of(disagreement, name)))
