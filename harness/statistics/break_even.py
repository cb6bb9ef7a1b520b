"""After how many calls a graph has repaid what building and tracing it cost.

Called n times, a mode takes ``cold + n · call`` seconds, where ``cold`` is building plus the first
call minus one steady call. Two modes are level where

    n = (cold_mode - cold_eager) / (call_eager - call_mode)

and with ``start = build + first call``, the seconds until the first outputs are there, this is

    n = 1 + x / h,    x = (start_mode - start_eager) / call_eager,    h = 1 - 1 / speedup.

``x`` is what the mode starts later, in eager's steady calls, and ``h`` the part of eager's call
that every call saves. Their noise is of different kinds, so each gets the interval that suits it:

- The starts of a program are few (one a pass), positive and skewed. Their spread between passes is
  taken on the log scale and moderated over the run's cells, as all variances are. The intervals of
  both starts become that of their difference by the method of variance estimates recovery
  (Zou & Donner, "Construction of confidence intervals about effect measures", 2008).
- The saving takes the interval of the speed-up, paired block by block, moderated and widened by the
  A/A control: a break-even can never claim what the verdict does not know.

The interval of the ratio is Fieller's ("Some problems in interval estimation", 1954), in its form
for limits that are not symmetric (Newcombe, "MOVER-R confidence intervals for ratios and products
of two independently estimated quantities", 2016). It does what one number a pass averaged over 2 to
6 passes cannot: where the interval of the speed-up reaches 1, the upper limit is infinite and the
lower one still stands; a mode that may be ahead at once has the lower limit 0.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from eager_vs_graph.results.cells import CONTROL
from eager_vs_graph.statistics.estimates import compare_passes
from eager_vs_graph.statistics.intervals import Interval, quantiles_t
from eager_vs_graph.statistics.moderation import moderate
from eager_vs_graph.statistics.passes import Passes, locate, reduce
from eager_vs_graph.statistics.verdicts import judge

COLUMNS = ["break_even_calls", "break_even_low_calls", "break_even_high_calls"]


def break_even(
    pass_cells: pd.DataFrame,
    blocks: pd.DataFrame,
    baseline: str = "eager",
    control_of: str | None = None,
) -> pd.DataFrame:
    """From how many calls on every mode stays ahead of the baseline.

    Args:
        pass_cells: one row for each pass and cell: ``cell``, ``build_s``, ``first_call_s``.
        blocks: as for ``estimate_cells``, of the cells that may be compared.
        baseline: the mode that costs and latencies are compared with.
        control_of: the mode that the A/A control repeats.

    Returns:
        By cell: ``break_even_calls`` with its 95% interval, ``break_even_low_calls`` and
        ``break_even_high_calls``. 0: ahead from the first call; ``inf``: never, because the mode is
        not faster in the steady state. The limits are NaN for a single pass.
    """
    if blocks.empty:
        return pd.DataFrame(columns=COLUMNS, dtype=float)
    return break_even_of(pass_cells, reduce(locate(blocks), baseline, control_of))


def break_even_of(pass_cells: pd.DataFrame, passes: Passes) -> pd.DataFrame:
    """Likewise, of blocks that are reduced to passes."""
    if pass_cells.empty:
        return pd.DataFrame(columns=COLUMNS, dtype=float)
    starts = _starts(pass_cells)
    cell_of = passes.cell_of
    call_s = np.exp(passes.latencies.mean(axis=1)).to_dict()
    # The margin decides between verdicts, not about intervals.
    judged = judge(compare_passes(passes), margin=0.03)
    rows = {}
    for key, comparison in judged.items():
        reference, cell = passes.reference[key], cell_of[key]
        if key[1] == CONTROL or reference not in starts or cell not in starts:
            continue
        later = _difference(starts[cell], starts[reference])
        saving = _saving(Interval(comparison.mean, comparison.low, comparison.high))
        rows[cell] = crossing(_scaled(later, 1 / call_s[reference]), saving)
    table = {cell: [each.value, each.low, each.high] for cell, each in rows.items()}
    return pd.DataFrame.from_dict(table, orient="index", columns=COLUMNS, dtype=float)


def total_s(
    row: Any, eager_latency_s: float | None, calls: NDArray[np.float64] | float
) -> NDArray[np.float64]:
    """Seconds of a program's first so many calls, building it included.

    A mode that carries a speed-up takes eager's latency over that speed-up in each further call, so
    that its line crosses eager's where the break-even is.

    Args:
        row: of the summary: ``mode``, ``build_s``, ``first_call_s``, ``latency_s``, ``speedup``.
        eager_latency_s: of the same comparison; None where eager was not timed.
        calls: how many calls.
    """
    paired = eager_latency_s is not None and not math.isnan(row.speedup)
    call_s = eager_latency_s / row.speedup if paired else row.latency_s
    return np.asarray(row.build_s + row.first_call_s + (np.asarray(calls) - 1) * call_s)


def crossing(later: Interval, saving: Interval) -> Interval:
    """From which call on the mode stays ahead.

    Args:
        later: what the mode starts later than the baseline, in the baseline's steady calls.
        saving: the part of the baseline's call that each call of the mode saves.
    """
    value = math.inf
    if saving.value > 0:
        value = 0.0 if later.value <= 0 else 1 + later.value / saving.value
    if math.isnan(later.low) or math.isnan(saving.low):
        return Interval(value, math.nan, math.nan)
    if saving.high <= 0:  # slower: it may start sooner, but does not stay ahead
        return Interval(value, math.inf, math.inf)
    low = high = 0.0
    if later.low > 0:
        low = 1 + _limit(later.value, later.low, saving.value, saving.high, -1)
    if saving.low <= 0:
        high = math.inf
    elif later.high > 0:
        high = 1 + _limit(later.value, later.high, saving.value, saving.low, 1)
    return Interval(value, min(low, value), max(high, value))


def _limit(
    later: float, later_limit: float, saving: float, saving_limit: float, side: int
) -> float:
    """One limit of the ratio later / saving: n with n · saving - later as far as its own limit.

    That is the larger (``side`` 1) or smaller (-1) root of
    (n · saving - later)² = (later_limit - later)² + n² (saving_limit - saving)².
    """
    a = saving**2 - (saving_limit - saving) ** 2
    b = later * saving
    c = later**2 - (later_limit - later) ** 2
    root = math.sqrt(max(b * b - a * c, 0.0))
    # c / (b + root) is the smaller root without cancellation, and the positive one where a < 0.
    return (b + root) / a if side > 0 else c / (b + root)


def _saving(log_ratio: Interval) -> Interval:
    """The part of the baseline's call that is saved, from the log of the speed-up."""
    return Interval(*(-math.expm1(-each) for each in vars(log_ratio).values()))


