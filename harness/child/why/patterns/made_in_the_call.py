"""An optimizer or metric of Keras that is made anew in every call, with its variables."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import keras
import tensorflow as tf

from eager_vs_graph.child.why.look import Look, Pattern
from eager_vs_graph.child.why.patterns.changes import replaced

_INITS = ("BaseOptimizer.__init__", "Metric.__init__")
_KINDS = (keras.optimizers.Optimizer, keras.metrics.Metric)


def _seen(look: Look) -> str:
    if not any(look.calls_of(f":{name}") for name in _INITS):
        return ""
    return "every call makes an optimizer or a metric of Keras anew"


@contextmanager
def _change(_look: Look) -> Iterator[None]:
    """Who asks for the same object again is given the one that is there."""
    kept: dict[Any, Any] = {}
    modules = [getattr(each, name) for each in (keras, tf.keras) for name in _MODULES]
    with ExitStack() as stack:
        for module in modules:
            classes = {
                name: _once(kind, kept)
                for name, kind in vars(module).items()
                if inspect.isclass(kind) and issubclass(kind, _KINDS) and kind not in _KINDS
            }
            stack.enter_context(replaced(module, **classes))
        yield


_MODULES = ("optimizers", "metrics")


def _once(kind: type, kept: dict[Any, Any]) -> Callable[..., Any]:
    def make(*args: Any, **kwargs: Any) -> Any:
        key = (kind, repr(args), repr(sorted(kwargs.items())))
        if key not in kept:
            kept[key] = kind(*args, **kwargs)
        return kept[key]

    return make


PATTERN = Pattern(
    name="objects made in the call",
    seen=_seen,
    remedy="make it once, before the calls",
    change=_change,
)
