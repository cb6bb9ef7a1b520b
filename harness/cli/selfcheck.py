"""``selfcheck``: the harness measures itself."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from eager_vs_graph.cli.options import AllowConcurrent, Modes, Results, Scenarios, Seed, Sizes
from eager_vs_graph.runs.defaults import FEW, FEWER, RESULTS
from eager_vs_graph.runs.options import limits_for, request_for
from eager_vs_graph.runs.quantities import PERCENT, quantity, seconds, words

app = typer.Typer()


@app.command()
def selfcheck(
    quick: Annotated[bool, typer.Option("--quick", help="Two minutes instead of ten.")] = False,
    run: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="RUN", help="Judge this record instead of measuring; several count together."
        ),
    ] = None,
    budget: Annotated[str, typer.Option(metavar="TIME", help="Such as 30m.")] = "",
    slowdowns: Annotated[
        str, typer.Option(metavar="PERCENTAGES", help="Slowdowns to inject.")
    ] = "2%,5%,10%",
    scenarios: Scenarios = "",
    modes: Modes = "",
    sizes: Sizes = "",
    allow_concurrent: AllowConcurrent = False,
    seed: Seed = 0,
    results: Results = RESULTS,
) -> None:
    """Measure the harness itself: false verdicts, detection of slowdowns, overhead."""
    from eager_vs_graph.reports.terminal import run as terminal
    from eager_vs_graph.runs import bench as orchestrate
    from eager_vs_graph.runs import lock
    from eager_vs_graph.runs import selfcheck as check
    from eager_vs_graph.runs.progress import TerminalProgress

    if not run:
        amounts = [quantity(word, PERCENT) for word in words(slowdowns)]
        chosen = partial(check.programs, amounts)
        names = FEWER if quick else FEW
        request = request_for(
            scenarios or names,
            modes,
            sizes,
            "CPU:0",
            "resident",
            logical_cpus=1,
            limits=limits_for(120.0, ""),
            budget_s=seconds(budget) if budget else (115.0 if quick else 600.0),
            precision=0.0,
            seed=seed,
        )
        with lock.machine(shared=allow_concurrent), TerminalProgress() as progress:
            record = orchestrate.bench(
                request, results / "selfcheck", progress, chosen, bare_loops=True
            )
        run = [record.folder]
    rows = check.table(run)
    terminal.print_selfcheck(rows)
    print(f"record: {', '.join(map(str, run))}")
    raise typer.Exit(0 if all(row.passed for row in rows) else 1)
