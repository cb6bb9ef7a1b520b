"""Elements of an agreeing tensor that have no right digit left, and which mode is right there.

A tolerance has an absolute part, below which nothing is looked at: with 1e-5, log(1 + exp(-20))
is close to its value of 2e-9 when it is 0. So where a tensor agrees, each element is looked at once
more, relative to itself.

Many elements have no right digit and nothing is wrong: a sum that ought to be zero is made of
rounding in every mode. An element counts only where the right value is known: the float64
reference's moves by less than a tenth when inputs and variables move by a rounding error of
float64, and when they move by one of their own dtype. Without a reference, an element counts where
two modes have no digit in common and eager's value does not move as far by such an error.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import ml_dtypes
import numpy as np

from eager_vs_graph.child.parity import sensitivity_rule
from eager_vs_graph.child.parity.compare import FLOATS, STRETCH, epsilon
from eager_vs_graph.child.parity.trajectory import Trajectory, of_reference
from eager_vs_graph.modes import BASELINE
from eager_vs_graph.results.cells import Cell
from eager_vs_graph.results.record import AGREEING, CLOSE, TensorComparison
from eager_vs_graph.scenario import Array

if TYPE_CHECKING:
    from eager_vs_graph.child.parity.subject import Subject

NO_DIGIT = 10.0**-0.5
"""Relative error of a value with less than half a right decimal digit."""
_KNOWN = 0.1
"""Part of the reference's value that it may move by, where it is called known."""
_NOISE = 3.0
_DOUBLE = 2.0**-50


def noted(
    subject: Subject, cell: Cell, tensors: Sequence[TensorComparison], found: Trajectory
) -> list[TensorComparison]:
    """The comparisons, with the elements that have no right digit in those that agree."""
    bad = {_key(tensor) for tensor in tensors if tensor.status not in AGREEING}
    return [
        _noted(subject, cell, tensor, found)
        if tensor.dtype in FLOATS and tensor.kind != "written" and _key(tensor) not in bad
        else tensor
        for tensor in tensors
    ]


def _noted(
    subject: Subject, cell: Cell, tensor: TensorComparison, found: Trajectory
) -> TensorComparison:
    if _key(tensor) in subject.unsteady or subject.eager is None:
        return tensor
    if tensor.against == "reference":
        return _against_reference(subject, cell, tensor, found)
    if subject.reference is None and tensor.status == CLOSE and cell.mode != BASELINE:
        return _against_eager(subject, cell, tensor, found)
    return tensor


def _against_reference(
    subject: Subject, cell: Cell, tensor: TensorComparison, found: Trajectory
) -> TensorComparison:
    """Elements of the mode's without a right digit; where it has none, of eager's."""
    assert subject.reference is not None
    assert subject.eager is not None
    sides = [found, subject.eager, subject.reference]
    for side, who in ((0, cell.mode), (1, BASELINE)):
        best: tuple[int, int, Array] | None = None
        for step, arrays in enumerate(zip(*_steps(tensor, sides), strict=True)):
            right = np.asarray(arrays[2], np.float64)
            mask = _lost(arrays[side], right)
            if mask.any():
                mask &= _known(subject, tensor, step)
            count = int(mask.sum())
            if count and (best is None or count > best[0]):
                best = count, step, np.where(mask, np.abs(right), -1.0)
        if best is not None:
            count, step, weight = best
            value, eager, right = (each[step] for each in _steps(tensor, sides))
            # The element that should be largest says most.
            worst = int(np.argmax(weight))
            told = _who(cell.mode, value, eager, np.asarray(right, np.float64), worst)
            return replace(
                tensor,
                lost=count if who == cell.mode else 0,
                lost_detail=f"{_counted(count, value.size)} no right digit in {who}: "
                f"{_place(tensor.tensor, worst, value.shape)}, step {step}: {told}",
            )
    return tensor


def _counted(count: int, size: int) -> str:
    return f"{count} of {size} elements {'has' if count == 1 else 'have'}"


def _place(name: str, flat: int, shape: tuple[int, ...]) -> str:
    index = ", ".join(str(int(each)) for each in np.unravel_index(flat, shape))
    return f"{name}[{index}]" if shape else name


def _who(mode: str, value: Array, eager: Array, right: Array, worst: int) -> str:
    """Which of the two has right digits at an element."""
    at = right.ravel()[worst]
    texts = {BASELINE: eager.ravel()[worst], mode: value.ravel()[worst]}
    kept = [side for side, each in texts.items() if not _is_lost(each, at)]
    given = ", ".join(f"{side} gives {each}" for side, each in texts.items())
    verdict = f"{kept[0]} is right" if kept else "no mode of these is right"
    return f"{given}, the reference {at:.6g}{f': {verdict}' if len(texts) > 1 else ''}"


def _is_lost(value: Any, right: float) -> bool:
    return bool(abs(float(value) - right) >= NO_DIGIT * abs(right))


