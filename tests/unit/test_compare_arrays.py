"""The comparison of two arrays: words, distances, and which element is the worst."""

from __future__ import annotations

import math

import ml_dtypes
import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from eager_vs_graph.child.parity import compare as comparing
from eager_vs_graph.child.parity.compare import DEFAULT_TOLERANCE, compare, epsilon, ulp_distance
from eager_vs_graph.scenario import Tolerance

FLOATS = [np.dtype(name) for name in ("float16", "float32", "float64")]
COMPLEX = [np.dtype(name) for name in ("complex64", "complex128")]
EXACT = Tolerance(0.0, 0.0)
BFLOAT16 = np.dtype(ml_dtypes.bfloat16)


def elements(dtype: np.dtype, *, finite: bool = False) -> st.SearchStrategy:
    if dtype.kind == "c":
        return st.complex_numbers(width=dtype.itemsize * 8, allow_nan=False, allow_infinity=False)
    return st.floats(width=dtype.itemsize * 8, allow_nan=not finite, allow_infinity=not finite)


@st.composite
def arrays(draw: st.DrawFn, *, finite: bool = False, dtypes: tuple = (*FLOATS, *COMPLEX)):
    dtype = draw(st.sampled_from(dtypes))
    shape = draw(hnp.array_shapes(min_dims=0, max_dims=3, max_side=4))
    return draw(hnp.arrays(dtype, shape, elements=elements(dtype, finite=finite)))


@st.composite
def pairs(draw: st.DrawFn, *, finite: bool = False, dtypes: tuple = tuple(FLOATS)):
    """Two arrays of one dtype and shape; elements are often equal or neighbours."""
    first = draw(arrays(finite=finite, dtypes=dtypes))
    other = draw(
        hnp.arrays(first.dtype, first.shape, elements=elements(first.dtype, finite=finite))
    )
    kind = draw(hnp.arrays(np.int8, first.shape, elements=st.integers(0, 2)))
    with np.errstate(all="ignore"):
        near = np.nextafter(first, other)
    second = np.select([kind == 0, kind == 1], [first, near], other).astype(first.dtype)
    assume(not finite or np.isfinite(second).all())
    return first, second


def same_bits(a: np.ndarray, b: np.ndarray) -> bool:
    """Equal element by element, signs of zero included; any NaN equals any NaN."""
    zeros = np.signbit(a) != np.signbit(b)
    return bool((((a == b) & ~zeros) | (np.isnan(a) & np.isnan(b))).all())


@given(arrays())
def test_an_array_is_never_different_from_itself(array):
    found = compare(array, array.copy())
    assert found.status == ("identical" if np.isfinite(array).any() else "vacuous")
    assert found.worst_index is None
    if found.status == "identical":
        assert (found.max_abs, found.max_rel, found.max_ulp) == (0, 0, 0)


@given(pairs())
def test_identical_is_bit_for_bit(pair):
    value, reference = pair
    found = compare(value, reference)
    assert (found.status in {"identical", "vacuous"}) == same_bits(value, reference)
    if found.status == "vacuous":
        assert not np.isfinite(value).any()


@given(pairs())
def test_the_words_do_not_depend_on_which_is_the_reference_when_only_bits_count(pair):
    value, reference = pair
    there, back = compare(value, reference, EXACT), compare(reference, value, EXACT)
    assert there.status == back.status
    assert there.max_abs == back.max_abs
    assert there.max_ulp == back.max_ulp


@given(pairs(finite=True))
def test_an_element_is_close_within_its_tolerance(pair):
    value, reference = pair
    tolerance = DEFAULT_TOLERANCE[value.dtype.name]
    with np.errstate(over="ignore"):  # the largest numbers are infinitely far apart
        error = np.abs(value.astype(float) - reference.astype(float))
    within = (error <= tolerance.atol + tolerance.rtol * np.abs(reference.astype(float))).all()
    status = "differs" if not within else "identical" if same_bits(value, reference) else "close"
    found = compare(value, reference)
    assert found.status == status
    assert found.max_abs == error.max()


