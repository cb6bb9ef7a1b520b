"""``report``: a run rendered again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from eager_vs_graph.cli.finish import show_report
from eager_vs_graph.errors import UsageError
from eager_vs_graph.runs.options import RESULTS

app = typer.Typer()


@app.command()
def report(
    run: Annotated[
        Path | None, typer.Argument(metavar="[RUN]", help="A run's folder; default: the newest.")
    ] = None,
    results: Annotated[Path, typer.Option(help="Folder that runs are kept in.")] = RESULTS,
    pytest_benchmark: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Also write the rounds to a file that `pytest-benchmark compare` reads.",
        ),
    ] = None,
) -> None:
    """Render a run's tables, charts and page again from its record."""
    from eager_vs_graph.results.run import Run
    from eager_vs_graph.runs.folders import newest
    from eager_vs_graph.runs.passes import recover

    folder = run or newest(results)
    if not folder.is_dir():
        raise UsageError(f"{folder}: no such folder; `ls {results}` shows the runs that exist")
    recover(Run(folder))
    if pytest_benchmark is not None:
        from eager_vs_graph.reports.pytest_benchmark import export

        export(Run(folder), pytest_benchmark)
    show_report(folder)
