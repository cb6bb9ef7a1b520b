"""The break-even of one comparison: total time against the number of calls."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
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


def draw(rows: Sequence[Any], looks: Mapping[str, tuple[str, str]], name: str) -> Markup:
    """Draw the lines of all modes; nothing where none of them crosses eager's.

    Args:
        rows: of the summary, those of one comparison.
        looks: colour and marker, by mode.
        name: of the comparison, for those who do not see it.
    """
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
        return Markup("")
    last = max(100.0, *(2 * row.break_even_calls for row in crossings))
    x = svg.Scale(1, 10 ** math.ceil(math.log10(last)), LEFT, RIGHT)
    counts = np.geomspace(1, x.high, 25)
    lines = {row.mode: total_s(row, eager_s, counts) for row in drawn}
    ends = np.concatenate(list(lines.values()))
    y = svg.log_scale([float(ends.min()), float(ends.max())], BOTTOM, TOP)
    pieces = [
        *svg.y_axis(y, LEFT, RIGHT, seconds_tick),
        *svg.x_axis(x, TOP, BOTTOM, calls, most=8),
    ]
    for mode, totals in lines.items():
        points = [(x(n), y(t)) for n, t in zip(counts, totals, strict=True)]
        pieces.append(svg.polyline(points, looks[mode][0]))
    for row in crossings:
        colour, marker = looks[row.mode]
        level = y(float(total_s(row, eager_s, row.break_even_calls)))
        if is_number(row.break_even_low_calls) and is_number(row.break_even_high_calls):
            low, high = max(row.break_even_low_calls, 1), min(row.break_even_high_calls, x.high)
            pieces.append(
                f'<path class="wide" style="stroke:{colour}" d="M{svg.number(x(low))} '
                f'{svg.number(level)}H{svg.number(x(high))}"/>'
            )
        point = row.break_even_calls, row.break_even_low_calls, row.break_even_high_calls
        said = f"{row.mode} has repaid its start after {break_even_phrase(*point)}"
        pieces.append(svg.mark(x(row.break_even_calls), level, marker, colour, 1, said))
    pieces.append(svg.text((LEFT + RIGHT) / 2, BOTTOM + 27, "calls", "middle"))
    return svg.picture(
        WIDTH, HEIGHT, f"Total time against the number of calls, {name}", pieces, "repaid"
    )
