"""From timed blocks to one log ratio and one log latency a pass: all that estimates are made of."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from eager_vs_graph.results.cells import CONTROL

OF_BLOCK = "log_fastest_s"
"""What stands for a block, in a latency and in a ratio of two modes: a column of ``locate``. It is
chosen here and nowhere else. Both come from it, so that one of two figures on a line can be
computed from the other (README.md has the evidence for the fastest round)."""


@dataclass(frozen=True)
class Passes:
    """Blocks, reduced to their passes."""

    cells: pd.DataFrame
    """By cell, in the order of their blocks: ``group``, ``mode``, ``rounds``."""
    latencies: pd.DataFrame
    """A row a cell, a column a pass: log seconds per call, the median over the blocks; NaN where
    the pass did not time the cell."""
    medians: pd.DataFrame
    """Likewise, of the blocks' median rounds: disturbances included."""
    ratios: pd.DataFrame
    """A row a (group, mode), a column a pass: log ratios, reference over mode."""
    reference: dict[tuple[str, str], str]
    """By (group, mode) of a ratio: the cell that it refers to."""

    @property
    def cell_of(self) -> dict[tuple[str, str], str]:
        """By group and mode: the cell."""
        keys = zip(self.cells["group"], self.cells["mode"], strict=True)
        return dict(zip(keys, self.cells.index, strict=True))

    def only(self, cells: Collection[str]) -> Passes:
        """These cells alone, and the ratios of two of them."""
        kept = self.cells[self.cells.index.isin(cells)]
        mine, there = self.cell_of, set(kept.index)
        rows = [key for key in self.ratios.index if {mine[key], self.reference[key]} <= there]
        return replace(
            self,
            cells=kept,
            latencies=self.latencies.loc[kept.index],
            medians=self.medians.loc[kept.index],
            ratios=self.ratios[self.ratios.index.isin(rows)],
        )


def locate(blocks: pd.DataFrame) -> pd.DataFrame:
    """The blocks without their rounds, but with what is made of them.

    Returns:
        ``log_median_s``: logarithm of the median round, what a call typically takes;
        ``log_fastest_s``: of the fastest, what it takes when nothing disturbs it; ``rounds``: their
        number.
    """
    rounds = np.fromiter(map(len, blocks["seconds"]), dtype=np.int64, count=len(blocks))
    starts = np.cumsum(rounds) - rounds
    every = np.concatenate([*blocks["seconds"], np.empty(0)])
    ordered = every[np.lexsort((every, np.repeat(np.arange(len(rounds)), rounds)))]
    medians = (ordered[starts + (rounds - 1) // 2] + ordered[starts + rounds // 2]) / 2
    return blocks.drop(columns="seconds").assign(
        log_median_s=np.log(medians), log_fastest_s=np.log(ordered[starts]), rounds=rounds
    )


def reduce(located: pd.DataFrame, baseline: str, control_of: str | None) -> Passes:
    """Reduce blocks to passes.

    The two cells of a ratio are paired block by block, so that what a slow moment does to both
    cancels; the estimate of a pass is the median of its blocks' log ratios. A block counts with its
    fastest round: contention only adds time, and to Python more than to a kernel.

    Args:
        located: as ``locate`` returns it.
        baseline: the mode that ratios refer to.
        control_of: the mode that the A/A control repeats; its ratio refers to that mode.
    """
    # Integers from here on: names are compared once, however many blocks there are.
    codes, names = pd.factorize(located["cell"])
    firsts = located.drop_duplicates("cell")
    cells = pd.DataFrame(
        {
            "group": firsts["group"].to_numpy(),
            "mode": firsts["mode"].to_numpy(),
            "rounds": np.bincount(codes, located["rounds"], len(names)).astype(np.int64),
        },
        index=pd.Index(names, name="cell"),
    )
    of_blocks = pd.DataFrame(
        {
            "cell": codes,
            **{name: located[name].to_numpy() for name in ("pass", "block", OF_BLOCK)},
            "log_median_s": located["log_median_s"].to_numpy(),
        }
    )
    by_pass = of_blocks.groupby(["cell", "pass"])[[OF_BLOCK, "log_median_s"]].median()
    latencies, medians = (
        by_pass[name].unstack("pass").set_axis(cells.index) for name in (OF_BLOCK, "log_median_s")
    )
    code_of = {
        key: code for code, key in enumerate(zip(cells["group"], cells["mode"], strict=True))
    }
    references = np.array(
        [
            code_of.get((group, control_of if mode == CONTROL else baseline), -1)
            if mode != baseline
            else -1
            for group, mode in code_of
        ],
        dtype=np.int64,
    )
    ratios = _ratios(of_blocks, references)
    keys = list(code_of)
    index = [keys[code] for code in ratios.index]
    return Passes(
        cells=cells,
        latencies=latencies,
        medians=medians,
        ratios=ratios.set_axis(pd.MultiIndex.from_tuples(index, names=["group", "mode"])),
        reference={keys[code]: str(names[references[code]]) for code in ratios.index},
    )


def _ratios(of_blocks: pd.DataFrame, references: Any) -> pd.DataFrame:
    """A row a cell that has a reference, a column a pass: the median log ratio of its blocks."""
    own = of_blocks.assign(reference=references[of_blocks["cell"].to_numpy()])
    paired = own[own["reference"] >= 0].merge(
        of_blocks[["cell", "pass", "block", OF_BLOCK]],
        left_on=["reference", "pass", "block"],
        right_on=["cell", "pass", "block"],
        suffixes=("", "_of_reference"),
    )
    logs = paired[f"{OF_BLOCK}_of_reference"] - paired[OF_BLOCK]
    by_pass = logs.groupby([paired["cell"], paired["pass"]]).median()
    return by_pass.unstack("pass")
