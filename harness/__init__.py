"""Side-by-side runs of one TensorFlow computation as eager, graph and session.

Importing this package does not import TensorFlow: the command line, ``list`` and ``report`` answer
at once, and only the child processes that execute scenarios pay for TensorFlow's import. The names
of an author's contract are imported when they are first used, so that ``--help`` does not pay for
NumPy either.
"""

from __future__ import annotations

# Not from typing: nothing may be imported before `python -m harness` has mended its path.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from harness.api import Comparison, compare
    from harness.errors import UsageError
    from harness.scenario import Goal, KnownDifference, Scenario, Size, Tolerance

__all__ = [
    "Comparison",
    "Goal",
    "KnownDifference",
    "Scenario",
    "Size",
    "Tolerance",
    "UsageError",
    "compare",
]
__version__ = "0.1.0"

_HOMES = {
    "Comparison": "harness.api",
    "UsageError": "harness.errors",
    "compare": "harness.api",
}
"""Where a name comes from that is not of an author's contract."""


def __getattr__(name: str) -> Any:
    if name in __all__:
        import importlib

        module = _HOMES.get(name, "harness.scenario")
        return getattr(importlib.import_module(module), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
