"""``parity``: the outputs of every mode, side by side."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from eager_vs_graph.catalog.entry import Entry
from eager_vs_graph.cli.groups import grouped
from eager_vs_graph.errors import UsageError
from eager_vs_graph.modes import MODES
from eager_vs_graph.runs.options import (
    GridOptions,
    LimitOptions,
    ScenarioOptions,
    TargetOptions,
    TimingOptions,
)

app = typer.Typer()


@app.command()
@grouped
def parity(
    call: TargetOptions,
    which: ScenarioOptions,
    grid: GridOptions,
    limits: LimitOptions,
    target: Annotated[
        str,
        typer.Argument(
            metavar="[TARGET]",
            help="Code of your own, as `try` takes it: MODULE:FUNCTION, FILE.py:FUNCTION, or a "
            ".keras file. Default: scenarios.",
        ),
    ] = "",
    details: Annotated[
        bool, typer.Option("--details", help="Print the tensors of cells that agree, too.")
    ] = False,
    explain: Annotated[
        bool,
        typer.Option(
            "--explain/--no-explain",
            help="Find out by experiment why cells disagree.",
        ),
    ] = True,
    json: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write every status, reason and tensor as JSON, too."),
    ] = None,
) -> None:
    """Compare outputs and variables of every mode with eager and the reference; time nothing."""
    from eager_vs_graph.processes.scratch import scratch_folder
    from eager_vs_graph.reports.disagreements import disagreements as disagreements_of
    from eager_vs_graph.reports.terminal import explanation
    from eager_vs_graph.reports.terminal import run as terminal
    from eager_vs_graph.results.codec import write_json
    from eager_vs_graph.runs import disagreements
    from eager_vs_graph.runs.check import check
    from eager_vs_graph.runs.terminal_progress import TerminalProgress

    entries, sizes = _entries(target, call, which)
    request = TimingOptions().request(
        grid.selection(entries, sizes), limits.limits(), default_budget_s=0.0
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
    if json is not None:
        write_json(json, {"cells": cells, "checkpoints": pairs})
    for note in checked.notes():
        print(f"  {note}")
    for kind in checked.absent:
        print(f"{kind}: not found")
    failed = any(cell.failed for cell in cells) or any(pair.failed for pair in pairs)
    if checked.interrupted:
        left = sum(cell.id not in checked.parity for cell in checked.cells)
        print(f"interrupted: {left} of {len(checked.cells)} cells were not checked")
        raise typer.Exit(130)
    raise typer.Exit(1 if failed else 0)


def _entries(
    target: str, call: TargetOptions, which: ScenarioOptions
) -> tuple[list[Entry], list[str] | None]:
    """What is to be compared, and at which sizes; code of one's own has none."""
    if not target:
        if call != TargetOptions():
            raise UsageError("--arg and its kin are for a TARGET, which was not given")
        entries = which.entries()
        return entries, which.chosen_sizes(entries)
    if which != ScenarioOptions():
        raise UsageError(f"give {target!r}, or --scenarios and --sizes, but not both")
    return call.entries(target), None
