"""A run in short: a table for the prompt, and a table with a chart for a notebook."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import quote

import pandas as pd

from eager_vs_graph.errors import printable, sentences
from eager_vs_graph.reports import tables
from eager_vs_graph.reports.charts import style
from eager_vs_graph.reports.formatting import one_line
from eager_vs_graph.reports.html import data_url, template
from eager_vs_graph.reports.report import Rendered
from eager_vs_graph.reports.terminal.grid import plain_text
from eager_vs_graph.results.cells import CONTROL
from eager_vs_graph.statistics.speedup_rule import BASELINE

_TEMPORARY = 'deleted with this result; result.save("FOLDER") keeps it'


def text(rendered: Rendered, *, temporary: bool = False) -> str:
    """Write the table, the answer, what was not compared and why, and where the report is.

    Args:
        rendered: the run's report.
        temporary: whether it is deleted with the result.
    """
    table = plain_text(tables.results(rendered.summary))
    report = f"report: {_shown(rendered.page)}" + (f" ({_TEMPORARY})" if temporary else "")
    answer = sentences(rendered.headline[0])
    return printable("\n".join([table, "", *answer, *_lines(rendered), report]))


def html(rendered: Rendered, *, temporary: bool = False) -> str:
    """Write the table and the chart of speed-ups as a piece of a page, for a notebook.

    Everything is inside it but the report, which it links to, and it follows the reader's light or
    dark.

    Args:
        rendered: the run's report.
        temporary: whether it is deleted with the result.
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
        report=_shown(rendered.page),
        link="" if temporary else _link(rendered.page),
        fate=_TEMPORARY if temporary else "",
    )
    return page


def _shown(page: Path) -> str:
    """The page's path, short where it is below the working directory."""
    here = Path.cwd()
    return str(page.relative_to(here)) if page.is_relative_to(here) else str(page)


def _link(page: Path) -> str:
    """The page's address: relative to the notebook, beside which a kernel works, where it can be.

    A browser that got the notebook from a server opens no file by its path.
    """
    here = Path.cwd()
    return quote(_shown(page).replace(os.sep, "/")) if page.is_relative_to(here) else page.as_uri()


def _has_speedup(summary: pd.DataFrame) -> bool:
    compared = summary[~summary["mode"].isin([BASELINE, CONTROL])]
    return bool(compared["speedup"].notna().any())


def _lines(rendered: Rendered) -> list[str]:
    """Why cells carry no speed-up, and what a reader should know."""
    why = [f"{each.status}: {each.cells}: {one_line(each.text)}" for each in rendered.reasons]
    return [*why, *rendered.notes]
