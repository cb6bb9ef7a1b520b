"""``explain``: why modes disagree."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated

import typer

from eager_vs_graph.cli.groups import grouped
from eager_vs_graph.errors import UsageError
from eager_vs_graph.results.record import STATUSES
from eager_vs_graph.runs.options import (
    GridOptions,
    LimitOptions,
    ScenarioOptions,
    TimingOptions,
)

app = typer.Typer()


@app.command()
@grouped
def explain(
    scenario: Annotated[str, typer.Argument(metavar="SCENARIO", help="A name or a file.")],
    grid: GridOptions,
    limits: LimitOptions,
    sizes: Annotated[
        str,
        typer.Option(metavar="NAMES|all", help="Default: the sizes that `list` marks with *."),
    ] = "",
    reproduce: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write a script that shows the worst disagreement."),
    ] = None,
) -> None:
    """Find by experiment why modes disagree: where, how far, who is right, and what to do."""
    from eager_vs_graph.reports.terminal import explanation as terminal
    from eager_vs_graph.results.scripts import head, shown
    from eager_vs_graph.runs import explain as inquiry
    from eager_vs_graph.runs.progress import TerminalProgress

    which = ScenarioOptions(scenario, sizes)
    entries = which.entries()
    request = TimingOptions().request(
        grid.selection(entries, which.chosen_sizes(entries)), limits.limits(), default_budget_s=0.0
    )
    if len(request.selection.entries) != 1:
        names = ", ".join(entry.name for entry in request.selection.entries)
        raise UsageError(f"explain takes one scenario, but {scenario!r} names {names}")
    explain_request = inquiry.ExplainRequest(
        request.selection, request.limits, scripts=reproduce is not None
    )
    with tempfile.TemporaryDirectory() as scratch, TerminalProgress() as progress:
        result = inquiry.explain(explain_request, Path(scratch), progress)
    terminal.print_explanations(result.explanations)
    if reproduce is not None:
        cells = [each for each in result.explanations if each.cell in result.scripts]
        if not cells:
            raise UsageError(f"{scenario}: nothing differs that a script could show")
        worst = max(cells, key=lambda each: (STATUSES.index(shown(each).status), bool(each.causes)))
        text = f"{head(worst)}{result.scripts[worst.cell]}"
        reproduce.write_text(text, encoding="utf-8")
        print(f"script: {reproduce} ({worst.cell})")
    disagree = any(each.unexplained or each.causes for each in result.explanations)
    raise typer.Exit(1 if disagree else 0)
