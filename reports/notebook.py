"""A run in short: a table for the prompt, and a table with a chart for a notebook."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from eager_vs_graph.reports import Rendered
from eager_vs_graph.reports.formatting import break_even, interval, known, ratio, seconds
from eager_vs_graph.reports.html import data_url
from eager_vs_graph.reports.wording import verdict_words
from eager_vs_graph.results.cells import CONTROL
from eager_vs_graph.statistics.summary import BASELINE, displayed_status, summary_rows

HERE = Path(__file__).parent
COLUMNS = ("mode", "latency", "speed-up", "95 % interval", "verdict", "answers", "pays after")


def rows(summary: pd.DataFrame) -> list[tuple[str, ...]]:
    """Give every cell but the control's as text, in the order of ``COLUMNS``.

    The cell is named by its mode, and by what else tells it from others of that mode.
    """
    cells = summary[summary["mode"] != CONTROL]
    telling = [name for name in ("scenario", "device", "inputs") if cells[name].nunique() > 1]
    return [_row(row, telling) for row in summary_rows(cells)]


def text(rendered: Rendered) -> str:
    """Write the table, what was not compared, and where the report is."""
    table = [COLUMNS, *rows(rendered.summary)]
    used = [i for i in range(len(COLUMNS)) if i == 0 or any(row[i] for row in table[1:])]
    widths = {i: max(len(row[i]) for row in table) for i in used}
    lines = ["  ".join(row[i].ljust(widths[i]) for i in used).rstrip() for row in table]
    return "\n".join([*lines, *_told(rendered), f"report: {rendered.page}"])


def html(rendered: Rendered) -> str:
    """Write the table and the chart of speed-ups as a piece of a page, for a notebook.

    Everything is inside it, and it follows the reader's light or dark.
    """
    templates = Environment(
        loader=FileSystemLoader(HERE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    charts = sorted((rendered.folder / "charts").glob("speedup-*.svg"))
    return templates.get_template("short.html.j2").render(
        columns=COLUMNS,
        rows=rows(rendered.summary),
        told=_told(rendered),
        charts=[data_url(chart) for chart in charts] if _has_speedup(rendered.summary) else [],
        report=str(rendered.page),
    )


def _has_speedup(summary: pd.DataFrame) -> bool:
    compared = summary[~summary["mode"].isin([BASELINE, CONTROL])]
    return bool(compared["speedup"].notna().any())


def _row(row: Any, telling: list[str]) -> tuple[str, ...]:
    name = " ".join([row.mode, *(str(getattr(row, each)) for each in telling)])
    compared = row.mode != BASELINE and known(row.speedup)
    return (
        name,
        seconds(row.median_s),
        ratio(row.speedup) if compared else "",
        interval(row.speedup_low, row.speedup_high) if compared else "",
        verdict_words(row) if compared else "",
        displayed_status(row),
        break_even(row.break_even_calls, row.break_even_low, row.break_even_high)
        if compared
        else "",
    )


def _told(rendered: Rendered) -> list[str]:
    """Why cells carry no speed-up, and what a reader should know."""
    cells = rendered.summary[rendered.summary["mode"] != CONTROL]
    reasons = [
        f"{row.mode}: {row.known_difference or row.reason}"
        for row in summary_rows(cells)
        if row.known_difference or row.reason
    ]
    return [*dict.fromkeys(reasons), *rendered.notes]
