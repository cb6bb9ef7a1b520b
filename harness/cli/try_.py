"""``try``: a function or Keras model of one's own, as it is."""

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
    Results,
    Seed,
)
from eager_vs_graph.errors import UsageError
from eager_vs_graph.runs.defaults import PRECISION, QUICK_BUDGET_S, RESULTS
from eager_vs_graph.runs.options import limits_for, request_of, show_report
from eager_vs_graph.runs.quantities import seconds

app = typer.Typer()


@app.command("try")
def try_(
    target: Annotated[
        str,
        typer.Argument(
            metavar="TARGET",
            help="MODULE:FUNCTION, FILE.py:FUNCTION, or a .keras file. A function without "
            "arguments that returns a function, model or module is called for it.",
        ),
    ],
    arg: Annotated[
        list[str] | None,
        typer.Option(
            metavar="[NAME=]ARGUMENT",
            help='An argument, in order or by name: "float32[32,784]", "int32[32] in 0..9", '
            "bool[3], a .npy or .npz file, MODULE:FUNCTION that returns them, or a constant.",
        ),
    ] = None,
    train: Annotated[
        bool, typer.Option("--train", help="A Keras model's train_step and fit, too.")
    ] = False,
    batch: Annotated[
        int, typer.Option(min=1, help="Rows where a model leaves its batch open.")
    ] = 32,
    label: Annotated[
        str, typer.Option(metavar="ARGUMENT", help="Labels; default: drawn to fit the loss.")
    ] = "",
    loss: Annotated[str, typer.Option(help="Keras's name; default: as compiled.")] = "",
    optimizer: Annotated[str, typer.Option(help="Keras's name; default: as compiled.")] = "",
    path: Annotated[
        list[Path] | None,
        typer.Option(metavar="FOLDER", help="Where modules are; default: the working directory."),
    ] = None,
    modes: Modes = "",
    devices: Devices = "",
    inputs: Inputs = "",
    passes: Annotated[
        int | None,
        typer.Option(metavar="N", min=1, help="Exactly so many; default: as the budget allows."),
    ] = None,
    budget: Annotated[
        str,
        typer.Option(metavar="TIME", help=f"Such as 90s or 5m; default: {QUICK_BUDGET_S:.0f}s."),
    ] = "",
    precision: Annotated[
        float, typer.Option(min=0, max=1, help="Half-width of a speed-up's interval to reach.")
    ] = PRECISION,
    allow_concurrent: AllowConcurrent = False,
    logical_cpus: LogicalCpus = 1,
    cell_timeout: CellTimeout = 120.0,
    memory_limit: MemoryLimit = "",
    seed: Seed = 0,
    results: Results = RESULTS,
) -> None:
    """Run a function or Keras model of yours in every mode: answers, times, report."""
    from eager_vs_graph.catalog.user_code import entries_of
    from eager_vs_graph.runs import bench as orchestrate
    from eager_vs_graph.runs import lock
    from eager_vs_graph.runs.progress import TerminalProgress

    folders = [folder.resolve() for folder in path or []]
    for folder in folders:
        if not folder.is_dir():
            raise UsageError(f"--path {folder}: no such folder")
    entries = entries_of(
        target,
        arguments=arg or [],
        train=train,
        batch=batch,
        label=label,
        loss=loss,
        optimizer=optimizer,
        path=[*map(str, folders), str(Path.cwd())],
    )
    request = request_of(
        entries,
        modes=modes,
        devices=devices,
        inputs=inputs,
        passes=passes,
        budget_s=seconds(budget) if budget else QUICK_BUDGET_S,
        precision=precision,
        seed=seed,
        logical_cpus=logical_cpus,
        limits=limits_for(cell_timeout, memory_limit),
    )
    with lock.machine(shared=allow_concurrent), TerminalProgress() as progress:
        run = orchestrate.bench(request, results, progress)
    code = show_report(run.folder)
    raise typer.Exit(130 if run.work.exists() else code)  # it exists while a run is unfinished
