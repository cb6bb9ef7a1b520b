"""What the user asked for."""

from __future__ import annotations

from dataclasses import dataclass, field

from eager_vs_graph.catalog.selection import Selection
from eager_vs_graph.processes.supervise import Limits


@dataclass(frozen=True)
class Request:
    """What the user asked for."""

    selection: Selection
    budget_s: float
    """Wall seconds for everything after installation."""
    passes: int | None
    """Exactly so many passes; None means as many as precision needs and the budget allows."""
    precision: float
    """Half-width of a speed-up's 95 % interval to reach, as a fraction."""
    command: str
    """What was typed or called."""
    seed: int = 0
    limits: Limits = field(default_factory=Limits)
    overtime_s: float = 0.0
    """Wall seconds beyond the budget for the two passes that a verdict needs."""
    explain: bool = True
    """Whether to find out why cells disagree, after the check."""
    watch_s: float = 0.0
    """Seconds for where the time of calls goes, after the blocks of the first pass."""

    @property
    def control_of(self) -> str:
        """The mode that the A/A control repeats: a traced one, if there is one."""
        modes = self.selection.modes
        return "function" if "function" in modes else modes[0]
