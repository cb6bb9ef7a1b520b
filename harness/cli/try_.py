"""``try``: a function or Keras model of one's own, as it is."""

from __future__ import annotations

from typing import Annotated

import typer

from eager_vs_graph.cli.finish import finish
from eager_vs_graph.cli.groups import grouped
from eager_vs_graph.runs.options import (
    QUICK_BUDGET_S,
    WATCH_S,
    GridOptions,
    LimitOptions,
    TargetOptions,
    TimingOptions,
)

app = typer.Typer()


@app.command("try")
@grouped
def try_(
    target: Annotated[
        str,
        typer.Argument(
            metavar="TARGET",
            help="MODULE:FUNCTION, FILE.py:FUNCTION, or a .keras file. A function without "
            "arguments that returns a function, model or module is called for it.",
        ),
    ],
    call: TargetOptions,
    grid: GridOptions,
    timing: TimingOptions,
    limits: LimitOptions,
) -> None:
    """Run a function or Keras model of yours in every mode."""
    from eager_vs_graph.runs.bench import bench
    from eager_vs_graph.runs.lock import machine
    from eager_vs_graph.runs.terminal_progress import TerminalProgress

    request = timing.request(
        grid.selection(call.entries(target)),
        limits.limits(),
        default_budget_s=QUICK_BUDGET_S,
        watch_s=WATCH_S,
    )
    with machine(shared=timing.allow_concurrent), TerminalProgress() as progress:
        run = bench(request, timing.results, progress)
    finish(run)
