"""Scenario × mode: the status of every cell, after the check."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from eager_vs_graph.reports.formatting import count
from eager_vs_graph.reports.labels import qualified
from eager_vs_graph.results.cells import Cell
from eager_vs_graph.results.explanation import UNEQUAL_WORK
from eager_vs_graph.results.mode_kinds import Kinds, by_kind
from eager_vs_graph.results.record import AGREEING, NO_DIGIT, NOT_CHECKED, STATUSES, CellParity


@dataclass(frozen=True)
class Matrix:
    """The statuses of a run at a glance."""

    groups: dict[str, list[str]]
    """The modes by kind: the columns."""
    rows: dict[tuple[str, str], dict[str, str]]
    """By scenario and size: the status of every mode."""

    @property
    def modes(self) -> list[str]:
        """Every mode in the order of the columns."""
        return [mode for members in self.groups.values() for mode in members]


def matrix(parity: Iterable[CellParity], kinds: Kinds) -> Matrix:
    """Lay out every checked cell; devices and inputs policies of a mode share a place."""
    found: dict[tuple[str, str], dict[str, list[CellParity]]] = {}
    for entry in parity:
        cell = Cell.parse(entry.cell)
        found.setdefault((cell.scenario, cell.size), {}).setdefault(cell.mode, []).append(entry)
    modes = dict.fromkeys(mode for of in found.values() for mode in of)
    groups = by_kind(modes, kinds)
    columns = [mode for members in groups.values() for mode in members]
    rows = {
        row: {mode: _statuses(of[mode]) if mode in of else NOT_CHECKED for mode in columns}
        for row, of in found.items()
    }
    return Matrix(groups, rows)


def status_of(entry: CellParity) -> str:
    """Give a cell's status, marked where there is more to know of it."""
    if entry.status in AGREEING:
        if entry.unequal_work:
            return f"{entry.status} ({UNEQUAL_WORK})"
        return f"{entry.status} ({NO_DIGIT})" if entry.lost else entry.status
    return f"{entry.status} (known)" if entry.known else entry.status


def _statuses(entries: Sequence[CellParity]) -> str:
    """The status of a mode: the worse of agreeing ones, else every other, with where it holds."""
    statuses = dict.fromkeys(status_of(entry) for entry in entries if not entry.comparable)
    if not statuses:
        return max((entry.status for entry in entries), key=STATUSES.index)
    every = [Cell.parse(entry.cell) for entry in entries]
    return ", ".join(
        # One bracket: differs (known, fed).
        f"{status}{qualified(_with_status(entries, status), every)}".replace(") (", ", ")
        for status in statuses
    )


def _with_status(entries: Sequence[CellParity], status: str) -> list[Cell]:
    return [Cell.parse(entry.cell) for entry in entries if status_of(entry) == status]


def in_words(parity: Sequence[CellParity]) -> str:
    """Say what the check found: ``Outputs: eager identical, function close.``.

    The statuses of one workload are named one by one, those of several are counted.
    """
    cells = [Cell.parse(entry.cell) for entry in parity]
    if len({cell.group for cell in cells}) == 1:
        found = [
            f"{cell.mode} {status_of(entry)}" for cell, entry in zip(cells, parity, strict=True)
        ]
        return f"Outputs: {', '.join(found)}."
    statuses = Counter(status_of(entry) for entry in parity)
    found = [f"{number} {status}" for status, number in statuses.most_common()]
    return f"Outputs of {count(len(cells), 'cell')}: {', '.join(found)}."
