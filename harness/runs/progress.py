"""What a run tells while it works, and how the terminal shows it.

Nothing is drawn from a thread of its own: cores are few, and the measurement needs them.
"""

from __future__ import annotations

from types import TracebackType

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.progress import Progress as Bar

from eager_vs_graph.errors import printable


class Progress:
    """What a run tells while it works; does nothing, subclasses show it."""

    def stage(self, text: str, total: int | None = None) -> None:
        """A stage begins, of so many steps when that is known."""

    def advance(self, text: str = "") -> None:
        """A step of the stage is done."""

    def note(self, text: str) -> None:
        """Something worth a line of its own."""

    def tick(self) -> None:
        """Time went by."""


class TerminalProgress(Progress):
    """A bar with time left on standard error; plain lines where that is no terminal."""

    def __init__(self) -> None:
        self._console = Console(stderr=True)
        self._bar = Bar(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=30),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=self._console,
            auto_refresh=False,
            transient=True,
        )

    def __enter__(self) -> TerminalProgress:
        if self._console.is_terminal:
            self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._console.is_terminal:
            self._bar.stop()

    def stage(self, text: str, total: int | None = None) -> None:
        """Start a stage's bar in place of the last one's."""
        for task in self._bar.task_ids:
            self._bar.remove_task(task)
        self._bar.add_task(printable(text), total=total)
        self._show(text)

    def advance(self, text: str = "") -> None:  # noqa: ARG002 - the bar says enough
        """Advance the bar."""
        for task in self._bar.task_ids:
            self._bar.advance(task)

    def tick(self) -> None:
        """Redraw."""
        if self._console.is_terminal:
            self._bar.refresh()

    def note(self, text: str) -> None:
        """Print a line above the bar."""
        self._console.print(printable(text), highlight=False, markup=False, soft_wrap=True)

    def _show(self, text: str) -> None:
        if self._console.is_terminal:
            self._bar.refresh()
        else:
            self._console.print(printable(text), highlight=False, markup=False)
