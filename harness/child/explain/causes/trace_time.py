"""Python that runs in every eager step runs once, at tracing, in a graph."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from eager_vs_graph.child.explain.conditions import PLAIN, Condition
from eager_vs_graph.child.explain.disagreement import Disagreement
from eager_vs_graph.child.explain.experiments import names
from eager_vs_graph.child.explain.ops import NAMING, EagerOp
from eager_vs_graph.child.explain.probes import eager_ops
from eager_vs_graph.child.explain.source import IMPURE
from eager_vs_graph.child.explain.toggles import Hit, Toggle
from eager_vs_graph.modes import BASELINE
from eager_vs_graph.results.explanation import TRACE_TIME, Cause

SUMMARY = "Python that ran at tracing only: every eager step {}; a graph keeps what its trace {}"
_REMEDIES = {
    "np.random": "draw with tf.random (stateless_* or a tf.random.Generator) instead of NumPy",
    "random": "draw with tf.random (stateless_* or a tf.random.Generator) instead of Python",
    "os.environ": "read the environment once, before the step, and pass the value in as a tensor",
}
_REMEDY = "keep what changes from step to step in a tf.Variable, or pass it in as a tensor"
_OUTSIDE = (
    "pass what comes from outside (a clock, an iterator, entropy) into the step as a tensor "
    "input, or call it through tf.py_function"
)
_ANEW = "a graph that is traced once"
_TRACED_ANEW = ("function", "concrete", "xla")
"""Modes whose programs can trace their step once more; for the others, Python's state will do."""


def toggles(disagreement: Disagreement) -> list[Toggle]:
    """Put Python's state back before each step; trace anew for each step."""
    if disagreement.eager_itself:
        return []
    found = [
        Toggle(TRACE_TIME, name, partial(_frozen, name))
        for name in sorted(disagreement.eager.python)
    ]
    if disagreement.cell.mode not in _TRACED_ANEW:
        return found
    anew = Toggle(
        TRACE_TIME,
        _ANEW,
        lambda condition: replace(condition, retrace=True),
        covers=True,
        excluded="Python side effects: tracing anew for each step changes nothing",
    )
    return [*found, anew]


def outside(disagreement: Disagreement) -> list[Toggle]:
    """Hold still what the step takes from outside of the program."""
    stopped = disagreement.lab.eager(disagreement.cell, Condition(stopped=True))
    if stopped.raised is not None and not disagreement.eager.error:
        raise stopped.raised  # the experiment fails, and is noted as one that does
    if not stopped.taken:
        return []
    return [
        Toggle(
            TRACE_TIME,
            _OUTSIDE_LABEL,
            lambda condition: replace(condition, stopped=True),
            settles=True,
            excluded=f"{', '.join(stopped.taken)}: what it gives changes no value",
        )
    ]


_OUTSIDE_LABEL = "what moves outside of the program"


def causes(disagreement: Disagreement, hit: Hit) -> list[Cause]:
    """The cause that the hit shows."""
    if hit.toggle.label == _OUTSIDE_LABEL:
        return [_outside(disagreement, hit)]
    if hit.toggle.label == _ANEW:
        return [_anew(disagreement, hit)]
    return [_state(disagreement, hit)]


def _frozen(name: str, condition: Condition) -> Condition:
    return replace(condition, freeze=condition.freeze | {name})


def _state(disagreement: Disagreement, hit: Hit) -> Cause:
    item, key, mode = hit.toggle.label, disagreement.worst(hit.keys), disagreement.cell.mode
    frozen = disagreement.lab.eager(disagreement.cell, hit.after)
    where = [line.place for line in disagreement.source.writing(item)]
    ends = [side.shown.get(item, "unchanged") for side in (disagreement.eager, disagreement.found)]
    evidence = [
        *(
            [f"{item} after {disagreement.lab.steps} steps: eager {ends[0]}, {mode} {ends[1]}"]
            if ends[0] != ends[1]
            else []
        ),
        f"{key[1]} by step: eager {disagreement.history(disagreement.eager, key)}; {mode} "
        f"{disagreement.history(disagreement.found, key)}",
        f"eager with {item} put back before each step{_beside(hit)}: "
        f"{disagreement.history(frozen, key)}",
    ]
    return Cause(
        TRACE_TIME,
        item,
        SUMMARY.format(f"changes {item}", "found in it"),
        _REMEDIES.get(item, _REMEDY),
        names(hit.keys),
        tuple(dict.fromkeys(where or changing_lines(disagreement, hit.before))),
        tuple(evidence),
    )


