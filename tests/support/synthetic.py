"""Blocks of a run that never took place, with ratios that are known. No TensorFlow."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from eager_vs_graph.results.cells import CONTROL, Cell

CALL_S = 400e-6
PROBE_S = 100e-6


def group(index: int) -> str:
    """The name of a synthetic group."""
    return Cell(f"s{index:03}", "small", "", "CPU:0", "resident").group


def cell(index: int, mode: str) -> str:
    """The id of a synthetic cell."""
    return Cell(f"s{index:03}", "small", mode, "CPU:0", "resident").id


def blocks(
    speedups: Mapping[str, float],
    *,
    groups: int = 1,
    passes: int = 5,
    count: int = 8,
    spread: float = 0.01,
    tails: float | None = None,
    moments: float = 0.05,
    scatter: float = 0.0,
    machine: float = 1.0,
    seed: int = 0,
) -> pd.DataFrame:
    """Blocks of eager, of every mode named, and of the control, a second program of ``function``.

    Args:
        speedups: the true speed-up over eager, by mode.
        groups: how many groups have these speed-ups.
        passes: how many passes measured each.
        count: blocks of a group in a pass.
        spread: scale of a mode's own log deviation in a pass.
        tails: degrees of freedom of Student's t for these deviations; None: they are normal.
        moments: scale of what a slow moment adds to all modes of a block, as a log deviation.
        scatter: scale of a mode's own log deviation in a block.
        machine: how much longer everything takes, the probe as well.
        seed: of the noise.
    """
    rng = np.random.default_rng(seed)
    true = {"eager": 1.0, **speedups}
    if "function" in true:
        true[CONTROL] = true["function"]
    rows = []
    for number in range(1, passes + 1):
        state = np.exp(0.1 * rng.standard_normal())  # of the machine, in this pass
        for index in range(groups):
            slow = np.exp(moments * np.abs(rng.standard_normal(count)))
            for mode, speedup in true.items():
                own = rng.standard_normal() if tails is None else rng.standard_t(tails)
                call_s = CALL_S / speedup * state * machine * np.exp(spread * own)
                of = {"pass": number, "group": group(index), "mode": mode}
                for block, moment in enumerate(slow):
                    contended = np.exp(0.003 * rng.exponential(size=5))
                    contended *= np.exp(scatter * rng.standard_normal()) if scatter else 1.0
                    rows.append(
                        {
                            **of,
                            "cell": cell(index, mode),
                            "block": block,
                            "probe_s": PROBE_S * state * machine * moment,
                            "fastest_s": call_s * moment * contended.min(),
                            "median_s": call_s * moment * np.median(contended),
                            "rounds": len(contended),
                        }
                    )
    return pd.DataFrame(rows)


def times(frame: pd.DataFrame, factor: float, where: pd.Series) -> pd.DataFrame:
    """The blocks, some of them so many times as long."""
    factors = np.where(where, factor, 1.0)
    return frame.assign(**{name: frame[name] * factors for name in ("fastest_s", "median_s")})