def _lost(value: Array, right: Array) -> Array:
    """Where a value has no right digit."""
    if value.shape != right.shape:
        return np.zeros(value.shape, bool)
    lost = np.zeros(value.size, bool)
    flat, expected, smallest = value.ravel(), right.ravel(), _smallest(value)
    for start in range(0, value.size, STRETCH):  # all at once takes many times the memory
        part = slice(start, start + STRETCH)
        wide, size = flat[part].astype(np.float64), np.abs(expected[part])
        with np.errstate(all="ignore"):
            far = np.abs(wide - expected[part]) >= NO_DIGIT * size
            lost[part] = far & np.isfinite(wide) & np.isfinite(size) & (size >= smallest)
    return lost.reshape(value.shape)


def _smallest(array: Array) -> float:
    """The smallest number with all of its digits: below it they are lost to the format."""
    return float(ml_dtypes.finfo(array.dtype).smallest_normal)  # type: ignore[no-untyped-call]


def _known(subject: Subject, tensor: TensorComparison, step: int) -> Array:
    """Where the reference's value hardly moves when what it is computed from does."""
    assert subject.reference is not None
    if subject.moved_references is None:
        subject.moved_references = list(_moved_references(subject))
    right, *moved = (
        np.asarray(side[step], np.float64)
        for side in _steps(tensor, [subject.reference, *subject.moved_references])
    )
    if not moved:
        return np.zeros(right.shape, bool)
    with np.errstate(all="ignore"):
        response = np.max([np.abs(each - right) for each in moved], axis=0)
        return np.asarray(response <= _KNOWN * np.abs(right))


def _moved_references(subject: Subject) -> Iterator[Trajectory]:
    """The reference from inputs and variables that are off by rounding, of float64 and their own.

    None where the reference does not run once more.
    """
    assert subject.initial is not None
    steps = subject.scenario.parity_steps
    for seed, size in enumerate((_DOUBLE, None, None)):
        rng = np.random.default_rng(seed)
        instance = subject.scenario(subject.scenario.sizes[subject.size])
        initial = _moved(subject.initial, rng, size)
        feeds = [_moved(feed, rng, size) for feed in subject.feeds]
        subject.begin_anew()
        try:
            yield of_reference(instance, initial, feeds, steps)
        except Exception:  # it ran from the values that it was written for
            return


def _moved(arrays: Any, rng: np.random.Generator, size: float | None) -> dict[str, Array]:
    """Arrays in float64, each value moved by a part of itself: ``size``, or its dtype's epsilon."""
    moved = {}
    for name, array in arrays.items():
        if array.dtype.name not in FLOATS:
            moved[name] = array
            continue
        part = epsilon(array.dtype) if size is None else size
        signs = rng.choice([-1.0, 1.0], size=array.shape)
        moved[name] = np.asarray(array.astype(np.float64) * (1 + part * signs))
    return moved


def _against_eager(
    subject: Subject, cell: Cell, tensor: TensorComparison, found: Trajectory
) -> TensorComparison:
    """Elements in which the mode and eager have no digit in common."""
    assert subject.eager is not None
    best: tuple[int, int, Array] | None = None
    pairs = zip(*_steps(tensor, [found, subject.eager]), strict=True)
    for step, (value, eager) in enumerate(pairs):
        mine, its = value.astype(np.float64), eager.astype(np.float64)
        larger = np.maximum(np.abs(mine), np.abs(its))
        with np.errstate(all="ignore"):
            distance = np.abs(mine - its)
            mask = (distance >= NO_DIGIT * larger) & (larger >= _smallest(value))
            mask &= np.isfinite(mine) & np.isfinite(its)
        if mask.any():
            if subject.perturbed is None:
                subject.perturbed = sensitivity_rule.perturbed(subject, cell)
            moved = [side[step].astype(np.float64) for side in _steps(tensor, subject.perturbed)]
            response = np.max([np.abs(each - its) for each in moved], axis=0)
            mask &= distance > _NOISE * response
        if mask.any() and (best is None or mask.sum() > best[0]):
            best = int(mask.sum()), step, np.where(mask, larger, -1.0)
    if best is None:
        return tensor
    count, step, weight = best
    value, eager = (each[step] for each in _steps(tensor, [found, subject.eager]))
    worst = int(np.argmax(weight))
    return replace(
        tensor,
        lost=count,
        lost_detail=f"{_counted(count, value.size)} no digit in common with eager: "
        f"{_place(tensor.tensor, worst, value.shape)}, step {step}: {cell.mode} gives "
        f"{value.ravel()[worst]}, eager gives {eager.ravel()[worst]}; no float64 reference says "
        "which is right",
    )


def _steps(tensor: TensorComparison, sides: Sequence[Trajectory]) -> list[list[Array]]:
    """Of each side, a tensor's value after each step; of a variable, the last one only."""
    if tensor.kind == "variable":
        return [[side.state[tensor.tensor]] for side in sides]
    return [[np.asarray(each[tensor.tensor]) for each in side.outputs] for side in sides]


def _key(tensor: TensorComparison) -> tuple[str, str]:
    return tensor.kind, tensor.tensor