def _anew(disagreement: Disagreement, hit: Hit) -> Cause:
    key, mode = disagreement.worst(hit.keys), disagreement.cell.mode
    anew = disagreement.observe(hit.after)
    lines = [line.place for line in disagreement.source.of_kind(IMPURE)]
    moving = changing_lines(disagreement, hit.before)
    return Cause(
        TRACE_TIME,
        "a value of Python's",
        SUMMARY.format("makes a Python value anew", "was given"),
        _OUTSIDE if lines else _REMEDY,
        names(hit.keys),
        tuple(dict.fromkeys([*moving, *lines])),
        (
            f"{key[1]} by step: eager {disagreement.history(disagreement.eager, key)}; {mode} "
            f"{disagreement.history(disagreement.found, key)}",
            f"{mode} traced anew for each step{_beside(hit)}: {disagreement.history(anew, key)}",
        ),
    )


def _outside(disagreement: Disagreement, hit: Hit) -> Cause:
    stopped = disagreement.lab.eager(disagreement.cell, hit.after)
    what = ", ".join(stopped.taken)
    key, mode = disagreement.worst(hit.keys), disagreement.cell.mode
    other = "a second eager program" if disagreement.eager_itself else mode
    summary = (
        f"{what} gives something else in every run"
        if disagreement.eager_itself
        else SUMMARY.format(f"calls {what}", "was given")
    )
    return Cause(
        TRACE_TIME,
        what,
        summary,
        _OUTSIDE,
        names(hit.keys),
        tuple(dict.fromkeys(line for lines in stopped.taken.values() for line in lines)),
        (
            f"{key[1]} by step: eager {disagreement.history(disagreement.eager, key)}; {other} "
            f"{disagreement.history(disagreement.found, key)}",
            f"with {what} held still in both{_beside(hit)}, {key[1]} by step: eager "
            f"{disagreement.history(stopped, key)}; {other} "
            f"{disagreement.history(disagreement.observe(hit.after), key)}",
        ),
    )


def changing_lines(disagreement: Disagreement, base: Condition = PLAIN) -> list[str]:
    """Lines at which eager's ops are given another value of Python's in each step.

    What no op made, no feed gave and no variable held came from Python.
    """
    if disagreement.lab.steps < 2:
        return []
    try:
        first, second = (
            eager_ops(disagreement.lab, disagreement.cell.in_mode(BASELINE), base, step)
            for step in (0, 1)
        )
    except Exception:  # a place to point at, no more
        return []
    lines = []
    for mine, its in zip(first, second, strict=False):
        if mine.type != its.type or mine.line != its.line:
            lines.append(its.where())
            break
        if _given_another(mine, its, first, second):
            lines.append(mine.where())
    return list(dict.fromkeys(filter(None, lines)))


def _given_another(
    mine: EagerOp, its: EagerOp, first: list[EagerOp], second: list[EagerOp]
) -> bool:
    """Whether an op is given a constant that is another in the second step."""
    if mine.type in NAMING:
        return False
    made = [{text for op in side for text in op.prints} for side in (first, second)]
    return any(
        a != b and a not in made[0] and b not in made[1]
        for a, b in zip(mine.inputs, its.inputs, strict=False)
    )


def _beside(hit: Hit) -> str:
    return f" (and without {', '.join(hit.beside)})" if hit.beside else ""
