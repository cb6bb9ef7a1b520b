"""Conditions that a process takes on before TensorFlow's first op."""

from __future__ import annotations

import tensorflow as tf

from eager_vs_graph.results.explanation import DETERMINISM, ONE_THREAD


def apply(condition: str) -> None:
    """Configure TensorFlow for the condition; before its first op."""
    if condition == DETERMINISM:
        tf.config.experimental.enable_op_determinism()
    elif condition == ONE_THREAD:
        tf.config.threading.set_intra_op_parallelism_threads(1)
        tf.config.threading.set_inter_op_parallelism_threads(1)
