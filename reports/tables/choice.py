"""The table of modes: how often each is the one to use."""

from __future__ import annotations

import numpy as np
import pandas as pd

from eager_vs_graph.reports.formatting import calls, ratio, span
from eager_vs_graph.reports.table import Column, Table
from eager_vs_graph.results.cells import CONTROL
from eager_vs_graph.results.record import AGREEING
from eager_vs_graph.statistics.choice import choices, compared_with_eager, wins
from eager_vs_graph.statistics.speedup_rule import BASELINE
from eager_vs_graph.statistics.summary import compared
from eager_vs_graph.statistics.totals import VERDICTS


def by_mode(summary: pd.DataFrame) -> Table:
    """Tabulate the modes of a run of several comparisons, the most frequent winner first."""
    cells = summary[summary["mode"] != CONTROL]
    chosen = list(compared_with_eager(choices(cells)))
    columns = (
        *(Column("mode"), Column("fastest in", "number"), Column("tied in", "number")),
        *(Column(verdict, "number") for verdict in VERDICTS),
        *(Column("median speed-up", "number"), Column("range", "number")),
        *(Column("median break-even (calls)", "number"), Column("outputs agree", "number")),
    )
    note = (
        "Fastest in: comparisons in which this mode is faster than eager and every other mode. "
        "Tied in: it is among the fastest, which are not told apart."
    )
    title = "Which mode to use"
    if len(chosen) < 2:
        return Table(title, columns, ())
    rows = []
    for each in wins(chosen, dict.fromkeys(cells["mode"])):
        of_mode = cells[cells["mode"] == each.mode]
        rows.append(
            (
                each.mode,
                str(len(each.clear) or ""),
                str(len(each.tied) or ""),
                *_speed(compared(of_mode), each.mode),
                f"{int(of_mode['parity_status'].isin(AGREEING).sum())} of {len(of_mode)}",
            )
        )
    return Table(title, columns, rows, note).without_idle()


def _speed(rows: pd.DataFrame, mode: str) -> tuple[str, ...]:
    """Verdicts, speed-up and break-even of a mode's comparisons."""
    if mode == BASELINE or rows.empty:
        return ("",) * (len(VERDICTS) + 3)
    counts = rows["verdict"].value_counts()
    speedups = rows["speedup"].dropna()
    middle = ratio(float(np.exp(np.log(speedups).median())))
    points = rows.loc[rows["verdict"] == "faster", "break_even_calls"].dropna()
    return (
        *(str(counts.get(verdict, "") or "") for verdict in VERDICTS),
        middle,
        span(speedups.min(), speedups.max()),
        calls(float(points.median())) if len(points) else "",
    )
