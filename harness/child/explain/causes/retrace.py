"""A trace in every call: which argument causes it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import tensorflow as tf

from eager_vs_graph.child.explain.conditions import PLAIN, Condition
from eager_vs_graph.child.explain.disagreement import Disagreement, Finding
from eager_vs_graph.child.explain.source import MAKES_FUNCTION
from eager_vs_graph.child.parity import python_state
from eager_vs_graph.results.explanation import RETRACE, Cause, Key
from eager_vs_graph.scenario import Scenario

_CALLS = 6
_PARAMETER = re.compile(r"^ {2}(\S+) \((?:POSITIONAL|KEYWORD|VAR)\w*\): (.*)$", re.MULTILINE)
_SHAPES = (
    "give inputs one shape (pad, or batch with drop_remainder), or declare the varying dimension "
    "with input_signature or reduce_retracing=True"
)
_PYTHON = "pass what varies as a tensor: a Python value is part of a trace's key"
_MADE_ANEW = "make the tf.function once, in build, not in every step"


def find(disagreement: Disagreement, _keys: set[Key]) -> Finding:
    """Count traces of the mode's own function; in eager, those of the author's functions."""
    if disagreement.eager.error or disagreement.found.error:
        return Finding()
    if disagreement.eager_itself:
        return _of_authors_functions(disagreement)
    if disagreement.found.traces <= 1:
        return Finding(excluded=["retracing: one trace in all steps"])
    steady = disagreement.lab.observe(disagreement.cell, Condition(first_feed=True))
    varying = {
        name: list(dict.fromkeys(f"{feed[name].dtype}{feed[name].shape}" for feed in feeds))
        for feeds in [disagreement.lab.subject.feeds]
        for name in feeds[0]
    }
    arguments = {name: kinds for name, kinds in varying.items() if len(kinds) > 1}
    if steady.traces > 1 or not arguments:
        return Finding()
    evidence = [f"{name}: {', '.join(kinds)}" for name, kinds in arguments.items()]
    evidence.append(
        f"{disagreement.found.traces} traces in {disagreement.lab.steps} calls; with the "
        "first feed in every call "
        f"{steady.traces}"
    )
    return Finding(
        [
            Cause(
                RETRACE,
                ", ".join(arguments),
                f"the step is traced again for every new shape of {', '.join(arguments)}",
                _SHAPES,
                evidence=tuple(evidence),
            )
        ]
    )


def _of_authors_functions(disagreement: Disagreement) -> Finding:
    counts = []
    made: list[int] = []
    real = tf.function

    def counted(*arguments: Any, **options: Any) -> Any:
        made.append(1)
        return real(*arguments, **options)

    tf.function = counted
    try:
        with disagreement.lab.running(disagreement.cell, PLAIN) as running:
            scenario = running.program.scenario
            functions = dict(_functions(scenario)) if scenario is not None else {}
            running.step(0)
            made.clear()
            for call in range(1, 1 + _CALLS):
                running.step(call)
                counts.append({name: _traces(each) for name, each in functions.items()})
    finally:
        tf.function = real
    found = Finding()
    for name, function in functions.items():
        if counts[-1][name] - counts[0][name] >= _CALLS - 1:
            found.causes.append(_argument(disagreement, name, function))
    if len(made) >= _CALLS:
        where = tuple(
            dict.fromkeys(each.place for each in disagreement.source.of_kind(MAKES_FUNCTION))
        )
        found.causes.append(
            Cause(
                RETRACE,
                "a function made in each call",
                "the step makes a tf.function anew in each call, which is traced each time",
                _MADE_ANEW,
                where=where,
                evidence=(f"{len(made)} tf.functions were made in {_CALLS} calls",),
            )
        )
    return found


def _argument(disagreement: Disagreement, name: str, function: Any) -> Cause:
    """The parameters of a tf.function whose type was another in another trace."""
    kinds: dict[str, list[str]] = {}
    for parameter, kind in _PARAMETER.findall(function.pretty_printed_concrete_signatures()):
        kinds.setdefault(parameter, []).append(kind)
    varying = {p: list(dict.fromkeys(each)) for p, each in kinds.items() if len(set(each)) > 1}
    python = any("Literal" in kind for each in varying.values() for kind in each)
    what = ", ".join(varying) or "unknown"
    return Cause(
        RETRACE,
        what,
        f"{name} is traced again in every call: its argument {what} is another each time",
        _PYTHON if python else _SHAPES,
        where=tuple(
            dict.fromkeys(
                line.place for line in disagreement.source.calling(name.rpartition(".")[2])
            )
        ),
        evidence=tuple(
            f"{parameter}: {'; '.join(each[:4])}{' …' if len(each) > 4 else ''}"
            for parameter, each in varying.items()
        )
        or (f"{_traces(function)} traces in {_CALLS + 1} calls",),
    )


def _functions(scenario: Scenario) -> Iterator[tuple[str, Any]]:
    """The author's tf.functions by name: of the instance, its class and the module."""
    module = python_state.module_of(type(scenario))
    for prefix, names in (
        ("self.", [*vars(scenario), *vars(type(scenario))]),
        ("", list(vars(module))),
    ):
        holder = scenario if prefix else module
        for name in names:
            value = getattr(holder, name, None) if not name.startswith("__") else None
            if callable(getattr(value, "experimental_get_tracing_count", None)):
                yield f"{prefix}{name}", value


def _traces(function: Any) -> int:
    count: int = function.experimental_get_tracing_count()
    return count
