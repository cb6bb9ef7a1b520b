"""What a run tells while it works: what is being done, and for how much longer.

Nothing is drawn from a thread of its own: cores are few, and the measurement needs them.
"""

from __future__ import annotations

import time

from eager_vs_graph.reports.table import Table
from eager_vs_graph.results.cells import Cell


class Progress:
    """What a run tells while it works. It keeps what is said; subclasses show it.

    Attributes:
        stage_of: what the stage is a part of, such as ``pass 2``; empty where it is the whole.
        text: the stage, such as ``timing``.
        at: what is being worked on in it; empty where that is not known.
        done: steps of the stage that are done.
        total: steps of the stage; None where that is not known.
    """

    def __init__(self) -> None:
        self.stage_of = ""
        self.text = ""
        self.at = ""
        self.done = 0
        self.total: int | None = None
        self._end_s: float | None = None

    def ends_in(self, seconds: float) -> None:
        """The run is to end in so many seconds, as it is planned now."""
        self._end_s = time.monotonic() + seconds

    def stage(self, text: str, total: int | None = None, of: str = "") -> None:
        """A stage begins, of so many steps when that is known, as a part of something larger."""
        self.text, self.total, self.stage_of, self.done, self.at = text, total, of, 0, ""

    def cell(self, cell: str) -> None:
        """Work on a cell begins."""
        of = Cell.parse(cell)
        self.at = f"{of.scenario} in {of.mode}"

    def advance(self) -> None:
        """A step of the stage is done."""
        self.done += 1

    def note(self, text: str) -> None:
        """Something worth a line of its own."""

    def so_far(self, line: str, table: Table | None = None) -> None:
        """What is known by now: some sentences, and a table where there is one."""

    def tick(self) -> None:
        """Time went by."""

    @property
    def doing(self) -> str:
        """What is being done: ``pass 2: timing matmul in session``."""
        what = f"{self.stage_of}: {self.text}" if self.stage_of else self.text
        return f"{what} {self.at}" if self.at else what

    @property
    def left(self) -> str:
        """For how much longer: ``about 0:31 left``; empty where nothing is planned."""
        if self._end_s is None:
            return ""
        seconds = self._end_s - time.monotonic()
        return f"about {clock(seconds)} left" if seconds > 0 else f"{clock(-seconds)} over time"


def clock(seconds: float) -> str:
    """Minutes and seconds, ``2:05``, with the hours where there are any."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
