"""The float64 rule: out of tolerance, but as near to the reference as eager is."""

from __future__ import annotations

import numpy as np
import pytest

from eager_vs_graph.child.parity.compare import compare
from eager_vs_graph.child.parity.reference_rule import passes

REFERENCE = np.linspace(1.0, 2.0, 2000)
EAGER = (REFERENCE * (1 + 1e-5)).astype(np.float32)


def test_twice_eagers_error_passes_and_more_does_not():
    assert passes((REFERENCE * (1 - 1.9e-5)).astype(np.float32), EAGER, REFERENCE)
    assert not passes((REFERENCE * (1 - 2.2e-5)).astype(np.float32), EAGER, REFERENCE)


def test_small_tensors_may_be_three_times_as_far():
    few = slice(0, 999)
    value = (REFERENCE * (1 - 2.7e-5)).astype(np.float32)
    assert passes(value[few], EAGER[few], REFERENCE[few])
    assert not passes(value, EAGER, REFERENCE)


@pytest.mark.parametrize("spoiled", [np.nan, np.inf])
def test_what_is_not_finite_has_no_second_chance(spoiled):
    value = EAGER.copy()
    value[7] = spoiled
    assert not passes(value, EAGER, REFERENCE)
    assert not passes(EAGER, value, REFERENCE)


def test_where_eager_has_lost_its_digits_nothing_is_called_close():
    right = np.array([2e-9], np.float32)
    lost = np.array([0.0], np.float32)
    assert not passes(right, lost, np.array([2e-9]))


def test_an_exact_eager_leaves_no_room():
    value = np.array([1.0, 2.0], np.float32)
    assert not passes(value * np.float32(1.0001), value, value.astype(np.float64))


def test_misplaced_nan_signs_of_zero_and_the_spread_of_ulps_are_counted():
    value = np.array([0.0, np.nan, 1.0, 1.0], np.float32)
    reference = np.array([-0.0, 1.0, 1.0, np.nextafter(np.float32(1), np.float32(2))], np.float32)
    found = compare(value, reference)
    assert (found.misplaced, found.signed_zeros, found.max_ulp) == (1, 1, 1.0)
    assert found.p99_ulp == pytest.approx(0.98, abs=0.03)
