"""A kernel that only a graph takes, because only a graph can fuse the ops that it replaces."""

import numpy as np
import tensorflow as tf

from eager_vs_graph import Scenario, Size


class FusedTanh(Scenario):
    """Product, bias and tanh: one kernel of oneDNN in a graph, whose tanh never reaches 1."""

    name = "fused_tanh"
    sizes = {"small": Size(n=64)}

    def inputs(self, rng):
        n = self.size.n
        shapes = {"x": (n, n), "w": (n, n), "b": (n,)}
        return [{name: rng.standard_normal(s, dtype=np.float32) for name, s in shapes.items()}]

    def step(self, x, w, b):
        return {"y": tf.nn.tanh(tf.nn.bias_add(x @ w, b))}

    def reference(self, state, x, w, b):
        return {"y": np.tanh(x @ w + b)}
