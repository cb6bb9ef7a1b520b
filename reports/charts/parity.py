"""How far outputs and variables are from eager's and the reference's, in ULPs."""

from __future__ import annotations

from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from eager_vs_graph.reports.charts import style
from eager_vs_graph.reports.charts.rows import Rows, figure_of
from eager_vs_graph.reports.formatting import is_number, ulps
from eager_vs_graph.statistics.summary import summary_rows

TITLE = "Distance of outputs and variables"
CAPTION = (
    "Largest distance over all outputs, variables and steps, in units in the last place (ULP); the "
    "colour is logarithmic, and grey has no distance. An asterisk marks a difference that the "
    "scenario declares. Eager against eager is its own second run."
)
REFERENCES = ("eager", "reference")
ROW_IN = 0.24
TITLE_IN = 0.62
DARKEST = 9.0
"""Power of ten of the darkest colour: float32 has about 4·10⁹ values."""


def says_something(cells: pd.DataFrame) -> bool:
    """Whether any distance was recorded that is not zero."""
    distances = cells[[f"max_ulp_vs_{reference}" for reference in REFERENCES]]
    return bool((distances > 0).any(axis=None) or (cells["known_difference"] != "").any())


def draw(cells: pd.DataFrame) -> Figure:
    """Draw the cells of one device and one inputs policy (rows of the summary)."""
    modes = list(cells["mode"].unique())
    rows = Rows.of(cells, 1, line_in=ROW_IN)
    left = rows.label_in
    map_in = TITLE_IN + rows.height_in
    width_in = max(style.WIDTH_IN, left + _column_in(modes, cells) * len(modes))
    drawing = style.figure(style.HEADING_IN + 2 * map_in + 0.06, TITLE, cells, width_in)
    for index, reference in enumerate(REFERENCES):
        top = style.HEADING_IN + TITLE_IN + index * map_in
        axes = style.inset(drawing, left=left, right=0.06, top=top, height=rows.height_in)
        _map(axes, rows, cells, modes, reference)
    return drawing


def _map(axes: Axes, rows: Rows, cells: pd.DataFrame, modes: list[str], reference: str) -> None:
    """One reference's map: a row a size, a column a mode."""
    for row in summary_rows(cells):
        _square(axes, rows, row, modes.index(str(row.mode)), reference)
    axes.set_xlim(0, len(modes))
    axes.xaxis.tick_top()
    axes.set_xticks(np.arange(len(modes)) + 0.5, modes)
    rows.label(axes)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.set_title(
        f"against {reference}", loc="left", x=(0.06 - rows.label_in) / _width_in(axes), pad=20
    )


def _column_in(modes: list[str], cells: pd.DataFrame) -> float:
    """Return the width of the narrowest column that holds its texts and its mode's name."""
    texts = [_text_of(row, reference) for row in summary_rows(cells) for reference in REFERENCES]
    return max(0.95, 0.1 + 0.077 * max(map(len, modes)), 0.1 + 0.062 * max(map(len, texts)))


def _text_of(row: Any, reference: str) -> str:
    """Return a square's status, mark and number; nothing where there is no status."""
    distance = getattr(row, f"max_ulp_vs_{reference}")
    status = getattr(row, f"status_vs_{reference}") or row.parity_status
    mark = "*" if row.known_difference and status == row.parity_status else ""
    number = f" {ulps(distance)} ULP" if is_number(distance) and distance > 0 else ""
    return f"{status}{mark}{number}" if status else ""


def _width_in(axes: Axes) -> float:
    return float(axes.get_position().width * figure_of(axes).get_figwidth())


def _square(axes: Axes, rows: Rows, row: Any, column: int, reference: str) -> None:
    """One cell: colour for the distance, the status and the number."""
    if not (text := _text_of(row, reference)):
        return
    colour, ink = _colours(getattr(row, f"max_ulp_vs_{reference}"))
    centre = rows.centres[row.scenario, row.size]
    axes.add_patch(
        Rectangle(
            (column + 0.02, centre - rows.row_in / 2 + 0.01),
            0.96,
            rows.row_in - 0.02,
            facecolor=colour,
            lw=0,
        )
    )
    at: dict[str, Any] = {"ha": "center", "va": "center_baseline", "fontsize": 7.5}
    axes.text(column + 0.5, centre, text, color=ink, **at)


def _colours(distance: float | None) -> tuple[Any, str]:
    """Return the colour of a square and of the text on it."""
    if not is_number(distance):
        return "#d5d9de", "#000000"
    shade = min(np.log10(1 + distance) / DARKEST, 1.0)
    return mpl.colormaps["YlOrBr"](0.04 + 0.8 * shade), "#ffffff" if shade > 0.88 else "#000000"
