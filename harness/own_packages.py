"""Finds the packages that come with the harness beside it, whatever else has their names.

``reports`` and ``scenarios`` are words that a user's own folders may have, and the user's
``PYTHONPATH`` comes before installed packages.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parent.parent


class _Beside(MetaPathFinder):
    def __init__(self, package: str) -> None:
        self.package = package

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,  # noqa: ARG002 - the finder's signature
        target: ModuleType | None = None,  # noqa: ARG002
    ) -> ModuleSpec | None:
        return PathFinder.find_spec(fullname, [str(ROOT)]) if fullname == self.package else None


def claim(package: str) -> None:
    """Have ``import package`` find ours, in this process, from now on."""
    ours = [finder for finder in sys.meta_path if isinstance(finder, _Beside)]
    if package not in {finder.package for finder in ours}:
        sys.meta_path.insert(0, _Beside(package))
