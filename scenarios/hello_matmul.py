"""The guide's first example: one matrix product, evaluated as soon as it is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from eager_vs_graph import Scenario, Size
from eager_vs_graph.scenario import Array, Feed, State


class HelloMatmul(Scenario):
    """Multiply a matrix by itself, once.

    At the guide's 1×1 the step is a single op with next to nothing to compute: what a call costs
    at least in each mode. That is why this size is timed.
    """

    name = "hello_matmul"
    concept = "ops run at once"
    sizes = {
        "guide": Size(x=((2.0,),)),
        "large": Size(n=256),
    }
    default_sizes = ("guide",)

    def inputs(self, rng: np.random.Generator) -> Sequence[Feed]:
        if "x" in self.size:
            return [{"x": np.array(self.size.x, np.float32)}]
        n = self.size.n
        # Rows of about unit length: the default tolerance is made for values of order one.
        return [{"x": (rng.standard_normal((n, n)) / n**0.5).astype(np.float32)}]

    def step(self, x: Any) -> Mapping[str, Any]:
        return {"m": tf.matmul(x, x)}

    def reference(self, state: State, x: Array) -> Mapping[str, Array]:
        return {"m": x @ x}
