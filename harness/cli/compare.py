"""``compare``: two runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from eager_vs_graph.cli.finish import UNDECIDED
from eager_vs_graph.runs.quantities import PERCENT, quantity

app = typer.Typer()


@app.command()
def compare(
    run_a: Annotated[Path, typer.Argument(metavar="RUN_A", help="The run to compare with.")],
    run_b: Annotated[Path, typer.Argument(metavar="RUN_B", help="The run in question.")],
    fail_over: Annotated[
        str, typer.Option(metavar="PERCENT", help="A slower cell beyond this is a regression.")
    ] = "5%",
    across_machines: Annotated[
        bool, typer.Option("--across-machines", help="Compare although the machines differ.")
    ] = False,
) -> None:
    """Show what became faster, slower or more work between two runs.

    Exit code 1: something regressed, does more work, or no longer agrees with eager. 3: the runs
    are not precise enough to exclude a regression beyond the threshold.
    """
    from eager_vs_graph.reports.terminal.run_comparison import print_comparison
    from eager_vs_graph.statistics.run_comparison import compare as compare_folders

    over = quantity(fail_over, PERCENT)
    comparison = compare_folders(run_a, run_b, across_machines=across_machines)
    print_comparison(comparison, over)
    slower = len(comparison.regressions(over)) > 0
    failed = slower or comparison.disagreements() or comparison.more_work()
    undecided = not comparison.undecided(over).empty
    raise typer.Exit(1 if failed else UNDECIDED if undecided else 0)
