"""A run's record as pandas frames, and what in it was damaged or missing."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from eager_vs_graph.errors import UsageError
from eager_vs_graph.results.cells import Cell
from eager_vs_graph.results.explanation import Explanation
from eager_vs_graph.results.record import CellParity, CheckpointParity, PassRecord
from eager_vs_graph.results.request import RunRequest
from eager_vs_graph.results.rounds import Rounds
from eager_vs_graph.results.run import Run
from eager_vs_graph.results.why import Why

T = TypeVar("T")
_A_PASS = re.compile(r"pass-(\d+)(\.cells\.json|\.json|\.rounds)")

BLOCK_COLUMNS = [
    *("pass", "cell", "scenario", "size", "mode", "device", "inputs"),
    *("group", "block", "probe_s", "fastest_s", "median_s", "rounds"),
]
_PARTS = ("scenario", "size", "mode", "device", "inputs")
PASS_COLUMNS = ["pass", "cell", "status", "reason", "build_s", "first_call_s", "traces", "retraces"]


@dataclass(frozen=True)
class Frames:
    """One run, read."""

    environment: dict[str, Any]
    request: RunRequest
    cells: list[Cell]
    """Every cell of the run, in the run's order."""
    parity: dict[str, CellParity]
    """By cell id."""
    passes: list[PassRecord]
    """Every readable pass, in order."""
    blocks: pd.DataFrame
    """One row a turn of a program, i.e. a cell's part of a block: of its rounds, the
    fastest and the median in seconds per call, and their number."""
    pass_cells: pd.DataFrame
    """One row a cell and pass: cold costs, traces, failures."""
    warnings: list[str]
    """Files that were damaged, one line each."""
    checkpoints: list[CheckpointParity] = field(default_factory=list)
    """What became of every checkpoint, in the run's order."""
    explanations: list[Explanation] = field(default_factory=list)
    """Why cells disagree, in the run's order."""
    why: Why = field(default_factory=Why)
    """Where the time of calls goes, as far as it was looked at."""

    @property
    def control_of(self) -> str | None:
        """The mode that the A/A control is a second program of."""
        return self.request.control_of


def read(folder: Path) -> Frames:
    """Read a run's record; a damaged pass is named in ``warnings`` and left out.

    Raises:
        UsageError: ``environment.json`` or ``parity.json`` is missing or damaged.

    """
    run = Run(folder)
    environment, request = run.environment, run.request
    cells = [Cell.parse(text) for text in request.cells]
    parity = {entry.cell: entry for entry in run.parity()}
    warnings: list[str] = []
    passes: list[PassRecord] = []
    timed: list[tuple[int, Rounds]] = []
    for number in _pass_numbers(run.raw):
        record = _guarded(partial(run.pass_record, number), warnings)
        if record is not None:
            passes.append(record)
        if record is None or record.outcome == "complete" or run.rounds_file(number).exists():
            rounds = _guarded(partial(run.rounds, number), warnings) or []
            timed += [(number, each) for each in rounds]
    rows = [
        {"pass": record.number, "cell": cell, **vars(entry)}
        for record in passes
        for cell, entry in record.cells.items()
    ]
    return Frames(
        environment=environment,
        request=request,
        cells=cells,
        parity=parity,
        passes=passes,
        blocks=_blocks(timed),
        pass_cells=pd.DataFrame(rows, columns=PASS_COLUMNS),
        warnings=warnings,
        checkpoints=_guarded(run.checkpoints, warnings) or [],
        explanations=_guarded(run.explanations, warnings) or [],
        why=_guarded(run.why, warnings) or Why(),
    )


def _pass_numbers(raw: Path) -> list[int]:
    """The passes of which at least one of the two files is there."""
    found = (_A_PASS.fullmatch(path.name) for path in raw.glob("pass-*"))
    return sorted({int(match[1]) for match in found if match})


def _blocks(timed: list[tuple[int, Rounds]]) -> pd.DataFrame:
    """The turns of all passes; ``timed`` has each pass's number beside its rounds."""
    if not timed:
        return pd.DataFrame(columns=BLOCK_COLUMNS)
    rounds = [each for _, each in timed]
    counts = [len(each.seconds) for each in rounds]
    cells = {text: Cell.parse(text) for text in dict.fromkeys(each.cell for each in rounds)}
    named = [cells[each.cell] for each in rounds]
    groups = [each.group or cell.group for each, cell in zip(rounds, named, strict=True)]

    def column(values: Iterable[Any]) -> pd.Series[Any]:
        return pd.Series(list(values)).repeat(counts).reset_index(drop=True)

    return pd.DataFrame(
        {
            "pass": column(number for number, _ in timed),
            "cell": column(cell.id for cell in named),
            **{name: column(getattr(cell, name) for cell in named) for name in _PARTS},
            "group": column(groups),
            "block": np.concatenate([each.block + np.arange(len(each.seconds)) for each in rounds]),
            "probe_s": column(np.nan if each.probe_s is None else each.probe_s for each in rounds),
            **_of_turns(rounds),
        },
        columns=BLOCK_COLUMNS,
    )


def _of_turns(timed: list[Rounds]) -> dict[str, NDArray[Any]]:
    """What stands for each turn, of all turns with as many rounds at once."""
    lengths = [each.seconds.shape[1] for each in timed]
    of_turns = np.repeat(lengths, [len(each.seconds) for each in timed])
    fastest, median = np.empty((2, len(of_turns)))
    for length in dict.fromkeys(lengths):
        alike = [each.seconds for each in timed if each.seconds.shape[1] == length]
        seconds = np.concatenate(alike).astype(np.float64)
        fastest[of_turns == length] = seconds.min(axis=1)
        median[of_turns == length] = np.median(seconds, axis=1)
    return {"fastest_s": fastest, "median_s": median, "rounds": of_turns}


def _guarded(read_part: Callable[[], T], warnings: list[str]) -> T | None:
    """Read one part of the record; what is wrong with it becomes a warning."""
    try:
        return read_part()
    except UsageError as error:
        warnings.append(str(error))
        return None
