"""Keras told to run eagerly: ``compile(run_eagerly=True)``."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import keras

from eager_vs_graph.child.why.look import Look, Pattern
from eager_vs_graph.child.why.patterns.changes import replaced
from eager_vs_graph.results.why import DISPATCH

_ENTRIES = ("Trainer.fit", "Trainer.predict", "Trainer.evaluate", "Trainer.train_on_batch")
_OPS = 10


def _seen(look: Look) -> str:
    if not any(look.calls_of(name) for name in _ENTRIES):
        return ""
    eager = look.calls_of("Layer.__call__")
    ops = next((each.count for each in look.found.shares if each.name == DISPATCH), 0)
    return "Keras runs the model eagerly" if eager and ops >= _OPS else ""


@contextmanager
def _change(_look: Look) -> Iterator[None]:
    trainer = keras.Model
    compile_ = trainer.compile

    def compiled(self: Any, *args: Any, **kwargs: Any) -> Any:
        kwargs.pop("run_eagerly", None)
        return compile_(self, *args, **kwargs)

    with replaced(trainer, compile=compiled):
        yield


PATTERN = Pattern(
    name="run_eagerly",
    seen=_seen,
    remedy="compile the model without run_eagerly=True",
    change=_change,
)
