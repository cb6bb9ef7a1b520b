"""The curves of training on the way to its goal, and how far each mode is from eager."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from eager_vs_graph.results.cells import Cell
from eager_vs_graph.results.mode_kinds import EXECUTION, Kinds
from eager_vs_graph.results.record import CellParity
from eager_vs_graph.statistics.speedup_rule import BASELINE

COLUMNS = [
    "scenario",
    "size",
    "output",
    "mode",
    "device",
    "inputs",
    "mode_kind",
    "values",
    "distance",
]


@dataclass(frozen=True)
class Furthest:
    """Where a curve is furthest from eager's."""

    distance: float
    """Absolute, in the unit of the output; infinite where only one of the two is finite."""
    at: int
    """Position in the curve, from 0."""


def curves(parity: Iterable[CellParity], kinds: Kinds) -> pd.DataFrame:
    """One row a recorded curve, in the run's order, with ``COLUMNS``.

    ``values`` is an array, NaN where a value was not finite. ``distance`` is the array of absolute
    distances from eager's curve, or None for eager and where eager has none of this length.
    A mode trains once a size, on the first device and inputs policy that it runs under, so eager's
    curve is that of the same scenario and size, whatever device and policy.
    """
    rows = [
        {
            **vars(Cell.parse(entry.cell)),
            "output": output,
            "mode_kind": kinds.get(Cell.parse(entry.cell).mode, EXECUTION),
            "values": np.array(values, dtype=np.float64),
        }
        for entry in parity
        for output, values in entry.curves.items()
        if values
    ]
    eager = {
        (row["scenario"], row["size"], row["output"]): row["values"]
        for row in rows
        if row["mode"] == BASELINE
    }
    for row in rows:
        reference = eager.get((row["scenario"], row["size"], row["output"]))
        row["distance"] = None if row["mode"] == BASELINE else _distance(row["values"], reference)
    return pd.DataFrame(rows, columns=COLUMNS)


def _distance(
    values: NDArray[np.float64], reference: NDArray[np.float64] | None
) -> NDArray[np.float64] | None:
    if reference is None or len(reference) != len(values):
        return None
    distance = np.abs(values - reference)
    one_finite = np.isnan(values) != np.isnan(reference)
    return np.where(one_finite, np.inf, np.nan_to_num(distance, nan=0.0))


def furthest(distance: NDArray[np.float64]) -> Furthest:
    """Find the largest distance of a curve, and the first place that has it."""
    at = int(np.argmax(distance))
    return Furthest(float(distance[at]), at)
