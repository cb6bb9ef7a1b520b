"""The page's section on where the time of calls goes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from eager_vs_graph.reports.labels import workload
from eager_vs_graph.reports.why_wording import advice, doubt, retraces, sentence
from eager_vs_graph.results.cells import Cell
from eager_vs_graph.results.why import CellWhy, Why


@dataclass(frozen=True)
class Line:
    """A cell's sentence, and what else is to be said of it."""

    name: str
    text: str
    more: tuple[str, ...]


@dataclass(frozen=True)
class Section:
    """What the template shows."""

    lines: tuple[Line, ...]
    svg: Path

    @classmethod
    def of(cls, why: Why, drawn: Sequence[Path]) -> Section | None:
        """The section; None where nobody looked at where the time goes.

        Args:
            why: what was found.
            drawn: its chart, as PNG and SVG.
        """
        if not drawn:
            return None
        several = len({_group(cell) for cell in why.cells}) > 1
        lines = (_line(cell, several=several) for cell in why.cells if not cell.error)
        return cls(tuple(lines), drawn[-1])


def _line(cell: CellWhy, *, several: bool) -> Line:
    of = Cell.parse(cell.cell)
    name = f"{workload(of.scenario, of.size)} in {of.mode}" if several else of.mode
    more = [doubt(cell)]
    for text, place, remedy in retraces(cell.retraces):
        more.append("; ".join(filter(None, [text, place, remedy and f"remedy: {remedy}"])))
    more += [advice(each) for each in cell.advice]
    return Line(name, sentence(cell), tuple(filter(None, more)))


def _group(cell: CellWhy) -> tuple[str, str]:
    of = Cell.parse(cell.cell)
    return of.scenario, of.size
