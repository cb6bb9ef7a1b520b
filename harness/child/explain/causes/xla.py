"""XLA: the passes, or the op's own code, that make a compiled step differ."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from eager_vs_graph.child.explain import hlo_passes, op_alone
from eager_vs_graph.child.explain.disagreement import Disagreement
from eager_vs_graph.child.explain.effects import NOT_FINITE, ROUNDING, Effect, effect
from eager_vs_graph.child.explain.experiments import Observation, names, rank
from eager_vs_graph.child.explain.first_op import FirstOp, Search
from eager_vs_graph.child.explain.hlo_passes import FLAGS, Passes
from eager_vs_graph.child.explain.ops import EagerOp
from eager_vs_graph.child.explain.toggles import Hit, Toggle
from eager_vs_graph.results.explanation import XLA, Cause, Key
from eager_vs_graph.scenario import Array

Isolated = Callable[[Mapping[str, str]], Observation]

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
    disagreement: Disagreement, hit: Hit, search: Search | None, isolated: Isolated | None
) -> tuple[list[Cause], list[str]]:
    """What of XLA the hit is about, and what was not tried.

    Args:
        disagreement: the cell.
        hit: the tensors that agree without XLA.
        search: where the first op was looked for.
        isolated: runs the mode's program, as it was before the hit, in a process of its own.
    """
    first = search.found if search is not None else None
    found: list[Cause] = []
    not_tried: list[str] = []
    left = set(hit.keys)
    passes = None
    if isolated is None:
        not_tried.append("XLA's passes one by one: they need processes of their own")
    elif disagreement.lab.in_time():
        passes = _passes(disagreement, hit, isolated)
        for cause, keys in _of_passes(disagreement, hit, passes):
            found.append(cause)
            left -= keys
        not_tried += passes.not_tried
    if left and first is not None:
        of_op = _of_op(disagreement, left, first, search)
        if of_op is not None:
            found.append(of_op)
            left = set()
    if left:
        found.append(_unknown(disagreement, hit, left, passes))
    return found, not_tried


def _passes(disagreement: Disagreement, hit: Hit, isolated: Isolated) -> Passes:
    before = disagreement.compare(hit.before)
    eager = disagreement.lab.eager(disagreement.cell, hit.before)

    def better(found: Observation) -> set[Key]:
        after = disagreement.lab.compare(disagreement.cell, found, eager)
        return {key for key in hit.keys if key in after and rank(after[key]) < rank(before[key])}

    return hlo_passes.search(isolated, better, set(hit.keys), disagreement.lab.in_time)


def _of_passes(
    disagreement: Disagreement, hit: Hit, passes: Passes
) -> list[tuple[Cause, set[Key]]]:
    """A cause for each pass or switch that restores tensors."""
    found = []
    for name, keys in passes.restoring.items():
        found.append((_cause(disagreement, hit, passes, (name,), keys), keys))
    if passes.together:
        keys = passes.keys_together
        found.append((_cause(disagreement, hit, passes, passes.together, keys), keys))
    return found


def _cause(
    disagreement: Disagreement,
    hit: Hit,
    passes: Passes,
    off: tuple[str, ...],
    keys: set[Key],
) -> Cause:
    key = disagreement.worst(keys)
    seen = passes.found[",".join(off)]
    label = " and ".join(off)
    is_flag = off[0] in FLAGS
    flag = FLAGS[off[0]] if is_flag else f"--xla_disable_hlo_passes={','.join(off)}"
    kind = _kind(disagreement, hit, key)
    what = label if is_flag else f"HLO {'pass' if len(off) == 1 else 'passes'} {label}"
    rounding = ", which is rounding" if kind == ROUNDING else ""
    remedy = f"XLA_FLAGS={flag} in the environment, or {_LEAVE_OUT}"
    if kind == ROUNDING:
        remedy = f"accept it as rounding with a stated tolerance, or {remedy}"
    return Cause(
        XLA,
        what,
        f"with XLA's {what} off, {disagreement.cell.mode} agrees with eager{rounding}",
        remedy,
        names(keys),
        evidence=(
            f"{key[1]}: eager {disagreement.value(disagreement.eager, key)}, compiled "
            f"{disagreement.value(disagreement.found, key)}, with {what} off "
            f"{disagreement.value(seen, key)}",
            *(line for name in off for line in passes.rewrites.get(name, ())),
        ),
    )


def _kind(disagreement: Disagreement, hit: Hit, key: Key) -> str:
    found = disagreement.observe(hit.before).values(key)
    eager = disagreement.lab.eager(disagreement.cell, hit.before).values(key)
    effects = [e for mine, its in zip(found, eager, strict=True) if (e := effect(mine, its))]
    return ROUNDING if all(each.kind == ROUNDING for each in effects) else effects[0].kind


def _of_op(
    disagreement: Disagreement, keys: set[Key], first: FirstOp, search: Search | None
) -> Cause | None:
    """XLA's own code for an op, where the op alone shows the difference."""
    eager = first.eager.values[first.output] if first.eager.values else None
    compiled = op_alone.run(first, compiled=True)
    plain = op_alone.run(first, compiled=False)
    if eager is None or compiled is None or plain is None:
        return None
    alone = effect(compiled[first.output], eager)
    if alone is None or effect(plain[first.output], eager) is not None:
        return None
    why = _why(first.eager, eager, alone, search)
    key = disagreement.worst(keys)
    given = _given(first.eager, eager, alone)
    return Cause(
        XLA,
        f"XLA's {first.eager.type}",
        f"XLA's own {first.eager.type} gives another result than TensorFlow's kernel{why}",
        _TOLERATE if alone.kind == ROUNDING else _remedy(first.eager, alone),
        names(keys),
        (first.eager.where(),) if first.eager.line else (),
        (
            f"{first.eager.type} alone{given}: TensorFlow's kernel {alone.eager}, compiled by XLA "
            f"{alone.value}",
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
