"""Reports of a run: from its record to tables, charts and a page. Never imports TensorFlow.

Names are imported when they are first used, so that who prints a table only need not wait for
pandas and matplotlib.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if __name__ != "eager_vs_graph.reports":
    # One module under two names would be two modules.
    raise ImportError(f"{__name__} is the folder of eager_vs_graph.reports; import that")

if TYPE_CHECKING:
    from eager_vs_graph.reports.report import Findings, Rendered, findings, render

__all__ = ["Findings", "Rendered", "findings", "render"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        module = importlib.import_module("eager_vs_graph.reports.report")
        globals().update({each: getattr(module, each) for each in __all__})
        return globals()[name]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
