"""What a difference is: rounding, digits lost, NaN, another number, or another meaning."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from eager_vs_graph.child.parity.compare import FLOATS, compare, epsilon
from eager_vs_graph.results.record import CLOSE, IDENTICAL
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
        kind = _of_floats(found, value.dtype)
    return Effect(
        kind,
        found.value or "",
        found.reference or "",
        tuple(found.worst_index),
        found.max_ulp,
        found.max_rel,
    )


def _of_floats(found: Any, dtype: Any) -> str:
    if found.misplaced:
        return NOT_FINITE
    relative = found.max_rel or 0.0
    real = np.dtype(np.float32 if dtype.name == "complex64" else np.float64)
    size = epsilon(real if dtype.kind == "c" else dtype)
    return (
        ROUNDING if relative <= math.sqrt(size) and found.status in (CLOSE, "differs") else DIGITS
    )
