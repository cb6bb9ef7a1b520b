"""All comparisons with eager in one picture: a lane for each mode, a mark for each comparison."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from markupsafe import Markup

from eager_vs_graph.reports.drawings import svg
from eager_vs_graph.reports.formatting import count, is_number, ratio, ratio_with_interval
from eager_vs_graph.reports.labels import workload
from eager_vs_graph.statistics.summary import compared, summary_rows
from eager_vs_graph.statistics.totals import VERDICTS

WIDTH, LEFT, RIGHT = 380.0, 6.0, 374.0
MARK, LABEL, GAP = 7.0, 15.0, 6.0
TALLEST = 9
"""Marks above each other that are drawn one by one; where there are more, bars are drawn."""
FILL = {"faster": 1.0, "slower": 1.0, "same": 0.35}
"""Opacity of a mark's inside, by verdict."""


def draw(summary: pd.DataFrame, looks: Mapping[str, tuple[str, str]]) -> Markup:
    """Draw every speed-up; nothing where there are fewer than two.

    Args:
        summary: of the run.
        looks: colour and marker, by mode.
    """
    rows = list(summary_rows(compared(summary[summary["mode"] != "control"])))
    rows = [row for row in rows if is_number(row.speedup)]
    if len(rows) < 2:
        return Markup("")
    scale = svg.log_scale([1.0, *(row.speedup for row in rows)], LEFT, RIGHT, 0.05)
    pieces: list[str] = []
    y = 2.0
    for name, lane in _lanes(rows).items():
        drawn, height = _lane(name, lane, scale, looks[lane[0].mode], y)
        pieces += drawn
        y += height + GAP
    floor = summary["noise_floor"].max()
    behind = svg.x_axis(scale, 2, y, "{:g}×".format, most=7)
    if is_number(floor):
        left, right = scale(1 / (1 + floor)), scale(1 + floor)
        behind.append(
            f'<rect class="floor" x="{svg.number(left)}" y="2" '
            f'width="{svg.number(right - left)}" height="{svg.number(y - 2)}">'
            f"{svg.title('noise floor: what two copies of one mode differ by')}</rect>"
        )
    one = svg.line(scale(1), 2, scale(1), y, "one")
    words = svg.text(scale(1), y + 25, "eager", "middle" if scale(1) > 30 else "start")
    label = f"Speed-up over eager in {count(len(rows), 'comparison')}; each is a row of the table"
    return svg.picture(WIDTH, y + 30, label, [*behind, one, *pieces, words], "overview", "group")


def _lanes(rows: Sequence[Any]) -> dict[str, list[Any]]:
    """Put the rows of each mode together, apart by inputs and device where these differ."""
    devices, inputs = {row.device for row in rows}, {row.inputs for row in rows}
    found: dict[str, list[Any]] = {}
    for row in rows:
        parts = [row.mode]
        parts += [row.inputs] if len(inputs) > 1 else []
        parts += [row.device] if len(devices) > 1 else []
        found.setdefault(", ".join(parts), []).append(row)
    return found


def _lane(
    name: str, rows: Sequence[Any], scale: svg.Scale, look: tuple[str, str], top: float
) -> tuple[list[str], float]:
    """Draw a lane; returns its height, too."""
    verdicts = [row.verdict for row in rows]
    counts = [f"{verdicts.count(each)} {each}" for each in VERDICTS if each in verdicts]
    said = f"{name}: {', '.join(counts)}" if counts else name
    places = np.array([scale(row.speedup) for row in rows])
    columns = np.round((places - LEFT) / MARK).astype(int)
    numbers = np.bincount(columns)
    middle = float(np.exp(np.median(np.log([row.speedup for row in rows]))))
    # Where the marks leave the place, the words do not cover them.
    start = places.max(initial=0) < 0.45 * WIDTH
    anchor, x = ("end", RIGHT) if start else ("start", LEFT)
    pieces = [svg.text(x, top + 10, said, anchor, "lane")]
    if numbers.max() > TALLEST:
        tallest = MARK * TALLEST
        base = top + LABEL + tallest
        path = "".join(
            f"M{svg.number(LEFT + column * MARK)} {svg.number(base)}"
            f"v-{svg.number(max(number / numbers.max() * tallest, 0.6))}"
            for column, number in enumerate(numbers)
            if number
        )
        tip = svg.title(f"{said}; median {ratio(middle)}; the tallest bar is {numbers.max()}")
        pieces.append(f'<path class="bars" style="stroke:{look[0]}" d="{path}">{tip}</path>')
        return pieces, LABEL + tallest
    height = LABEL + MARK * numbers.max()
    filled = np.zeros(len(numbers))
    for place, row, column in sorted(zip(places, rows, columns, strict=True), key=lambda e: e[0]):
        at = top + height - MARK * (filled[column] + 0.5)
        filled[column] += 1
        figures = ratio_with_interval(row.speedup, row.speedup_low, row.speedup_high)
        what = f"{workload(row.scenario, row.size)} in {row.mode}: {figures} {row.verdict}"
        shape = svg.mark(place, at, look[1], look[0], FILL.get(row.verdict, 0.0), what)
        pieces.append(f'<a href="#{svg.safe(row.Index)}">{shape}</a>')
    return pieces, height
