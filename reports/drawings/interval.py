"""The speed-up of a table's row as a bar: its ends on a scale that all rows share."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from eager_vs_graph.reports.drawings import svg
from eager_vs_graph.reports.formatting import is_number


def scale_of(rows: Iterable[Any]) -> svg.Scale:
    """Return the scale, in per cent of a field's width, that holds every speed-up, and 1."""
    found = [row.speedup for row in rows if is_number(row.speedup)]
    return svg.log_scale([1.0, *found], 3, 97, 0.02)


def style(row: Any, scale: svg.Scale) -> str:
    """Return where the row's estimate and its interval are, as variables of the page's style."""
    value = scale(row.speedup)
    low = scale(row.speedup_low) if is_number(row.speedup_low) else value
    high = scale(row.speedup_high) if is_number(row.speedup_high) else value
    return f"--l:{low:.0f};--h:{high:.0f};--v:{value:.0f}"
