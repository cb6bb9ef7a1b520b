"""The guide's "Performance" section: one matrix multiplied again and again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from eager_vs_graph import Scenario, Size, Tolerance
from eager_vs_graph.scenario import Array, Feed, State


class MatmulChain(Scenario):
    """Raise a matrix to a power by repeated products.

    The guide multiplies a standard-normal 1000×1000 matrix by itself 200 times; its entries
    overflow float32 to NaN from the fifth product on, and comparing NaN with NaN shows nothing.
    Here the matrix is orthogonal (the Q of a standard-normal one's QR factorization): all its
    powers are orthogonal too, so entries stay near 1/√n however long the chain.

    The Python loop is unrolled by tracing: the graph holds one node for each product.
    """

    name = "matmul_chain"
    concept = "matmul timing"
    sizes = {
        "tiny": Size(n=8, products=20),
        "small": Size(n=64, products=20),
        "medium": Size(n=256, products=20),
        "large": Size(n=1000, products=10),
        "guide": Size(n=1000, products=200),
    }
    default_sizes = ("tiny", "medium")
    # Rounding errors of a sum behave like a random walk (Higham & Mary 2019, "A New Approach to
    # Probabilistic Rounding Error Analysis"). Summed one by one, float32 products of two unit
    # vectors are off by about 0.3 u for any n (u = 2⁻²⁴, standard deviation; blocked sums do
    # better), and orthogonal factors pass errors on without magnifying them: k products are off by
    # 0.3 √k u. This is six times that for the longest chain. It is absolute, because an entry near
    # zero is a sum like the others.
    tolerance = Tolerance(rtol=0.0, atol=6 * 0.3 * 200**0.5 * 2**-24)
    parity_steps = 1
    timing = "Time to multiply a ({n}, {n}) matrix by itself {products} times:"

    def inputs(self, rng: np.random.Generator) -> Sequence[Feed]:
        orthogonal, _ = np.linalg.qr(rng.standard_normal((self.size.n, self.size.n)))
        return [{"a": orthogonal.astype(np.float32)}]

    def step(self, a: Any) -> Mapping[str, Any]:
        x = a
        for _ in range(self.size.products):
            x = tf.matmul(x, a)
        return {"power": x}

    def reference(self, state: State, a: Array) -> Mapping[str, Array]:
        return {"power": np.linalg.matrix_power(a, self.size.products + 1)}
