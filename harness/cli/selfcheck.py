"""``selfcheck``: the harness measures itself."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from eager_vs_graph.cli.groups import grouped
from eager_vs_graph.runs.options import (
    FEW,
    RESULTS,
    GridOptions,
    LimitOptions,
    ScenarioOptions,
    TimingOptions,
)
from eager_vs_graph.runs.quantities import PERCENT, quantity, words

app = typer.Typer()

FEWER = "matmul_chain,regression_training"


@app.command()
@grouped
def selfcheck(
    which: ScenarioOptions,
    quick: Annotated[bool, typer.Option("--quick", help="Two minutes instead of ten.")] = False,
    run: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="RUN",
            help="Judge this record instead of measuring; repeat the option for more.",
        ),
    ] = None,
    budget: Annotated[str, typer.Option(metavar="TIME", help="Wall time, such as 30m.")] = "",
    slowdowns: Annotated[
        str, typer.Option(metavar="PERCENTAGES", help="Slowdowns to inject.")
    ] = "0.5%,1%,2%,5%",
    modes: Annotated[str, typer.Option(metavar="NAMES|all", help="As of `bench`.")] = "",
    allow_concurrent: Annotated[
        bool,
        typer.Option("--allow-concurrent", help="Run beside another benchmark."),
    ] = False,
    seed: Annotated[int, typer.Option(help="Seed of the order in which blocks are timed.")] = 0,
    results: Annotated[Path, typer.Option(help="Folder that runs are kept in.")] = RESULTS,
) -> None:
    """Measure the harness itself: false verdicts, detection of slowdowns, overhead."""
    from eager_vs_graph.reports.terminal import run as terminal
    from eager_vs_graph.runs import lock
    from eager_vs_graph.runs import selfcheck as check
    from eager_vs_graph.runs.bench import bench
    from eager_vs_graph.runs.terminal_progress import TerminalProgress

    if not run:
        amounts = [quantity(word, PERCENT) for word in words(slowdowns)]
        chosen = partial(check.programs, amounts)
        entries = which.entries(FEWER if quick else FEW)
        grid = GridOptions(modes=modes, devices="CPU:0", inputs="resident")
        timing = TimingOptions(budget=budget, precision=0.0, seed=seed, explain=False)
        request = timing.request(
            grid.selection(entries, which.chosen_sizes(entries)),
            LimitOptions().limits(),
            default_budget_s=115.0 if quick else 600.0,
        )
        with lock.machine(shared=allow_concurrent), TerminalProgress() as progress:
            record = bench(request, results / "selfcheck", progress, chosen, bare_loops=True)
        run = [record.folder]
    rows = check.table(run)
    terminal.print_selfcheck(rows)
    print(f"record: {', '.join(map(str, run))}")
    raise typer.Exit(0 if all(row.passed for row in rows) else 1)
