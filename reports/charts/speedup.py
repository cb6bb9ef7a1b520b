"""How much faster than eager, with interval, over the noise floor."""

from __future__ import annotations

from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.transforms import blended_transform_factory

from eager_vs_graph.reports.charts import style
from eager_vs_graph.reports.charts.rows import Rows, figure_of
from eager_vs_graph.reports.formatting import is_number, ratio
from eager_vs_graph.statistics.speedup_rule import BASELINE, displayed_status
from eager_vs_graph.statistics.summary import summary_rows

TITLE = "Speed-up over eager"
CAPTION = (
    "Eager is the line at 1×; right of it is faster. Bars are 95% intervals, from the spread of "
    "passes and the drift between runs; the grey band is the noise floor that the A/A control "
    "shows. A filled marker is a verdict of faster or slower, a pale one of same, a hollow one is "
    "unclear or has no verdict."
)
_FILL = {"faster": 1.0, "slower": 1.0, "same": 0.4}
"""Opacity of a marker's face."""


def says_something(cells: pd.DataFrame) -> bool:
    """Whether any mode carries a speed-up."""
    return bool(cells.loc[cells["mode"] != BASELINE, "speedup"].notna().any())


def draw(cells: pd.DataFrame) -> Figure:
    """Draw the cells of one device and one inputs policy (rows of the summary)."""
    others = cells[cells["mode"] != BASELINE]
    modes = list(others["mode"].unique())
    rows = Rows.of(others, len(modes))
    axes = rows.axes(TITLE, cells, modes, right_in=1.08)
    low, high = _limits(others)
    axes.set_xscale("log")
    axes.set_xlim(low, high)
    rows.verticals(axes, style.log_ticks(low, high), color=style.FAINT, lw=0.5, alpha=0.35)
    rows.verticals(axes, [1.0], color=style.INK, lw=1)
    for _, of_row in others.groupby(["scenario", "size"], sort=False):
        _band(axes, rows, of_row)
    for row in summary_rows(others):
        _line(axes, rows.line(row, modes.index(str(row.mode))), row, modes)
    style.ticks(axes.xaxis, style.log_ticks(low, high), "{:g}×".format)
    axes.set_xlabel("times the speed of eager (log scale)")
    return figure_of(axes)


def _band(axes: Axes, rows: Rows, of_row: pd.DataFrame) -> None:
    """Draw the noise floor behind one row."""
    floor = of_row["noise_floor"].max()
    if is_number(floor):
        first = next(summary_rows(of_row))
        centre = rows.centres[str(first.scenario), str(first.size)]
        left, right = 1 / (1 + floor), 1 + floor
        axes.barh(
            centre, right - left, rows.row_in, left, color=style.FAINT, alpha=0.28, zorder=0, lw=0
        )


def _line(axes: Axes, y: float, row: Any, modes: list[str]) -> None:
    """One mode's point, interval and words, or why it has none."""
    look = style.look_of(row.mode, modes)
    margin = blended_transform_factory(axes.transAxes, axes.transData)
    if not is_number(row.speedup):
        words = displayed_status(row)
        if words in ("identical", "close"):
            words = "no speed-up" if is_number(row.latency_s) else "not timed"
        axes.text(
            1.03, y, words, transform=margin, va="center_baseline", fontsize=8, style="italic"
        )
        return
    axes.hlines(y, row.speedup_low, row.speedup_high, color=look.colour, lw=1.8)
    face = to_rgba(look.colour, _FILL.get(row.verdict, 0.0))
    # Two markers: the opacity of a face would be that of its edge, too.
    axes.plot(row.speedup, y, look.marker, ms=5.5, color=face, mew=0)
    axes.plot(row.speedup, y, look.marker, ms=5.5, color=look.colour, mfc="none", mew=1.3)
    words = f"{ratio(row.speedup)} {row.verdict}"
    axes.text(1.03, y, words, transform=margin, va="center_baseline", fontsize=8)


def _limits(cells: pd.DataFrame) -> tuple[float, float]:
    """Limits that hold every point, and intervals unless they run away."""
    points = cells["speedup"].dropna()
    low, high = min([1.0, *points]), max([1.0, *points])
    lows = cells["speedup_low"].dropna().clip(lower=low / 2)
    highs = cells["speedup_high"].dropna().clip(upper=high * 2)
    return min([low, 0.9, *lows]) / 1.08, max([high, 1.1, *highs]) * 1.08
