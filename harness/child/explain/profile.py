"""The errors of one tensor as data for a chart: a sample of elements, distances, and steps."""

from __future__ import annotations

from typing import Any

import numpy as np

from eager_vs_graph.child.explain.disagreement import Case, as_wide
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


def profile(case: Case, key: Key, step: int) -> Profile | None:
    """The profile of a tensor at a step; None where it has no numbers to compare."""
    if case.found.error or case.eager.error:
        return None
    value, eager = (side.values(key)[step] for side in (case.found, case.eager))
    numeric = eager.dtype.name in DEFAULT_TOLERANCE or eager.dtype.kind in "iu"
    if value.shape != eager.shape or value.dtype != eager.dtype or not numeric or not eager.size:
        return None
    oracle = _oracle(case, key, step)
    if oracle is not None and oracle.shape != value.shape:
        oracle = None
    ulp = _distances(value, eager)
    index = _sample(value, eager, oracle, ulp)
    kind, name = key
    return Profile(
        tensor=name,
        kind=kind,
        mode="eager again" if case.eager_itself else case.cell.mode,
        step=step,
        elements=int(eager.size),
        index=tuple(int(each) for each in index),
        value=_texts(value, index),
        eager=_texts(eager, index),
        oracle=() if oracle is None else _texts(oracle, index),
        ulp=tuple(None if np.isnan(each) else float(each) for each in ulp[index]),
        histogram=_histogram(ulp),
        errors=_errors(case, key),
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


def _sample(value: Array, eager: Array, oracle: Array | None, ulp: Array) -> Any:
    if eager.size <= ELEMENTS:
        return np.arange(eager.size)
    weight = np.where(np.isnan(ulp), np.inf, ulp)
    if not weight.any() and oracle is not None:  # they agree: the worst against the oracle
        with np.errstate(all="ignore"):
            error = np.abs(as_wide(value) - as_wide(oracle)).ravel()
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


def _errors(case: Case, key: Key) -> dict[str, tuple[float | None, ...]]:
    """By side, the largest error after each step, where steps are not just repetitions."""
    kind, _name = key
    scalar = case.eager.values(key)[0].size == 1
    if kind != "output" or case.lab.steps < 2 or not (scalar or case.lab.initial):
        return {}
    sides = {case.cell.mode: case.found, "eager": case.eager}
    if case.eager_itself:
        sides = {"eager again": case.found, "eager": case.eager}
    return {side: tuple(_of_steps(case, key, found)) for side, found in sides.items()}


def _of_steps(case: Case, key: Key, found: Observation) -> list[float | None]:
    errors: list[float | None] = []
    for step, value in enumerate(found.values(key)):
        oracle = _oracle(case, key, step)
        if oracle is None or oracle.shape != value.shape:
            return []
        with np.errstate(all="ignore"):
            error = np.abs(as_wide(value) - as_wide(oracle))
        finite = error[np.isfinite(error)]
        errors.append(float(finite.max()) if finite.size else None)
    return errors


def _oracle(case: Case, key: Key, step: int) -> Array | None:
    """The oracle's value after a step; of a variable, it has the last step's only."""
    kind, name = key
    oracle = case.lab.oracle()
    if kind == "output":
        return np.asarray(oracle.outputs[step][name])
    return np.asarray(oracle.state[name]) if step == case.lab.steps - 1 else None
