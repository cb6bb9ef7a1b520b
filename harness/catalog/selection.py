"""Which cells a request is about."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from eager_vs_graph.catalog.entry import Entry
from eager_vs_graph.results.cells import Cell, grid


@dataclass(frozen=True)
class Selection:
    """What every request to check, explain or time has in common: its part of the grid."""

    entries: list[Entry]
    sizes: list[str]
    modes: list[str]
    devices: list[str]
    """Names such as ``CPU:0``; empty means every device found."""
    inputs: list[str]
    logical_cpus: int = 1
    """Into how many logical devices the CPU is split."""
    optional: list[str] = field(default_factory=list)
    """Those of the modes that nobody asked for: left out where they are of no use."""

    def pairs(self) -> list[tuple[str, str]]:
        """Scenario and size of every selected cell, in order."""
        return [
            (entry.name, size)
            for entry in self.entries
            for size in entry.sizes
            if size in self.sizes
        ]

    def cells(self, devices: list[str], of_use: Collection[str] = ()) -> list[Cell]:
        """The grid on these devices.

        Args:
            devices: names of logical devices.
            of_use: names of the scenarios that optional modes are of use for.
        """
        return [
            cell
            for cell in grid(self.pairs(), self.modes, devices, self.inputs)
            if cell.mode not in self.optional or cell.scenario in of_use
        ]
