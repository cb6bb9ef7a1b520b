"""What a run tells while it works, and how the terminal shows it.

Nothing is drawn from a thread of its own: cores are few, and the measurement needs them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from types import TracebackType

from rich.console import Console, RenderableType
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.progress import Progress as Bar
from rich.text import Text

from eager_vs_graph.errors import printable
from eager_vs_graph.reports.table import Table
from eager_vs_graph.reports.terminal.grid import table_lines

_SHARE_OF_SCREEN = 0.8
"""Of the screen's height, what a table of what is known may take."""


class Progress:
    """What a run tells while it works; does nothing, subclasses show it."""

    def stage(self, text: str, total: int | None = None) -> None:
        """A stage begins, of so many steps when that is known."""

    def advance(self, text: str = "") -> None:
        """A step of the stage is done."""

    def note(self, text: str) -> None:
        """Something worth a line of its own."""

    def so_far(self, line: str, table: Table | None = None) -> None:
        """What is known by now: a sentence, and a table where there is one."""

    def tick(self) -> None:
        """Time went by."""


class _Bar(Bar):
    """A bar below what is known by now."""

    above: Sequence[Text] = ()

    def get_renderables(self) -> Iterable[RenderableType]:
        """What is known, then the bar."""
        return [*self.above, *super().get_renderables()]


class _Steps(MofNCompleteColumn):
    """Steps done of all, where their number is known."""

    def render(self, task: Task) -> Text:
        """``3/12``."""
        return super().render(task) if task.total is not None else Text()


class _Left(TimeRemainingColumn):
    """The time left, where the number of steps is known."""

    def render(self, task: Task) -> Text:
        """``0:00:04 left``."""
        return super().render(task) + " left" if task.total is not None else Text()


class TerminalProgress(Progress):
    """A bar with time left on standard error; plain lines where that is no terminal."""

    def __init__(self) -> None:
        self._console = Console(stderr=True)
        self._bar = _Bar(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=30),
            _Steps(),
            TimeElapsedColumn(),
            _Left(),
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

    def so_far(self, line: str, table: Table | None = None) -> None:
        """Show it above the bar in place of what was known before; in a log, print the sentence."""
        if not self._console.is_terminal:
            self.note(line)
            return
        lines = table_lines(table, self._console) if table else []
        fits = 0 < len(lines) < self._console.height * _SHARE_OF_SCREEN
        self._bar.above = lines if fits else [Text(printable(line))]
        self._bar.refresh()

    def _show(self, text: str) -> None:
        if self._console.is_terminal:
            self._bar.refresh()
        else:
            self._console.print(printable(text), highlight=False, markup=False)
