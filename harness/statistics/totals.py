"""What a run comes to in a few figures: how many verdicts of each kind, break-even, agreement."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from eager_vs_graph.results.cells import CONTROL
from eager_vs_graph.results.explanation import UNEQUAL_WORK
from eager_vs_graph.results.record import AGREEING, NOT_CHECKED
from eager_vs_graph.statistics.speedup_rule import GROUP
from eager_vs_graph.statistics.summary import compared

VERDICTS = ("faster", "slower", "same", "unclear")


@dataclass(frozen=True)
class Comparisons:
    """The comparisons with eager of some cells."""

    count: int
    verdicts: dict[str, int]
    """By verdict, in the order of ``VERDICTS``; without those that were not given."""
    fastest: float
    """The largest speed-up of those that are faster; NaN where none is."""
    slowest: float
    """The smallest speed-up of those that are faster; NaN where none is."""
    break_even_calls: tuple[float, ...]
    """Of those that are faster, ascending."""


@dataclass(frozen=True)
class Totals:
    """A run in figures, without its A/A controls."""

    cells: int
    groups: int
    """Comparisons of all modes at one scenario, size, device and inputs policy."""
    comparisons: Comparisons
    by_mode: dict[str, Comparisons]
    unclear: dict[str, int]
    """Comparisons without a verdict, by what would settle them; the most frequent first."""
    agreeing: int
    """Cells whose outputs agree with eager's and the reference's."""
    declared: int
    """Cells that differ as the scenario declares."""
    others: dict[str, int]
    """Every other cell, by its status of parity."""
    unequal: int
    """Cells that do not do the same amount of work as eager."""
    untimed: int
    noise_floor: float | None
    """As a fraction; None where there was no A/A control, or too few."""


def totals(summary: pd.DataFrame) -> Totals:
    """Count what became of a run's cells."""
    cells = summary[summary["mode"] != CONTROL]
    rows = compared(cells)
    agrees = cells["parity_status"].isin(AGREEING)
    declared = ~agrees & (cells["known_difference"] != "")
    others = cells.loc[~agrees & ~declared, "parity_status"].replace("", NOT_CHECKED)
    details = rows.loc[rows["verdict"] == "unclear", "verdict_detail"]
    floors = summary["noise_floor"].dropna()
    return Totals(
        cells=len(cells),
        groups=cells[GROUP].drop_duplicates().shape[0],
        comparisons=_comparisons(rows),
        by_mode={str(mode): _comparisons(some) for mode, some in rows.groupby("mode", sort=False)},
        unclear={str(each): int(n) for each, n in details.value_counts().items()},
        agreeing=int(agrees.sum()),
        declared=int(declared.sum()),
        others={str(status): int(n) for status, n in others.value_counts(sort=False).items()},
        unequal=int((cells["verdict"] == UNEQUAL_WORK).sum()),
        untimed=int(cells["latency_s"].isna().sum()),
        noise_floor=None if floors.empty else float(floors.max()),
    )


def _comparisons(rows: pd.DataFrame) -> Comparisons:
    verdicts = rows["verdict"].value_counts()
    faster = rows[rows["verdict"] == "faster"]
    points = faster["break_even_calls"].dropna()
    return Comparisons(
        count=len(rows),
        verdicts={each: int(verdicts[each]) for each in VERDICTS if each in verdicts},
        fastest=float(faster["speedup"].max()),
        slowest=float(faster["speedup"].min()),
        break_even_calls=tuple(sorted(map(float, points[np.isfinite(points)]))),
    )
