"""What the catalogue knows of a scenario without importing it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from eager_vs_graph.catalog.target import Target


@dataclass(frozen=True)
class Entry:
    """A scenario as its source declares it."""

    name: str
    summary: str
    sizes: dict[str, str]
    """Parameters by size, as written: ``{"tiny": "n=8, products=20"}``."""
    file: Path
    class_name: str
    concept: str = ""
    default_sizes: list[str] = field(default_factory=list)
    """The sizes that run when none is asked for."""
    timing: str = ""
    """The line that heads the seconds of the size ``guide``; see ``Scenario``."""
    distribution: str = ""
    """The distribution that ships it; empty for built-in scenarios and files."""
    module: str = ""
    """The name that it is imported by, where a distribution ships it."""
    target: Target | None = None
    """The user's own code that is to be adopted as a scenario, where it is none."""

    @classmethod
    def of_json(cls, fields: Mapping[str, Any]) -> Entry:
        """Read an entry back from what ``asdict`` and JSON made of it."""
        target = fields.get("target")
        return cls(
            **{
                **fields,
                "file": Path(fields["file"]),
                "target": Target(**target) if target else None,
            }
        )
