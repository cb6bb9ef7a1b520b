"""One row at a time: what a call costs beside its kernels is paid for every row."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from eager_vs_graph.child.parity.subject import Subject
from eager_vs_graph.child.why.look import Look, Pattern
from eager_vs_graph.results.why import KERNELS

ROWS = 32
_SHARE = 0.5


def _seen(look: Look) -> str:
    shapes = [array.shape for array in look.subject.feeds[0].values()]
    one_row = shapes and all(len(shape) > 1 and shape[0] == 1 for shape in shapes)
    share = look.share(KERNELS)
    if not one_row or share > _SHARE or look.subject.scenario.python_inputs:
        return ""
    return f"a call has one row, and kernels take {100 * share:.0f}% of it"


def batched(subject: Subject) -> Subject:
    """The subject with each row as often as a batch has rows."""
    feeds = [{n: np.repeat(a, ROWS, axis=0) for n, a in feed.items()} for feed in subject.feeds]
    return replace(subject, feeds=feeds)


PATTERN = Pattern(
    name="one row at a time",
    seen=_seen,
    remedy=f"call it for many rows at once, such as {ROWS}",
    subject=batched,
    units=ROWS,
    of="row",
    general=True,
)
