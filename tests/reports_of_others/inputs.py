"""The inputs that the reports name."""

import numpy as np


def with_nan():
    return np.array([4.0, 5.5, np.nan, -2.5], np.float32)


def nan_first():
    return np.array([np.nan, 1.0, 3.0, 7.0], np.float32)


def scores_with_nan():
    return np.array([[0.5, np.nan, 0.7, 0.6]], np.float32), np.array([2], np.int32)


def overflowing():
    return np.array([100.0, 1.0], np.float32), np.array([-100.0, 2.0], np.float32)


def beyond_exp():
    return np.array([88.0, 89.0, 100.0, 1.0], np.float32)


def beyond_square():
    return np.array([1e19, 1e20, -3e30, 2.0], np.float32)


def negative():
    return np.array([-1.5, 2.0], np.float32)


def near_and_negative():
    return np.array([-0.3523314], np.float32)


def with_negative():
    return np.array([1.56, -0.0905, 2.736], np.float32)


def ones():
    return np.ones([8, 6], np.float32)


def large_and_three():
    return np.array([1e10, 1e15, 7.0], np.float32), np.array([3.0, 3.0, 3.0], np.float32)


def out_of_a_byte():
    return np.array([-1.0, -0.5, 0.5, 1.5, 255.0, 256.0], np.float32)


def small_numbers():
    return np.array([12, 7, 20, 15, 11], np.int32)


def shifts():
    return np.array([1, 5, 9, 3], np.int32), np.array([40, 2, 33, 1], np.int32)


def mixed():
    return np.array([0.6374078, -1.6019852, -0.24963307], np.float32)


def zero_probability():
    return np.array([1], np.int32), np.array([[0.0, 1.0, 1.0]], np.float32)


def index_beyond():
    return np.array([10, 20, 30], np.int32), np.array([0, 7], np.int32)


def place_beyond():
    return np.array([[0, 1], [2, 3]], np.float32), np.array([[0, 0], [1, 2]], np.int32)


def two_rows():
    return np.array([[1.0, 2.0], [3.0, 4.0]], np.float32)


def segment_beyond():
    return np.array([1.0, 2.0, 3.0], np.float32), np.array([0, 3, 1], np.int32)


def ties():
    return np.array([[3.0, -2.0, -7.0, 4.0, -1.0]], np.float32)


def saturating():
    return np.array([[10.0, 20.0, 5.0]], np.float32)


def probabilities():
    return np.array([0.0, 1e-9, 0.9999999, 1.0], np.float32)


def infinite():
    return np.array([1.0, np.inf, -np.inf, np.nan], np.float32)


def rates():
    return np.linspace(1.0, 50.0, 64).astype(np.float32)


def beta():
    a = np.full([2, 3], 2.5, np.float32)
    return a, a + 0.5, np.array([[0.0, 0.5, 1.0], [0.25, 1.0, 0.75]], np.float32)


def spread():
    return np.array([-20.0, -16.0, 0.5, 3.0], np.float32)


def signs():
    return np.array([1.0, -2.0, 3.0, 5.0], np.float32)


def small_signs():
    return np.array([1.0, -2.0, 3.0, 0.25], np.float32)


def actions_and_prices():
    actions = np.array([0.9, 0.1, 0.8, 0.2, 0.7, 0.9], np.float32)
    return actions, np.array([10.0, 11.0, 12.5, 12.0, 9.0, 10.0], np.float32)


def sample_and_place():
    return np.arange(4, dtype=np.float32), np.array(2, np.int32)


def images():
    rng = np.random.default_rng(1)
    return rng.standard_normal([4, 8, 8, 3]).astype(np.float32), np.array([0, 1, 2, 0], np.int32)


def image():
    return np.random.default_rng(1).uniform(size=[8, 8, 3]).astype(np.float32)


def angles():
    return np.linspace(-5.0, 5.0, 64)


def equal_numbers():
    return np.full([1, 3], 7.5e10, np.float32)


def numbers():
    return np.array([3, 1, 2, 4], np.int32)


def zeros_among():
    return np.array([0, 1, 2], np.int32)


def text():
    return np.array(["a", "bc"])


def fractions():
    return np.array([[1.2, 1.9, 0.3]], np.float32)
