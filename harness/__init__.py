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

    from harness.scenario import Goal, KnownDifference, Scenario, Size, Tolerance

__all__ = ["Goal", "KnownDifference", "Scenario", "Size", "Tolerance"]
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    if name in __all__:
        import importlib

        return getattr(importlib.import_module("harness.scenario"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