def _scaled(interval: Interval, factor: float) -> Interval:
    return Interval(*(each * factor for each in vars(interval).values()))


def _difference(first: Interval, second: Interval) -> Interval:
    """First minus second, of independent estimates (Zou & Donner 2008)."""
    value = first.value - second.value
    below = math.hypot(first.value - first.low, second.high - second.value)
    above = math.hypot(first.high - first.value, second.value - second.low)
    return Interval(value, value - below, value + above)


def _starts(pass_cells: pd.DataFrame) -> dict[str, Interval]:
    """Seconds until the first outputs are there, by cell: build and first call."""
    costs = pass_cells.dropna(subset=["build_s", "first_call_s"])
    costs = costs[(costs["build_s"] > 0) & (costs["first_call_s"] > 0)]
    logs = pd.DataFrame(
        {
            "cell": costs["cell"],
            "build": np.log(costs["build_s"].astype(float)),
            "first": np.log(costs["first_call_s"].astype(float)),
            "both": np.log((costs["build_s"] + costs["first_call_s"]).astype(float)),
        }
    )
    by_cell = logs.groupby("cell", sort=False)
    means, counts = by_cell[["build", "first"]].mean(), np.asarray(by_cell.size(), dtype=np.float64)
    variances = np.asarray(by_cell["both"].var(ddof=1), dtype=np.float64)
    moderated = moderate(variances, counts - 1)
    factors = np.exp(quantiles_t(0.975, moderated.degrees) * np.sqrt(moderated.variance / counts))
    # The sum of what the tables give as build and first call, so that a reader can check.
    values = np.exp(means["build"].to_numpy()) + np.exp(means["first"].to_numpy())
    starts = {}
    for cell, value, factor, number in zip(means.index, values, factors, counts, strict=True):
        around = factor if number > 1 else math.nan
        starts[str(cell)] = Interval(float(value), float(value / around), float(value * around))
    return starts
