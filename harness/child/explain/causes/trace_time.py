"""Python's side effects: what happens in every eager step happens once, at tracing, in a graph."""

from __future__ import annotations

from eager_vs_graph.child.explain import graphs
from eager_vs_graph.child.explain.conditions import Condition
from eager_vs_graph.child.explain.disagreement import Disagreement, Finding
from eager_vs_graph.child.explain.experiments import Observation, disagreeing, names
from eager_vs_graph.child.explain.source import IMPURE
from eager_vs_graph.results.explanation import TRACE_TIME, Cause, Key
from eager_vs_graph.scenario import SEED

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


def find(disagreement: Disagreement, keys: set[Key]) -> Finding:
    """Put Python's state back before each eager step; trace anew for each step; trace twice."""
    if not keys:
        return Finding()
    found = Finding()
    if not disagreement.eager.error:
        _frozen(disagreement, keys, found)
    steady = keys - found.explained - disagreement.unsteady - disagreement.unsteady_mode
    if steady and disagreement.eager_itself:
        _out_of_reach(disagreement, steady, found)
    elif steady:
        _traced_anew(disagreement, steady, found)
    if left := (keys & disagreement.unsteady) - found.explained:
        _varying_constants(disagreement, left, found)
    if not found.causes:
        changed = ", ".join(disagreement.eager.python) or "none"
        found.excluded.append(
            f"Python side effects: the step's changes of Python state ({changed}) do not matter, "
            "and tracing anew for each step changes nothing"
        )
    return found


def _frozen(disagreement: Disagreement, keys: set[Key], found: Finding) -> None:
    """Eager with frozen Python state gives what the graph gives: the frozen state is the cause."""
    changed = sorted(disagreement.eager.python)
    if not changed:
        return
    all_frozen = _put_back(disagreement, keys, frozenset(changed))
    if not all_frozen:
        return
    for item in changed:
        removed = _put_back(disagreement, all_frozen, frozenset({item}))
        if removed:
            found.causes.append(_cause(disagreement, [item], removed))
            found.explained |= removed
    if left := all_frozen - found.explained:
        found.causes.append(_cause(disagreement, changed, left))
        found.explained |= left


def _put_back(disagreement: Disagreement, keys: set[Key], items: frozenset[str]) -> set[Key]:
    eager = disagreement.lab.eager(disagreement.cell, Condition(freeze=items))
    if disagreement.eager_itself:
        return disagreement.removed(
            disagreement.lab.observe(disagreement.cell, disagreement.under(freeze=items)),
            keys,
            eager,
        )
    return disagreement.removed(disagreement.found, keys, eager)


def _cause(disagreement: Disagreement, items: list[str], keys: set[Key]) -> Cause:
    key = disagreement.worst(keys)
    frozen = disagreement.lab.eager(disagreement.cell, Condition(freeze=frozenset(items)))
    what = ", ".join(items)
    evidence = [
        f"{item} after {disagreement.lab.steps} steps: eager "
        f"{disagreement.eager.shown[item]}, {disagreement.cell.mode} "
        f"{disagreement.found.shown.get(item, 'unchanged')}"
        for item in items
        if not disagreement.eager_itself
    ]
    evidence += [
        f"{key[1]} by step: eager {disagreement.history(disagreement.eager, key)}; "
        f"{_name(disagreement)} "
        f"{disagreement.history(disagreement.found, key)}",
        f"eager with {what} put back before each step: {disagreement.history(frozen, key)}",
    ]
    where = [line.place for item in items for line in disagreement.source.writing(item)]
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


def _traced_anew(disagreement: Disagreement, keys: set[Key], found: Finding) -> None:
    """The graph agrees when nothing of Python can be frozen in it."""
    anew = disagreement.lab.observe(disagreement.cell, Condition(retrace=True))
    removed = disagreement.removed(anew, keys)
    if removed:  # once more, lest it was chance
        again = disagreement.lab.observe(disagreement.cell, Condition(retrace=True, repetition=1))
        removed = disagreement.removed(again, removed)
    if not removed:
        return
    key = disagreement.worst(removed)
    where = [line.place for line in disagreement.source.of_kind(IMPURE)] or _changing_lines(
        disagreement
    )
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
                f"{key[1]} by step: eager {disagreement.history(disagreement.eager, key)}; "
                f"{disagreement.cell.mode} "
                f"{disagreement.history(disagreement.found, key)}",
                f"{disagreement.cell.mode} traced anew for each step: "
                f"{disagreement.history(anew, key)}",
            ),
        )
    )


def _out_of_reach(disagreement: Disagreement, keys: set[Key], found: Finding) -> None:
    """Python state that cannot be copied, such as an iterator's.

    Eager's second run differs although TensorFlow's state is put back, fresh programs repeat each
    other, and TensorFlow's seeds do not matter: what remains is what Python keeps.
    """
    lines = disagreement.source.of_kind(IMPURE)
    other = disagreement.lab.eager(disagreement.cell, Condition(op_seed=SEED + 1))
    streams = set(
        disagreeing(disagreement.lab.compare(disagreement.cell, other, disagreement.eager))
    )
    left = keys - streams
    if not left or not lines:
        return
    key = disagreement.worst(left)
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
                f"{key[1]} by step: eager {disagreement.history(disagreement.eager, key)}; "
                "the same program's "
                "second run, with all variables put back, "
                f"{disagreement.history(disagreement.found, key)}; fresh "
                "programs repeat the first, whatever TensorFlow's seed",
            ),
        )
    )


def _changing_lines(disagreement: Disagreement) -> list[str]:
    return [
        line.place
        for name in disagreement.eager.python
        for line in disagreement.source.writing(name)
    ]


def _varying_constants(disagreement: Disagreement, keys: set[Key], found: Finding) -> None:
    """Two traces from the same state and seeds hold other constants: Python gave other values."""
    try:
        traces = [graphs.trace(disagreement.lab, disagreement.cell) for _ in range(2)]
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
    file = str(disagreement.source.file)
    affected = {key for key in keys if _depends(disagreement, key, {op.name for op in varying})}
    if not affected:
        return
    lines = [line.place for line in disagreement.source.of_kind(IMPURE)]
    for op in varying:
        if (number := graphs.line_of(op, file)) is not None:
            lines.append(disagreement.source.place(number))
    key = disagreement.worst(affected)
    other = second[varying[0].name]
    again: Observation = disagreement.lab.eager(disagreement.cell, Condition(repetition=1))
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
                f"{key[1]} in two eager runs: {disagreement.value(disagreement.eager, key)} and "
                f"{disagreement.value(again, key)}",
            ),
        )
    )


def _depends(disagreement: Disagreement, key: Key, constants: set[str]) -> bool:
    operations = disagreement.operations_of(key)
    # Of a variable, or of what branches and loops hide, the slice is not known.
    return (
        operations is None
        or bool(constants & {op.name for op in operations})
        or not constants <= {op.name for op in disagreement.traced.get_operations()}
    )


def _name(disagreement: Disagreement) -> str:
    return "eager's second run" if disagreement.eager_itself else disagreement.cell.mode
