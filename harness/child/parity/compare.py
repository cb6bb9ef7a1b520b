"""Two arrays in, a status and the distances out. NumPy only.

Tolerances by dtype are those of ``torch.testing.assert_close``: the widest used set of per-dtype
defaults, so that ``close`` here means what it means to most readers. An element is close when
``|value - reference| <= atol + rtol * |reference|``; NaN is close to NaN, an infinity to itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import ml_dtypes
import numpy as np

from eager_vs_graph.results.record import CLOSE, DIFFERS, IDENTICAL, VACUOUS
from eager_vs_graph.scenario import Array, Tolerance

DEFAULT_TOLERANCE = {
    "float16": Tolerance(rtol=1e-3, atol=1e-5),
    "bfloat16": Tolerance(rtol=1.6e-2, atol=1e-5),
    "float32": Tolerance(rtol=1.3e-6, atol=1e-5),
    "float64": Tolerance(rtol=1e-7, atol=1e-7),
    "complex64": Tolerance(rtol=1.3e-6, atol=1e-5),
    "complex128": Tolerance(rtol=1e-7, atol=1e-7),
}
FLOATS = ("float16", "bfloat16", "float32", "float64")
STRETCH = 2**20
"""Elements that are compared at once."""
_EXACT = Tolerance(rtol=0.0, atol=0.0)


@dataclass(frozen=True)
class Difference:
    """The distance of one array from its reference; see ``TensorComparison`` for the fields."""

    status: str
    detail: str = ""
    max_abs: float | None = None
    max_rel: float | None = None
    max_ulp: float | None = None
    max_scaled: float | None = None
    p99_ulp: float | None = None
    misplaced: int = 0
    signed_zeros: int = 0
    worst_index: tuple[int, ...] | None = None
    value: str | None = None
    reference: str | None = None


def compare(
    value: Array,
    reference: Array,
    tolerance: Tolerance | None = None,
    *,
    exact_dtype: bool = True,
) -> Difference:
    """Compare an array with its reference.

    Args:
        value: the array in question, of any dtype and shape.
        reference: what it should be; of the same shape.
        tolerance: for ``close``; None means the dtype's default.
        exact_dtype: whether the dtypes must match. False for a reference: it is rounded to the
            dtype of ``value`` before bits and ULPs are compared.
    """
    value, reference = np.asarray(value), np.asarray(reference)
    if value.shape != reference.shape:
        return Difference(DIFFERS, f"value.shape={value.shape}, but should be {reference.shape}")
    if exact_dtype and value.dtype != reference.dtype:
        return Difference(DIFFERS, f"value.dtype={value.dtype}, but should be {reference.dtype}")
    if not _is_inexact(value):
        return _compare_exactly(value, reference)
    tolerance = tolerance or DEFAULT_TOLERANCE[value.dtype.name]
    with np.errstate(all="ignore"):
        return _compare_inexactly(value, reference, tolerance)


def _compare_exactly(value: Array, reference: Array) -> Difference:
    unequal = np.asarray(value != reference)
    if value.size == 0:
        return Difference(VACUOUS, "the tensor has no elements")
    if not unequal.any():
        return Difference(IDENTICAL, max_abs=0.0 if value.dtype.kind in "iu" else None)
    distance = _integer_distance(value, reference) if value.dtype.kind in "iu" else None
    worst = _index(int(np.argmax(unequal if distance is None else distance)), value.shape)
    return Difference(
        DIFFERS,
        f"{int(unequal.sum())} of {value.size} elements differ",
        max_abs=None if distance is None else float(distance.max()),
        worst_index=worst,
        value=str(value[worst]),
        reference=str(reference[worst]),
    )


def _integer_distance(value: Array, reference: Array) -> Array:
    """Absolute difference; exact for integers, whose difference may not fit their dtype."""
    if np.result_type(value, reference).kind not in "iu":
        return np.abs(value.astype(np.float64) - reference.astype(np.float64))
    low, high = np.minimum(value, reference), np.maximum(value, reference)
    return high.astype(np.uint64) - low.astype(np.uint64)  # modulo 2**64, hence right


@dataclass(frozen=True)
class _Part:
    """What a stretch of two arrays has to say. Places are in the flat arrays; -1 is nowhere."""

    finite: int
    misplaced: int
    first_misplaced: int
    far: int
    differing: int
    first_differing: int
    signed_zeros: int
    max_abs: float
    max_rel: float
    scale: float
    """The largest finite element of the reference."""
    max_ulp: float
    ulps_at: int
    excess: float
    """Of the element that uses most of its tolerance: how much of it."""
    excess_at: int
    ulps: Array
    """Distances of the finite elements that have one, in no order."""


def _compare_inexactly(value: Array, reference: Array, tolerance: Tolerance) -> Difference:
    """Compare stretch by stretch: what is computed on the way takes much memory."""
    flat, expected = value.ravel(), reference.ravel()
    parts = [
        _part(flat[start : start + STRETCH], expected[start : start + STRETCH], start, tolerance)
        for start in range(0, flat.size, STRETCH)
    ]
    finite, misplaced = sum(part.finite for part in parts), sum(part.misplaced for part in parts)
    far, differing = sum(part.far for part in parts), sum(part.differing for part in parts)
    if not misplaced and not finite:
        what = "every element is NaN or infinite" if value.size else "the tensor has no elements"
        return Difference(VACUOUS, what)
    max_ulp, max_abs = max(part.max_ulp for part in parts), max(part.max_abs for part in parts)
    scale = max(part.scale for part in parts)
    if misplaced:
        at = next(part.first_misplaced for part in parts if part.misplaced)
        detail = f"NaN or infinity in other places: {misplaced} of {value.size} elements"
    else:
        # The worst element is the one that uses most of its tolerance, then most ULPs.
        if far:
            at = max(parts, key=lambda part: part.excess).excess_at
        elif max_ulp:
            at = max(parts, key=lambda part: part.max_ulp).ulps_at
        else:  # zeros of different sign are apart by a bit and by no ULP
            at = next((part.first_differing for part in parts if part.differing), 0)
        detail = f"{far} of {value.size} elements out of tolerance" if far else ""
    worst = _index(at, value.shape)
    status = DIFFERS if far else CLOSE if differing else IDENTICAL
    return Difference(
        status,
        detail,
        max_abs=max_abs,
        max_rel=max(part.max_rel for part in parts),
        max_ulp=max_ulp if finite else None,
        max_scaled=(max_abs / scale if max_abs else 0.0) if scale > 0 else None,
        p99_ulp=_percentile_99(parts, finite) if finite else None,
        misplaced=misplaced,
        signed_zeros=sum(part.signed_zeros for part in parts),
        worst_index=None if status == IDENTICAL else worst,
        value=None if status == IDENTICAL else str(value[worst]),
        reference=None if status == IDENTICAL else str(reference[worst]),
    )


def _part(value: Array, reference: Array, start: int, tolerance: Tolerance) -> _Part:
    if _same_bits(value, reference) and np.isfinite(value).all():
        nothing = np.zeros(0)
        largest = float(np.abs(value).max(initial=0))
        return _Part(
            value.size, 0, start, 0, 0, start, 0, 0.0, 0.0, largest, 0.0, start, 0.0, start, nothing
        )
    rounded = reference.astype(value.dtype)
    both_nan = np.isnan(value) & np.isnan(reference)
    same_infinity = np.isinf(value) & (value == rounded)
    finite = np.isfinite(value) & np.isfinite(reference)
    misplaced = ~(finite | both_nan | same_infinity)
    wide = np.complex128 if value.dtype.kind == "c" else np.float64
    error = np.where(finite, np.abs(value.astype(wide) - reference.astype(wide)), 0.0)
    size = np.where(finite, np.abs(reference.astype(wide)), 0.0)
    relative = np.divide(error, size, out=np.zeros_like(error), where=size > 0)
    ulps = np.where(finite, ulp_distance(value, rounded), 0.0)
    signs_differ = _signs_differ(value, rounded)
    bits_differ = finite & ((value != rounded) | signs_differ)
    allowed = tolerance.atol + tolerance.rtol * size
    excess = error / np.maximum(allowed, np.finfo(float).tiny)
    return _Part(
        finite=int(finite.sum()),
        misplaced=int(misplaced.sum()),
        first_misplaced=start + int(np.argmax(misplaced)),
        far=int((misplaced | (error > allowed)).sum()),
        differing=int(bits_differ.sum()),
        first_differing=start + int(np.argmax(bits_differ)),
        signed_zeros=int((finite & (value == rounded) & signs_differ).sum()),
        max_abs=float(error.max()),
        max_rel=float(relative.max()),
        scale=float(size.max()),
        max_ulp=float(ulps.max()),
        ulps_at=start + int(np.argmax(ulps)),
        excess=float(excess.max()),
        excess_at=start + int(np.argmax(excess)),
        ulps=ulps[ulps > 0],
    )


def _same_bits(value: Array, reference: Array) -> bool:
    return value.dtype == reference.dtype and np.array_equal(
        value.view(np.uint8), reference.view(np.uint8)
    )


def _percentile_99(parts: list[_Part], count: int) -> float:
    """The 99th percentile of the distances of so many elements: most have none."""
    far = np.sort(np.concatenate([part.ulps for part in parts]))
    place = 0.99 * (count - 1)
    low = int(place)
    below, above = (
        float(far[at - (count - far.size)]) if at >= count - far.size else 0.0
        for at in (low, min(low + 1, count - 1))
    )
    return below + (above - below) * (place - low)


def ulp_distance(value: Array, reference: Array) -> Array:
    """How many representable values lie between two finite arrays of one floating dtype.

    The bits of an IEEE 754 number, read as a sign and a magnitude, are ordered like the number, so
    the distance is a subtraction (Dawson, "Comparing Floating Point Numbers", 2012). -0 and +0 are
    at distance 0. For complex numbers: the larger distance of the two parts. float64, exact up to
    2**53.
    """
    if value.dtype.kind == "c":
        real, imaginary = value.real, value.imag
        return np.maximum(
            ulp_distance(real, reference.real), ulp_distance(imaginary, reference.imag)
        )
    integer = np.dtype(f"i{value.dtype.itemsize}")

    def ordered(array: Array) -> Array:
        bits = np.ascontiguousarray(array).view(integer).reshape(array.shape).astype(np.int64)
        smallest = np.int64(np.iinfo(integer).min)
        return np.where(bits < 0, smallest - bits, bits)

    a, b = ordered(value), ordered(reference)
    # Of opposite signs, two float64 can be further apart than an int64 reaches.
    far_apart = (a < 0) != (b < 0)
    near = np.abs(np.where(far_apart, 0, a) - np.where(far_apart, 0, b)).astype(np.float64)
    return np.where(far_apart, np.abs(a.astype(np.float64)) + np.abs(b.astype(np.float64)), near)


def epsilon(dtype: Any) -> float:
    """Distance from 1.0 to the next number of a floating-point dtype, bfloat16 included."""
    return float(ml_dtypes.finfo(dtype).eps)  # type: ignore[no-untyped-call]


def _signs_differ(value: Array, reference: Array) -> Array:
    if value.dtype.kind == "c":
        return _signs_differ(value.real, reference.real) | _signs_differ(value.imag, reference.imag)
    return np.asarray(np.signbit(value) != np.signbit(reference))


def _is_inexact(array: Array) -> bool:
    return array.dtype.name in DEFAULT_TOLERANCE


def _index(flat: int, shape: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(int(i) for i in np.unravel_index(flat, shape))