@given(pairs(finite=True))
def test_the_worst_element_is_the_worst(pair):
    value, reference = pair
    found = compare(value, reference, Tolerance(rtol=1e-3, atol=1e-6))
    if found.status == "identical":
        assert found.worst_index is None
        return
    assert found.value == str(value[found.worst_index])
    assert found.reference == str(reference[found.worst_index])
    with np.errstate(over="ignore"):
        error = np.abs(value.astype(float) - reference.astype(float))
    allowed = 1e-6 + 1e-3 * np.abs(reference.astype(float))
    if found.status == "close":
        ulps = ulp_distance(value, reference)
        assert ulps[found.worst_index] == ulps.max() == found.max_ulp
    else:
        assert error[found.worst_index] > allowed[found.worst_index]
        with np.errstate(over="ignore"):
            excess = error / allowed
        assert excess[found.worst_index] == excess.max()


@given(pairs(finite=True))
def test_ulp_distance_is_symmetric_and_zero_only_between_equals(pair):
    value, reference = pair
    there, back = ulp_distance(value, reference), ulp_distance(reference, value)
    assert (there == back).all()
    assert ((there == 0) == (value == reference)).all()  # -0 and +0 are equal
    assert (there >= 0).all()


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
@given(data=st.data())
def test_the_next_number_is_one_ulp_away(dtype, data):
    x = np.array(data.draw(elements(dtype, finite=True)), dtype)
    with np.errstate(over="ignore"):
        above, below = (np.nextafter(x, dtype.type(to)) for to in (np.inf, -np.inf))
    assume(np.isfinite(above) and np.isfinite(below))
    assert ulp_distance(x, above) == ulp_distance(x, below) == 1
    assert ulp_distance(above, below) == 2  # across zero too


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
def test_ulps_across_zero_and_across_everything(dtype):
    tiny = np.finfo(dtype).smallest_subnormal
    zero = np.array(0.0, dtype)
    assert ulp_distance(np.array(tiny), np.array(-tiny)) == 2
    assert ulp_distance(zero, np.array(-0.0, dtype)) == 0
    assert ulp_distance(np.array(tiny), np.array(-0.0, dtype)) == 1
    highest = np.array(np.finfo(dtype).max)
    bits = {2: 16, 4: 32, 8: 64}[dtype.itemsize]
    finite = 2 * int(highest.view(f"u{dtype.itemsize}"))  # every finite number, but one zero
    assert ulp_distance(highest, -highest) == float(finite)
    assert finite < 2**bits


@given(st.integers(0, 2**15 - 1), st.integers(1, 50))
def test_bfloat16_counts_in_its_own_ulps(bits, distance):
    a = np.array(bits, np.uint16).view(BFLOAT16)
    b = np.array(bits + distance, np.uint16).view(BFLOAT16)
    assume(np.isfinite(b.astype(np.float32)) and bits + distance < 2**15)
    assert ulp_distance(a, b) == ulp_distance(b, a) == distance
    assert ulp_distance(-a, -b) == distance


@pytest.mark.parametrize("dtype", [np.dtype(name) for name in ("f2", "f4", "f8")] + [BFLOAT16])
def test_epsilon_is_the_distance_to_the_next_number_after_one(dtype):
    one = np.ones((), dtype)
    after = (one.view(f"u{dtype.itemsize}") + 1).astype(f"u{dtype.itemsize}").view(dtype)
    assert epsilon(dtype) == float(after) - 1.0


def test_bfloat16_has_its_own_tolerance():
    one = np.array([1.0, 2.0], BFLOAT16)
    near = np.array([1.0078125, 2.0], BFLOAT16)
    far = np.array([1.0, 2.125], BFLOAT16)
    assert compare(one, one.copy()).status == "identical"
    assert compare(near, one).status == "close"
    assert compare(near, one).max_ulp == 1
    found = compare(far, one)
    assert (found.status, found.worst_index, found.value) == ("differs", (1,), "2.125")


@pytest.mark.parametrize("dtype", COMPLEX, ids=str)
def test_complex_numbers_are_as_far_apart_as_their_farther_parts(dtype):
    part = np.empty(0, dtype).real.dtype.type
    reference = np.array([1 + 1j, 2 + 2j], dtype)
    value = reference.copy()
    value[1] = complex(2, np.nextafter(part(2), part(3)))
    found = compare(value, reference)
    assert (found.status, found.max_ulp, found.worst_index) == ("close", 1, (1,))
    assert compare(reference + part(0.5), reference).status == "differs"


