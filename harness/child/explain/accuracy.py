"""Who is right: each mode's own error against the float64 reference, in the worst element."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from eager_vs_graph.child.explain.disagreement import Disagreement, as_wide
from eager_vs_graph.child.parity.compare import DEFAULT_TOLERANCE, epsilon, ulp_distance
from eager_vs_graph.results.explanation import Accuracy, Judgement, Key
from eager_vs_graph.scenario import Array


def judge(disagreement: Disagreement, key: Key) -> Judgement | None:
    """Hold both sides of a disagreement against the reference; None where nothing can be held."""
    tensor = disagreement.differing[key]
    if disagreement.found.error or tensor.worst_index is None:
        return None
    step = tensor.worst_step or 0
    kind, name = key
    trajectory = disagreement.lab.reference()
    if trajectory is None:
        return None
    reference = np.asarray(
        trajectory.outputs[step][name] if kind == "output" else trajectory.state[name]
    )
    if reference.shape != tensor.shape:
        return None
    index = tuple(tensor.worst_index)
    right = reference[index]
    sides = tuple(
        _accuracy(mode, observation.values(key)[step], index, right)
        for mode, observation in (
            (
                "eager again" if disagreement.eager_itself else disagreement.cell.mode,
                disagreement.found,
            ),
            ("eager", disagreement.eager),
        )
    )
    return Judgement(name, kind, step, index, f"{right:.9g}", sides, _verdict(sides))


def _accuracy(mode: str, array: Array, index: tuple[int, ...], right: Any) -> Accuracy:
    value = array[index]
    if array.dtype.name not in DEFAULT_TOLERANCE:
        right_one = bool(np.asarray(right).astype(array.dtype) == value)
        return Accuracy(mode, str(value), 0.0 if right_one else None, None)
    rounded = np.asarray(right).astype(array.dtype)
    finite = bool(np.isfinite(value)) and bool(np.isfinite(rounded))
    with np.errstate(all="ignore"):
        ulp = float(ulp_distance(np.asarray(value), rounded)) if finite else None
    return Accuracy(mode, str(value), ulp, _digits(value, right, array.dtype))


def _digits(value: Any, right: Any, dtype: np.dtype[Any]) -> float:
    """Right decimal digits, −log10 of the relative error, between 0 and what the dtype holds."""
    most = -math.log10(epsilon(dtype))
    wide, expected = as_wide(np.asarray(value)), as_wide(np.asarray(right))
    if wide == expected or (np.isnan(wide) and np.isnan(expected)):
        return most
    if not (np.isfinite(wide) and np.isfinite(expected)) or expected == 0:
        return 0.0
    relative = float(np.abs(wide - expected) / np.abs(expected))
    return most if relative == 0 else min(most, max(0.0, -math.log10(relative)))


def _verdict(sides: tuple[Accuracy, ...]) -> str:
    """In words, such as ``function is right to 1 ULP (6.9 digits), eager has lost all digits``."""
    told = [_told(side) for side in sides]
    digits = [side.digits for side in sides]
    if digits[0] is None or digits[1] is None:
        right = [side.mode for side in sides if side.digits is None and side.ulp == 0]
        if len(right) == 1:
            return f"{right[0]} is right"
        return "; ".join(told)
    if abs(digits[0] - digits[1]) < 0.3:
        return f"neither is nearer to the reference: {', '.join(told)}"
    better, worse = (0, 1) if digits[0] > digits[1] else (1, 0)
    return f"{told[better]}, {told[worse]}"


def _told(side: Accuracy) -> str:
    if side.digits is None:
        return f"{side.mode} gives {side.value}"
    if side.digits < 0.5:
        return f"{side.mode} has lost all digits"
    if side.ulp == 0:
        return f"{side.mode} is right to the last bit"
    if side.ulp is None:
        return f"{side.mode} gives {side.value}, as the reference does"
    ulp = f"{side.ulp:.0f}" if side.ulp < 1e4 else f"{side.ulp:.2g}"
    return f"{side.mode} is right to {ulp} ULP ({side.digits:.1f} digits)"
