"""Where the answers of ``why`` are kept: a folder each, with the data and the trace file.

results/why/<date-time>/
  why.json          a ``Why``
  trace.json.gz     the profiles, for Perfetto
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from eager_vs_graph.results import codec
from eager_vs_graph.results.codec import SCHEMA
from eager_vs_graph.results.why import Why

FILE = "why.json"
TRACE = "trace.json.gz"


@dataclass(frozen=True)
class WhyFile:
    """The content of ``why.json``."""

    why: Why
    schema: int = SCHEMA


@dataclass(frozen=True)
class Answer:
    """The folder of an answer."""

    folder: Path

    @property
    def trace(self) -> Path:
        """The trace file."""
        return self.folder / TRACE

    @classmethod
    def keep(cls, results: Path, found: Why, trace: Path) -> Answer:
        """Write an answer into a folder of its own.

        Args:
            results: the folder that runs are kept in.
            found: the answer.
            trace: the trace file, which is copied; it may be missing.

        Raises:
            UsageError: a file cannot be written.
        """
        stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
        folder = results / "why" / stamp
        number = 1
        while folder.exists():
            number += 1
            folder = results / "why" / f"{stamp}-{number}"
        folder.mkdir(parents=True)
        codec.write_json(folder / FILE, WhyFile(found))
        if trace.is_file():
            shutil.copyfile(trace, folder / TRACE)
        return cls(folder)

    def read(self) -> Why:
        """The answer.

        Raises:
            UsageError: the file is missing or damaged.
        """
        return codec.read(self.folder / FILE, WhyFile).why
