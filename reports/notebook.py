"""A run in short: a table for the prompt, and a table with a chart for a notebook."""

from __future__ import annotations

import pandas as pd

from eager_vs_graph.errors import printable
from eager_vs_graph.reports import tables
from eager_vs_graph.reports.charts import style
from eager_vs_graph.reports.formatting import one_line
from eager_vs_graph.reports.html import data_url, template
from eager_vs_graph.reports.report import Rendered
from eager_vs_graph.reports.terminal.grid import plain_text
from eager_vs_graph.results.cells import CONTROL
from eager_vs_graph.statistics.speedup_rule import BASELINE


def text(rendered: Rendered) -> str:
    """Write the table, what was not compared, and where the report is."""
    table = plain_text(tables.results(rendered.summary))
    return printable("\n".join([table, "", *_lines(rendered), f"report: {rendered.page}"]))


def html(rendered: Rendered) -> str:
    """Write the table and the chart of speed-ups as a piece of a page, for a notebook.

    Everything is inside it, and it follows the reader's light or dark.
    """
    summary = rendered.summary
    modes = list(summary["mode"].unique())
    charts = [
        file
        for file in rendered.files
        if file.name.startswith("speedup-") and file.suffix == ".svg"
    ]
    with style.looks_of(rendered.frames.request):
        colours = [style.look_of(mode, modes).colour for mode in modes]
    page: str = template("notebook.html.j2").render(
        answer=rendered.headline[0],
        results=tables.results(summary),
        colours=colours,
        looks={mode: f"m{number}" for number, mode in enumerate(modes)},
        lines=_lines(rendered),
        charts=[data_url(chart) for chart in charts] if _has_speedup(summary) else [],
        report=str(rendered.page),
    )
    return page


def _has_speedup(summary: pd.DataFrame) -> bool:
    compared = summary[~summary["mode"].isin([BASELINE, CONTROL])]
    return bool(compared["speedup"].notna().any())


def _lines(rendered: Rendered) -> list[str]:
    """Why cells carry no speed-up, and what a reader should know."""
    why = [f"{each.status}: {each.cells}: {one_line(each.text)}" for each in rendered.reasons]
    return [*why, *rendered.notes]
