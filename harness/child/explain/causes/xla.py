"""XLA: the passes, or the op's own code, that make a compiled step differ."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from eager_vs_graph.child.explain import hlo_passes, op_alone
from eager_vs_graph.child.explain.causes.grappler import Locate
from eager_vs_graph.child.explain.disagreement import Disagreement
from eager_vs_graph.child.explain.effects import (
    DIGITS,
    NOT_FINITE,
    OTHER,
    ROUNDING,
    Effect,
    effect,
    worst_of,
)
from eager_vs_graph.child.explain.experiments import Observation, names, rank
from eager_vs_graph.child.explain.first_op import Search
from eager_vs_graph.child.explain.hlo_passes import FLAGS, Passes
from eager_vs_graph.child.explain.ops import EagerOp
from eager_vs_graph.child.explain.toggles import Hit, Toggle
from eager_vs_graph.results.explanation import XLA, Cause, Key
from eager_vs_graph.scenario import Array

Isolated = Callable[[Mapping[str, str]], Observation]

_MEANINGS = {
    ROUNDING: "it is rounding",
    DIGITS: "its formula is equal for real numbers, and keeps other digits in floating point",
    NOT_FINITE: "NaN or infinity comes out of one side only",
    OTHER: "it is not rounding: the result is another one",
}
_LEAVE_OUT = "leave out jit_compile for this step"
_TOLERATE = f"accept it as rounding with a stated tolerance, or {_LEAVE_OUT}"


def toggles(disagreement: Disagreement) -> list[Toggle]:
    """Compile nothing."""
    if disagreement.eager_itself:
        return []
    compiled = disagreement.cell.mode == "xla" or disagreement.lab.scenario.traces_itself
    if not compiled and not any("jit_compile" in line for line in disagreement.source.text):
        return []
    return [
        Toggle(
            XLA,
            "XLA",
            lambda condition: replace(condition, without_jit=True),
            excluded="XLA: the difference stays when nothing is compiled",
        )
    ]


def causes(
    disagreement: Disagreement, hit: Hit, locate: Locate, isolated: Isolated | None
) -> tuple[list[Cause], list[str]]:
    """What of XLA the hit is about, and what was not tried.

    Args:
        disagreement: the cell.
        hit: the tensors that agree without XLA.
        locate: looks for the first op that differs on the way to tensors.
        isolated: runs the mode's program, as it was before the hit, in a process of its own.
    """
    found: list[Cause] = []
    not_tried: list[str] = []
    left = set(hit.keys)
    of_op = _of_op(disagreement, left, locate(left))
    passes = None
    if isolated is None:
        not_tried.append("XLA's passes one by one: they need processes of their own")
    elif disagreement.lab.in_time():
        passes = _passes(disagreement, hit, isolated, switches=of_op is None)
        for cause, keys in _of_passes(disagreement, hit, passes, locate):
            found.append(cause)
            left -= keys
        not_tried += passes.not_tried
    if left and of_op is not None:
        found.append(replace(of_op, tensors=names(left)))
    elif left:
        found.append(_unknown(disagreement, hit, left, passes))
    return found, not_tried


def _passes(disagreement: Disagreement, hit: Hit, isolated: Isolated, *, switches: bool) -> Passes:
    before = disagreement.compare(hit.before)
    eager = disagreement.lab.eager(disagreement.cell, hit.before)

    def better(found: Observation) -> set[Key]:
        after = disagreement.lab.compare(disagreement.cell, found, eager)
        return {key for key in hit.keys if key in after and rank(after[key]) < rank(before[key])}

    in_time = disagreement.lab.in_time
    return hlo_passes.search(isolated, better, set(hit.keys), in_time, switches=switches)


def _of_passes(
    disagreement: Disagreement, hit: Hit, passes: Passes, locate: Locate
) -> list[tuple[Cause, set[Key]]]:
    """A cause for each pass or switch that restores tensors."""
    off: list[tuple[tuple[str, ...], set[Key]]] = [
        ((name,), keys) for name, keys in passes.restoring.items()
    ]
    if passes.together:
        off.append((passes.together, passes.keys_together))
    return [
        (_cause(disagreement, hit, passes, each, keys, locate), keys) for each, keys in off if keys
    ]


def _cause(
    disagreement: Disagreement,
    hit: Hit,
    passes: Passes,
    off: tuple[str, ...],
    keys: set[Key],
    locate: Locate,
) -> Cause:
    key, mode = disagreement.worst(keys), disagreement.cell.mode
    looked = locate(keys)
    first = looked.found if looked is not None else None
    seen = passes.found[",".join(off)]
    label = " and ".join(off)
    is_flag = off[0] in FLAGS
    flag = FLAGS[off[0]] if is_flag else f"--xla_disable_hlo_passes={','.join(off)}"
    what = label if is_flag else f"HLO {'pass' if len(off) == 1 else 'passes'} {label}"
    kind = _kind(disagreement, hit, key)
    meaning = _MEANINGS[kind]
    if kind == OTHER and first is not None and first.of_floats():
        meaning = f"{first.eager.type} gives other digits, and what follows decides by them"
    remedy = f"XLA_FLAGS={flag} in the environment, or {_LEAVE_OUT}"
    if kind == ROUNDING:
        remedy = f"accept it as rounding with a stated tolerance, or {remedy}"
    return Cause(
        XLA,
        what,
        f"with XLA's {what} off, {mode} agrees with eager: {meaning}",
        remedy,
        names(keys),
        (first.eager.where(),) if first is not None and first.eager.line else (),
        (
            f"{key[1]}: eager {disagreement.value(disagreement.eager, key)}, compiled "
            f"{disagreement.value(disagreement.found, key)}, with {what} off "
            f"{disagreement.value(seen, key)}",
            *(line for name in off for line in passes.rewrites.get(name, ())),
        ),
    )


def _kind(disagreement: Disagreement, hit: Hit, key: Key) -> str:
    found = disagreement.observe(hit.before).values(key)
    eager = disagreement.lab.eager(disagreement.cell, hit.before).values(key)
    return worst_of(found, eager)


def _of_op(disagreement: Disagreement, keys: set[Key], looked: Search | None) -> Cause | None:
    """XLA's own code for an op, where the op alone shows the difference."""
    first = looked.found if looked is not None else None
    if first is None or not first.eager.values or disagreement.cell.mode != "xla":
        return None
    eager = first.eager.values[first.output]
    compiled = op_alone.run(first, compiled=True)
    plain = op_alone.run(first, compiled=False)
    if eager is None or compiled is None or plain is None:
        return None
    alone = effect(compiled[first.output], eager)
    if alone is None or effect(plain[first.output], eager) is not None:
        return None
    key = disagreement.worst(keys)
    return Cause(
        XLA,
        f"XLA's {first.eager.type}",
        f"XLA's own {first.eager.type} gives another result than TensorFlow's kernel"
        f"{_why(first.eager, eager, alone, looked)}",
        _TOLERATE if alone.kind == ROUNDING else _remedy(first.eager, alone),
        names(keys),
        (first.eager.where(),) if first.eager.line else (),
        (
            f"{first.eager.type} alone{_given(first.eager, eager, alone)}: TensorFlow's kernel "
            f"{alone.eager}, compiled by XLA {alone.value}",
            f"{key[1]}: eager {disagreement.value(disagreement.eager, key)}, compiled "
            f"{disagreement.value(disagreement.found, key)}",
        ),
    )


