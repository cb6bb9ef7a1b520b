"""Why modes take as long as they do, for the terminal."""

from __future__ import annotations

from itertools import groupby

from rich.console import Console
from rich.text import Text

from eager_vs_graph.reports.labels import workload
from eager_vs_graph.reports.terminal.grid import print_line, print_table
from eager_vs_graph.reports.why_tables import calls_of_a_model
from eager_vs_graph.reports.why_wording import advice, counts, doubt, predicted, retraces, sentence
from eager_vs_graph.results.cells import Cell
from eager_vs_graph.results.why import CellWhy, Why


def print_why(found: Why, console: Console | None = None) -> None:
    """Print one sentence a mode, what retraces, and what helped."""
    console = console or Console(highlight=False)

    def heading(cell: CellWhy) -> str:
        of = Cell.parse(cell.cell)
        return f"{workload(of.scenario, of.size)} ({of.device}, {of.inputs} inputs)"

    for text, cells in groupby(found.cells, key=heading):
        print_line(console, text, "bold")
        for cell in cells:
            _print(console, cell)
        console.print()
    table = calls_of_a_model(found)
    if table.rows:
        print_table(table, console)


def _print(console: Console, cell: CellWhy) -> None:
    mode = Cell.parse(cell.cell).mode
    print_line(console, Text.assemble((f"{mode}: ", "bold"), sentence(cell)), indent=2)
    if text := doubt(cell):
        print_line(console, text, "yellow", indent=4)
    for text in predicted(cell):
        print_line(console, text, "dim", indent=4)
    if text := counts(cell):
        print_line(console, f"counts: {text}", "dim", indent=4)
    for line, place, remedy in retraces(cell.retraces):
        print_line(console, line, indent=4)
        if place:
            print_line(console, f"at {place}", indent=6)
        if remedy:
            print_line(console, f"remedy: {remedy}", "green", indent=6)
    for change in cell.advice:
        print_line(console, advice(change), "green", indent=4)
