"""Where the time of a call goes: a bar a mode, divided by what it is spent on."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.figure import Figure
from matplotlib.patches import Patch

from eager_vs_graph.reports.charts import style
from eager_vs_graph.reports.formatting import one_line, seconds
from eager_vs_graph.reports.labels import workload
from eager_vs_graph.results.cells import Cell
from eager_vs_graph.results.why import SHARES, CellWhy

_COLOURS = dict(
    zip(
        SHARES,
        (
            *("#2f8f2f", "#1f7fc4", "#c2559a", "#d55e00", "#8a63d2"),
            *("#008c95", "#a67c00", "#d33f5a", "#8b929a"),
        ),
        strict=True,
    )
)
_ROW_IN = 0.34
_FRAME_IN = 0.5
_LEGEND_ROW_IN = 0.2
_LEGEND_COLUMNS = 3


def draw(cells: Sequence[CellWhy]) -> Figure:
    """Draw the shares of cells, each bar as a whole: its length in words is at its end."""
    present = [name for name in SHARES if any(cell.seconds(name) > 0 for cell in cells)]
    legend_rows = -(-len(present) // _LEGEND_COLUMNS)
    height = _FRAME_IN + _ROW_IN * len(cells) + _LEGEND_ROW_IN * legend_rows
    figure = Figure(figsize=(style.WIDTH_IN, height), layout="constrained")
    axes = figure.add_subplot()
    for row, cell in enumerate(cells):
        left = 0.0
        for name in present:
            share = cell.share(name)
            axes.barh(row, share, left=left, height=0.62, color=_COLOURS[name])
            left += share
        axes.text(1.01, row, seconds(cell.call_s), va="center_baseline", fontsize=8)
    several = len({Cell.parse(cell.cell).group for cell in cells}) > 1
    axes.set_yticks(range(len(cells)), [_label(cell, several=several) for cell in cells])
    axes.invert_yaxis()
    axes.set_xlim(0, 1.14)
    axes.set_xticks([0, 0.25, 0.5, 0.75, 1.0], ["0", "25%", "50%", "75%", "100%"])
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(axis="y", length=0)
    patches = [Patch(color=_COLOURS[name], label=name) for name in present]
    figure.legend(
        handles=patches, loc="outside lower left", ncols=_LEGEND_COLUMNS, fontsize=8, handlelength=1
    )
    return figure


def _label(cell: CellWhy, *, several: bool) -> str:
    of = Cell.parse(cell.cell)
    name = f"{workload(of.scenario, of.size)}, {of.mode}" if several else of.mode
    return one_line(name)
