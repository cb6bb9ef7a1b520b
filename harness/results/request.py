"""What a run was asked for, as its record keeps it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from eager_vs_graph.results.record import CellId, Seconds, Whole


@dataclass(frozen=True)
class ScenarioInfo:
    """A scenario as a report presents it."""

    summary: str = ""
    sizes: dict[str, str] = field(default_factory=dict)
    """Parameters by size, such as ``n=8, products=20``."""
    timing: str = ""
    """The line above the seconds of the size ``guide``; see ``Scenario.timing``."""


@dataclass(frozen=True)
class ModeInfo:
    """A mode as a report presents it; see ``modes.Mode``."""

    summary: str = ""
    kind: str = "execution"
    default: bool = False
    colour: str = ""
    """How charts draw the mode; empty: a report chooses."""
    marker: str = ""


@dataclass(frozen=True)
class Timed:
    """A cell to time, and the program behind its name."""

    cell: CellId
    mode: str
    """The mode that the program is built in; for the A/A control, its twin's."""
    group: str
    """The cells of one group are timed in turn, block by block."""
    slowdown: float | None = None
    """Makes every call longer by this fraction, by spinning: to test the harness on itself. With 0,
    the call goes through the same wrapper and is not made longer; with None, there is none."""


@dataclass(frozen=True)
class _TargetInfo:
    """What a report says of code of the user's own."""

    reference: str
    part: str = "call"
    path: list[str] = field(default_factory=list)
    arguments: list[str] = field(default_factory=list)
    batch: Whole = 32
    label: str = ""
    loss: str = ""
    optimizer: str = ""
    payload: str = ""


@dataclass(frozen=True)
class _EntryInfo:
    """What a report says of a catalogue entry."""

    name: str
    file: str = ""
    distribution: str = ""
    target: _TargetInfo | None = None


@dataclass(frozen=True)
class RunRequest:
    """What a run was asked for, and what that came to on its machine."""

    command: str = ""
    recorded_by: str = ""
    """``pytest`` where a test suite recorded the run; empty otherwise."""
    entries: list[dict[str, Any]] = field(default_factory=list)
    """What the catalogue found (``catalog.entry.Entry``): for ``--resume`` only."""
    scenarios: dict[str, ScenarioInfo] = field(default_factory=dict)
    cells: list[CellId] = field(default_factory=list)
    """Ids of all cells, in the order of the grid."""
    timed: list[Timed] = field(default_factory=list)
    bare_loops: bool = False
    modes: list[str] = field(default_factory=list)
    about_modes: dict[str, ModeInfo] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    """What a reader should know of code that was adopted."""
    devices: list[str] = field(default_factory=list)
    absent_devices: list[str] = field(default_factory=list)
    """Kinds of device that were looked for and not found."""
    inputs: list[str] = field(default_factory=list)
    control_of: str | None = None
    """The mode that the A/A control repeats."""
    passes: Annotated[int, Meta(ge=0, le=2**31)] | None = None
    """Exactly so many; None: as many as ``precision`` and ``budget_s`` say."""
    precision: Annotated[float, Meta(ge=0, le=1)] = 0.0
    """Half-width of a speed-up's 95 % interval to reach, as a fraction."""
    budget_s: Seconds = 0.0
    """Wall seconds for the whole run."""
    seed: Whole = 0
    logical_cpus: Annotated[int, Meta(ge=1, le=64)] = 1

    def __post_init__(self) -> None:
        """Raise ``ValueError`` where an entry cannot be reported, or a cell is there twice."""
        try:
            msgspec.convert(self.entries, list[_EntryInfo])
        except msgspec.ValidationError as error:
            raise ValueError(f"entries: {error}") from None
        if len(set(self.cells)) < len(self.cells):
            raise ValueError("cells: one is there twice")

    @property
    def adopted(self) -> set[str]:
        """Names of the scenarios that were made of the user's own code."""
        return {str(entry["name"]) for entry in self.entries if entry.get("target")}
