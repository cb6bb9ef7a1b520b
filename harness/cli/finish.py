"""How every verb that makes a run ends: the report, and the exit code."""

from __future__ import annotations

from pathlib import Path
from typing import NoReturn

import typer

from eager_vs_graph.errors import printable
from eager_vs_graph.results.run import Run

UNDECIDED = 3
"""Exit code where nothing failed, and what was asked could not be decided."""


def show_report(folder: Path) -> int:
    """Render and print a run.

    Returns:
        The exit code: 1 where a cell failed in the check or in a pass, or differs and no scenario
        declares it; 3 where the budget ended before anything could be compared.
    """
    from eager_vs_graph import reports
    from eager_vs_graph.reports.terminal import run as terminal

    found = reports.findings(folder)
    terminal.print_result(found)
    rendered = reports.render(folder, found)
    print(f"report: {printable(str(rendered.page))}")
    run = Run(folder)
    failed = any(cell.failed for cell in run.parity()) or any(
        cell.status != "measured"
        for record in rendered.frames.passes
        for cell in record.cells.values()
    )
    if failed or any(pair.failed for pair in run.checkpoints()):
        return 1
    return UNDECIDED if found.is_undecided else 0


def finish(run: Run) -> NoReturn:
    """Show a run's report and leave; exit code 130 where the run was interrupted."""
    code = show_report(run.folder)
    raise typer.Exit(130 if run.work.exists() else code)  # it exists while a run is unfinished
