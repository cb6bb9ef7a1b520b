"""How a terminal shows the progress of a run, and a log."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from types import TracebackType

from rich.console import Console, RenderableType
from rich.progress import BarColumn, MofNCompleteColumn, ProgressColumn, Task, TextColumn
from rich.progress import Progress as Bar
from rich.text import Text

from eager_vs_graph.errors import printable, sentences
from eager_vs_graph.reports.table import Table
from eager_vs_graph.reports.terminal.grid import table_lines
from eager_vs_graph.runs.progress import Progress, clock

_SHARE_OF_SCREEN = 0.8
"""Of the screen's height, what a table of what is known may take."""
_BAR_WIDTH = 16
"""Columns; what is being done, and how much longer, must fit beside it in 80."""


class TerminalProgress(Progress):
    """A bar that counts down, on standard error; short plain lines where that is no terminal."""

    def __init__(self) -> None:
        super().__init__()
        self._console = Console(stderr=True)
        self._bar = _Bar(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=_BAR_WIDTH),
            _Steps(),
            _Left(self),
            console=self._console,
            auto_refresh=False,
            transient=True,
        )
        self._logged = ""

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

    def stage(self, text: str, total: int | None = None, of: str = "") -> None:
        """Start a stage's bar in place of the last one's; in a log, a line for what it is of."""
        super().stage(text, total, of)
        for task in self._bar.task_ids:
            self._bar.remove_task(task)
        self._bar.add_task(printable(self.doing), total=total)
        if self._console.is_terminal:
            self._bar.refresh()
        elif not of or of != self._logged:
            self.note(f"{of or text} ({self.left})" if self.left else of or text)
        self._logged = of

    def advance(self) -> None:
        """Advance the bar."""
        super().advance()
        for task in self._bar.task_ids:
            self._bar.advance(task)

    def tick(self) -> None:
        """Redraw."""
        if self._console.is_terminal:
            for task in self._bar.task_ids:
                self._bar.update(task, description=printable(self.doing))
            self._bar.refresh()

    def note(self, text: str) -> None:
        """Print a line above the bar."""
        self._console.print(printable(text), highlight=False, markup=False, soft_wrap=True)

    def so_far(self, line: str, table: Table | None = None) -> None:
        """Show it above the bar in place of what was known before; in a log, a line a sentence."""
        if not self._console.is_terminal:
            for sentence in sentences(line):
                self.note(sentence)
            return
        lines = table_lines(table, self._console) if table else []
        fits = 0 < len(lines) < self._console.height * _SHARE_OF_SCREEN
        self._bar.above = lines if fits else [Text(printable(each)) for each in sentences(line)]
        self._bar.refresh()


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


class _Left(ProgressColumn):
    """The time left: the run's as planned, or where there is no plan the stage's as it goes."""

    def __init__(self, progress: Progress) -> None:
        super().__init__()
        self._progress = progress

    def render(self, task: Task) -> Text:
        """``about 0:31 left``."""
        if self._progress.left:
            return Text(self._progress.left)
        if task.time_remaining is not None:
            return Text(f"this step: about {clock(task.time_remaining)} left")
        return Text(clock(task.elapsed or 0.0))
