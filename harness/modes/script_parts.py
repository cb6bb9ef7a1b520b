"""What the functions ``run_mode`` of the modes have in common.

``run_mode`` runs a scenario in a mode where this package is not installed: its text, and that of
the functions of ``modes`` that it calls, is put into a reproduction script
(``child/explain/reproduce.py``). So these functions name ``tf``, ``np`` and each other only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import tensorflow as tf

from eager_vs_graph.scenario import Array, Feed, State

Build = Callable[[], Any]
"""Makes a scenario in its initial state."""
VariablesOf = Callable[[Any], Mapping[str, tf.Variable]]
Outcome = tuple[list[dict[str, Array]], State]
"""The outputs of each step, and the variables after the last."""


def take_steps(
    step: Callable[..., Any], feeds: Sequence[Feed], variables: Mapping[str, tf.Variable]
) -> Outcome:
    """Take one step for each feed; the outputs of every step, and the variables after the last."""
    outputs = []
    for feed in feeds:
        tensors = {name: tf.constant(array) for name, array in feed.items()}
        outputs.append({name: tensor.numpy() for name, tensor in step(**tensors).items()})
    return outputs, {name: variable.numpy() for name, variable in variables.items()}
