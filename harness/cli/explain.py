"""``explain``: why modes disagree."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated

import typer

from eager_vs_graph.cli.options import CellTimeout, Devices, Inputs, MemoryLimit, Modes, Sizes
from eager_vs_graph.errors import UsageError
from eager_vs_graph.results.record import STATUSES
from eager_vs_graph.runs.options import limits_for, request_for

app = typer.Typer()


@app.command()
def explain(
    scenario: Annotated[str, typer.Argument(metavar="SCENARIO", help="A name or a file.")],
    modes: Modes = "",
    sizes: Sizes = "",
    devices: Devices = "CPU:0",
    inputs: Inputs = "",
    reproduce: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write a script that shows the worst disagreement."),
    ] = None,
    cell_timeout: CellTimeout = 120.0,
    memory_limit: MemoryLimit = "",
) -> None:
    """Find by experiment why modes disagree: where, how far, who is right, and what to do."""
    from eager_vs_graph.reports.terminal import explanation as terminal
    from eager_vs_graph.results.scripts import head, shown
    from eager_vs_graph.runs import explain as inquiry
    from eager_vs_graph.runs.progress import TerminalProgress

    request = request_for(
        scenario,
        modes,
        sizes,
        devices,
        inputs,
        logical_cpus=1,
        limits=limits_for(cell_timeout, memory_limit),
    )
    if len(request.entries) != 1:
        names = ", ".join(entry.name for entry in request.entries)
        raise UsageError(f"explain takes one scenario, but {scenario!r} names {names}")
    explain_request = inquiry.ExplainRequest(
        request.entries,
        request.sizes,
        request.modes,
        request.devices,
        request.inputs,
        request.limits,
        scripts=reproduce is not None,
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
