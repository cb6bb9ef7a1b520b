"""Python's side effects: what happens in every eager step happens once, at tracing, in a graph."""

from __future__ import annotations

from eager_vs_graph.child.explain import graphs
from eager_vs_graph.child.explain.conditions import Condition
from eager_vs_graph.child.explain.disagreement import Case, Finding
from eager_vs_graph.child.explain.experiments import Observation, disagreeing, names
from eager_vs_graph.child.explain.source import IMPURE
from eager_vs_graph.child.parity.check import SEED
from eager_vs_graph.results.explanation import TRACE_TIME, Cause, Key

_SUMMARY = "Python code that runs in every eager step runs once, at tracing, in a graph: {}"
_REMEDIES = {
    "np.random": "draw with tf.random (stateless_* or a tf.random.Generator) instead of NumPy",
    "random": "draw with tf.random (stateless_* or a tf.random.Generator) instead of Python",
}
_REMEDY = "keep what changes from step to step in a tf.Variable, or pass it in as a tensor"
_OUTSIDE = (
    "pass what comes from outside (a clock, an iterator, entropy) into the step as a tensor "
    "input, or call it through tf.py_function"
)


def find(case: Case, keys: set[Key]) -> Finding:
    """Put Python's state back before each eager step; trace anew for each step; trace twice."""
    if not keys:
        return Finding()
    found = Finding()
    if not case.eager.error:
        _frozen(case, keys, found)
    steady = keys - found.explained - case.unsteady - case.unsteady_mode
    if steady and case.eager_itself:
        _out_of_reach(case, steady, found)
    elif steady:
        _traced_anew(case, steady, found)
    if left := (keys & case.unsteady) - found.explained:
        _varying_constants(case, left, found)
    if not found.causes:
        changed = ", ".join(case.eager.python) or "none"
        found.excluded.append(
            f"Python side effects: the step's changes of Python state ({changed}) do not matter, "
            "and tracing anew for each step changes nothing"
        )
    return found


def _frozen(case: Case, keys: set[Key], found: Finding) -> None:
    """Eager with frozen Python state gives what the graph gives: the frozen state is the cause."""
    changed = sorted(case.eager.python)
    if not changed:
        return
    all_frozen = _put_back(case, keys, frozenset(changed))
    if not all_frozen:
        return
    for item in changed:
        removed = _put_back(case, all_frozen, frozenset({item}))
        if removed:
            found.causes.append(_cause(case, [item], removed))
            found.explained |= removed
    if left := all_frozen - found.explained:
        found.causes.append(_cause(case, changed, left))
        found.explained |= left


def _put_back(case: Case, keys: set[Key], items: frozenset[str]) -> set[Key]:
    eager = case.lab.eager(case.cell, Condition(freeze=items))
    if case.eager_itself:
        return case.removed(case.lab.observe(case.cell, case.under(freeze=items)), keys, eager)
    return case.removed(case.found, keys, eager)


def _cause(case: Case, items: list[str], keys: set[Key]) -> Cause:
    key = case.worst(keys)
    frozen = case.lab.eager(case.cell, Condition(freeze=frozenset(items)))
    what = ", ".join(items)
    evidence = [
        f"{item} after {case.lab.steps} steps: eager {case.eager.shown[item]}, {case.cell.mode} "
        f"{case.found.shown.get(item, 'unchanged')}"
        for item in items
        if not case.eager_itself
    ]
    evidence += [
        f"{key[1]} by step: eager {case.history(case.eager, key)}; {_name(case)} "
        f"{case.history(case.found, key)}",
        f"eager with {what} put back before each step: {case.history(frozen, key)}",
    ]
    where = [line.place for item in items for line in case.source.writing(item)]
    remedy = next((_REMEDIES[item] for item in items if item in _REMEDIES), _REMEDY)
    return Cause(
        TRACE_TIME,
        what,
        _SUMMARY.format(what),
        remedy,
        names(keys),
        tuple(dict.fromkeys(where)),
        tuple(evidence),
    )


