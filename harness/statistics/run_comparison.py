"""``compare``: two runs, cell by cell, and whether anything regressed."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from eager_vs_graph.errors import UsageError
from eager_vs_graph.results.cells import CONTROL
from eager_vs_graph.results.frames import Frames, read
from eager_vs_graph.results.record import AGREEING, CellParity
from eager_vs_graph.results.why import GATED
from eager_vs_graph.statistics.run_changes import compare_runs, machine_factor

_MACHINE = ("cpu", "cores", "memory_gib", "gpus")


@dataclass(frozen=True)
class Comparison:
    """What changed from one run to the other."""

    before: str
    after: str
    machine: float
    """How much longer fixed work without TensorFlow took in the second run."""
    environment: dict[str, tuple[str, str]]
    """Entries of the environment that are not the same."""
    cells: pd.DataFrame
    """By cell, as ``compare_runs`` returns it; the controls left out."""
    statuses: dict[str, tuple[str, str]]
    """Cells whose status of parity is not the same, with both."""
    only_before: list[str]
    only_after: list[str]
    counts: dict[str, dict[str, tuple[int, int]]] = field(default_factory=dict)
    """By cell and count, those that are not the same, with both; of cells that were counted in
    both runs."""
    counted: int = 0
    """How many cells were."""

    def regressions(self, over: float) -> pd.DataFrame:
        """The cells that became slower by more than this fraction."""
        cells = self.cells
        return cells[(cells["verdict"] == "slower") & (cells["change"] > 1 + over)]

    def undecided(self, over: float) -> pd.DataFrame:
        """The cells of which it is not known whether they became slower by more than this."""
        cells = self.cells
        known = cells["change_high"] <= 1 + over
        return cells[~known & ~cells.index.isin(self.regressions(over).index)]

    def more_work(self) -> dict[str, dict[str, tuple[int, int]]]:
        """The counts that rose, of which more is worse; none where TensorFlow is another one."""
        if "tensorflow" in self.environment:
            return {}
        found = {
            cell: {n: pair for n, pair in counts.items() if n in GATED and pair[1] > pair[0]}
            for cell, counts in self.counts.items()
        }
        return {cell: counts for cell, counts in found.items() if counts}

    def disagreements(self) -> dict[str, tuple[str, str]]:
        """The cells that agreed and no longer do."""
        return {
            cell: (before, after)
            for cell, (before, after) in self.statuses.items()
            if before in AGREEING and after not in AGREEING
        }


def compare(before: Path, after: Path, *, across_machines: bool = False) -> Comparison:
    """Compare two runs.

    Args:
        before: the folder of the run to compare with.
        after: the folder of the run in question.
        across_machines: compare although the machines differ.

    Raises:
        UsageError: a record is damaged, the machines differ, or no cell is in both.
    """
    first, second = read(before), read(after)
    if not across_machines:
        _require_same_machine(first, second)
    _require_common(first, second)
    cells = compare_runs(first.blocks, second.blocks)
    controls = [cell for cell in cells.index if f"/{CONTROL}/" in cell]
    statuses = {
        cell: (first.parity[cell].status, second.parity[cell].status)
        for cell in first.parity
        if cell in second.parity
        and _agreement(first.parity[cell]) != _agreement(second.parity[cell])
    }
    keys = [key for key in first.environment if key not in ("started", "load_1min")]
    return Comparison(
        before=before.name,
        after=after.name,
        machine=machine_factor(first.blocks, second.blocks),
        environment={
            key: (str(first.environment[key]), str(second.environment.get(key)))
            for key in keys
            if first.environment[key] != second.environment.get(key)
        },
        cells=cells.drop(index=controls),
        statuses=statuses,
        only_before=[cell for cell in first.parity if cell not in second.parity],
        only_after=[cell for cell in second.parity if cell not in first.parity],
        counts=_changed_counts(first, second),
        counted=len(_counts(first).keys() & _counts(second).keys()),
    )


def _counts(frames: Frames) -> dict[str, dict[str, int]]:
    return {cell.cell: cell.counters for cell in frames.why.cells if cell.counters}


def _changed_counts(first: Frames, second: Frames) -> dict[str, dict[str, tuple[int, int]]]:
    """The counts of cells that are not the same; what one run has none of is 0 there."""
    before, after = _counts(first), _counts(second)
    changed = {}
    for cell in before.keys() & after.keys():
        names = dict.fromkeys([*before[cell], *after[cell]])
        pairs = {n: (before[cell].get(n, 0), after[cell].get(n, 0)) for n in names}
        if differing := {n: pair for n, pair in pairs.items() if pair[0] != pair[1]}:
            changed[cell] = differing
    return dict(sorted(changed.items()))


def _agreement(parity: CellParity) -> str:
    """``identical`` and ``close`` may change places with the last digit."""
    return "agrees" if parity.status in AGREEING else parity.status


def _require_same_machine(first: Frames, second: Frames) -> None:
    differing = [
        f"{key}: {first.environment.get(key)} and {second.environment.get(key)}"
        for key in _MACHINE
        if first.environment.get(key) != second.environment.get(key)
    ]
    if differing:
        raise UsageError(
            f"the runs are from different machines ({'; '.join(differing)}), so a change would say "
            "nothing about TensorFlow; pass --across-machines to compare them all the same"
        )


def _require_common(first: Frames, second: Frames) -> None:
    if not set(first.blocks["cell"]) & set(second.blocks["cell"]):
        raise UsageError("no cell was timed in both runs, so there is nothing to compare")
