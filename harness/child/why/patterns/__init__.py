"""Patterns that make calls slow, one file each, with the change that shows it.

A file has a ``PATTERN``, and its name is in ``NAMES``. The change of every pattern that is seen in
a cell is tried, and said only where it gained something.
"""

from __future__ import annotations

import importlib
from functools import cache

from eager_vs_graph.child.why.look import Pattern

NAMES = (
    "made_in_the_call",
    "run_eagerly",
    "predict",
    "traced_in_the_call",
    "printing",
    "python_in_the_graph",
    "prefetch",
    "parallel_map",
    "map_fn",
    "tensor_range",
    "unrolled",
    "feeding",
    "small_ops",
    "rows",
    "compiler",
)


@cache
def patterns() -> tuple[Pattern, ...]:
    """All of them, in the order in which they are tried."""
    modules = (importlib.import_module(f"{__name__}.{name}") for name in NAMES)
    return tuple(module.PATTERN for module in modules)
