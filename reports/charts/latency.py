"""Latency of one call against size, one line a mode: where two lines cross, the choice changes."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from eager_vs_graph.reports.charts import style
from eager_vs_graph.reports.formatting import seconds_tick
from eager_vs_graph.results.cells import parameters

TITLE = "Latency against size"
CAPTION = (
    "Seconds per call with 95% intervals, on a log scale. Sizes are spaced by the parameter named "
    "above the panel where it alone grows, else evenly. Scenarios of one size have no panel."
)
PANEL_IN = 1.55
GAP_IN = 0.78
"""Room below each panel: size names, parameter, next title."""
NEAREST = 0.12
"""Share of the axis below which two size labels would touch."""


def says_something(cells: pd.DataFrame) -> bool:
    """Whether any scenario has a line: one size is a point."""
    return bool(_scenarios(cells))


def draw(cells: pd.DataFrame) -> Figure:
    """Draw the cells of one device and one inputs policy (rows of the summary)."""
    timed = cells[cells["latency_s"].notna()]
    modes = list(cells["mode"].unique())
    scenarios = _scenarios(cells)
    top = style.legend_height_in(modes) + 0.28
    drawing = style.figure(top + len(scenarios) * (PANEL_IN + GAP_IN) - 0.2, TITLE, cells)
    style.legend(drawing, modes)
    for index, scenario in enumerate(scenarios):
        offset = top + index * (PANEL_IN + GAP_IN)
        axes = style.inset(drawing, left=0.75, right=0.2, top=offset, height=PANEL_IN)
        _panel(axes, scenario, timed[timed["scenario"] == scenario], modes)
    return drawing


def _scenarios(cells: pd.DataFrame) -> list[str]:
    """List the scenarios that were timed at several sizes."""
    timed = cells[cells["latency_s"].notna()]
    sizes = timed.groupby("scenario", sort=False)["size"].nunique()
    return [str(scenario) for scenario in sizes.index[sizes > 1]]


def _panel(axes: Axes, scenario: str, cells: pd.DataFrame, modes: list[str]) -> None:
    positions, labels, name = size_axis(cells)
    for mode, of_mode in cells.groupby("mode", sort=False):
        look = style.look_of(str(mode), modes)
        x = [positions[size] for size in of_mode["size"]]
        y = of_mode["latency_s"].to_numpy()
        axes.plot(x, y, f"-{look.marker}", color=look.colour, ms=4.5, lw=1.5, label=str(mode))
        axes.vlines(
            x,
            of_mode["latency_low_s"],
            of_mode["latency_high_s"],
            color=look.colour,
            lw=3,
            alpha=0.45,
        )
    axes.set_yscale("log")
    if name:
        axes.set_xscale("log")
        axes.set_title(f"by {name}", loc="right", fontsize=9, pad=5)
    axes.margins(x=0.12, y=0.12)
    axes.set_xticks(list(positions.values()), labels)
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_title(scenario, loc="left", weight="bold", pad=5)
    style.ticks(axes.yaxis, style.log_ticks(*axes.get_ylim(), most=5), seconds_tick)
    axes.grid(color=style.FAINT, lw=0.5, alpha=0.35)
    axes.set_axisbelow(True)
    style.plain(axes)


def size_axis(cells: pd.DataFrame) -> tuple[dict[str, float], list[str], str]:
    """Place a scenario's sizes on an axis.

    Returns:
        The position of every size, the tick labels, and the name of the parameter that is the
        axis; without one, the sizes are spaced evenly.

    """
    by_size = cells.drop_duplicates("size").set_index("size")["parameters"]
    parsed = {str(size): parameters(text) for size, text in by_size.items()}
    sizes = list(parsed)
    even = {size: float(index) for index, size in enumerate(sizes)}
    names = set.intersection(*(set(parameters) for parameters in parsed.values()))
    varying = [name for name in names if len({p[name] for p in parsed.values()}) > 1]
    if len(varying) != 1 or len(sizes) < 2:
        return even, sizes, ""
    name = varying[0]
    try:
        values = {size: float(parsed[size][name]) for size in sizes}
    except ValueError:
        return even, sizes, ""
    ordered = np.array(list(values.values()))
    if (ordered <= 0).any() or (np.diff(ordered) <= 0).any():
        return even, sizes, ""
    steps = np.diff(np.log(ordered))
    labels = [f"{size}\n{value:,.12g}" for size, value in values.items()]
    if steps.min() / steps.sum() < NEAREST:
        return even, sizes, ""
    return values, labels, name
