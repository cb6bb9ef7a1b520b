"""``bench``: parity, then timing, then the report."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from eager_vs_graph.cli.finish import finish
from eager_vs_graph.cli.groups import grouped
from eager_vs_graph.runs.options import (
    BUDGET_S,
    FEW,
    QUICK_BUDGET_S,
    GridOptions,
    LimitOptions,
    ScenarioOptions,
    TimingOptions,
)

app = typer.Typer()

QUICK_SIZES = 1


@app.command()
@grouped
def bench(
    which: ScenarioOptions,
    grid: GridOptions,
    timing: TimingOptions,
    limits: LimitOptions,
    quick: Annotated[
        bool,
        typer.Option(
            "--quick", help="A first answer in under a minute: a few scenarios, one size each."
        ),
    ] = False,
    resume: Annotated[
        Path | None,
        typer.Option(
            metavar="RUN",
            help="Resume an interrupted run; a budget, precision or number of passes given here "
            "replaces the run's own.",
        ),
    ] = None,
    trust: Annotated[
        bool,
        typer.Option(
            "--trust",
            help="With --resume: also resume a run that somebody else made. It is "
            "executed, so look at it first.",
        ),
    ] = False,
) -> None:
    """Check parity, time every mode in interleaved blocks, write a report."""
    from eager_vs_graph.runs.bench import bench as measure
    from eager_vs_graph.runs.bench import resume as go_on
    from eager_vs_graph.runs.lock import machine
    from eager_vs_graph.runs.terminal_progress import TerminalProgress

    if resume is not None:
        with machine(shared=timing.allow_concurrent), TerminalProgress() as progress:
            run = go_on(resume, progress, limits.limits(), timing, trust)
        finish(run)
    entries = which.entries(FEW if quick else "", QUICK_SIZES if quick else None)
    request = timing.request(
        grid.selection(entries, which.chosen_sizes(entries)),
        limits.limits(),
        default_budget_s=QUICK_BUDGET_S if quick else BUDGET_S,
    )
    with machine(shared=timing.allow_concurrent), TerminalProgress() as progress:
        run = measure(request, timing.results, progress)
    finish(run)
