"""The one renderer of tables for the terminal, and the lines around them.

On a terminal nothing is wider than the screen: prose is wrapped, names never are, and a table with
too many columns becomes several below each other. Where the output is no terminal (a log, a file),
there is no width to keep to: a row is a line, and a sentence is a line.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import replace
from itertools import accumulate

from rich import box
from rich.console import Console
from rich.padding import Padding
from rich.table import Table as RichTable
from rich.text import Text

from eager_vs_graph.errors import printable
from eager_vs_graph.reports.formatting import one_line
from eager_vs_graph.reports.table import Column, Row, Table
from eager_vs_graph.results.explanation import UNEQUAL_WORK
from eager_vs_graph.results.record import NO_DIGIT

STYLES = {
    "faster": "bold green",
    "slower": "bold yellow",
    "same": "bold",
    "unclear": "dim",
    "unequal": "bold yellow",
    "identical": "",
    "close": "",
    "unsupported": "dim",
    "complete": "",
    "not": "dim",
    "pass": "green",
}
"""By the first word of a status; every word that is not here is trouble."""
TROUBLE = "bold red"
PROSE_AT_LEAST = 18
"""Columns that wrapped text has at least."""
BETWEEN = 2
"""Spaces between two columns."""
_HEADING = "\ufffc"
"""Stands in a row for a heading, which may be wider than the column that it begins in."""


def print_table(table: Table, console: Console, *, title: bool = True) -> None:
    """Print a table, with its title above it."""
    if title and table.title:
        print_line(console, table.title, "bold")
    for line in table_lines(table, console):
        console.print(line, soft_wrap=True, highlight=False)


def table_lines(table: Table, console: Console) -> list[Text]:
    """Lay a table out for a console, without its title; an empty line ends each part of it."""
    parts = _parts(table, console.width if console.is_terminal else None)
    return [line for part in parts for line in (*_lines(part, console), Text())]


def plain_text(table: Table) -> str:
    """Write a table as text, as it looks in a file."""
    # In a notebook's kernel, rich displays what it prints, and writes nothing.
    console = Console(file=io.StringIO(), color_system=None, force_jupyter=False)
    print_table(table, console)
    return console.file.getvalue().rstrip()  # type: ignore[attr-defined, no-any-return]


def print_line(
    console: Console, text: str | Text, style: str = "", indent: int = 0, *, wrap: bool = True
) -> None:
    """Print a sentence, wrapped and indented on a terminal; what is to be copied is not wrapped."""
    if isinstance(text, Text) and printable(text.plain) == text.plain:
        content = text
    else:
        content = Text(one_line(str(text)), style)
    if console.is_terminal and wrap:
        console.print(Padding(content, (0, 0, 0, indent), expand=False), highlight=False)
    else:
        console.print(Text(" " * indent) + content, soft_wrap=True, highlight=False)


def status_text(status: str) -> Text:
    """Give a status its colour; a declared difference is no trouble."""
    calm = "(known)" in status or not status
    style = "yellow" if calm else STYLES.get(status.split(" ", maxsplit=1)[0], TROUBLE)
    marked = any(f"({mark})" in status for mark in ("retraced", UNEQUAL_WORK, NO_DIGIT))
    return Text(status, style=TROUBLE if marked else style)


def _lines(table: Table, console: Console) -> list[Text]:
    """Lay a table out, and put the headings of its sections in their places."""
    width = console.width if console.is_terminal else 10**5
    table = _with_broken_estimates(table, width)
    columns = table.body
    grid = RichTable(
        box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, BETWEEN - 1, 0, 0)
    )
    for index, (column, columns_wide) in enumerate(
        zip(columns, _fitted(table, width), strict=True)
    ):
        grid.add_column(
            _heading(table, index),
            justify="right" if column.kind == "number" else "left",
            overflow="fold",
            width=columns_wide,
        )
    indent = "  " if table.sectioned else ""
    for heading, rows in table.sections:
        if heading:
            grid.add_row(_HEADING)
        for row in rows:
            first, *rest = [_field(*each) for each in zip(row, columns, strict=True)]
            grid.add_row(Text(indent) + first, *rest)
    headings = iter([heading for heading, _ in table.sections if heading])
    lines = []
    for segments in console.render_lines(grid, console.options.update(max_width=width), pad=False):
        line = Text.assemble(*((segment.text, segment.style or "") for segment in segments))
        line.rstrip()
        if line.plain == _HEADING:
            line = Text(next(headings), style="bold")
        lines.append(line)
    return lines


def _fitted(table: Table, width: int) -> list[int]:
    """Return the width of each column: as wide as its fields, less what the screen has not."""
    least = [_narrowest(table, index) for index in range(len(table.body))]
    most = [max(least[index], _longest(table, index)) for index in range(len(table.body))]
    excess = max(0, sum(most) + BETWEEN * (len(most) - 1) - width)
    for index in sorted(range(len(most)), key=lambda each: least[each] - most[each]):
        taken = min(excess, most[index] - least[index])
        most[index] -= taken
        excess -= taken
    return most


def _with_broken_estimates(table: Table, width: int) -> Table:
    """Put intervals below their estimates where a row is too wide, in as few columns as will do."""
    for column in reversed(range(len(table.columns))):
        if sum(_widths(table)) <= width:
            break
        if table.columns[column].kind == "estimate":
            rows = [
                tuple(
                    text.replace(" [", "\n[") if index == column else text
                    for index, text in enumerate(row)
                )
                for row in table.rows
            ]
            table = replace(table, rows=rows)
    return table


def _field(text: str, column: Column) -> Text:
    return status_text(text) if column.kind == "status" else Text(text)


def _heading(table: Table, index: int) -> str:
    """Give a column's name, below the name of its group where a group begins."""
    name = table.body[index].name
    if not table.groups:
        return name
    starts = {1 + start: group for group, start in _starts(table)}
    return f"{starts.get(index, '')}\n{name}"


