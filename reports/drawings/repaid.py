"""The break-even of one comparison: total time against the number of calls."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from markupsafe import Markup

from eager_vs_graph.reports.drawings import svg
from eager_vs_graph.reports.formatting import break_even_phrase, calls, is_number, seconds_tick
from eager_vs_graph.statistics.break_even import total_s
from eager_vs_graph.statistics.speedup_rule import BASELINE, may_repay

WIDTH, LEFT, RIGHT = 380.0, 52.0, 368.0
TOP, BOTTOM, HEIGHT = 8.0, 150.0, 182.0
FURTHEST = 1e7
POINTS = 25
"""Of a line."""


@dataclass(frozen=True)
class Plan:
    """What is drawn, and on which scales."""

    drawn: list[Any]
    """Rows of the summary that have a line."""
    crossings: list[Any]
    """Those of them whose line crosses eager's."""
    eager_s: float
    x: svg.Scale
    y: svg.Scale

    def total_s(self, row: Any, calls: float) -> float:
        """Seconds of so many calls of a mode, from its build on."""
        return float(total_s(row, self.eager_s, calls))


def plan(rows: Sequence[Any]) -> Plan | None:
    """Plan the picture of one comparison's rows; None where no mode's line crosses eager's."""
    drawn = [
        row for row in rows if all(map(is_number, (row.latency_s, row.build_s, row.first_call_s)))
    ]
    crossings = [
        row
        for row in drawn
        if may_repay(row)
        and is_number(row.break_even_calls)
        and 1 < row.break_even_calls < FURTHEST
        and row.mode != BASELINE
    ]
    eager_s = next((row.latency_s for row in rows if row.mode == BASELINE), None)
    if not crossings or not is_number(eager_s):
        return None
    last = max(100.0, *(2 * row.break_even_calls for row in crossings))
    x = svg.Scale(1, 10 ** math.ceil(math.log10(last)), LEFT, RIGHT)
    ends = np.concatenate([total_s(row, eager_s, np.array([1.0, x.high])) for row in drawn])
    y = svg.log_scale([float(ends.min()), float(ends.max())], BOTTOM, TOP)
    return Plan(drawn, crossings, eager_s, x, y)


def draw(rows: Sequence[Any], looks: Mapping[str, tuple[str, str]], name: str) -> Markup:
    """Draw the lines of all modes; nothing where none of them crosses eager's.

    Args:
        rows: of the summary, those of one comparison.
        looks: colour and marker, by mode.
        name: of the comparison, for those who do not see it.
    """
    of = plan(rows)
    if of is None:
        return Markup("")
    x, y = of.x, of.y
    counts = np.geomspace(1, x.high, POINTS)
    pieces = [
        *svg.y_axis(y, LEFT, RIGHT, seconds_tick),
        *svg.x_axis(x, TOP, BOTTOM, calls, most=8),
    ]
    for row in of.drawn:
        points = [(x(n), y(of.total_s(row, n))) for n in counts]
        pieces.append(svg.polyline(points, looks[row.mode][0]))
    for row in of.crossings:
        colour, marker = looks[row.mode]
        level = y(of.total_s(row, row.break_even_calls))
        if ends := _ends(row, x):
            pieces.append(
                f'<path class="wide" style="stroke:{colour}" d="M{svg.number(x(ends[0]))} '
                f'{svg.number(level)}H{svg.number(x(ends[1]))}"/>'
            )
        pieces.append(svg.mark(x(row.break_even_calls), level, marker, colour, 1, _said(row)))
    pieces.append(svg.text((LEFT + RIGHT) / 2, BOTTOM + 27, "calls", "middle"))
    return svg.picture(
        WIDTH, HEIGHT, f"Total time against the number of calls, {name}", pieces, "repaid"
    )


def data(rows: Sequence[Any]) -> dict[str, Any] | None:
    """What the page's script draws the same picture from.

    Returns:
        ``x`` and ``y``: the ends of an axis, in calls and in seconds, and value and label of each
        of its lines; ``modes``: for each its name, and the seconds of its first call with its
        build and of a further call; ``marks``: for each mode that repays its start its name, after
        how many calls, the ends of the interval, and a sentence.
    """
    of = plan(rows)
    if of is None:
        return None
    starts = {row.mode: of.total_s(row, 1) for row in of.drawn}
    return {
        "x": [of.x.low, of.x.high, [[n, calls(n)] for n in svg.log_ticks(of.x, 8)]],
        "y": [*_short(of.y.low, of.y.high), [[s, seconds_tick(s)] for s in svg.log_ticks(of.y, 5)]],
        "modes": [
            [row.mode, *_short(starts[row.mode], of.total_s(row, 2) - starts[row.mode])]
            for row in of.drawn
        ],
        "marks": [
            [
                row.mode,
                *_short(row.break_even_calls),
                *_short(*(_ends(row, of.x) or (row.break_even_calls, row.break_even_calls))),
                _said(row),
            ]
            for row in of.crossings
        ],
    }


def _ends(row: Any, x: svg.Scale) -> tuple[float, float] | None:
    """The part of a break-even's interval that is on the scale."""
    if not (is_number(row.break_even_low_calls) and is_number(row.break_even_high_calls)):
        return None
    return max(row.break_even_low_calls, 1), min(row.break_even_high_calls, x.high)


def _said(row: Any) -> str:
    point = row.break_even_calls, row.break_even_low_calls, row.break_even_high_calls
    return f"{row.mode} has repaid its start after {break_even_phrase(*point)}"


def _short(*values: float) -> list[float]:
    """Numbers with the digits that a drawing needs."""
    return [float(f"{value:.4g}") for value in values]
