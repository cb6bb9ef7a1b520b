"""A constant that Grappler's folding loses; in a file of its own, to be asked for by itself."""

import numpy as np
import tensorflow as tf

from eager_vs_graph import Scenario, Size


class LostEpsilon(Scenario):
    """log((1 - x) + 1e-8): constant folding adds the two constants to 1, and the epsilon is gone.

    tensorflow/tensorflow#52045, #47548.
    """

    name = "lost_epsilon"
    sizes = {"tiny": Size()}

    def inputs(self, rng):
        return [{"x": np.array([1.0, 0.5, 0.25, 1.0], np.float32)}]

    def step(self, x):
        return {"y": tf.math.log((1.0 - x) + 1e-8)}

    def reference(self, state, x):
        return {"y": np.log((1.0 - x) + 1e-8)}