def _given(op: EagerOp, eager: Array, alone: Effect) -> str:
    """The inputs of the element that differs, where they have the output's shape."""
    texts = [
        str(array[alone.index])
        for array in op.arguments
        if array is not None and array.shape == eager.shape and array.ndim == len(alone.index)
    ]
    return f", given {' and '.join(texts)}" if texts else ", given what eager gives it"


def _why(op: EagerOp, eager: Array, alone: Effect, search: Search | None) -> str:
    """What is special about the op's inputs, as far as it can be seen from them."""
    floats = [a for a in op.arguments if a is not None and a.dtype.kind == "f"]
    at = [a[alone.index] for a in floats if a.shape == eager.shape]
    if alone.kind == ROUNDING:
        return ": it rounds differently"
    if any(np.isnan(each) for each in at) or any(np.isnan(a).any() for a in floats):
        return f" for NaN{_unselected(search, alone)}"
    if op.type == "Cast" and eager.dtype.kind in "iu" and at:
        bounds = np.iinfo(eager.dtype)
        if not bounds.min <= float(at[0]) <= bounds.max:
            return f" for a number that is out of {eager.dtype}'s range"
    if any(np.isinf(each) for each in at):
        return " for an infinity"
    return ""


def _unselected(search: Search | None, alone: Effect) -> str:
    """Whether the NaN stands where a selection takes the other branch."""
    for op in search.eager if search is not None else ():
        if op.type not in ("SelectV2", "Select") or len(op.arguments) != 3:
            continue
        condition, yes, no = op.arguments
        if condition is None or yes is None or no is None or condition.dtype != bool:
            continue
        if condition.shape != yes.shape or len(alone.index) != condition.ndim:
            continue
        index = alone.index
        for branch, taken in ((yes, condition[index]), (no, ~condition[index])):
            is_value = branch.dtype.kind == "f" and branch.shape == condition.shape
            if is_value and not taken and np.isnan(branch[index]):
                where = f" ({op.where()})" if op.line else ""
                return f", which is in the branch that tf.where does not select{where}"
    return ""


def _remedy(op: EagerOp, alone: Effect) -> str:
    if alone.kind == NOT_FINITE:
        return (
            "keep NaN out of the branch that is not selected (make its input safe with a tf.where "
            f"of its own), or {_LEAVE_OUT}"
        )
    if op.type == "Cast":
        return f"keep the value in the integer's range (tf.clip_by_value), or {_LEAVE_OUT}"
    return _LEAVE_OUT


def _unknown(disagreement: Disagreement, hit: Hit, keys: set[Key], passes: Passes | None) -> Cause:
    """All that was shown: that compiling makes the difference."""
    key = disagreement.worst(keys)
    without = disagreement.observe(hit.after)
    evidence = [
        f"{key[1]}: eager {disagreement.value(disagreement.eager, key)}, compiled "
        f"{disagreement.value(disagreement.found, key)}, the same graph not compiled "
        f"{disagreement.value(without, key)}"
    ]
    if passes is not None and passes.found:
        tried = ", ".join(passes.found)
        evidence.append(f"it stays with these off: {tried}")
    kind = _kind(disagreement, hit, key)
    return Cause(
        XLA,
        "jit_compile",
        "compiling makes the difference; which part of XLA was not found",
        _TOLERATE if kind == ROUNDING else _LEAVE_OUT,
        names(keys),
        evidence=tuple(evidence),
    )
