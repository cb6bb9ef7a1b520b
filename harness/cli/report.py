"""``report``: a run rendered again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from harness.cli.options import RESULTS, Results
from harness.cli.request import show_report
from harness.errors import UsageError

app = typer.Typer()


@app.command()
def report(
    run: Annotated[
        Path | None, typer.Argument(metavar="[RUN]", help="A run's folder; default: the newest.")
    ] = None,
    results: Results = RESULTS,
) -> None:
    """Render a run's tables, charts and page again from its record."""
    from harness.orchestrate import newest
    from harness.passes import recover
    from harness.record import Run

    folder = run or newest(results)
    if not folder.is_dir():
        raise UsageError(f"{folder}: no such folder; `ls {results}` shows the runs that exist")
    recover(Run(folder))
    show_report(folder)
