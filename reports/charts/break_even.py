"""Total time against number of calls: a mode breaks even where its line goes below eager's."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from eager_vs_graph.reports.charts import style
from eager_vs_graph.reports.formatting import calls, is_number, seconds_tick
from eager_vs_graph.reports.labels import workload
from eager_vs_graph.statistics.break_even import total_s
from eager_vs_graph.statistics.speedup_rule import BASELINE, may_repay
from eager_vs_graph.statistics.summary import summary_rows

TITLE = "Total time against number of calls"
CAPTION = (
    "Building, first call and all further calls together; both axes are logarithmic. The marker is "
    "the break-even: the number of calls after which a mode has repaid building and first call "
    "against eager. The bar is its 95% interval, an arrow one without end. A mode without a marker "
    "is ahead from the first call, never breaks even, may be as fast as eager, or is not compared."
)
COLUMNS = 2
MOST = 24
PANEL_IN = 1.2
GAP_IN = 0.58
LEFT_IN = 0.62
BETWEEN_IN = 0.6
FURTHEST = 1e6
"""Calls at which the axis ends even where a crossing lies beyond."""


def says_something(cells: pd.DataFrame) -> bool:
    """Whether any mode beside eager was timed from its start."""
    return bool((_drawn(cells) & (cells["mode"] != BASELINE)).any())


def _drawn(cells: pd.DataFrame) -> pd.Series[bool]:
    return cells[["latency_s", "build_s", "first_call_s"]].notna().all(axis=1)


def draw(cells: pd.DataFrame) -> Figure:
    """Draw the cells of one device and one inputs policy (rows of the summary)."""
    drawn = cells[_drawn(cells)]
    modes = list(cells["mode"].unique())
    panels = [panel for _, panel in drawn.groupby(["scenario", "size"], sort=False)]
    left_out = len(panels) - MOST
    panels = panels[:MOST]
    lines = -(-len(panels) // COLUMNS)
    top = style.legend_height_in(modes) + 0.24
    height = top + lines * (PANEL_IN + GAP_IN) - (0.0 if left_out > 0 else 0.16)
    drawing = style.figure(height, TITLE, cells)
    style.legend(drawing, modes)
    width = (style.WIDTH_IN - 2 * LEFT_IN - 0.12 - (BETWEEN_IN - LEFT_IN)) / COLUMNS
    furthest = _furthest(pd.concat(panels))
    for index, panel in enumerate(panels):
        line, column = divmod(index, COLUMNS)
        left = LEFT_IN + column * (width + BETWEEN_IN)
        axes = style.inset(
            drawing,
            left=left,
            right=style.WIDTH_IN - left - width,
            top=top + line * (PANEL_IN + GAP_IN),
            height=PANEL_IN,
        )
        _panel(axes, panel, modes, furthest)
        if index >= len(panels) - COLUMNS:
            axes.set_xlabel("calls", labelpad=1)
    if left_out > 0:
        drawing.text(
            0.06 / style.WIDTH_IN,
            0.06 / height,
            f"{left_out} more are in the table of results.",
            style="italic",
        )
    return drawing


def _furthest(cells: pd.DataFrame) -> float:
    """Return the power of ten at which all panels end: beyond every crossing."""
    crossings = cells.loc[_may_repay(cells), "break_even_calls"]
    last = max([100.0, *crossings[np.isfinite(crossings)]])
    return float(min(10.0 ** math.ceil(math.log10(2 * last)), FURTHEST))


def _may_repay(cells: pd.DataFrame) -> list[bool]:
    return [may_repay(row) for row in summary_rows(cells)]


def _panel(axes: Axes, cells: pd.DataFrame, modes: list[str], furthest: float) -> None:
    first = next(summary_rows(cells))
    counts = np.geomspace(1, furthest, 120)
    eager_s = next((row.latency_s for row in summary_rows(cells) if row.mode == BASELINE), None)
    for row in summary_rows(cells):
        colour = style.look_of(str(row.mode), modes).colour
        axes.plot(counts, total_s(row, eager_s, counts), color=colour, lw=1.5)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlim(1, furthest)
    crossings = cells[np.array(_may_repay(cells)) & cells["break_even_calls"].between(1, furthest)]
    for row in summary_rows(crossings):
        _crossing(axes, row, eager_s, style.look_of(str(row.mode), modes), furthest)
    ordered = crossings.sort_values("break_even_calls")
    for row in summary_rows(ordered.iloc[[0, -1]] if len(ordered) > 1 else ordered):
        earliest = row.Index == ordered.index[0]
        colour = style.look_of(str(row.mode), modes).colour
        _label(axes, row, eager_s, colour, earliest=earliest)
    axes.set_title(
        workload(first.scenario, first.size),
        loc="left",
        x=-0.27,
        fontsize=8.5,
        weight="bold",
        pad=4,
    )
    axes.tick_params(labelsize=7.5, pad=2)
    decades = round(math.log10(furthest))
    powers = range(0, decades + 1, 1 if decades < 5 else 2)
    style.ticks(axes.xaxis, [10.0**power for power in powers], _count)
    style.ticks(axes.yaxis, style.log_ticks(*axes.get_ylim(), most=5), seconds_tick)
    axes.grid(color=style.FAINT, lw=0.5, alpha=0.35)
    axes.set_axisbelow(True)
    style.plain(axes)


def _crossing(
    axes: Axes, row: Any, eager_s: float | None, look: style.Look, furthest: float
) -> None:
    """Mark where one mode has repaid its start."""
    at, low, high = row.break_even_calls, row.break_even_low_calls, row.break_even_high_calls
    y = float(total_s(row, eager_s, at))
    if is_number(low) and is_number(high):
        end = min(high, furthest)
        axes.plot([max(low, 1), end], [y, y], color=look.colour, lw=3.5, alpha=0.5)
        if high > furthest:
            axes.plot(end, y, ">", color=look.colour, ms=4, clip_on=False)
    axes.plot(at, y, look.marker, color=look.colour, ms=4.5, zorder=3)


def _label(axes: Axes, row: Any, eager_s: float | None, colour: str, *, earliest: bool) -> None:
    """Write a crossing's number where no line is: the earliest below, the last above."""
    at = row.break_even_calls
    below: Any = {"xytext": (4, -9), "ha": "left"}
    above: Any = {"xytext": (-4, 5), "ha": "right"}
    axes.annotate(
        calls(at),
        (at, float(total_s(row, eager_s, at))),
        textcoords="offset points",
        fontsize=7.5,
        color=colour,
        **(below if earliest else above),
    )


def _count(value: float) -> str:
    """Format a power of ten: ``100``, ``10k``, ``1M``."""
    return f"{value:.0f}" if value < 1e3 else f"{value / 1e3:.0f}k" if value < 1e6 else "1M"
