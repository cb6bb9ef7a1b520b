"""A run's record as pandas frames, and what in it was damaged or missing."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pandas as pd

from eager_vs_graph.errors import UsageError
from eager_vs_graph.results.cells import Cell
from eager_vs_graph.results.explanation import Explanation
from eager_vs_graph.results.record import CellParity, CheckpointParity, PassRecord
from eager_vs_graph.results.request import RunRequest
from eager_vs_graph.results.run import Run
from eager_vs_graph.results.why import Why

T = TypeVar("T")

BLOCK_COLUMNS = [
    *("pass", "cell", "scenario", "size", "mode", "device", "inputs"),
    *("group", "block", "probe_s", "seconds"),
]
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
    """One row a timed block; ``seconds`` holds an array, one value (seconds per call) a round."""
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
    blocks: list[dict[str, Any]] = []
    for number in _pass_numbers(run.raw):
        record = _guarded(partial(run.pass_record, number), warnings)
        if record is not None:
            passes.append(record)
        if record is None or record.outcome == "complete" or run.pass_file(number).exists():
            blocks += _guarded(partial(_blocks, run, number), warnings) or []
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
        blocks=pd.DataFrame(blocks, columns=BLOCK_COLUMNS),
        pass_cells=pd.DataFrame(rows, columns=PASS_COLUMNS),
        warnings=warnings,
        checkpoints=_guarded(run.checkpoints, warnings) or [],
        explanations=_guarded(run.explanations, warnings) or [],
        why=_guarded(run.why, warnings) or Why(),
    )


def _pass_numbers(raw: Path) -> list[int]:
    """Find the passes of which at least one of the two files is there."""
    found = (re.fullmatch(r"pass-(\d+)(\.cells)?\.json", path.name) for path in raw.glob("*.json"))
    return sorted({int(match[1]) for match in found if match})


def _blocks(run: Run, number: int) -> list[dict[str, Any]]:
    """Read the timed blocks of one pass, or none of them when one is damaged."""
    rows = []
    for block in run.blocks(number):
        info, cell = block.extra_info, Cell.parse(block.extra_info.cell)
        rounds = np.asarray(block.stats.data, dtype=float)
        if not rounds.size or not (np.isfinite(rounds) & (rounds > 0)).all():
            raise UsageError(
                f"{run.pass_file(number)}: {cell.id} has a round that is no positive time; delete "
                "the file to report the rest of the run"
            )
        rows.append(
            {
                "pass": number,
                "cell": cell.id,
                **vars(cell),
                "group": block.group or cell.group,
                "probe_s": np.nan if info.probe_s is None else info.probe_s,
                "block": info.block,
                "seconds": rounds,
            }
        )
    return rows


def _guarded(read_part: Callable[[], T], warnings: list[str]) -> T | None:
    """Read one part of the record; what is wrong with it becomes a warning."""
    try:
        return read_part()
    except UsageError as error:
        warnings.append(str(error))
        return None
