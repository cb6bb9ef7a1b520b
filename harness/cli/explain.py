"""``explain``: why modes disagree."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from eager_vs_graph.cli.groups import grouped
from eager_vs_graph.cli.named import WHAT, named
from eager_vs_graph.errors import UsageError, printable
from eager_vs_graph.results.explanation import Explanation
from eager_vs_graph.results.record import AGREEING, STATUSES, UNSUPPORTED
from eager_vs_graph.runs.options import (
    GridOptions,
    LimitOptions,
    ScenarioOptions,
    TargetOptions,
    TimingOptions,
)

if TYPE_CHECKING:
    from eager_vs_graph.runs.explain import ExplainResult as Result

app = typer.Typer()


@app.command()
@grouped
def explain(
    what: Annotated[
        str,
        typer.Argument(metavar="SCENARIO|TARGET", help=WHAT),
    ],
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
    reproduce: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write a script that shows the worst disagreement."),
    ] = None,
) -> None:
    """Find by experiment why modes disagree: where, how far, who is right, and what to do."""
    from eager_vs_graph.processes.scratch import scratch_folder
    from eager_vs_graph.reports.terminal import explanation as terminal
    from eager_vs_graph.runs import explain as inquiry
    from eager_vs_graph.runs.terminal_progress import TerminalProgress

    entries, chosen = named(what, call, ScenarioOptions(what, sizes), part)
    request = TimingOptions().request(
        grid.selection(entries, chosen), limits.limits(), default_budget_s=0.0
    )
    explain_request = inquiry.ExplainRequest(
        request.selection,
        request.limits,
        request.limits.explain_s or inquiry.SECONDS,
        scripts=reproduce is not None,
    )
    with scratch_folder() as scratch, TerminalProgress() as progress:
        progress.ends_in(explain_request.seconds)
        result = inquiry.explain(explain_request, scratch, progress)
    terminal.print_explanations(result.explanations)
    if reproduce is not None:
        _write_script(what, result, reproduce)
    agreeing = (*AGREEING, UNSUPPORTED)
    disagree = any(each.status not in agreeing for each in result.explanations)
    raise typer.Exit(1 if disagree or not result.explanations else 0)


def _write_script(what: str, result: Result, file: Path) -> None:
    from eager_vs_graph.results.scripts import head, shown

    def badness(each: Explanation) -> tuple[int, bool]:
        return STATUSES.index(shown(each).status), bool(each.causes)

    cells = [each for each in result.explanations if each.cell in result.scripts]
    if not cells:
        raise UsageError(f"{what}: nothing differs that a script could show")
    worst = max(cells, key=badness)
    file.write_text(f"{head(worst)}{result.scripts[worst.cell]}", encoding="utf-8")
    print(printable(f"script: {file} ({worst.cell})"))
