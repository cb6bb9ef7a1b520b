"""Why cells failed, differ or need a look: each reason once, with the cells it holds for."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import pandas as pd

from eager_vs_graph.reports.labels import in_words, workload
from eager_vs_graph.reports.matrix import status_of
from eager_vs_graph.reports.table import Column, Table
from eager_vs_graph.results.cells import CONTROL, Cell
from eager_vs_graph.results.record import (
    AGREEING,
    STATUSES,
    UNSUPPORTED,
    CellParity,
    CheckpointParity,
)
from eager_vs_graph.statistics.speedup_rule import BASELINE, displayed_status
from eager_vs_graph.statistics.summary import summary_rows

_PASSING = re.compile(
    rf"{re.escape(tempfile.gettempdir())}/\S+?(?=[\"',;:)\s]|$)|\b__autograph_generated_file\w+\.py"
)
"""Names of files that exist while a process runs."""
FEW_PAIRS = 3
"""Pairs of modes that are named where a checkpoint was not restored; more are counted."""


@dataclass(frozen=True)
class Reason:
    """Why some cells failed, differ, carry no speed-up or need a look."""

    status: str
    text: str
    cells: str
    """The cells in words, such as ``custom_gradient guide in function, session (resident)``."""
    ids: frozenset[str] = frozenset()
    """The ids of the cells."""

    @property
    def failed(self) -> bool:
        """Whether it is a failure, and not a declared difference or a limit of a mode."""
        return _rank(self.status)[0] == 0


def of_run(
    summary: pd.DataFrame,
    parity: Mapping[str, CellParity],
    pairs: Iterable[CheckpointParity] = (),
) -> list[Reason]:
    """Every reason why cells of a run failed, differ, carry no speed-up or lost their digits.

    Failures come first.

    A cell that differs for several declared reasons is named with each of them.

    Args:
        summary: of the run.
        parity: of its cells, by id.
        pairs: how checkpoints were restored.
    """
    every = summary[summary["mode"] != CONTROL]
    nothing_timed = every["latency_s"].isna().all()
    found: dict[tuple[str, str], list[Cell]] = {}
    for row in summary_rows(every[every["speedup"].isna() | (every["lost_digits"] != "")]):
        if nothing_timed and row.status in AGREEING and not row.lost_digits:
            continue  # a note says so, once
        cell, status = str(row.Index), displayed_status(row)
        declared = cell in parity and status == status_of(parity[cell])
        texts = _texts(parity[cell]) if declared and row.known_difference else [row.reason]
        for text in filter(None, [*texts, row.lost_digits if row.status in AGREEING else ""]):
            found.setdefault((status, text), []).append(Cell.parse(cell))
    return _ordered([*_named(found, list(map(Cell.parse, every.index))), *of_checkpoints(pairs)])


def of_check(parity: Iterable[CellParity], pairs: Iterable[CheckpointParity] = ()) -> list[Reason]:
    """Every reason that the check has, before anything is timed; failures first.

    Unequal work and lost digits are reasons too, although the outputs agree. A cell whose tensors
    differ for several declared reasons is named with each of them.
    """
    entries = list(parity)
    found: dict[tuple[str, str], list[Cell]] = {}
    for entry in entries:
        if not entry.comparable or entry.lost:
            for text in _texts(entry):
                found.setdefault((status_of(entry), text), []).append(Cell.parse(entry.cell))
    every = [Cell.parse(entry.cell) for entry in entries]
    return _ordered([*_named(found, every), *of_checkpoints(pairs)])


def of_checkpoints(pairs: Iterable[CheckpointParity]) -> list[Reason]:
    """Why checkpoints were not restored, with the pairs of modes."""
    found: dict[tuple[str, str, str], list[str]] = {}
    for pair in pairs:
        if pair.status not in AGREEING:
            wrote, read = Cell.parse(pair.wrote), Cell.parse(pair.read)
            key = (
                workload(wrote.scenario, wrote.size),
                f"{pair.status} (known)" if pair.known else pair.status,
                pair.known or pair.reason,
            )
            found.setdefault(key, []).append(f"{wrote.mode} → {read.mode}")
    return [
        Reason(status, text, f"{name}, checkpoint {_pairs(modes)}")
        for (name, status, text), modes in found.items()
    ]


def table(reasons: Iterable[Reason]) -> Table:
    """Tabulate reasons."""
    columns = (Column("status", "status"), Column("cells", "prose"), Column("reason", "prose"))
    rows = [(each.status, each.cells, each.text) for each in reasons]
    return Table("What failed or needs attention, and why", columns, rows)


def _named(found: dict[tuple[str, str], list[Cell]], every: list[Cell]) -> list[Reason]:
    merged: dict[tuple[str, ...], tuple[str, list[Cell]]] = {}
    for (status, text), cells in found.items():
        # A text of one mode that names it, or a folder that exists once, is said of others, too.
        modes = {cell.mode for cell in cells}
        mode = modes.pop() if len(modes) == 1 else ""
        plain = _of_each_mode(text, mode)
        where = f"{cells[0].scenario}/{cells[0].size}" if plain != text else ""
        key = (status, plain, where)
        if key in merged:
            before, some = merged[key]
            merged[key] = (text if before == text else plain, [*some, *cells])
        else:
            merged[key] = (text, cells)
    places = {cell.id: place for place, cell in enumerate(every)}
    return [
        Reason(
            status,
            text,
            in_words(sorted(cells, key=lambda cell: places[cell.id]), every),
            frozenset(cell.id for cell in cells),
        )
        for (status, *_), (text, cells) in merged.items()
    ]


def _of_each_mode(text: str, mode: str) -> str:
    """The text without what is of one run of one mode alone: its name, and passing file names."""
    plain = without_passing_files(text)
    if not mode or mode == BASELINE:
        return plain
    return re.sub(rf"(?<![\w.]){re.escape(mode)}(?![\w.])", "each mode", plain)


def without_passing_files(text: str) -> str:
    """The text without names of files that are gone, such as those that AutoGraph writes."""
    return _PASSING.sub("a generated file", text)


def _texts(entry: CellParity) -> list[str]:
    if entry.status in AGREEING:
        unequal = [f"no speed-up: {entry.unequal_work}"] if entry.unequal_work else []
        return [*unequal, *dict.fromkeys(t.lost_detail for t in entry.tensors if t.lost)]
    declared = [t.known for t in entry.tensors if t.known and t.status not in AGREEING]
    if entry.known:
        return list(dict.fromkeys(declared)) or [entry.known]
    return [entry.reason or f"its record says no more than {entry.status}"]


def _pairs(modes: list[str]) -> str:
    return ", ".join(modes) if len(modes) <= FEW_PAIRS else f"{len(modes)} pairs"


def _ordered(reasons: list[Reason]) -> list[Reason]:
    return sorted(reasons, key=lambda each: _rank(each.status))


def _rank(status: str) -> tuple[int, int]:
    """Failures, worst first; then what agrees without a speed-up, declared, and unsupported."""
    plain = status.partition(" (")[0]
    if plain in AGREEING:
        kind = 1
    elif "(known)" in status:
        kind = 2
    else:
        kind = 3 if plain == UNSUPPORTED else 0
    return kind, -STATUSES.index(plain) if plain in STATUSES else 0
