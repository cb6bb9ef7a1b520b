"""The errors of one tensor as data for a chart: a sample of elements, distances, and steps."""

from __future__ import annotations

from typing import Any

import numpy as np

from eager_vs_graph.child.explain.disagreement import Disagreement, as_wide
from eager_vs_graph.child.explain.experiments import Observation
from eager_vs_graph.child.parity.compare import DEFAULT_TOLERANCE, ulp_distance
from eager_vs_graph.results.explanation import Key, Profile
from eager_vs_graph.scenario import Array

ELEMENTS = 200
"""Elements that are kept of a larger tensor…"""
_WORST = 50
"""… and how many of these are the worst."""
_BINS = 34
"""Of the histogram: 0, then powers of two up to the distance of any two float32."""


def profile(disagreement: Disagreement, key: Key, step: int) -> Profile | None:
    """The profile of a tensor at a step; None where it has no numbers to compare."""
    if disagreement.found.error or disagreement.eager.error:
        return None
    value, eager = (side.values(key)[step] for side in (disagreement.found, disagreement.eager))
    numeric = eager.dtype.name in DEFAULT_TOLERANCE or eager.dtype.kind in "iu"
    if value.shape != eager.shape or value.dtype != eager.dtype or not numeric or not eager.size:
        return None
    reference = _reference(disagreement, key, step)
    if reference is not None and reference.shape != value.shape:
        reference = None
    ulp = _distances(value, eager)
    index = _sample(value, eager, reference, ulp)
    kind, name = key
    return Profile(
        tensor=name,
        kind=kind,
        mode="eager again" if disagreement.eager_itself else disagreement.cell.mode,
        step=step,
        elements=int(eager.size),
        index=tuple(int(each) for each in index),
        value=_texts(value, index),
        eager=_texts(eager, index),
        reference=() if reference is None else _texts(reference, index),
        ulp=tuple(None if np.isnan(each) else float(each) for each in ulp[index]),
        histogram=_histogram(ulp),
        errors=_errors(disagreement, key),
    )


def _distances(value: Array, eager: Array) -> Array:
    """ULP distance by element, NaN where one side is not finite; 0 where both are the same."""
    value, eager = value.ravel(), eager.ravel()
    if eager.dtype.name not in DEFAULT_TOLERANCE:
        return np.abs(value.astype(np.float64) - eager.astype(np.float64))
    with np.errstate(all="ignore"):
        finite = np.isfinite(value) & np.isfinite(eager)
        same = (value == eager) | (np.isnan(value) & np.isnan(eager))
        distance = ulp_distance(np.where(finite, value, 0), np.where(finite, eager, 0))
    return np.where(same, 0.0, np.where(finite, distance, np.nan))


def _sample(value: Array, eager: Array, reference: Array | None, ulp: Array) -> Any:
    if eager.size <= ELEMENTS:
        return np.arange(eager.size)
    weight = np.where(np.isnan(ulp), np.inf, ulp)
    if not weight.any() and reference is not None:  # they agree: the worst against the reference
        with np.errstate(all="ignore"):
            error = np.abs(as_wide(value) - as_wide(reference)).ravel()
        weight = np.where(np.isnan(error), np.inf, error)
    worst = np.argsort(weight, kind="stable")[-_WORST:]
    spread = np.linspace(0, eager.size - 1, ELEMENTS - _WORST).astype(np.int64)
    return np.unique(np.concatenate([worst, spread]))


def _texts(array: Array, index: Any) -> tuple[str, ...]:
    return tuple(str(each) for each in array.ravel()[index])


def _histogram(ulp: Array) -> tuple[int, ...]:
    finite = ulp[~np.isnan(ulp)]
    bins = np.where(finite < 1, 0, 1 + np.log2(np.maximum(finite, 1)).astype(np.int64))
    counted = np.bincount(np.minimum(bins, _BINS - 1), minlength=_BINS)
    counted[-1] += int(np.isnan(ulp).sum())
    used = np.flatnonzero(counted)
    return tuple(int(each) for each in counted[: used[-1] + 1])


def _errors(disagreement: Disagreement, key: Key) -> dict[str, tuple[float | None, ...]]:
    """By side, the largest error after each step, where steps are not just repetitions."""
    kind, _name = key
    scalar = disagreement.eager.values(key)[0].size == 1
    if kind != "output" or disagreement.lab.steps < 2 or not (scalar or disagreement.lab.initial):
        return {}
    sides = {disagreement.cell.mode: disagreement.found, "eager": disagreement.eager}
    if disagreement.eager_itself:
        sides = {"eager again": disagreement.found, "eager": disagreement.eager}
    return {side: tuple(_of_steps(disagreement, key, found)) for side, found in sides.items()}


def _of_steps(disagreement: Disagreement, key: Key, found: Observation) -> list[float | None]:
    errors: list[float | None] = []
    for step, value in enumerate(found.values(key)):
        reference = _reference(disagreement, key, step)
        if reference is None or reference.shape != value.shape:
            return []
        with np.errstate(all="ignore"):
            error = np.abs(as_wide(value) - as_wide(reference))
        finite = error[np.isfinite(error)]
        errors.append(float(finite.max()) if finite.size else None)
    return errors


def _reference(disagreement: Disagreement, key: Key, step: int) -> Array | None:
    """The reference's value after a step; of a variable, it has the last step's only."""
    kind, name = key
    reference = disagreement.lab.reference()
    if reference is None:
        return None
    if kind == "output":
        return np.asarray(reference.outputs[step][name])
    return np.asarray(reference.state[name]) if step == disagreement.lab.steps - 1 else None