@pytest.mark.parametrize("dtype", COMPLEX, ids=str)
def test_the_sign_of_an_imaginary_zero_is_a_bit_too(dtype):
    found = compare(np.array(complex(1, -0.0), dtype), np.array(complex(1, 0.0), dtype))
    assert found.status == "close"


@pytest.mark.parametrize("dtype", COMPLEX, ids=str)
def test_a_complex_infinity_that_is_equal_is_no_difference(dtype):
    array = np.array([complex(np.inf, 0), 1j], dtype)
    assert compare(array, array.copy()).status == "identical"


@pytest.mark.parametrize(
    ("value", "reference", "detail", "max_abs", "worst"),
    [
        (np.array([1, 2, 9]), np.array([1, 2, 3]), "1 of 3 elements differ", 6, (2,)),
        (np.array([1, 4, 9]), np.array([1, 2, 3]), "2 of 3 elements differ", 6, (2,)),
        (np.array([0, 5], np.uint8), np.array([0, 250], np.uint8), "1 of 2", 245, (1,)),
        (np.array([True, False]), np.array([True, True]), "1 of 2 elements differ", None, (1,)),
        (np.array([b"a", b"b"], object), np.array([b"a", b"c"], object), "1 of 2", None, (1,)),
    ],
)
def test_integers_booleans_and_strings_are_equal_or_not(value, reference, detail, max_abs, worst):
    found = compare(value, reference)
    assert found.status == "differs"
    assert detail in found.detail
    assert found.max_abs == max_abs
    assert found.max_ulp is None
    assert found.worst_index == worst
    assert found.value == str(value[worst])
    assert compare(value, value.copy()).status == "identical"


def test_integers_beyond_float64_are_compared_exactly():
    value, reference = np.array(2**60 + 1), np.array(2**60)
    found = compare(value, reference)
    assert found.status == "differs"
    assert found.max_abs == 1


def test_dtype_and_shape_are_compared_before_values():
    value = np.zeros(3)
    found = compare(value, np.zeros(3, np.float32))
    assert (found.status, found.detail) == (
        "differs",
        "value.dtype=float64, but should be float32",
    )
    assert found.max_abs is None
    found = compare(value, np.zeros((3, 1)))
    assert (found.status, found.detail) == ("differs", "value.shape=(3,), but should be (3, 1)")
    assert compare(np.zeros(()), np.zeros(1)).status == "differs"  # no broadcasting


def test_an_references_dtype_does_not_count_but_its_digits_do():
    third = np.array([1 / 3])
    found = compare(third.astype(np.float32), third, exact_dtype=False)
    assert found.status == "identical"  # the reference, rounded to float32
    assert found.max_ulp == 0
    assert 0 < found.max_abs < 1e-7
    off = np.nextafter(third.astype(np.float32), np.float32(1))
    assert compare(off, third, exact_dtype=False).max_ulp == 1


@pytest.mark.parametrize("dtype", [*FLOATS, BFLOAT16], ids=str)
def test_nothing_finite_to_compare_is_vacuous(dtype):
    nan = np.full((2, 2), np.nan, dtype)
    assert compare(nan, nan.copy()).status == "vacuous"
    assert compare(nan, nan.copy()).detail == "every element is NaN or infinite"
    assert compare(nan, nan.copy()).max_ulp is None
    empty = np.empty((0, 3), dtype)
    assert (compare(empty, empty).status, compare(empty, empty).detail) == (
        "vacuous",
        "the tensor has no elements",
    )


def test_no_integers_are_vacuous_too():
    assert compare(np.empty(0, int), np.empty(0, int)).status == "vacuous"


