"""Scenario × mode, a word in every cell, and each reason once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from eager_vs_graph.reports.formatting import listed
from eager_vs_graph.results.cells import Cell
from eager_vs_graph.results.explanation import UNEQUAL_WORK
from eager_vs_graph.results.mode_kinds import Kinds, by_kind
from eager_vs_graph.results.record import AGREEING, NO_DIGIT, STATUSES, UNSUPPORTED, CellParity

NOT_CHECKED = "not checked"


@dataclass(frozen=True)
class Matrix:
    """The answers of a run at a glance."""

    groups: dict[str, list[str]]
    """The modes by kind: the columns."""
    rows: dict[tuple[str, str], dict[str, str]]
    """By scenario and size: the words of every mode."""

    @property
    def modes(self) -> list[str]:
        """Every mode in the order of the columns."""
        return [mode for members in self.groups.values() for mode in members]

    def column(self, mode: str) -> list[str]:
        """Return the words of one mode."""
        return [words[mode] for words in self.rows.values()]


@dataclass(frozen=True)
class Reason:
    """Why some cells do not agree."""

    status: str
    text: str
    cells: str
    """The cells in words, such as ``custom_gradient guide in function, session (resident)``."""


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
        row: {mode: _words(of[mode]) if mode in of else NOT_CHECKED for mode in columns}
        for row, of in found.items()
    }
    return Matrix(groups, rows)


def reasons(parity: Iterable[CellParity]) -> list[Reason]:
    """Every reason once, with its cells: of ``unsupported``, then declared, then the troubles.

    Unequal work is a reason too, although the answers agree.

    A cell whose tensors differ for several declared reasons is named with each of them.
    """
    entries = list(parity)
    every = [Cell.parse(entry.cell) for entry in entries]
    found: dict[tuple[str, str], list[Cell]] = {}
    for entry, cell in zip(entries, every, strict=True):
        if not entry.comparable:
            for text in _texts(entry):
                found.setdefault((word_of(entry), text), []).append(cell)
    ordered = sorted(found.items(), key=lambda each: _place(each[0][0]))
    return [Reason(status, text, in_words(cells, every)) for (status, text), cells in ordered]


def _texts(entry: CellParity) -> list[str]:
    if entry.status in AGREEING:
        return [f"no speed-up: {entry.unequal_work}"]
    declared = [t.known for t in entry.tensors if t.known and t.status not in AGREEING]
    if entry.known:
        return list(dict.fromkeys(declared)) or [entry.known]
    return [entry.reason or entry.known or f"its record says no more than {entry.status}"]


def word_of(entry: CellParity) -> str:
    """The word of a cell, marked where it differs as declared, and where its work is unequal."""
    if entry.status in AGREEING:
        if entry.unequal_work:
            return f"{entry.status} ({UNEQUAL_WORK})"
        return f"{entry.status} ({NO_DIGIT})" if entry.lost else entry.status
    return f"{entry.status} (known)" if entry.known else entry.status


def _place(status: str) -> tuple[int, int]:
    plain = status.partition(" (")[0]
    return (0 if plain == UNSUPPORTED else 1 if plain != status else 2), STATUSES.index(plain)


def _words(entries: Sequence[CellParity]) -> str:
    """The word of a mode: the worse of agreeing ones, else every other, with where it holds."""
    words = dict.fromkeys(word_of(entry) for entry in entries if not entry.comparable)
    if not words:
        return max((entry.status for entry in entries), key=STATUSES.index)
    every = [Cell.parse(entry.cell) for entry in entries]
    return ", ".join(
        # One bracket: differs (known, fed).
        f"{status}{_qualified(_with_word(entries, status), every)}".replace(") (", ", ")
        for status in words
    )


def _with_word(entries: Sequence[CellParity], status: str) -> list[Cell]:
    return [Cell.parse(entry.cell) for entry in entries if word_of(entry) == status]


def _qualified(some: Sequence[Cell], every: Sequence[Cell]) -> str:
    """Say which of a mode's cells are meant: `` (fed)``, `` (GPU:0)``; nothing for all."""
    if len(some) == len(every):
        return ""
    inputs = list(dict.fromkeys(cell.inputs for cell in some))
    devices = list(dict.fromkeys(cell.device for cell in some))
    parts = [
        *(devices if len(devices) < len({cell.device for cell in every}) else []),
        *(inputs if len(inputs) < len({cell.inputs for cell in every}) else []),
    ]
    return f" ({', '.join(parts or ['some'])})"


def in_words(cells: Sequence[Cell], every: Sequence[Cell]) -> str:
    """Name cells by scenario and size, with modes, and with device and policy where not all are.

    Args:
        cells: the cells to name.
        every: all that there are.
    """
    by_row = _by_row(every)
    named: dict[str, dict[str, list[str]]] = {}
    for (scenario, size), of in _by_row(cells).items():
        ways = [mode + _qualified(some, by_row[scenario, size][mode]) for mode, some in of.items()]
        named.setdefault(scenario, {}).setdefault(", ".join(ways), []).append(size)
    return "; ".join(
        f"{scenario} {listed(sizes)} in {ways}"
        for scenario, of_scenario in named.items()
        for ways, sizes in of_scenario.items()
    )


def _by_row(cells: Iterable[Cell]) -> Mapping[tuple[str, str], Mapping[str, list[Cell]]]:
    rows: dict[tuple[str, str], dict[str, list[Cell]]] = {}
    for cell in cells:
        rows.setdefault((cell.scenario, cell.size), {}).setdefault(cell.mode, []).append(cell)
    return rows
