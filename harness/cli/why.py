"""``why``: where the time of a call goes, and which change makes it shorter."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from eager_vs_graph.cli.groups import grouped
from eager_vs_graph.cli.named import WHAT, named
from eager_vs_graph.errors import UsageError, printable
from eager_vs_graph.runs.options import (
    RESULTS,
    GridOptions,
    LimitOptions,
    ScenarioOptions,
    TargetOptions,
)
from eager_vs_graph.runs.quantities import seconds

app = typer.Typer()


@app.command()
@grouped
def why(
    what: Annotated[str, typer.Argument(metavar="SCENARIO|TARGET", help=WHAT)],
    call: TargetOptions,
    grid: GridOptions,
    limits: LimitOptions,
    sizes: Annotated[
        str,
        typer.Option(metavar="NAMES|all", help="Default: the sizes that `list` marks with *."),
    ] = "",
    part: Annotated[
        str,
        typer.Option(metavar="NAMES", help="Of a model: forward, predict, train_step, fit."),
    ] = "",
    budget: Annotated[
        str,
        typer.Option(metavar="TIME", help="Try no change after so long. Default: 30s."),
    ] = "",
    results: Annotated[
        Path, typer.Option(help="Folder that the answer and its trace file are kept in.")
    ] = RESULTS,
) -> None:
    """Say why a mode is slow: where a call's time goes, what retraces, what would help."""
    from eager_vs_graph.processes.scratch import scratch_folder
    from eager_vs_graph.reports.terminal import why as terminal
    from eager_vs_graph.results.why_files import Answer
    from eager_vs_graph.runs import why as inquiry
    from eager_vs_graph.runs.folders import require_writable
    from eager_vs_graph.runs.terminal_progress import TerminalProgress

    entries, chosen = named(what, call, ScenarioOptions(what, sizes), part)
    selection = grid.selection(entries, chosen)
    require_writable(results)
    with scratch_folder() as scratch, TerminalProgress() as progress:
        trace = scratch / "trace.json.gz"
        budget_s = seconds(budget) if budget else inquiry.SECONDS
        progress.ends_in(budget_s)
        request = inquiry.WhyRequest(selection, limits.limits(), budget_s, trace)
        found = inquiry.why(request, scratch, progress)
        if not found.cells:
            raise UsageError(f"{what}: there is no cell to look at; --modes has none of its own")
        answer = Answer.keep(results, found, trace)
    terminal.print_why(found)
    print(printable(f"trace for https://ui.perfetto.dev: {answer.trace}"))
    raise typer.Exit(1 if all(cell.error for cell in found.cells) else 0)
