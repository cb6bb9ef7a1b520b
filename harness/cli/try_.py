"""``try``: a function or Keras model of one's own, as it is."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from eager_vs_graph.cli.finish import finish
from eager_vs_graph.cli.groups import grouped
from eager_vs_graph.errors import UsageError
from eager_vs_graph.runs.options import QUICK_BUDGET_S, GridOptions, LimitOptions, TimingOptions

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
    grid: GridOptions,
    timing: TimingOptions,
    limits: LimitOptions,
    arg: Annotated[
        list[str] | None,
        typer.Option(
            metavar="[NAME=]ARGUMENT",
            help='An argument, in order or by name: "float32[32,784]", "int32[32] in 0..9", '
            "bool[3], a .npy or .npz file, MODULE:FUNCTION that returns them, or a constant.",
        ),
    ] = None,
    train: Annotated[
        bool, typer.Option("--train", help="Also run a Keras model's train_step and fit.")
    ] = False,
    batch: Annotated[
        int, typer.Option(min=1, help="Batch size for models with a dynamic batch dimension.")
    ] = 32,
    label: Annotated[
        str,
        typer.Option(metavar="ARGUMENT", help="Labels. Default: random ones that fit the loss."),
    ] = "",
    loss: Annotated[str, typer.Option(help="A Keras name. Default: as compiled.")] = "",
    optimizer: Annotated[str, typer.Option(help="A Keras name. Default: as compiled.")] = "",
    path: Annotated[
        list[Path] | None,
        typer.Option(metavar="FOLDER", help="Folder of modules. Default: the working directory."),
    ] = None,
) -> None:
    """Run a function or Keras model of yours in every mode."""
    from eager_vs_graph.catalog.user_code import entries_of
    from eager_vs_graph.runs.bench import bench
    from eager_vs_graph.runs.lock import machine
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
    request = timing.request(
        grid.selection(entries), limits.limits(), default_budget_s=QUICK_BUDGET_S
    )
    with machine(shared=timing.allow_concurrent), TerminalProgress() as progress:
        run = bench(request, timing.results, progress)
    finish(run)