def _starts(table: Table) -> list[tuple[str, int]]:
    """Name the groups of columns with the place of their first one, the row's name not counted."""
    ends = accumulate(size for _, size in table.groups)
    return [(group, end - size) for (group, size), end in zip(table.groups, ends, strict=True)]


def _narrowest(table: Table, index: int) -> int:
    """Return the least width of a column: of its longest name, line of an estimate, or word."""
    column = table.body[index]
    heading = max(map(len, _heading(table, index).split()), default=0)
    if column.kind in ("text", "number"):
        return _longest(table, index)
    if column.kind == "estimate":
        return max(heading, *map(len, _field_lines(table, index)))
    if column.kind == "status":
        words = [word for text in _field_lines(table, index) for word in text.split()]
        return max([heading, *map(len, words)])
    return max(heading, min(PROSE_AT_LEAST, max(map(len, _field_lines(table, index)))))


def _longest(table: Table, index: int) -> int:
    """Return the width at which nothing of a column is wrapped."""
    indent = 2 if table.sectioned and index == 0 else 0
    heading = _heading(table, index).split("\n")
    return max(map(len, [*heading, *(" " * indent + each for each in _field_lines(table, index))]))


def _field_lines(table: Table, index: int) -> list[str]:
    """Return the lines of a column's fields; an empty one where there are none."""
    fields = [row[index] for _, rows in table.sections for row in rows]
    return [line for text in fields for line in text.split("\n")] or [""]


def _widths(table: Table) -> list[int]:
    """Return the widths of the columns as narrow as they may be, with the space between them."""
    number = len(table.body)
    return [_narrowest(table, index) + BETWEEN * (index < number - 1) for index in range(number)]


def _parts(table: Table, width: int | None) -> list[Table]:
    """Cut a table that is too wide into several, each with the columns that name the rows."""
    if width is None:
        return [table]
    widths = _widths(_with_broken_estimates(table, width))
    names = _names(table)
    room = width - sum(widths[:names])
    cut: list[list[int]] = [[]]
    left = room
    for index in range(names, len(widths)):
        left -= widths[index]
        if left < 0 and cut[-1]:
            cut.append([])
            left = room - widths[index]
        cut[-1].append(index)
    return [_part(table, part) for part in cut] if len(cut) > 1 else [table]


def _names(table: Table) -> int:
    """Count the columns that name the rows: those before the first that is no name."""
    kinds = [column.kind for column in table.body]
    return next((index for index, kind in enumerate(kinds) if kind != "text"), 1) or 1


def _part(table: Table, indices: Sequence[int]) -> Table:
    """Keep the columns that name the rows, and these."""
    shift = 1 if table.sectioned else 0
    names = _names(table) + shift
    kept = [*range(names), *(index + shift for index in indices)]
    rows: list[Row] = [tuple(row[index] for index in kept) for row in table.rows]
    rows = [row for row in rows if any(row[names:])] or rows
    groups = [
        (group, len([index for index in indices if start < index <= start + size]))
        for (group, start), (_, size) in zip(_starts(table), table.groups, strict=True)
    ]
    return replace(
        table,
        columns=tuple(table.columns[index] for index in kept),
        rows=rows,
        groups=tuple(each for each in groups if each[1]),
    )
