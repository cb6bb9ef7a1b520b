"""Which mode to use: the fastest of every comparison, and whether it is told apart from the others.

A mode that carries a verdict of ``faster`` competes with the others that do; where there is none,
eager wins if every other mode that can be compared is slower or as fast. Two modes are told apart
where the interval of one speed-up ends before that of the other begins: stricter than a test of
their difference, so that a named winner is one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from eager_vs_graph.results.cells import CONTROL
from eager_vs_graph.statistics.speedup_rule import BASELINE, GROUP
from eager_vs_graph.statistics.summary import summary_rows

CLEAR, TIED, UNDECIDED, NONE = "clear", "tied", "undecided", "none"


@dataclass(frozen=True)
class Choice:
    """What one comparison says about which mode to use."""

    group: tuple[str, ...]
    """Scenario, size, device, inputs."""
    kind: str
    """``clear``: one mode is fastest. ``tied``: several are, and not told apart. ``undecided``: no
    mode is known to be faster, and some may be. ``none``: there is nothing to compare."""
    modes: tuple[str, ...]
    """The fastest mode first, then those that are not told apart from it."""
    rows: tuple[Any, ...]
    """Every cell of the comparison but controls: rows of the summary."""

    @property
    def best(self) -> str:
        """The fastest mode; empty where there is none."""
        return self.modes[0] if self.modes else ""

    def row(self, mode: str) -> Any:
        """The row of a mode."""
        return next(row for row in self.rows if row.mode == mode)


def choices(summary: pd.DataFrame) -> list[Choice]:
    """Choose in every comparison of a run, in its order."""
    found: dict[tuple[str, ...], list[Any]] = {}
    for row in summary_rows(summary[summary["mode"] != CONTROL]):
        found.setdefault(tuple(getattr(row, name) for name in GROUP), []).append(row)
    return [choice_of(group, rows) for group, rows in found.items()]


def choice_of(group: tuple[str, ...], rows: Sequence[Any]) -> Choice:
    """Choose in one comparison; ``rows`` are its cells without controls."""
    judged = [row for row in rows if row.mode != BASELINE and row.verdict in _VERDICTS]
    faster = sorted(
        (row for row in judged if row.verdict == "faster"), key=lambda row: -row.speedup
    )
    if faster:
        tied = [row.mode for row in faster[1:] if row.speedup_high >= faster[0].speedup_low]
        kind = TIED if tied else CLEAR
        return Choice(group, kind, (faster[0].mode, *tied), tuple(rows))
    if not judged:
        return Choice(group, NONE, (), tuple(rows))
    if any(row.verdict == "unclear" for row in judged):
        return Choice(group, UNDECIDED, (), tuple(rows))
    same = [row.mode for row in judged if row.verdict == "same"]
    return Choice(group, TIED if same else CLEAR, (BASELINE, *same), tuple(rows))


_VERDICTS = ("faster", "slower", "same", "unclear")


@dataclass(frozen=True)
class Wins:
    """How often a mode is the one to use."""

    mode: str
    clear: tuple[Choice, ...]
    """Comparisons in which it alone is fastest."""
    tied: tuple[Choice, ...]
    """Comparisons in which it is among the fastest."""


def wins(chosen: Iterable[Choice], modes: Iterable[str]) -> list[Wins]:
    """Count by mode, the most frequent winner first."""
    every = list(chosen)
    found = [
        Wins(
            mode,
            tuple(each for each in every if each.kind == CLEAR and each.best == mode),
            tuple(each for each in every if each.kind == TIED and mode in each.modes),
        )
        for mode in modes
    ]
    return sorted(found, key=lambda each: (-len(each.clear), -len(each.tied)))


def compared_with_eager(chosen: Iterable[Choice]) -> Iterator[Choice]:
    """Leave out comparisons without any verdict."""
    return (each for each in chosen if each.kind != NONE)
