"""Many small ops in eager: what Python takes for each is more than what the op takes."""

from __future__ import annotations

from dataclasses import replace

from eager_vs_graph.child.why.look import Look, Pattern
from eager_vs_graph.results.cells import Cell
from eager_vs_graph.results.why import CONVERSION, DISPATCH, PYTHON

_OPS = 5
_SHARE = 0.3


def _seen(look: Look) -> str:
    ops = next((each.count for each in look.found.shares if each.name == DISPATCH), 0)
    share = look.share(DISPATCH, PYTHON, CONVERSION)
    if look.mode not in ("eager", "as_written") or ops < _OPS or share < _SHARE:
        return ""
    return f"{ops:.0f} ops are run one by one from Python, which takes {100 * share:.0f}% of a call"


def _other(look: Look) -> Cell:
    return replace(look.cell, mode="function")


PATTERN = Pattern(
    name="many small ops",
    seen=_seen,
    remedy="call it through tf.function",
    other=_other,
    general=True,
)
