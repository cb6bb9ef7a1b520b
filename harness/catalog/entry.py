"""What the catalogue knows of a scenario without importing it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from eager_vs_graph.catalog.target import Target
from eager_vs_graph.errors import UsageError


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
    def of_json(cls, content: Mapping[str, Any]) -> Entry:
        """Read an entry back from a record.

        Raises:
            UsageError: a field has another type than it should have; the message names it.
        """
        try:
            return msgspec.convert(content, cls, dec_hook=lambda kind, text: kind(text))
        except msgspec.ValidationError as error:
            raise UsageError(f"an entry of the run is damaged: {error}") from None

    def to_json(self) -> dict[str, Any]:
        """Return the entry as a record keeps it."""
        content: dict[str, Any] = msgspec.to_builtins(self, enc_hook=str)
        return content