def _traced_anew(case: Case, keys: set[Key], found: Finding) -> None:
    """The graph agrees when nothing of Python can be frozen in it."""
    anew = case.lab.observe(case.cell, Condition(retrace=True))
    removed = case.removed(anew, keys)
    if removed:  # once more, lest it was chance
        again = case.lab.observe(case.cell, Condition(retrace=True, repetition=1))
        removed = case.removed(again, removed)
    if not removed:
        return
    key = case.worst(removed)
    where = [line.place for line in case.source.of_kind(IMPURE)] or _changing_lines(case)
    found.explained |= removed
    found.causes.append(
        Cause(
            TRACE_TIME,
            "a value of Python",
            _SUMMARY.format("a Python value is frozen in the trace"),
            _OUTSIDE,
            names(removed),
            tuple(dict.fromkeys(where)),
            (
                f"{key[1]} by step: eager {case.history(case.eager, key)}; {case.cell.mode} "
                f"{case.history(case.found, key)}",
                f"{case.cell.mode} traced anew for each step: {case.history(anew, key)}",
            ),
        )
    )


def _out_of_reach(case: Case, keys: set[Key], found: Finding) -> None:
    """Python state that cannot be copied, such as an iterator's.

    Eager's second run differs although TensorFlow's state is put back, fresh programs repeat each
    other, and TensorFlow's seeds do not matter: what remains is what Python keeps.
    """
    lines = case.source.of_kind(IMPURE)
    other = case.lab.eager(case.cell, Condition(op_seed=SEED + 1))
    streams = set(disagreeing(case.lab.compare(case.cell, other, case.eager)))
    left = keys - streams
    if not left or not lines:
        return
    key = case.worst(left)
    found.explained |= left
    found.causes.append(
        Cause(
            TRACE_TIME,
            "Python state out of reach",
            _SUMMARY.format("it moves on something that Python keeps"),
            _OUTSIDE,
            names(left),
            tuple(dict.fromkeys(line.place for line in lines)),
            (
                f"{key[1]} by step: eager {case.history(case.eager, key)}; the same program's "
                f"second run, with all variables put back, {case.history(case.found, key)}; fresh "
                "programs repeat the first, whatever TensorFlow's seed",
            ),
        )
    )


def _changing_lines(case: Case) -> list[str]:
    return [line.place for name in case.eager.python for line in case.source.writing(name)]


def _varying_constants(case: Case, keys: set[Key], found: Finding) -> None:
    """Two traces from the same state and seeds hold other constants: Python gave other values."""
    try:
        traces = [graphs.trace(case.lab, case.cell) for _ in range(2)]
    except Exception:
        return
    first, second = ({op.name: op for op in graphs.operations(trace)} for trace in traces)
    varying = [
        op
        for name, op in first.items()
        if op.type == "Const"
        and name in second
        and graphs.constant_of(op) != graphs.constant_of(second[name])
    ]
    if not varying:
        return
    file = str(case.source.file)
    affected = {key for key in keys if _depends(case, key, {op.name for op in varying})}
    if not affected:
        return
    lines = [line.place for line in case.source.of_kind(IMPURE)]
    for op in varying:
        if (number := graphs.line_of(op, file)) is not None:
            lines.append(case.source.place(number))
    key = case.worst(affected)
    other = second[varying[0].name]
    again: Observation = case.lab.eager(case.cell, Condition(repetition=1))
    found.explained |= affected
    found.causes.append(
        Cause(
            TRACE_TIME,
            "a value from outside of the program",
            _SUMMARY.format("a value that is another in every run is frozen in the trace"),
            _OUTSIDE,
            names(affected),
            tuple(dict.fromkeys(lines)),
            (
                f"two traces from the same state and seeds hold other constants: "
                f"{graphs.constant_of(varying[0])} and {graphs.constant_of(other)}",
                f"{key[1]} in two eager runs: {case.value(case.eager, key)} and "
                f"{case.value(again, key)}",
            ),
        )
    )


def _depends(case: Case, key: Key, constants: set[str]) -> bool:
    operations = case.operations_of(key)
    # Of a variable, or of what branches and loops hide, the slice is not known.
    return (
        operations is None
        or bool(constants & {op.name for op in operations})
        or not constants <= {op.name for op in case.traced.get_operations()}
    )


def _name(case: Case) -> str:
    return "eager's second run" if case.eager_itself else case.cell.mode
