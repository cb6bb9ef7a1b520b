"""Grappler, TensorFlow's graph optimiser: its options for a session, and the graphs it makes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf
from tensorflow.python.eager import context  # the only way to a tf.function's optimised graph


def graph_options() -> Any:
    """A session's ``GraphOptions`` that follow ``tf.config.optimizer``, as a tf.function does."""
    # The message's class is reachable through the field only: TensorFlow does not export it.
    options = tf.compat.v1.GraphOptions()
    rewrites = options.rewrite_options
    fields = rewrites.DESCRIPTOR.fields_by_name
    for name, value in tf.config.optimizer.get_experimental_options().items():
        if name not in fields:
            continue
        if fields[name].enum_type is None:
            setattr(rewrites, name, value)
        else:
            setattr(rewrites, name, rewrites.ON if value else rewrites.OFF)
    return options


def executed_graphs(call: Callable[[], object]) -> list[Any]:
    """The GraphDef of the function that a call executes, after Grappler; none without a function.

    ``tf.summary``'s trace reads the same ``RunMetadata``, but only into a file, and with the ops
    that write that file among the rest.
    """
    eager = context.context()
    eager.enable_run_metadata()
    try:
        call()
        metadata = eager.export_run_metadata()
    finally:
        eager.disable_run_metadata()
    # The ones before the last are single ops that eager ran on the way.
    return [each.post_optimization_graph for each in metadata.function_graphs[-1:]]