@given(arrays(finite=True, dtypes=tuple(FLOATS)), st.data())
def test_one_nan_in_another_place_differs_there(array, data):
    flat = data.draw(st.integers(0, array.size - 1))
    place = tuple(int(i) for i in np.unravel_index(flat, array.shape))
    value = array.copy()
    value[place] = data.draw(st.sampled_from([np.nan, np.inf, -np.inf]))
    for a, b in ((value, array), (array, value)):
        found = compare(a, b, Tolerance(0.9, 1e30))
        assert found.status == "differs"
        assert found.worst_index == place
        assert f"NaN or infinity in other places: 1 of {array.size} elements" in found.detail


def test_opposite_infinities_differ_and_equal_ones_agree():
    inf = np.array([np.inf, 1.0])
    assert compare(inf, inf.copy()).status == "identical"
    assert compare(inf, np.array([-np.inf, 1.0])).status == "differs"
    assert compare(np.array([np.inf, np.nan]), np.array([np.inf, np.nan])).status == "vacuous"


def test_an_reference_beyond_the_dtype_is_rounded_to_infinity():
    infinite, largest = np.array([np.inf, 1], np.float32), np.array([3.4e38, 1], np.float32)
    huge = np.array([1e300, 1.0])
    assert compare(infinite, huge, exact_dtype=False).status == "identical"
    assert compare(largest, huge, exact_dtype=False).status == "differs"


def test_minus_zero_is_close_to_zero_and_not_identical():
    found = compare(np.array([-0.0, 1.0]), np.array([0.0, 1.0]))
    assert found.status == "close"
    assert (found.max_abs, found.max_ulp) == (0.0, 0.0)
    assert compare(np.array([-0.0]), np.array([0.0]), EXACT).status == "close"


def test_close_names_the_element_whose_bits_differ():
    found = compare(np.array([1.0, -0.0, 2.0]), np.array([1.0, 0.0, 2.0]))
    assert (found.worst_index, found.value, found.reference) == ((1,), "-0.0", "0.0")


@pytest.mark.parametrize(
    ("value", "status"),
    [(1.25, "close"), (math.nextafter(1.25, 2), "differs"), (0.75, "close"), (0.7, "differs")],
)
def test_the_tolerance_includes_its_boundary(value, status):
    # 1 ± (0.125 + 0.125 · 1), exact in binary.
    tolerance = Tolerance(rtol=0.125, atol=0.125)
    assert compare(np.array(value), np.array(1.0), tolerance).status == status


def test_small_values_are_compared_by_their_digits_when_atol_is_zero():
    value, reference = np.array([0.0], np.float32), np.array([2.06e-9], np.float32)
    assert compare(value, reference).status == "close"  # the default hides it
    assert compare(value, reference, Tolerance(1e-3)).status == "differs"


@pytest.mark.parametrize(("rtol", "atol"), [(1.0, 0.0), (-0.1, 0.0), (0.1, -1.0), (math.nan, 0.0)])
def test_a_tolerance_without_meaning_is_refused(rtol, atol):
    with pytest.raises(ValueError, match=r"rtol must be in \[0, 1\)"):
        Tolerance(rtol, atol)


@pytest.mark.parametrize("dtype", [np.float32, np.complex64, ml_dtypes.bfloat16])
@pytest.mark.parametrize("exact", [True, False])
def test_large_arrays_are_compared_piece_by_piece_with_the_same_result(dtype, exact, monkeypatch):
    rng = np.random.default_rng(0)
    for case in range(40):
        wide = rng.standard_normal((7, 9))
        near = wide * (1 + 10.0 ** -rng.integers(1, 9) * (rng.random(wide.shape) < 0.1))
        value, reference = near.astype(dtype), wide.astype(dtype if exact else np.float64)
        if case % 4 == 1:
            value[2, 3] = np.nan
        if case % 4 == 2:
            value[0, 0], reference[0, 0] = -0.0, 0.0
            value[1, 0] = reference[1, 0] = np.inf
        whole = compare(value, reference, exact_dtype=exact)
        with monkeypatch.context() as patch:
            patch.setattr(comparing, "STRETCH", 10)
            pieces = compare(value, reference, exact_dtype=exact)
        assert pieces == whole
        counted = ulp_distance(value, reference.astype(dtype))
        finite = np.isfinite(value) & np.isfinite(reference)
        with np.errstate(all="ignore"):
            assert whole.p99_ulp == pytest.approx(np.percentile(counted[finite], 99))
