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

BATCHES = 10
"""Of the blocks of a pass, to tell how well the pass knows its median."""
_KEY = ["group", "mode"]


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
    errors: pd.DataFrame
    """Likewise: the standard error of each log ratio, from the scatter within its pass; NaN where
    the pass has too few blocks to tell."""
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
            errors=self.errors[self.errors.index.isin(rows)],
        )


def locate(blocks: pd.DataFrame) -> pd.DataFrame:
    """The blocks with logarithms of what can stand for a turn.

    Returns:
        ``log_median_s``: of the median round, what a call typically takes; ``log_fastest_s``: of
        the fastest, what it takes when nothing disturbs it.
    """
    return blocks.assign(
        log_median_s=np.log(blocks["median_s"].to_numpy(dtype=np.float64)),
        log_fastest_s=np.log(blocks["fastest_s"].to_numpy(dtype=np.float64)),
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
    paired = _paired(of_blocks, references)
    ratios = paired.groupby(["cell", "pass"])["ratio"].median().unstack("pass")
    errors = _errors_of_medians(paired).unstack("pass").reindex_like(ratios)
    keys = list(code_of)
    index = pd.MultiIndex.from_tuples([keys[code] for code in ratios.index], names=_KEY)
    return Passes(
        cells=cells,
        latencies=latencies,
        medians=medians,
        ratios=ratios.set_axis(index),
        errors=errors.set_axis(index),
        reference={keys[code]: str(names[references[code]]) for code in ratios.index},
    )


def _paired(of_blocks: pd.DataFrame, references: Any) -> pd.DataFrame:
    """A row a block of a cell that has a reference: ``cell``, ``pass``, ``block``, ``ratio``."""
    own = of_blocks.assign(reference=references[of_blocks["cell"].to_numpy()])
    paired = own[own["reference"] >= 0].merge(
        of_blocks[["cell", "pass", "block", OF_BLOCK]],
        left_on=["reference", "pass", "block"],
        right_on=["cell", "pass", "block"],
        suffixes=("", "_of_reference"),
    )
    ratio = paired[f"{OF_BLOCK}_of_reference"] - paired[OF_BLOCK]
    return paired[["cell", "pass", "block"]].assign(ratio=ratio)


def _errors_of_medians(paired: pd.DataFrame) -> pd.Series[Any]:
    """By cell and pass: the standard error of the median of its blocks, by batch means.

    Blocks that were timed at nearly the same time are alike, so that their own scatter would claim
    too much. Batches of successive blocks are nearly independent (Law, *Simulation Modeling and
    Analysis*, section 9.5.3).
    """
    ordered = paired.sort_values(["cell", "pass", "block"])
    of_pass = ordered.groupby(["cell", "pass"])["ratio"]
    number, count = of_pass.cumcount(), of_pass.transform("size")
    batches = np.minimum(BATCHES, count // 2)
    enough = batches > 1
    batch = (number[enough] * batches[enough]) // count[enough]
    medians = ordered[enough].assign(batch=batch).groupby(["cell", "pass", "batch"])["ratio"]
    of_batches = medians.median().groupby(["cell", "pass"])
    errors: pd.Series[Any] = of_batches.std(ddof=1) / np.sqrt(of_batches.size())
    return errors
