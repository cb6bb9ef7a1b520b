"""The journal of a child process: what it reports to its parent while it works.

One JSON object a line, written before the work that it announces begins. So the parent knows which
cell a dead or silent child was at, and has every finished block.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

Event = dict[str, Any]


class Journal:
    """The child's end."""

    def __init__(self, path: Path) -> None:
        self._file: TextIO = path.open("a", encoding="utf-8")

    def write(self, event: str, **content: Any) -> None:
        """Append an event."""
        self._file.write(json.dumps({"event": event, **content}) + "\n")
        self._file.flush()


class Follower:
    """The parent's end: reads what is new."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = 0

    def events(self) -> Iterator[Event]:
        """The events written since the last call; a line still being written waits."""
        if not self._path.is_file() or self._path.is_symlink():
            return
        with self._path.open("rb") as file:
            file.seek(self._offset)
            for line in file:
                if not line.endswith(b"\n"):
                    return
                self._offset += len(line)
                try:
                    yield json.loads(line)
                except (ValueError, RecursionError):
                    continue  # a full disk can leave half a line behind
