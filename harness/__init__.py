"""Side-by-side runs of one TensorFlow computation: eager, graph and session.

Importing this package does not import TensorFlow: the command line, ``list`` and ``report`` answer
at once, and only the child processes that execute scenarios pay for TensorFlow's import. Names are
imported when they are first used, so that ``--help`` does not pay for NumPy either.
"""

from __future__ import annotations

import importlib
import sys

# Not from typing: `python -m eager_vs_graph` runs this before it has taken the working directory,
# where there may be a typing.py, off the path.
TYPE_CHECKING = False

if __name__ != "eager_vs_graph" and sys.argv[:1] != ["-m"]:
    # One module under two names would be two modules, with two `Scenario` classes.
    raise ImportError(f"{__name__} is the folder of the package eager_vs_graph; import that")

if TYPE_CHECKING:
    from typing import Any

    from IPython.core.interactiveshell import InteractiveShell

    from eager_vs_graph.api import compare
    from eager_vs_graph.comparison import Comparison
    from eager_vs_graph.errors import UsageError
    from eager_vs_graph.scenario import Goal, KnownDifference, Scenario, Size, Tolerance
    from eager_vs_graph.version import __version__

__all__ = [
    "Comparison",
    "Goal",
    "KnownDifference",
    "Scenario",
    "Size",
    "Tolerance",
    "UsageError",
    "__version__",
    "compare",
]

_MODULES = {
    "Comparison": "comparison",
    "UsageError": "errors",
    "__version__": "version",
    "compare": "api",
}
"""The module of each name that is not in ``eager_vs_graph.scenario``."""


def load_ipython_extension(shell: InteractiveShell) -> None:
    """Make the magic ``%%compare`` known: ``%load_ext eager_vs_graph`` calls this."""
    importlib.import_module("eager_vs_graph.magic").load(shell)


def __getattr__(name: str) -> Any:
    if name in __all__:
        module = f"eager_vs_graph.{_MODULES.get(name, 'scenario')}"
        return getattr(importlib.import_module(module), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
