"""Two runs side by side, for the terminal and for a CI log."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich import box
from rich.console import Console
from rich.table import Table as Grid
from rich.text import Text

from eager_vs_graph.reports.formatting import interval, ratio, seconds

if TYPE_CHECKING:
    from eager_vs_graph.statistics.run_comparison import Comparison

STYLES = {"slower": "bold red", "faster": "bold green", "same": "", "unclear": "dim", "": "dim"}
_ORDER = ("slower", "faster", "unclear", "same", "")


def print_comparison(comparison: Comparison, over: float, console: Console | None = None) -> None:
    """Print what changed, worst first, and the result in one line.

    Args:
        comparison: what ``eager_vs_graph.statistics.run_comparison.compare`` found.
        over: the fraction beyond which a slower cell is a regression.
        console: where to print.
    """
    console = console or Console(highlight=False)
    grid = Grid(box=box.SIMPLE_HEAD)
    for title in ("cell", "before", "after", "change of time", "verdict"):
        grid.add_column(title, overflow="fold")
    cells = comparison.cells
    rank = cells["verdict"].map(_ORDER.index)
    ordered = cells.assign(rank=rank).sort_values(["rank", "change"], ascending=[True, False])
    for row in ordered.itertuples():
        status = str(row.verdict)
        bounds = interval(float(str(row.change_low)), float(str(row.change_high)))
        grid.add_row(
            str(row.Index),
            seconds(float(str(row.before_s))),
            seconds(float(str(row.after_s))),
            f"{ratio(float(str(row.change)))} {bounds}",
            Text(status, STYLES[status]),
        )
    console.print(grid)
    for line in _lines(comparison, over):
        console.print(line, markup=False)


def _lines(comparison: Comparison, over: float) -> list[str]:
    lines = [f"{comparison.before} -> {comparison.after}"]
    for key, (before, after) in comparison.environment.items():
        lines.append(f"  {key}: {before} -> {after}")
    lines.append(
        f"  machine: fixed work without TensorFlow took {comparison.machine:.2f} times as long in "
        f"{comparison.after}; the changes above have this taken out"
    )
    for cell, (before, after) in comparison.words.items():
        lines.append(f"  parity of {cell}: {before} -> {after}")
    for name, cells in (("before", comparison.only_before), ("after", comparison.only_after)):
        if cells:
            lines.append(f"  only {name}: {', '.join(cells)}")
    slower = comparison.regressions(over)
    lines.append(
        f"{len(slower)} of {len(comparison.cells)} cells became slower by more than {over:.3g} "
        f"(as a fraction); {int((comparison.cells['verdict'] == 'faster').sum())} became faster; "
        f"{len(comparison.disagreements())} no longer agree"
    )
    return lines
