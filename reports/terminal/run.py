"""The result of a run and of a check, for the terminal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.text import Text

from eager_vs_graph.reports import reasons, tables
from eager_vs_graph.reports.guide_timing import guide_timing
from eager_vs_graph.reports.reasons import Reason
from eager_vs_graph.reports.report import Findings
from eager_vs_graph.reports.table import Column, Table
from eager_vs_graph.reports.terminal import explanation
from eager_vs_graph.reports.terminal.grid import print_line, print_table, status_text
from eager_vs_graph.reports.why_wording import slowest
from eager_vs_graph.results.mode_kinds import Kinds
from eager_vs_graph.results.record import AGREEING, CellParity, CheckpointParity

MOST_CELLS = 300
"""Cells that are printed one by one; of more, the modes are, and the report has the cells."""
MOST_DISAGREEMENTS = 12
LONG = 400
"""Characters of names of cells that are printed."""


def print_result(found: Findings, console: Console | None = None) -> None:
    """Print the results, what failed and why, the headline and the notes."""
    console = console or Console(highlight=False)
    _print_results(found, console)
    if timing := guide_timing(found.summary, found.frames.request):
        for line in timing:
            print_line(console, line)
        console.print()
    explained = {cell.id for group in found.disagreements for cell in group.cells}
    _print_reasons([each for each in found.reasons if not _covered(each, explained)], console)
    explanation.print_short(found.disagreements[:MOST_DISAGREEMENTS], console)
    if (more := len(found.disagreements) - MOST_DISAGREEMENTS) > 0:
        print_line(console, f"{more} more disagreements are in the report")
    for line in found.headline:
        print_line(console, line.strip(), indent=len(line) - len(line.lstrip()))
    if text := slowest(found.frames.why):
        print_line(console, text)
    for note in found.notes:
        print_line(console, note, "dim", indent=2)


def _print_results(found: Findings, console: Console) -> None:
    """Print all cells, or of very many what their modes come to."""
    cells = tables.results(found.summary, narrow=True)
    if len(cells.rows) <= MOST_CELLS:
        print_table(cells, console)
        return
    print_table(tables.by_mode(found.summary), console)
    print_line(console, f"All {len(cells.rows):,} cells are in the report and in summary.csv.")
    console.print()


def print_parity(
    parity: Iterable[CellParity],
    console: Console | None = None,
    kinds: Kinds | None = None,
    checkpoints: Sequence[CheckpointParity] = (),
    *,
    details: bool = True,
) -> None:
    """Print the tensors, then scenario × mode, then each reason once.

    Args:
        parity: the cells.
        console: where to print.
        kinds: the kind of every mode, to group them by.
        checkpoints: how checkpoints were restored.
        details: whether to print the tensors of cells that agree, too.
    """
    console = console or Console(highlight=False)
    cells = list(parity)
    shown = [cell for cell in cells if cell.tensors and (details or cell.status not in AGREEING)]
    for table in (
        tables.tensors(shown),
        tables.statuses(cells, kinds or {}),
        tables.checkpoints(checkpoints),
    ):
        if table.rows:
            print_table(table, console)
    _print_reasons(reasons.of_check(cells, checkpoints), console)


def print_selfcheck(
    rows: Iterable[tuple[str, str, str, bool]], console: Console | None = None
) -> None:
    """Print what the harness found of itself, line by line."""
    columns = (
        *(Column("check", "prose"), Column("found"), Column("target")),
        Column("result", "status"),
    )
    fields = [
        (what, found, target, "pass" if passed else "fail") for what, found, target, passed in rows
    ]
    print_table(Table("Self-check", columns, fields), console or Console(highlight=False))


def _print_reasons(some: Sequence[Reason], console: Console) -> None:
    """Print each reason once, below the cells that it holds for."""
    for each in some:
        cells = each.cells
        if len(cells) > LONG:
            cells = f"{len(each.ids)} cells, the first: {cells.split('; ')[0]}"
        print_line(console, Text.assemble(status_text(each.status), ": ", (cells, "bold")))
        print_line(console, each.text, indent=2)
    if some:
        console.print()


def _covered(reason: Reason, explained: set[str]) -> bool:
    """Whether every cell of a reason is explained further below."""
    return bool(reason.ids) and reason.ids <= explained
