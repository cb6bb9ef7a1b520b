"""``Model.predict`` for few rows: it makes a data set, callbacks and a loop for every call."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import keras
import tensorflow as tf

from eager_vs_graph.child.why.look import Look, Pattern
from eager_vs_graph.child.why.patterns.changes import replaced


def _seen(look: Look) -> str:
    times = look.calls_of("Trainer.predict")
    if not times:
        return ""
    return "Model.predict makes a data set and a loop over it anew in every call"


@contextmanager
def _change(_look: Look) -> Iterator[None]:
    """One call of the model, in a graph that is made once for each model."""
    made: dict[int, Any] = {}

    def predict(self: Any, x: Any, *_args: Any, **_kwargs: Any) -> Any:
        if id(self) not in made:
            made[id(self)] = tf.function(lambda value: self(value, training=False))
        outputs = made[id(self)](tf.nest.map_structure(tf.convert_to_tensor, x))
        return tf.nest.map_structure(lambda tensor: tensor.numpy(), outputs)

    with replaced(keras.Model, predict=predict):
        yield


PATTERN = Pattern(
    name="predict",
    seen=_seen,
    remedy="for one batch, call a tf.function of model(x, training=False)",
    change=_change,
)
