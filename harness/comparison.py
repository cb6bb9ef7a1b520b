"""What ``compare`` returns."""

from __future__ import annotations

import math
import shutil
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from eager_vs_graph.errors import UsageError
from eager_vs_graph.modes import BASELINE
from eager_vs_graph.results.cells import CONTROL, Cell
from eager_vs_graph.results.record import AGREEING
from eager_vs_graph.results.run import Run

if TYPE_CHECKING:
    import pandas as pd

    from eager_vs_graph.reports import Rendered


class Comparison:
    """What ``compare`` found. It shows itself as a table, and in a notebook with a chart.

    Attributes:
        folder: the run's folder; ``eager-vs-graph report FOLDER`` renders it again.
        temporary: whether it is deleted with this object.
    """

    def __init__(self, folder: Path, *, temporary: bool = False) -> None:
        self.folder = folder
        self.temporary = temporary

    @cached_property
    def _rendered(self) -> Rendered:
        from eager_vs_graph import reports

        return reports.render(self.folder)

    @property
    def report(self) -> Path:
        """The report, an HTML page that needs no other file."""
        return self._rendered.page

    @property
    def parity(self) -> dict[str, str]:
        """By mode, what became of its outputs.

        ``identical``, ``close`` (within tolerance), ``differs``, ``nondeterministic`` (eager gives
        another result each time), ``vacuous`` (nothing finite to compare), ``unsupported``,
        ``error``, ``crashed`` or ``timeout``. Where there are several devices or inputs policies,
        the keys are ids of cells.
        """
        cells = Run(self.folder).parity()
        return self._by_mode([(Cell.parse(cell.cell), cell.status) for cell in cells])

    def verdict(self, mode: str | None = None) -> str | dict[str, str]:
        """Whether a mode is faster than eager: one word, or a word for every mode by name.

        ``faster``, ``slower``, ``same`` or ``unclear``. Where the outputs do not agree, what
        ``parity`` says; ``not timed`` where the budget ended before the mode was timed. Why a mode
        has no verdict is a line of the printed result.

        Args:
            mode: a mode that was compared with eager; default: all of them.

        Raises:
            UsageError: there is no such mode in the comparison.
        """
        rows = self.to_frame()
        rows = rows[~rows["mode"].isin([BASELINE, CONTROL])]
        found = self._by_mode(
            [
                (Cell.parse(str(row.Index)), str(row.verdict) or _without_verdict(row))
                for row in rows.itertuples()
            ]
        )
        if mode is None:
            return found
        if mode not in found:
            compared = f"there is one for: {', '.join(found)}" if found else "eager ran alone"
            raise UsageError(f"no verdict for {mode!r}; {compared}")
        return found[mode]

    @property
    def counts(self) -> dict[str, dict[str, int]]:
        """By mode, exact counts of a call: ops from Python, conversions, traces, nodes and others.

        They are the same in every run of the same code, so that two can be compared without
        statistics. A mode that takes long to build is left out. Where there are several devices or
        inputs policies, the keys are ids of cells.
        """
        cells = [cell for cell in Run(self.folder).why().cells if not cell.error]
        parsed = [Cell.parse(cell.cell) for cell in cells]
        several = len({cell.mode for cell in parsed}) < len(parsed)
        keys = [cell.id if several else cell.mode for cell in parsed]
        return {key: cell.counters for key, cell in zip(keys, cells, strict=True)}

    def to_frame(self) -> pd.DataFrame:
        """The summary: one row a cell, indexed by its id, with the columns of ``summary.csv``.

        Among them: ``mode``, ``latency_s`` (seconds of a call), ``speedup`` with ``speedup_low``
        and ``speedup_high`` (eager's latency divided by the mode's, and its 95% interval),
        ``verdict``, ``status``, ``build_s``, ``first_call_s``; all of them are in
        ``statistics.summary.COLUMNS``.
        """
        return self._rendered.summary.copy()

    def save(self, folder: str | Path) -> Path:
        """Keep the run, with its report, in a folder that does not exist yet; returns it.

        Raises:
            UsageError: it exists.
        """
        target = Path(folder)
        if target.exists():
            raise UsageError(f"{target}: exists already; give a folder that does not")
        _ = self._rendered
        shutil.copytree(self.folder, target)
        return target

    def __str__(self) -> str:
        from eager_vs_graph.reports import notebook

        return notebook.text(self._rendered, temporary=self.temporary)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        from eager_vs_graph.reports import notebook

        return notebook.html(self._rendered, temporary=self.temporary)

    def _by_mode(self, found: list[tuple[Cell, str]]) -> dict[str, str]:
        """Words by mode, where each mode has one cell; else by cell."""
        modes = [cell.mode for cell, _ in found]
        several = len(set(modes)) < len(modes)
        return {cell.id if several else cell.mode: word for cell, word in found}


def _without_verdict(row: Any) -> str:
    """The word for a mode without a verdict: what parity says, or how far timing came."""
    if row.status not in AGREEING:
        return str(row.status)
    return "not timed" if math.isnan(row.latency_s) else "unclear"
