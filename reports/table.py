"""A table as text. The page, Markdown and the terminal each have one renderer for all of them.

HTML: ``table.html.j2``; Markdown: ``markdown``; terminal: ``eager_vs_graph.reports.terminal.grid``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Literal

from eager_vs_graph.errors import printable
from eager_vs_graph.reports.formatting import one_line

Kind = Literal["text", "number", "estimate", "status", "prose"]


@dataclass(frozen=True)
class Column:
    """A column's heading, and how its fields are set.

    ``text`` is a name and never broken; ``number`` is set to the right; ``estimate`` is a number
    that may be followed by its interval; ``status`` has the colour of its first word; ``prose`` is
    wrapped.
    """

    name: str
    kind: Kind = "text"


Row = tuple[str, ...]


@dataclass(frozen=True)
class Table:
    """Rows of text under headings; the first column names the row."""

    title: str
    columns: tuple[Column, ...]
    rows: Sequence[Row]
    note: str = ""
    groups: tuple[tuple[str, int], ...] = ()
    """Headings above the columns' own, each with how many columns it spans; none above the first
    column."""
    sectioned: bool = False
    """Whether the first column is a heading above the rows that share it, where there is room for
    headings: in the terminal and on the page."""

    def __post_init__(self) -> None:
        """Make every text printable, for all renderers: a record holds text of anybody's."""
        columns = tuple(replace(each, name=printable(each.name)) for each in self.columns)
        rows = [tuple(map(printable, row)) for row in self.rows]
        groups = tuple((printable(name), size) for name, size in self.groups)
        for name, value in {"columns": columns, "rows": rows, "groups": groups}.items():
            object.__setattr__(self, name, value)

    @property
    def body(self) -> tuple[Column, ...]:
        """The columns beside the sections' headings."""
        return self.columns[1:] if self.sectioned else self.columns

    @property
    def sections(self) -> list[tuple[str, list[Row]]]:
        """The rows below each heading; one without a name where there are no headings."""
        if not self.sectioned:
            return [("", list(self.rows))]
        return [
            (heading, [row[1:] for row in rows])
            for heading, rows in groupby(self.rows, key=lambda row: row[0])
        ]

    def without(self, *names: str) -> Table:
        """Leave columns out."""
        return self._keeping(
            [index for index, column in enumerate(self.columns) if column.name not in names]
        )

    def without_idle(self, *alike: str) -> Table:
        """Leave out the columns without any entry, and of these names, those with one entry."""
        entries = [{row[index] for row in self.rows} for index in range(len(self.columns))]
        return self._keeping(
            [
                index
                for index, column in enumerate(self.columns)
                if entries[index] - {""} and (column.name not in alike or len(entries[index]) > 1)
            ]
        )

    def first(self, most: int) -> Table:
        """Keep so many rows, and say in the note how many there are more."""
        if len(self.rows) <= most:
            return self
        more = f"These are the first {most:,} of {len(self.rows):,} rows."
        note = f"{self.note} {more}".strip()
        return replace(self, rows=self.rows[:most], note=note)

    def _keeping(self, kept: Sequence[int]) -> Table:
        columns = tuple(self.columns[index] for index in kept)
        rows = [tuple(row[index] for index in kept) for row in self.rows]
        return replace(self, columns=columns, rows=rows)


def markdown(table: Table) -> str:
    """Write a table for a pull request."""
    rules = ["--:" if column.kind == "number" else "---" for column in table.columns]
    lines: Sequence[Sequence[str]] = [[c.name for c in table.columns], rules, *table.rows]
    return "\n".join(f"| {' | '.join(map(escape, line))} |" for line in lines) + "\n"


def escape(text: str) -> str:
    """Text that stays text in Markdown, on one line."""
    return re.sub(r"([\\`*|\[\]<>])", r"\\\1", one_line(text))
