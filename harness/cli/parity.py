"""``parity``: the answers, side by side."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from eager_vs_graph.cli.groups import grouped
from eager_vs_graph.modes import MODES
from eager_vs_graph.runs.options import GridOptions, LimitOptions, ScenarioOptions, TimingOptions

app = typer.Typer()


@app.command()
@grouped
def parity(
    which: ScenarioOptions,
    grid: GridOptions,
    limits: LimitOptions,
    details: Annotated[
        bool, typer.Option("--details", help="Print the tensors of cells that agree, too.")
    ] = False,
    explain: Annotated[
        bool,
        typer.Option(
            "--explain/--no-explain",
            help="Find out by experiment why cells disagree (at most 30 s).",
        ),
    ] = True,
) -> None:
    """Compare outputs and state of every mode with eager and the reference; time nothing."""
    from eager_vs_graph.processes.scratch import scratch_folder
    from eager_vs_graph.reports.disagreements import disagreements as disagreements_of
    from eager_vs_graph.reports.terminal import explanation
    from eager_vs_graph.reports.terminal import run as terminal
    from eager_vs_graph.runs import disagreements
    from eager_vs_graph.runs.check import check
    from eager_vs_graph.runs.progress import TerminalProgress

    entries = which.entries()
    request = TimingOptions().request(
        grid.selection(entries, which.chosen_sizes(entries)), limits.limits(), default_budget_s=0.0
    )
    with scratch_folder() as scratch, TerminalProgress() as progress:
        checked = check(request, scratch, progress)
        found = []
        if explain and not checked.interrupted:
            found = disagreements.explain(request, checked, scratch, progress)
    cells, pairs = checked.in_order(), list(checked.checkpoints.values())
    kinds = {mode.name: mode.kind for mode in MODES.values()}
    terminal.print_parity(cells, kinds=kinds, checkpoints=pairs, details=details)
    named = [{**asdict(entry), "file": str(entry.file)} for entry in entries]
    parities = {cell.cell: cell for cell in cells}
    groups = disagreements_of(found, parities, entries=named)
    explanation.print_short(groups)
    for kind in checked.absent:
        print(f"{kind}: not found")
    failed = any(cell.failed for cell in cells) or any(pair.failed for pair in pairs)
    if checked.interrupted:
        left = sum(cell.id not in checked.parity for cell in checked.cells)
        print(f"interrupted: {left} of {len(checked.cells)} cells were not checked")
        raise typer.Exit(130)
    raise typer.Exit(1 if failed else 0)
