"""What a parent asks of a child process, as JSON. Free of TensorFlow."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from eager_vs_graph.catalog.entry import Entry
from eager_vs_graph.catalog.selection import Selection
from eager_vs_graph.results.request import Timed


@dataclass(frozen=True)
class CheckJob:
    """Find devices and environment, make the grid, and check parity of every cell."""

    selection: Selection
    excluded: list[str] = field(default_factory=list)
    """Ids of cells that already ended a process."""
    done: list[str] = field(default_factory=list)
    """Ids of cells whose parity is known already."""
    finished: list[list[str]] = field(default_factory=list)
    """Scenario and size of the cells that need no further look, checkpoints included."""
    uncounted: list[list[str]] = field(default_factory=list)
    """Scenario and size whose work is not compared: comparing it ended a process."""
    broken: dict[str, list[str]] = field(default_factory=dict)
    """By scenario that cannot be loaded: the status of its cells and the reason."""
    files: str = ""
    """Folder for what the compared steps wrote; empty: it is not kept."""


@dataclass(frozen=True)
class MeasureJob:
    """Time blocks of the cells: one pass."""

    entries: list[Entry]
    timed: list[Timed]
    number: int
    seconds: float
    """Seconds of timed blocks to aim at."""
    seed: int
    logical_cpus: int = 1
    weights: dict[str, float] = field(default_factory=dict)
    """By group: its part of the seconds, relative to the others; 1 where there is none."""
    bare_loops: bool = False
    """Whether to time some items once more in a plain loop, to see what the harness adds."""
    watch_s: float = 0.0
    """Seconds for saying where the time of calls goes, after all blocks are timed."""


@dataclass(frozen=True)
class ExplainJob:
    """Explain why cells disagree with eager."""

    selection: Selection
    seconds: float
    """Seconds after which no experiment begins."""
    done: list[str] = field(default_factory=list)
    """Ids of cells that are explained already, or ended their process."""
    ended: dict[str, list[str]] = field(default_factory=dict)
    """By scenario and size, ``name/size``, experiments that have ended or held up a process: they
    are left out."""
    condition: str = ""
    """A condition of ``runs/process_conditions.py`` that this process is for; empty:
    every other experiment."""
    cells: list[str] = field(default_factory=list)
    """Ids of the cells; empty: every cell of the selection."""
    scripts: bool = False
    """Whether to write a script that reproduces each disagreement."""


@dataclass(frozen=True)
class WhyJob:
    """Say where the time of each cell's call goes."""

    selection: Selection
    seconds: float
    """Seconds after which no cell is begun, and no change tried."""
    done: list[str] = field(default_factory=list)
    """Ids of cells that are answered, or that ended their process."""
    left_out: dict[str, list[str]] = field(default_factory=dict)
    """By cell, the stages that ended a process: they are left out."""
    trace: str = ""
    """File for the profiles, as Perfetto reads them; empty: none is written."""


NO_EXPERIMENT = ("explain", "parity", "")
"""Stages of a cell at which no single experiment can be left out."""

Job = CheckJob | MeasureJob | ExplainJob | WhyJob
_KINDS: dict[str, type[Job]] = {
    kind.__name__: kind for kind in (CheckJob, MeasureJob, ExplainJob, WhyJob)
}


def write(job: Job, path: Path) -> None:
    """Write a job for a child."""
    path.write_bytes(msgspec.json.encode([type(job).__name__, job], enc_hook=str))


def read(path: Path) -> Job:
    """Read the job that the parent wrote."""
    name, content = msgspec.json.decode(path.read_bytes())
    return msgspec.convert(content, _KINDS[name], dec_hook=lambda kind, text: kind(text))
