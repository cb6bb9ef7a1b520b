"""Inputs that are handed over as NumPy arrays in every call."""

from __future__ import annotations

from dataclasses import replace

from eager_vs_graph.child.why.look import Look, Pattern
from eager_vs_graph.results.cells import INPUTS, Cell
from eager_vs_graph.results.why import FEEDING

_SHARE = 0.1
_RESIDENT, _FED = INPUTS


def _seen(look: Look) -> str:
    share = look.share(FEEDING)
    if look.cell.inputs != _FED or share < _SHARE:
        return ""
    return f"feeding and fetching take {100 * share:.0f}% of a call"


def _other(look: Look) -> Cell:
    return replace(look.cell, inputs=_RESIDENT)


PATTERN = Pattern(
    name="feeding",
    seen=_seen,
    remedy="make the inputs tensors once, before the calls",
    other=_other,
    general=True,
)
