"""One table in three renderings: terminal, Markdown and HTML. No TensorFlow."""

from __future__ import annotations

import io
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from eager_vs_graph.reports.html import template
from eager_vs_graph.reports.table import Column, Table, markdown
from eager_vs_graph.reports.terminal.grid import plain_text, print_table

LONG = "a reason of several words that is longer than what a screen has room for in one column"
TABLE = Table(
    "Title",
    (
        *(Column("scenario"), Column("mode"), Column("latency", "number")),
        *(Column("speed-up", "estimate"), Column("status", "status"), Column("why", "prose")),
    ),
    [
        ("a_workload_with_a_long_name at_a_size", "eager", "311 µs", "", "close", ""),
        (
            "a_workload_with_a_long_name at_a_size",
            "session",
            "7 µs",
            "2.46× [2.32, 2.60]",
            "close",
            "",
        ),
        ("b", "saved_model_session", "not timed", "", "differs (known)", LONG),
    ],
    sectioned=True,
)


def printed(table: Table, width: int) -> str:
    console = Console(file=io.StringIO(), width=width, force_terminal=True, color_system=None)
    print_table(table, console)
    return console.file.getvalue()  # type: ignore[attr-defined]


def test_a_heading_is_printed_once_above_its_rows_and_is_wider_than_its_column() -> None:
    lines = printed(TABLE, 100).splitlines()
    assert lines.count("a_workload_with_a_long_name at_a_size") == 1
    at = lines.index("a_workload_with_a_long_name at_a_size")
    assert lines[at + 1].startswith("  eager ")
    assert "2.46× [2.32, 2.60]" in lines[at + 2]


@pytest.mark.parametrize("width", [40, 60, 72, 80, 90, 120])
def test_a_table_keeps_to_the_screen_and_breaks_no_name_and_no_interval(width: int) -> None:
    found = printed(TABLE, width)
    assert max(map(len, found.splitlines())) <= width
    assert all(name in found for name in ("saved_model_session", "[2.32, 2.60]", "not timed"))
    assert LONG.split() == [word for word in re.findall(r"\w+", found) if word in LONG.split()]


def test_a_file_has_a_line_for_each_row_however_long() -> None:
    lines = plain_text(TABLE).splitlines()
    assert len([line for line in lines if LONG in line]) == 1
    assert not [line for line in lines if line != line.rstrip()]


@given(
    st.lists(
        st.tuples(*[st.text("abc_ [],×", max_size=30).map(str.strip)] * 4), min_size=1, max_size=5
    ),
    st.integers(70, 130),
)
def test_whatever_a_table_holds_is_printed_within_the_screen(
    rows: list[tuple[str, ...]], width: int
) -> None:
    kinds = ("text", "estimate", "status", "prose")
    columns = tuple(Column(kind, kind) for kind in kinds)
    found = printed(Table("", columns, rows), width)
    assert max(map(len, found.splitlines())) <= width
    for row in rows:
        assert row[0] in found


def test_markdown_has_the_heading_in_every_row() -> None:
    lines = markdown(TABLE).splitlines()
    assert len(lines) == 5
    assert lines[1] == "| --- | --- | --: | --- | --- | --- |"
    assert lines[3].startswith("| a_workload_with_a_long_name at_a_size | session |")


def test_html_has_a_body_for_each_heading() -> None:
    macro = template("table.html.j2").module.table
    page = str(macro(TABLE, {"session": "m1"}))
    assert page.count("<tbody>") == 2
    assert page.count('<th scope="rowgroup" colspan="5">') == 2
    assert 'class="status differs known"' in page
    assert '<i class="dot m1"></i>' in page


def test_columns_without_an_entry_are_left_out() -> None:
    assert [column.name for column in TABLE.without_idle("mode").columns] == [
        *("scenario", "mode", "latency", "speed-up", "status", "why")
    ]
    only = Table("", TABLE.columns, TABLE.rows[:1]).without_idle("mode")
    assert [column.name for column in only.columns] == ["scenario", "latency", "status"]
