"""Scenarios that other distributions ship, found by entry point without executing their code.

A distribution declares a module, or a package whose modules hold scenarios::

    [project.entry-points."eager_vs_graph.scenarios"]
    mine = "my_package.scenarios"

The files are looked up where an import would find them; nothing is imported, so that ``list`` stays
quick and a distribution that is broken costs nobody else anything.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.machinery import ModuleSpec
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

GROUP = "eager_vs_graph.scenarios"


@dataclass(frozen=True)
class Shipped:
    """What one entry point leads to."""

    distribution: str
    """Name of the distribution, such as ``my-scenarios``."""
    where: str
    """The distribution and its entry point, for messages."""
    modules: dict[str, Path] = field(default_factory=dict)
    """Files by the name under which they are imported."""
    broken: str = ""
    """Why there are none."""


def shipped() -> list[Shipped]:
    """Every entry point of the group, in order of distribution and name."""
    found = [_shipped(point) for point in entry_points(group=GROUP)]
    # A distribution that is on the path twice, as in an editable installation, counts once.
    unique = {(each.where, tuple(each.modules.items()), each.broken): each for each in found}
    return sorted(unique.values(), key=lambda each: each.where)


def _shipped(point: EntryPoint) -> Shipped:
    name = point.dist.name if point.dist is not None else "unknown"
    where = f"distribution {name}, entry point {point.name} = {point.value}"
    if ":" in point.value:
        return Shipped(name, where, broken="should name a module or package, without an object")
    try:
        spec = _spec(point.value.strip())
        modules = dict(_modules(spec)) if spec is not None else {}
    except Exception as error:  # finders and files are somebody else's
        return Shipped(name, where, broken=f"{type(error).__name__}: {error}")
    if spec is None:
        return Shipped(name, where, broken=f"there is no module {point.value}")
    if not modules:
        return Shipped(name, where, broken=f"{point.value} has no Python source")
    return Shipped(name, where, modules)


def _spec(name: str) -> ModuleSpec | None:
    """Where a module is; unlike ``importlib.util.find_spec``, without importing its parents."""
    spec: ModuleSpec | None = None
    parts = name.split(".")
    for depth in range(1, len(parts) + 1):
        path = None if spec is None else spec.submodule_search_locations
        if depth > 1 and path is None:
            return None
        full = ".".join(parts[:depth])
        finders = (finder.find_spec(full, path) for finder in sys.meta_path)
        spec = next((found for found in finders if found is not None), None)
        if spec is None:
            return None
    return spec


def _modules(spec: ModuleSpec) -> Iterator[tuple[str, Path]]:
    if spec.origin and spec.origin.endswith(".py"):
        yield spec.name, Path(spec.origin)
    for folder in spec.submodule_search_locations or ():
        for file in sorted(Path(folder).glob("*.py")):
            if not file.name.startswith("_"):
                yield f"{spec.name}.{file.stem}", file
