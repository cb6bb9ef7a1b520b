"""A graph of many small kernels: most of its time is the executor's, not the kernels'."""

from __future__ import annotations

from dataclasses import replace

from eager_vs_graph.child.why.look import Look, Pattern
from eager_vs_graph.results.cells import Cell
from eager_vs_graph.results.why import DISPATCH, KERNELS, WAITING

_KERNELS = 10


def _seen(look: Look) -> str:
    kernels = sum(kernel.count for kernel in look.found.kernels)
    share = look.share(DISPATCH, WAITING)
    if look.mode != "function" or kernels < _KERNELS or share + look.share(KERNELS) < 0.5:
        return ""
    return f"{kernels:.0f} kernels are run one by one in the graph"


def _other(look: Look) -> Cell:
    return replace(look.cell, mode="xla")


PATTERN = Pattern(
    name="many small kernels",
    seen=_seen,
    remedy="tf.function(jit_compile=True)",
    other=_other,
    general=True,
)
