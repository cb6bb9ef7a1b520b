"""Whether the modes that agree do the same work: what the check asks of each cell."""

from __future__ import annotations

import time
from dataclasses import replace

from eager_vs_graph.child.explain.disagreement import Disagreement
from eager_vs_graph.child.explain.experiments import ExperimentRunner
from eager_vs_graph.child.explain.source import Source
from eager_vs_graph.child.explain.work import could_be_unequal, measure
from eager_vs_graph.child.explain.work import unequal_work as reasons
from eager_vs_graph.child.parity.subject import Subject
from eager_vs_graph.modes import BASELINE, MODES
from eager_vs_graph.results.cells import Cell
from eager_vs_graph.results.record import CellParity


def unequal_work(subject: Subject, cell: Cell) -> tuple[str, ...]:
    """Why a cell's times must not be compared with eager's; nothing when the work is equal.

    It builds some programs and traces the step; it times nothing.
    """
    lab = _laboratory(subject, cell)
    work = measure(Disagreement(lab, CellParity(cell.id, ""), Source(subject.scenario)))
    return () if work is None else reasons(work)


class EqualWork:
    """Fills ``CellParity.unequal_work`` for the cells of one scenario and size.

    A cheap look at eager says whether it can matter at all; only then is what a mode does counted,
    once for all devices and inputs policies.
    """

    def __init__(self, subject: Subject) -> None:
        self._subject = subject
        self._suspicious: bool | None = None
        self._found: dict[str, str] = {}

    def checked(self, result: CellParity) -> CellParity:
        """The parity of a cell with why its work is unequal, where it is."""
        cell = Cell.parse(result.cell)
        # A step that traces itself cannot be traced; a mode that splits the batch is to do less.
        of_mode = MODES[cell.mode]
        as_eager = cell.mode == BASELINE or of_mode.needs_functions
        if not result.timed or as_eager or of_mode.splits_batch:
            return result
        mode = cell.mode if of_mode.counted else "function"
        try:
            if mode not in self._found:
                self._found[mode] = self._why(cell.in_mode(mode))
        except Exception:  # a look from outside must cost no cell its parity
            self._found[mode] = ""
        return replace(result, unequal_work=self._found[mode])

    def _why(self, cell: Cell) -> str:
        if self._suspicious is None:
            self._suspicious = not self._subject.scenario.traces_itself and could_be_unequal(
                _laboratory(self._subject, cell), cell
            )
        return "; ".join(unequal_work(self._subject, cell)) if self._suspicious else ""


def _laboratory(subject: Subject, cell: Cell) -> ExperimentRunner:
    if subject.initial is None:
        subject.build(cell.in_mode(BASELINE)).close()
    return ExperimentRunner(subject, time.monotonic() + 1e6)
