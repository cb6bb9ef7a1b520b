"""``parity``: the answers, side by side."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated

import typer

from eager_vs_graph.cli.options import (
    CellTimeout,
    Devices,
    Inputs,
    LogicalCpus,
    MemoryLimit,
    Modes,
    NoExplain,
    Scenarios,
    Sizes,
)
from eager_vs_graph.modes import MODES
from eager_vs_graph.runs.options import limits_for, request_for

app = typer.Typer()


@app.command()
def parity(
    scenarios: Scenarios = "",
    modes: Modes = "",
    sizes: Sizes = "",
    devices: Devices = "",
    inputs: Inputs = "",
    details: Annotated[
        bool, typer.Option("--details", help="Print the tensors of cells that agree, too.")
    ] = False,
    no_explain: NoExplain = False,
    logical_cpus: LogicalCpus = 1,
    cell_timeout: CellTimeout = 120.0,
    memory_limit: MemoryLimit = "",
) -> None:
    """Compare outputs and state of every mode with eager and the reference; time nothing."""
    from eager_vs_graph.reports.disagreements import disagreements as disagreements_of
    from eager_vs_graph.reports.terminal import explanation
    from eager_vs_graph.reports.terminal import run as terminal
    from eager_vs_graph.runs import disagreements
    from eager_vs_graph.runs.bench import check
    from eager_vs_graph.runs.progress import TerminalProgress

    request = request_for(
        scenarios,
        modes,
        sizes,
        devices,
        inputs,
        logical_cpus=logical_cpus,
        limits=limits_for(cell_timeout, memory_limit),
    )
    with tempfile.TemporaryDirectory() as scratch, TerminalProgress() as progress:
        checked = check(request, Path(scratch), progress)
        found = []
        if not no_explain:
            found = disagreements.explain(request, checked, Path(scratch), progress)
    cells, pairs = checked.in_order(), list(checked.checkpoints.values())
    kinds = {mode.name: mode.kind for mode in MODES.values()}
    terminal.print_parity(cells, kinds=kinds, checkpoints=pairs, details=details)
    explanation.print_short(disagreements_of(found, {cell.cell: cell for cell in cells}))
    for kind in checked.absent:
        print(f"{kind}: not found")
    failed = any(cell.failed for cell in cells) or any(pair.failed for pair in pairs)
    raise typer.Exit(1 if failed else 0)
