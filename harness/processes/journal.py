"""The journal of a child process: what it reports to its parent while it works.

One JSON object a line, written before the work that it announces begins. So the parent knows which
cell a dead or silent child was at, and has every finished block.

Where programs take turns too quickly for that, a number beside the journal says whose turn it is:
in memory that both processes share, which stays when the child dies.
"""

from __future__ import annotations

import json
import mmap
from base64 import b64encode
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, TextIO

Event = dict[str, Any]


class Journal:
    """The child's end."""

    def __init__(self, path: Path) -> None:
        self._file: TextIO = path.open("a", encoding="utf-8")
        self._place_file = _place_file(path)

    def write(self, event: str, **content: Any) -> None:
        """Append an event; bytes are written in base64."""
        self._file.write(json.dumps({"event": event, **content}, default=in_base64) + "\n")
        self._file.flush()

    def close(self) -> None:
        """Write nothing more."""
        self._file.close()

    def place(self, cells: Sequence[str]) -> memoryview:
        """Announce cells that take turns; the number at place 0 is to say whose it is."""
        self.write("turns", cells=cells)
        self._shared[0] = 0
        return self._shared

    @cached_property
    def _shared(self) -> memoryview:
        """One for all: every mapping of a file holds a descriptor."""
        self._place_file.write_bytes(bytes(4))
        with self._place_file.open("r+b") as file:
            return memoryview(mmap.mmap(file.fileno(), 4)).cast("I")


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

    def whose_turn(self, cells: Sequence[str]) -> str | None:
        """Which of the cells had its turn last; None where that is not known."""
        try:
            number = int.from_bytes(_place_file(self._path).read_bytes(), byteorder="little")
            return cells[number]
        except (OSError, IndexError):
            return None


def in_base64(content: Any) -> str:
    """Bytes as text."""
    return b64encode(content).decode()


def _place_file(journal: Path) -> Path:
    return journal.with_suffix(".turn")
