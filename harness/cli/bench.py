"""``bench``: parity, then timing, then the report."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from eager_vs_graph.cli.options import (
    AllowConcurrent,
    CellTimeout,
    Devices,
    Inputs,
    LogicalCpus,
    MemoryLimit,
    Modes,
    NoExplain,
    Results,
    Scenarios,
    Seed,
    Sizes,
)
from eager_vs_graph.errors import UsageError
from eager_vs_graph.runs.defaults import BUDGET_S, PRECISION, RESULTS
from eager_vs_graph.runs.options import default_budget_s, limits_for, request_for, show_report
from eager_vs_graph.runs.quantities import seconds

app = typer.Typer()


@app.command()
def bench(
    scenarios: Scenarios = "",
    modes: Modes = "",
    sizes: Sizes = "",
    devices: Devices = "",
    inputs: Inputs = "",
    passes: Annotated[
        int | None,
        typer.Option(metavar="N", help="Exactly so many; default: as precision and budget say."),
    ] = None,
    budget: Annotated[
        str, typer.Option(metavar="TIME", help=f"Such as 90s or 5m; default: {BUDGET_S:.0f}s.")
    ] = "",
    precision: Annotated[
        float | None,
        typer.Option(
            min=0,
            max=1,
            help=f"Half-width of a speed-up's interval to reach; default: {PRECISION}.",
        ),
    ] = None,
    quick: Annotated[
        bool,
        typer.Option(
            "--quick", help="A first answer in under a minute: a few scenarios, one size each."
        ),
    ] = False,
    resume: Annotated[
        Path | None,
        typer.Option(
            metavar="RUN", help="Go on with an interrupted run, as it was asked for or as said now."
        ),
    ] = None,
    no_explain: NoExplain = False,
    allow_concurrent: AllowConcurrent = False,
    logical_cpus: LogicalCpus = 1,
    cell_timeout: CellTimeout = 120.0,
    memory_limit: MemoryLimit = "",
    seed: Seed = 0,
    results: Results = RESULTS,
) -> None:
    """Check parity, time every mode in interleaved blocks, write the report."""
    from eager_vs_graph.runs import bench as orchestrate
    from eager_vs_graph.runs import lock
    from eager_vs_graph.runs.progress import TerminalProgress

    if passes is not None and passes < 1:
        raise UsageError(f"--passes is {passes}, but should be at least 1")
    budget_s = seconds(budget) if budget else None
    limits = limits_for(cell_timeout, memory_limit)
    if resume is not None:
        with lock.machine(shared=allow_concurrent), TerminalProgress() as progress:
            run = orchestrate.resume(
                resume, progress, limits, budget_s=budget_s, passes=passes, precision=precision
            )
    else:
        request = request_for(
            scenarios,
            modes,
            sizes,
            devices,
            inputs,
            logical_cpus=logical_cpus,
            limits=limits,
            passes=passes,
            budget_s=budget_s or default_budget_s(passes, quick),
            precision=PRECISION if precision is None else precision,
            seed=seed,
            quick=quick,
            explain=not no_explain,
        )
        with lock.machine(shared=allow_concurrent), TerminalProgress() as progress:
            run = orchestrate.bench(request, results, progress)
    code = show_report(run.folder)
    raise typer.Exit(130 if run.work.exists() else code)  # it exists while a run is unfinished
