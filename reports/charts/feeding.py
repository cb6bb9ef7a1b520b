"""What handing over the inputs costs: fed minus resident latency, mode by mode."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from eager_vs_graph.reports.charts import style
from eager_vs_graph.reports.charts.rows import Rows, figure_of
from eager_vs_graph.reports.formatting import added, is_number, seconds_tick
from eager_vs_graph.statistics.summary import FEEDING, summary_rows

TITLE = "What feeding costs"
CAPTION = (
    "Seconds that a call takes longer when its inputs are NumPy arrays handed over in it than when "
    "they are on the device already, in the same mode. Bars are 95% intervals, paired by pass; a "
    "marker is filled where its interval does not contain zero. The axis is logarithmic on both "
    "sides of zero, and linear between its first marks."
)


def says_something(cells: pd.DataFrame) -> bool:
    """Whether any cell was timed under both policies."""
    return bool(cells["feeding_s"].notna().any())


def draw(cells: pd.DataFrame) -> Figure:
    """Draw the cells of one device, under both inputs policies (rows of the summary)."""
    fed = cells[cells["feeding_s"].notna()]
    modes = list(fed["mode"].unique())
    rows = Rows.of(fed, len(modes))
    axes = rows.axes(TITLE, cells, modes, right_in=0.82)
    linear = _linear(fed)
    axes.set_xscale("symlog", linthresh=linear, linscale=0.8)
    for row in summary_rows(fed):
        look = style.look_of(str(row.mode), modes)
        y = rows.line(row, modes.index(str(row.mode)))
        axes.hlines(y, row.feeding_low_s, row.feeding_high_s, color=look.colour, lw=1.8)
        clear = is_number(row.feeding_low_s) and row.feeding_low_s * row.feeding_high_s > 0
        face = look.colour if clear else "none"
        axes.plot(
            row.feeding_s, y, look.marker, ms=5, color=look.colour, markerfacecolor=face, mew=1.3
        )
        margin = axes.get_yaxis_transform()
        axes.text(1.03, y, added(row.feeding_s), transform=margin, va="center_baseline", fontsize=8)
    low, high = _limits(fed, linear)
    axes.set_xlim(low, high)
    ticks = _ticks(low, high, linear)
    style.ticks(axes.xaxis, ticks, _tick)
    rows.verticals(axes, ticks, color=style.FAINT, lw=0.5, alpha=0.35)
    rows.verticals(axes, [0.0], color=style.INK, lw=1)
    axes.set_xlabel("fed minus resident, per call")
    return figure_of(axes)


def _linear(fed: pd.DataFrame) -> float:
    """Return the power of ten below which the axis is linear: that of the smaller costs."""
    smaller = float(np.quantile(fed["feeding_s"].abs(), 0.25))
    return float(10.0 ** math.floor(math.log10(max(smaller, 1e-7))))


def _limits(fed: pd.DataFrame, linear: float) -> tuple[float, float]:
    """Limits that hold every point, and intervals unless they run away."""
    low, high = min(0.0, fed["feeding_s"].min()), max(linear, fed["feeding_s"].max())
    ends = fed[FEEDING]
    low = min(low, max(ends.min(axis=None), min(2 * low, -3 * linear)))
    high = max(high, min(ends.max(axis=None), 3 * high))
    return min(low * 1.2, -0.25 * linear), high * 1.3


def _ticks(low: float, high: float, linear: float) -> list[float]:
    """Return zero and the powers of ten on both sides, at most six in all."""
    decades = [linear * 10.0**power for power in range(9)]
    ticks = [
        *[-each for each in decades if -each >= low],
        0.0,
        *[each for each in decades if each <= high],
    ]
    ticks.sort()
    step = -(-len(ticks) // 6)
    zero = ticks.index(0.0)
    return [tick for index, tick in enumerate(ticks) if (index - zero) % step == 0]


def _tick(value: float) -> str:
    return "0" if value == 0 else ("−" if value < 0 else "") + seconds_tick(abs(value))
