"""The layout that charts with one row a size share: scenarios as headings, modes as lines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.transforms import blended_transform_factory

from eager_vs_graph.reports.charts import style
from eager_vs_graph.reports.labels import size_label

HEADING_IN = 0.3
AXIS_IN = 0.52
"""Room below the axes for ticks and label."""


@dataclass
class Rows:
    """Vertical positions, in inches from the top of the axes."""

    line_in: float
    lines: int
    """Lines in a row: one a mode."""
    headings: list[tuple[float, str]] = field(default_factory=list)
    centres: dict[tuple[str, str], float] = field(default_factory=dict)
    height_in: float = 0.0

    @classmethod
    def of(cls, cells: pd.DataFrame, lines: int, line_in: float = 0.17) -> Rows:
        """Lay out the scenarios and sizes of some cells, in their order."""
        rows = cls(line_in, max(lines, 1))
        for scenario, of_scenario in cells.groupby("scenario", sort=False):
            rows.headings.append((rows.height_in + 0.62 * HEADING_IN, str(scenario)))
            rows.height_in += HEADING_IN
            for size in of_scenario["size"].unique():
                rows.centres[str(scenario), str(size)] = rows.height_in + rows.row_in / 2
                rows.height_in += rows.row_in
        return rows

    @property
    def row_in(self) -> float:
        """Height of a row."""
        return self.lines * self.line_in + 0.08

    def line(self, row: Any, index: int) -> float:
        """Return the position of one mode's line in its row."""
        centre = self.centres[row.scenario, row.size]
        return centre + (index - (self.lines - 1) / 2) * self.line_in

    @property
    def label_in(self) -> float:
        """Room for the size names."""
        longest = max((len(size_label(size)) for _, size in self.centres), default=0)
        return min(0.35 + 0.075 * longest, 1.6)

    def label(self, axes: Axes) -> None:
        """Name the rows: scenarios as headings at the figure's edge, sizes beside the axes."""
        axes.set_ylim(self.height_in, 0)
        axes.set_yticks(list(self.centres.values()), [size_label(size) for _, size in self.centres])
        edge = blended_transform_factory(figure_of(axes).dpi_scale_trans, axes.transData)
        for y, scenario in self.headings:
            axes.text(0.06, y, scenario, transform=edge, weight="bold", va="center", clip_on=False)

    def verticals(self, axes: Axes, positions: Sequence[float], **line: Any) -> None:
        """Draw lines through the rows and not through the headings."""
        tops = [centre - self.row_in / 2 for centre in self.centres.values()]
        for position in positions:
            axes.vlines(
                [position] * len(tops), tops, [t + self.row_in for t in tops], zorder=1, **line
            )

    def axes(self, title: str, cells: pd.DataFrame, modes: Sequence[str], right_in: float) -> Axes:
        """Make the figure and its axes, with headings, size labels and the modes' legend."""
        top = style.legend_height_in(modes)
        drawing = style.figure(top + self.height_in + AXIS_IN, title, cells)
        style.legend(drawing, modes, linestyle="none")
        axes = style.inset(
            drawing, left=self.label_in, right=right_in, top=top, height=self.height_in
        )
        style.plain(axes)
        self.label(axes)
        for centre in self.centres.values():
            axes.axhline(centre - self.row_in / 2, color=style.FAINT, lw=0.5, alpha=0.35, zorder=0)
        return axes


def figure_of(axes: Axes) -> Figure:
    """Return the figure that some axes are in."""
    drawing = axes.get_figure(root=True)
    assert isinstance(drawing, Figure)
    return drawing
