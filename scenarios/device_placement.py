"""The guide's placement by hand: part of the work on one device, part on another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from eager_vs_graph import Scenario, Size
from eager_vs_graph.scenario import Array, Feed, State

HOME = "/device:CPU:0"


class DevicePlacement(Scenario):
    """Multiply on two devices and copy between them.

    The guide's ``x.cpu()`` and ``x.gpu()`` are ``tf.identity`` under ``tf.device`` today. *Home* is
    CPU:0, *away* the last logical device: a GPU where there is one, else another part of the CPU
    (``--logical-cpus 2``), else CPU:0 again. A ``tf.device`` in a step has the last word, whatever
    device the cell is for: the cells of other devices differ in where their inputs come from.
    """

    name = "device_placement"
    concept = "placement on devices"
    sizes = {
        "small": Size(n=64),
        "large": Size(n=1_000),
        "guide": Size(n=10),
    }
    default_sizes = ("small",)

    def inputs(self, rng: np.random.Generator) -> Sequence[Feed]:
        n = self.size.n
        # Rows of about unit length: the default tolerance is made for values of order one.
        return [{"x": (rng.standard_normal((n, n)) / n**0.5).astype(np.float32)}]

    def build(self) -> None:
        self.away = tf.config.list_logical_devices()[-1].name

    def step(self, x: Any) -> Mapping[str, Any]:
        with tf.device(HOME):
            x_home = tf.identity(x)
            square = tf.matmul(x_home, x_home)
        with tf.device(self.away):
            # Not the same product again: with one device, Grappler would compute it only once.
            cube = tf.matmul(tf.identity(square), tf.identity(x))
        with tf.device(HOME):
            total = square + tf.identity(cube)
        return {"at_home": square, "away": cube, "back_home": total}

    def reference(self, state: State, x: Array) -> Mapping[str, Array]:
        square, cube = x @ x, x @ x @ x
        return {"at_home": square, "away": cube, "back_home": square + cube}
