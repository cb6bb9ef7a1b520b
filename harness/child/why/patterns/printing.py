"""Printing in every call."""

from __future__ import annotations

import builtins
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import tensorflow as tf

from eager_vs_graph.child.why.look import Look, Pattern
from eager_vs_graph.child.why.patterns.changes import replaced


def _seen(look: Look) -> str:
    kernels = sum(k.count for k in look.found.kernels if k.op in ("PrintV2", "StringFormat"))
    times = look.called["print"]
    if not times and not kernels:
        return ""
    return "every call prints"


@contextmanager
def _change(_look: Look) -> Iterator[None]:
    def nothing(*_args: Any, **_options: Any) -> None:
        return None

    with replaced(builtins, print=nothing), replaced(tf, print=nothing):
        yield


PATTERN = Pattern(
    name="printing",
    seen=_seen,
    remedy="print every hundredth call, or not at all",
    change=_change,
)
