"""How a notebook shows the progress of a run: one display, which is updated in its place."""

from __future__ import annotations

import sys
import time
from html import escape
from types import TracebackType
from typing import Any

from eager_vs_graph.errors import Interrupted, printable, sentences
from eager_vs_graph.reports.table import Table
from eager_vs_graph.runs.progress import Progress

_EVERY_S = 1.0
"""Seconds between two updates: each costs the kernel and the browser some time."""


def in_kernel() -> bool:
    """Whether this process is the kernel of a notebook, which can update what it displays."""
    # Not imported where the user has not: a script has no need of IPython.
    interactive = sys.modules.get("IPython")
    shell = interactive.get_ipython() if interactive else None
    return getattr(shell, "kernel", None) is not None


class NotebookProgress(Progress):
    """A line that counts down and a bar, below them what is known; notes stay."""

    def __init__(self) -> None:
        super().__init__()
        self._handle: Any = None
        self._notes: list[str] = []
        self._found: list[str] = []
        self._shown_at = 0.0

    def __enter__(self) -> NotebookProgress:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._found = []
        if isinstance(error, Interrupted) and self.text:
            self._notes.append(f"stopped at: {self.doing}")
        self._show([], bar=False)

    def stage(self, text: str, total: int | None = None, of: str = "") -> None:
        """Show the stage."""
        super().stage(text, total, of)
        self._update()

    def note(self, text: str) -> None:
        """Show a line that stays."""
        self._notes.append(text)
        self._update()

    def so_far(self, line: str, table: Table | None = None) -> None:  # noqa: ARG002 - comes at the end
        """Show it in place of what was known before."""
        self._found = sentences(line)
        self._update()

    def tick(self) -> None:
        """Show how far it is, at most once a second."""
        if time.monotonic() - self._shown_at >= _EVERY_S:
            self._update()

    def _update(self) -> None:
        doing = f"{self.doing}, {self.left}" if self.left else self.doing
        self._show([doing] if self.text else [], bar=bool(self.text))

    def _show(self, now: list[str], *, bar: bool) -> None:
        from IPython.display import display

        self._shown_at = time.monotonic()
        lines = [printable(line) for line in (*now, *self._found, *self._notes)]
        content = {"text/plain": "\n".join(lines), "text/html": self._html(lines, bar=bar)}
        if self._handle is None:
            self._handle = display(content, raw=True, display_id=True)  # type: ignore[no-untyped-call]
        else:
            self._handle.update(content, raw=True)

    def _html(self, lines: list[str], *, bar: bool) -> str:
        shown = [f"<div>{escape(line)}</div>" for line in lines]
        if bar:
            steps = f' value="{self.done}" max="{self.total}"' if self.total else ""
            shown.insert(1, f'<progress aria-label="{escape(self.text)}"{steps}></progress>')
        return f'<div style="font: 14px/1.5 system-ui, sans-serif">{"".join(shown)}</div>'
