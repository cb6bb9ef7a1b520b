"""What the first call costs against every later one."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure

from eager_vs_graph.reports.charts import style
from eager_vs_graph.reports.charts.rows import Rows, figure_of
from eager_vs_graph.reports.formatting import is_number, seconds_tick, significant
from eager_vs_graph.statistics.summary import summary_rows

TITLE = "First call against steady state"
CAPTION = (
    "Filled: median seconds of a steady call. Hollow: the first call, with tracing and graph "
    "optimization; building the program comes before it and is in the table. The number is how "
    "many steady calls the first one takes."
)


def says_something(cells: pd.DataFrame) -> bool:
    """Whether any cell was timed."""
    return bool(_timed(cells).any())


def _timed(cells: pd.DataFrame) -> pd.Series[bool]:
    return cells["latency_s"].notna() | cells["first_call_s"].notna()


def draw(cells: pd.DataFrame) -> Figure:
    """Draw the cells of one device and one inputs policy (rows of the summary)."""
    timed = cells[_timed(cells)]
    modes = list(timed["mode"].unique())
    rows = Rows.of(timed, len(modes), line_in=0.16)
    axes = rows.axes(TITLE, cells, modes, right_in=0.62)
    axes.set_xscale("log")
    for row in summary_rows(timed):
        look = style.look_of(str(row.mode), modes)
        y = rows.line(row, modes.index(str(row.mode)))
        steady, first = float(row.latency_s), float(row.first_call_s)
        axes.plot([steady, first], [y, y], color=look.colour, lw=1.5, alpha=0.6)
        axes.plot(steady, y, look.marker, ms=4.5, color=look.colour)
        axes.plot(first, y, look.marker, ms=4.5, color=look.colour, markerfacecolor="none", mew=1.2)
        if is_number(steady) and is_number(first):
            words = f"{significant(first / steady)}×"
            margin = axes.get_yaxis_transform()
            axes.text(1.03, y, words, transform=margin, va="center_baseline", fontsize=8)
    axes.margins(x=0.06)
    ticks = style.log_ticks(*axes.get_xlim())
    style.ticks(axes.xaxis, ticks, seconds_tick)
    rows.verticals(axes, ticks, color=style.FAINT, lw=0.5, alpha=0.35)
    axes.set_xlabel("● steady call     ○ first call     (log scale)")
    return figure_of(axes)
