"""Two runs side by side, for the terminal and for a CI log."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.console import Console

from eager_vs_graph.reports.formatting import count, listed, percent, ratio_with_interval, seconds
from eager_vs_graph.reports.labels import in_words
from eager_vs_graph.reports.table import Column, Table
from eager_vs_graph.reports.terminal.grid import print_line, print_table
from eager_vs_graph.results.cells import Cell

if TYPE_CHECKING:
    from eager_vs_graph.statistics.run_comparison import Comparison

_DO = {True: "does", False: "do"}
_ORDER = ("slower", "faster", "unclear", "same", "")
"""The order of the rows, by verdict."""


def print_comparison(comparison: Comparison, over: float, console: Console | None = None) -> None:
    """Print what changed, worst first, and the result in one line.

    Args:
        comparison: what ``eager_vs_graph.statistics.run_comparison.compare`` found.
        over: the fraction beyond which a slower cell is a regression.
        console: where to print.
    """
    console = console or Console(highlight=False)
    print_table(changes(comparison), console)
    for line in _lines(comparison, over):
        print_line(console, line.strip(), indent=len(line) - len(line.lstrip()))


def changes(comparison: Comparison) -> Table:
    """Tabulate how the latency of every common cell changed."""
    columns = (
        *(Column("cell"), Column("after / before", "estimate"), Column("verdict", "status")),
        *(Column("before", "number"), Column("after", "number")),
    )
    cells = comparison.cells
    rank = cells["verdict"].map(_ORDER.index)
    ordered = cells.assign(rank=rank).sort_values(["rank", "change"], ascending=[True, False])
    every = [Cell.parse(str(cell)) for cell in cells.index]
    rows = [_row(row, every) for row in ordered.itertuples()]
    return Table("Change of latency", columns, rows)


def _row(row: Any, every: list[Cell]) -> tuple[str, ...]:
    return (
        in_words([Cell.parse(str(row.Index))], every),
        ratio_with_interval(row.change, row.change_low, row.change_high),
        *(str(row.verdict), seconds(row.before_s), seconds(row.after_s)),
    )


def _lines(comparison: Comparison, over: float) -> list[str]:
    before, after = comparison.before, comparison.after
    lines = [f"before: {before}, after: {after}"]
    for key, (old, new) in comparison.environment.items():
        lines.append(f"  {key}: {old} -> {new}")
    lines.append(
        "  machine: fixed work without TensorFlow took "
        f"{comparison.machine:.2f} times as long in {after}; the ratios above are corrected for it"
    )
    known = {*comparison.cells.index, *comparison.statuses, *comparison.counts}
    every = list(map(Cell.parse, known))
    for cell, (old, new) in comparison.statuses.items():
        lines.append(f"  status of {in_words([Cell.parse(cell)], every)}: {old} -> {new}")
    for cell, counts in comparison.counts.items():
        lines.append(f"  {in_words([Cell.parse(cell)], every)}: {_counts(counts)}")
    if comparison.counted and not comparison.counts:
        lines.append(f"  counts of {count(comparison.counted, 'cell')}: the same")
    for name, cells in (("before", comparison.only_before), ("after", comparison.only_after)):
        if cells:
            parsed = list(map(Cell.parse, cells))
            lines.append(f"  only {name}: {in_words(parsed, parsed)}")
    return [*lines, *_undecided(comparison, over), _result(comparison, over)]


def _undecided(comparison: Comparison, over: float) -> list[str]:
    """Say what the runs could not resolve, and what they could."""
    left = comparison.undecided(over)
    if left.empty:
        return []
    compared = comparison.cells["change_high"].dropna()
    if compared.empty:
        return ["  undecided: one pass in a run gives no interval; run two or more of each"]
    excluded = float(left["change_high"].max()) - 1
    return [
        f"  undecided: of {count(len(left), 'cell')}, the intervals do not exclude a regression of "
        f"more than {percent(over)}, but one of more than {percent(excluded)}; more passes of both "
        "runs narrow them"
    ]


def _counts(counts: dict[str, tuple[int, int]]) -> str:
    """The counts that changed: ``+1 traces, −12 ops from Python``."""
    return ", ".join(
        f"{'+' if after > before else '−'}{abs(after - before):,} {name}"
        for name, (before, after) in counts.items()
    )


def _result(comparison: Comparison, over: float) -> str:
    """Say in a sentence how many cells regressed, became faster, and no longer agree."""
    slower, total = len(comparison.regressions(over)), len(comparison.cells)
    faster = int((comparison.cells["verdict"] == "faster").sum())
    lost = len(comparison.disagreements())
    parts = [
        f"{slower} of {count(total, 'cell')} became slower by more than {percent(over)}",
        f"{faster} became faster",
        f"{lost} no longer {'agrees' if lost == 1 else 'agree'} with eager",
    ]
    if comparison.counted:
        more = len(comparison.more_work())
        parts.append(f"{more} of {comparison.counted} that were counted {_DO[more == 1]} more work")
    return f"{listed(parts)}."
