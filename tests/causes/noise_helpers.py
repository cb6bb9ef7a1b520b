"""What scenarios of this folder import: Python state outside of their own file."""

import numpy as np

COUNT = {"calls": 0}
RNG = np.random.default_rng(7)


def next_scale():
    """One, two, three."""
    COUNT["calls"] += 1
    return float(COUNT["calls"])


def jittered(x):
    """A vector with noise of NumPy's."""
    return x + RNG.normal(size=4).astype(np.float32)
