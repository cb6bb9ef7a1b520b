"""Steps of which a graph does less than eager: answers agree, times must not be compared."""

import numpy as np
import tensorflow as tf

from eager_vs_graph import Scenario, Size


class Square(Scenario):
    """What the scenarios of this file share: a square matrix."""

    def inputs(self, rng):
        # Small whole numbers: every order of adding their products gives the same.
        return [{"x": rng.integers(-4, 5, (self.size.n, self.size.n)).astype(np.float32)}]


class DroppedResult(Square):
    """A product that nobody asks for: the graph prunes it."""

    name = "dropped_result"
    sizes = {"small": Size(n=64)}

    def step(self, x):
        _unused = tf.matmul(x, x)
        return {"sum": tf.reduce_sum(tf.abs(x))}

    def reference(self, state, x):
        return {"sum": np.sum(np.abs(x))}


class FoldedInputs(Square):
    """A product of constants: the graph has it folded."""

    name = "folded_inputs"
    sizes = {"small": Size(n=64)}

    def step(self, x):
        table = tf.matmul(tf.ones([self.size.n, self.size.n]), tf.ones([self.size.n, self.size.n]))
        return {"y": x + table}

    def reference(self, state, x):
        return {"y": x + self.size.n}


class SameAgain(Square):
    """One product forty times over: the graph computes it once."""

    name = "same_again"
    sizes = {"small": Size(n=32)}

    def step(self, x):
        total = tf.zeros_like(x)
        for _ in range(40):
            total += tf.abs(tf.matmul(x, x))
        return {"y": total}

    def reference(self, state, x):
        return {"y": 40 * np.abs(x @ x)}


class NumpyWork(Square):
    """NumPy computes what does not depend on the input: once in a graph, always in eager."""

    name = "numpy_work"
    sizes = {"small": Size(n=64)}

    def step(self, x):
        grid = np.linspace(0, 1, 300_000)
        scale = float(np.sort(np.sin(np.exp(grid)))[0])
        return {"y": x * scale}

    def reference(self, state, x):
        grid = np.linspace(0, 1, 300_000)
        return {"y": x * np.sort(np.sin(np.exp(grid)))[0]}


class DroppedGradient(Square):
    """A gradient that is computed and never used."""

    name = "dropped_gradient"
    sizes = {"small": Size(n=64)}

    def build(self):
        self.weight = tf.Variable(tf.ones([self.size.n, self.size.n]))

    def step(self, x):
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(tf.abs(tf.matmul(x, self.weight)))
        tape.gradient(loss, self.weight)
        return {"sum": tf.reduce_sum(tf.abs(x))}

    def reference(self, state, x):
        return {"sum": np.sum(np.abs(x))}


class BodyOfForty(Square):
    """A loop in Python that keeps a row of each round: forty in every eager call, then none."""

    name = "body_of_forty"
    sizes = {"small": Size(n=32)}

    def build(self):
        self.rows = 0

    def step(self, x):
        total = tf.zeros([self.size.n])
        for row in range(40):
            self.rows += 1
            total += tf.abs(x[row % self.size.n])
        return {"total": total}

    def reference(self, state, x):
        return {"total": sum(np.abs(x[row % self.size.n]) for row in range(40))}


class ReadsTheLastSlice(Square):
    """A staged loop that makes a product in each turn which nobody reads."""

    name = "reads_the_last_slice"
    sizes = {"small": Size(n=32)}

    def step(self, x):
        last = tf.zeros([self.size.n])
        for row in tf.range(self.size.n):
            _unread = tf.linalg.matvec(x, x[row])
            last = x[row] * 2.0
        return {"last": last}

    def reference(self, state, x):
        return {"last": x[-1] * 2}


class SlicesNobodyReads(Square):
    """Python's loop makes a slice in each turn, and only the last is read."""

    name = "slices_nobody_reads"
    sizes = {"small": Size(n=32)}

    def step(self, x):
        for row in range(self.size.n):
            y = tf.tile(x[row], [32]) * 2.0
        return {"y": y}

    def reference(self, state, x):
        return {"y": np.tile(x[-1], 32) * 2}
