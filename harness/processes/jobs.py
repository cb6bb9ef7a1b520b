"""What a parent asks of a child process, as JSON. Free of TensorFlow."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from eager_vs_graph.catalog.entry import Entry


@dataclass(frozen=True)
class CheckJob:
    """Find devices and environment, make the grid, and check parity of every cell."""

    entries: list[Entry]
    sizes: list[str]
    modes: list[str]
    devices: list[str]
    """Empty means every device found."""
    inputs: list[str]
    logical_cpus: int = 1
    excluded: list[str] = field(default_factory=list)
    """Ids of cells that already cost a process its life."""
    done: list[str] = field(default_factory=list)
    """Ids of cells whose parity is known already."""
    finished: list[list[str]] = field(default_factory=list)
    """Scenario and size of the cells that need no further look, checkpoints included."""
    uncounted: list[list[str]] = field(default_factory=list)
    """Scenario and size whose work is not compared: a look at it ended a process."""
    files: str = ""
    """Folder for what the compared steps wrote; empty: it is not kept."""


@dataclass(frozen=True)
class Timed:
    """A cell to time, and the program behind its name."""

    cell: str
    mode: str
    """The mode that the program is built in; for the A/A control, its twin's."""
    group: str
    """The cells of one group are timed in turn, block by block."""
    slowdown: float | None = None
    """Makes every call longer by this fraction, by spinning: to test the harness on itself. With 0,
    the call goes through the same wrapper and is not made longer; with None, there is none."""


@dataclass(frozen=True)
class MeasureJob:
    """Time blocks of the cells: one pass."""

    entries: list[Entry]
    timed: list[Timed]
    number: int
    seconds: float
    """Seconds of timed blocks to aim at."""
    seed: int
    result: Path
    """Where pytest-benchmark writes its JSON."""
    logical_cpus: int = 1
    weights: dict[str, float] = field(default_factory=dict)
    """By group: its part of the seconds, relative to the others; 1 where there is none."""
    bare_loops: bool = False
    """Whether to time every block once more in a plain loop, to see what the harness adds."""


@dataclass(frozen=True)
class ExplainJob:
    """Explain why cells disagree with eager."""

    entries: list[Entry]
    sizes: list[str]
    modes: list[str]
    devices: list[str]
    """Empty means CPU:0."""
    inputs: list[str]
    seconds: float
    """Seconds after which no experiment begins."""
    done: list[str] = field(default_factory=list)
    """Ids of cells that are explained already, or ended their process."""
    ended: dict[str, list[str]] = field(default_factory=dict)
    """By id of the cell, experiments that have ended or held up a process: they are left out."""
    condition: str = ""
    """A condition of ``runs/process_conditions.py`` that this process is for; empty:
    every other experiment."""
    cells: list[str] = field(default_factory=list)
    """Ids of the cells; empty: every cell of the scenarios."""
    scripts: bool = False
    """Whether to write a script that reproduces each disagreement."""
    logical_cpus: int = 1


Job = CheckJob | MeasureJob | ExplainJob


def write(plan: Job, path: Path) -> None:
    """Write a plan for a child."""
    content = {"task": type(plan).__name__, **asdict(plan)}
    path.write_text(json.dumps(content, default=str), encoding="utf-8")


def read(path: Path) -> Job:
    """Read the plan that the parent wrote."""
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    kinds = {kind.__name__: kind for kind in (CheckJob, MeasureJob, ExplainJob)}
    kind = kinds[content.pop("task")]
    content["entries"] = [Entry.of_json(entry) for entry in content["entries"]]
    if kind is MeasureJob:
        content["result"] = Path(content["result"])
        content["timed"] = [Timed(**timed) for timed in content["timed"]]
    plan: Job = kind(**content)
    return plan
