"""The loss (or another output) at every update, one line a mode, and its distance from eager."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from eager_vs_graph.reports.charts import style
from eager_vs_graph.reports.labels import workload
from eager_vs_graph.statistics.speedup_rule import BASELINE
from eager_vs_graph.statistics.summary import summary_rows
from eager_vs_graph.statistics.training_curves import furthest

TITLE = "Training, update by update"
CAPTION = (
    "The output named above each panel at every update until the scenario's goal, from the same "
    "initial state and on the same batches in every mode. Where lines coincide, each mode has its "
    "markers at other updates. The smaller panel is the absolute distance from eager's curve, on a "
    "log scale, with gaps where it is zero; a mode that is identical to eager has no line there. "
    "The first update has number 0."
)
CURVE_IN = 1.5
DISTANCE_IN = 0.62
BETWEEN_IN = 0.1
HEADING_IN = 0.44
BELOW_IN = 0.42
LEFT_IN, RIGHT_IN = 0.75, 0.2
MARKERS = 6
"""Markers on each line."""
WIDE = 4.0
"""A curve whose largest value is so many times its smallest is drawn on a log scale."""


def says_something(curves: pd.DataFrame) -> bool:
    """Whether any curve was recorded."""
    return not curves.empty


def draw(curves: pd.DataFrame) -> Figure:
    """Draw the curves of one scenario, size and output (rows of ``training_curves``)."""
    modes = list(curves["mode"].unique())
    top = style.legend_height_in(modes) + HEADING_IN
    differing = _differing(curves)
    distance_in = BETWEEN_IN + DISTANCE_IN if differing else 0.0
    drawing = style.figure(top + CURVE_IN + distance_in + BELOW_IN, TITLE, curves)
    style.legend(drawing, modes)
    axes = style.inset(drawing, left=LEFT_IN, right=RIGHT_IN, top=top, height=CURVE_IN)
    _curves(axes, curves, modes)
    if not differing:
        axes.set_xlabel("update", labelpad=1)
        return drawing
    axes.tick_params(labelbottom=False)
    top += CURVE_IN + BETWEEN_IN
    below = style.inset(drawing, left=LEFT_IN, right=RIGHT_IN, top=top, height=DISTANCE_IN)
    _distances(below, curves, differing, modes)
    return drawing


def _differing(of: pd.DataFrame) -> list[Any]:
    """The curves that are anywhere at a finite distance from eager's."""
    return [
        row
        for row in summary_rows(of)
        if row.distance is not None and (np.isfinite(row.distance) & (row.distance > 0)).any()
    ]


def _curves(axes: Axes, of: pd.DataFrame, modes: list[str]) -> None:
    """The curves themselves, and in words how far they are from eager's."""
    first = next(summary_rows(of))
    for row in summary_rows(of):
        eager = row.mode == BASELINE
        width, order = (2.6, 2) if eager else (1.1, 3)
        _line(axes, row.values, row, modes, ms=4.5, lw=width, zorder=order)
    finite = np.concatenate([row.values[np.isfinite(row.values)] for row in summary_rows(of)])
    if finite.size and finite.min() > 0 and WIDE * finite.min() < finite.max():
        axes.set_yscale("log")
        axes.margins(y=0.1)
        style.ticks(axes.yaxis, style.log_ticks(*axes.get_ylim(), most=5), "{:g}".format)
    _frame(axes, of)
    left = (0.06 - LEFT_IN) / (style.WIDTH_IN - LEFT_IN - RIGHT_IN)
    title = f"{workload(first.scenario, first.size)}: {first.output}"
    axes.set_title(title, loc="left", x=left, weight="bold", fontsize=9, pad=19)
    axes.text(left, 1.03, largest_distance(of), transform=axes.transAxes, fontsize=8, va="bottom")


def _line(axes: Axes, values: Any, row: Any, modes: list[str], **look: Any) -> None:
    """One mode's line, with its markers where no other mode has its own."""
    mode = style.look_of(str(row.mode), modes)
    every = max(1, len(values) // MARKERS)
    first = every * modes.index(str(row.mode)) // len(modes)
    axes.plot(values, marker=mode.marker, markevery=(first, every), color=mode.colour, **look)


def _distances(axes: Axes, of: pd.DataFrame, differing: list[Any], modes: list[str]) -> None:
    """How far each mode is from eager, update by update."""
    for row in differing:
        shown = np.where(np.isfinite(row.distance) & (row.distance > 0), row.distance, np.nan)
        _line(axes, shown, row, modes, ms=3.5, lw=1.1)
        # A value between two zeros has no line.
        colour = style.look_of(str(row.mode), modes).colour
        axes.plot(shown, ".", ms=2.5, mew=0, color=colour)
    axes.set_yscale("log")
    axes.margins(y=0.12)
    _frame(axes, of)
    style.ticks(axes.yaxis, style.log_ticks(*axes.get_ylim(), most=3), "{:.0e}".format)
    axes.set_xlabel("update", labelpad=1)
    axes.set_ylabel("distance", fontsize=8, labelpad=2)


def _frame(axes: Axes, of: pd.DataFrame) -> None:
    """Grid and frame, and the same horizontal axis for curve and distance."""
    last = max(len(row.values) for row in summary_rows(of)) - 1
    axes.set_xlim(-0.01 * last - 0.1, 1.01 * last + 0.1)
    axes.grid(color=style.FAINT, lw=0.5, alpha=0.35)
    axes.set_axisbelow(True)
    axes.tick_params(labelsize=8)
    style.plain(axes)


def largest_distance(of: pd.DataFrame) -> str:
    """Say how far the modes are from eager at most: which mode, and where first."""
    compared = {
        str(row.mode): furthest(row.distance)
        for row in summary_rows(of)
        if row.distance is not None
    }
    if not compared:
        return "eager has no curve to compare with" if BASELINE not in set(of["mode"]) else ""
    mode, worst = max(compared.items(), key=lambda each: each[1].distance)
    if worst.distance == 0:
        return "all modes are identical to eager, bit for bit"
    if np.isinf(worst.distance):
        return f"{mode} and eager are not both finite from update {worst.at} on"
    return f"largest distance from eager: {worst.distance:.2g} ({mode}, update {worst.at})"
