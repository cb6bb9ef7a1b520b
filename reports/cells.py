"""The table of all cells, as a part of the page: short markup, since there may be ten thousand.

A row's id is the cell's, so that a link can lead to it; the first row of a comparison leads to its
details. What else a reader may ask of a row (interval, sample) is in ``data-`` attributes, which
the page's script shows; without scripts, the details of the comparison have it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd
from markupsafe import Markup

from eager_vs_graph.reports.drawings import interval
from eager_vs_graph.reports.drawings.svg import Scale, safe
from eager_vs_graph.reports.formatting import digits, is_number, ratio, seconds, seconds_interval
from eager_vs_graph.reports.formatting import interval as bounds
from eager_vs_graph.reports.labels import workload
from eager_vs_graph.reports.reasons import without_passing_files
from eager_vs_graph.reports.tables.timing import NO_LATENCY, repaid
from eager_vs_graph.results.cells import CONTROL
from eager_vs_graph.statistics.speedup_rule import BASELINE, GROUP, count_of, displayed_status
from eager_vs_graph.statistics.summary import summary_rows

NAMES = {
    "workload": "workload",
    "mode": "mode",
    "speedup": "speed-up",
    "verdict": "verdict",
    "latency": "latency",
    "outputs": "outputs",
    "digits": "right to",
    "repaid": "break-even",
}
"""The columns by the class of their headings."""


def table(summary: pd.DataFrame, numbers: Mapping[str, int]) -> Markup:
    """Write the table.

    Args:
        summary: of the run.
        numbers: by mode, that of its class in the page's style.
    """
    cells = summary[summary["mode"] != CONTROL]
    rows = list(summary_rows(cells))
    scale = interval.scale_of(rows)
    where = _where(cells)
    headings = "".join(f'<th scope="col" class="{each}">{NAMES[each]}</th>' for each in NAMES)
    body = "".join(_rows(rows, scale, numbers, where))
    look = "" if any(map(_digits, rows)) else ' class="no-digits"'
    return Markup(  # noqa: S704 - every text in it is escaped
        f'<table id="cells"{look} style="--one:{scale(1):.1f}"><thead><tr>{headings}</tr></thead>\n'
        f"<tbody>{body}</tbody></table>"
    )


def _where(cells: pd.DataFrame) -> Sequence[str]:
    """The columns beside scenario and size that tell comparisons apart."""
    return [name for name in ("inputs", "device") if cells[name].nunique() > 1]


def name_of(row: Any, where: Iterable[str]) -> str:
    """Name a comparison: ``matmul_chain tiny, fed``."""
    return ", ".join([workload(row.scenario, row.size), *(getattr(row, each) for each in where)])


def group_of(row: Any) -> str:
    """Return the id of a row's comparison."""
    return "/".join(getattr(row, name) for name in GROUP)


def _rows(
    rows: Iterable[Any], scale: Scale, numbers: Mapping[str, int], where: Sequence[str]
) -> Iterable[str]:
    last = ""
    for row in rows:
        group = group_of(row)
        name = safe(name_of(row, where))
        if group != last:
            name = f'<a href="#{safe(group)}">{name}</a>'
        new = "new " if group != last else ""
        last = group
        yield (
            f'<tr\nid="{safe(row.Index)}" class="{new}m{numbers[row.mode]}"{_sample(row)}>'
            f"<th scope=row>{name}<td>{safe(row.mode)}{_speedup(row, scale)}"
            f"<td{_kind(row.verdict)}>{safe(row.verdict)}"
            f"<td>{seconds(row.latency_s) or NO_LATENCY}"
            f"<td{_kind(displayed_status(row))}>{safe(displayed_status(row))}"
            f"<td>{_digits(row)}<td>{_repaid(row)}"
        )


def _sample(row: Any) -> str:
    """What was measured, for the script: ``data-n="3 60"``, the latency's interval, its median."""
    if not is_number(row.latency_s):
        return f' data-why="{safe(without_passing_files(row.reason))}"' if row.reason else ""
    interval_s = seconds_interval(row.latency_low_s, row.latency_high_s)
    numbers = f"{count_of(row.passes)} {count_of(row.rounds)}"
    return f' data-n="{numbers}" data-i="{interval_s}" data-m="{seconds(row.median_s)}"'


def _speedup(row: Any, scale: Scale) -> str:
    if row.mode == BASELINE:
        return "<td>1×" if is_number(row.speedup) else "<td>"
    if not is_number(row.speedup):
        return "<td>"
    around = bounds(row.speedup_low, row.speedup_high)
    words = f" <small>{around}</small>" if around else ""
    return f'<td class=b style="{interval.style(row, scale)}">{ratio(row.speedup)}{words}'


def _digits(row: Any) -> str:
    """How many digits are right, against eager; of eager itself, against the reference."""
    if row.mode == BASELINE:
        found = digits(row.max_scaled_vs_reference)
        return f"{found} <small>of the reference</small>" if found else ""
    return digits(row.max_scaled_vs_eager)


def _repaid(row: Any) -> str:
    calls, bracket, around = repaid(row).partition(" [")
    return f"{calls} <small>[{around}</small>" if bracket else calls


def _kind(words: str) -> str:
    """The class of a verdict or status; none where it has the colour of the text."""
    first = words.split(" ", maxsplit=1)[0]
    marks = [mark for word, mark in _MARKS.items() if word in words]
    if first in _PLAIN and not marks:
        return ""
    return f' class="{" ".join(filter(None, [safe(first), *marks]))}"'


_PLAIN = ("", "identical", "close", "same")
_MARKS = {
    "(known": "known",
    "(retraced)": "marked",
    "(unequal work)": "marked",
    "(no right digit)": "marked",
}
