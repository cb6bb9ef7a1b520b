"""What a difference is: rounding, digits lost, NaN, another number, or another meaning."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from eager_vs_graph.child.parity.compare import FLOATS, Difference, compare, epsilon
from eager_vs_graph.results.record import IDENTICAL
from eager_vs_graph.scenario import Array

ROUNDING = "rounding"
DIGITS = "digits"
NOT_FINITE = "not finite"
OTHER = "other"


@dataclass(frozen=True)
class Effect:
    """How a value differs from eager's."""

    kind: str
    """``rounding``: floating point, and more than half of the digits are the same; ``digits``: not
    so; ``not finite``: NaN or infinity on one side only; ``other``: no floating-point number."""
    value: str = ""
    eager: str = ""
    index: tuple[int, ...] = ()
    ulp: float | None = None
    relative: float | None = None

    def far(self) -> str:
        """How far apart the two are, in words."""
        if self.kind in (OTHER, NOT_FINITE) or self.ulp is None:
            return ""
        ulp = f"{self.ulp:.0f}" if self.ulp < 1e4 else f"{self.ulp:.2g}"
        return f"{ulp} ULP"


def effect(value: Array, eager: Array) -> Effect | None:
    """What the difference of two arrays is; None where there is none."""
    if value.shape != eager.shape or value.dtype != eager.dtype:
        return Effect(OTHER, f"{value.dtype}{value.shape}", f"{eager.dtype}{eager.shape}")
    found = compare(value, eager)
    if found.status == IDENTICAL or found.worst_index is None:
        return None
    kind = OTHER
    if value.dtype.name in FLOATS or value.dtype.kind == "c":
        kind = _of_floats(found, value, eager)
    return Effect(
        kind,
        found.value or "",
        found.reference or "",
        tuple(found.worst_index),
        found.max_ulp,
        found.max_rel,
    )


def _of_floats(found: Difference, value: Array, eager: Array) -> str:
    if found.misplaced:
        return NOT_FINITE
    wide = [array.astype(np.complex128) for array in (value, eager)]
    with np.errstate(all="ignore"):
        larger = np.maximum(np.abs(wide[0]), np.abs(wide[1]))
        relative = np.abs(wide[0] - wide[1]) / np.where(larger > 0, larger, 1.0)
    part = value.real.dtype if value.dtype.kind == "c" else value.dtype
    near = np.nanmax(relative, initial=0.0) <= math.sqrt(epsilon(part))
    return ROUNDING if near else DIGITS


def worst_of(values: Sequence[Array], eagers: Sequence[Array]) -> str:
    """The kind of the worst difference over some steps; rounding where there is none."""
    found = [e for value, its in zip(values, eagers, strict=True) if (e := effect(value, its))]
    return min((each.kind for each in found), key=_WORST_FIRST.index, default=ROUNDING)


_WORST_FIRST = (OTHER, NOT_FINITE, DIGITS, ROUNDING)
