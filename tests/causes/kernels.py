"""A kernel that adds in an order of its own."""

import numpy as np
import tensorflow as tf

from eager_vs_graph import Scenario, Size


class Bincount(Scenario):
    """A weighted histogram, which threads add up in an order of their own."""

    name = "weighted_histogram"
    sizes = {"small": Size(n=1_000_000)}
    parity_steps = 10

    def inputs(self, rng):
        return [
            {
                "bins": rng.integers(0, 10, self.size.n).astype(np.int32),
                "x": rng.standard_normal(self.size.n).astype(np.float32) * 1e3,
            }
        ]

    def step(self, bins, x):
        return {"sums": tf.math.bincount(bins, weights=x, minlength=10)}

    def reference(self, state, bins, x):
        return {"sums": np.bincount(bins, weights=x, minlength=10)}
