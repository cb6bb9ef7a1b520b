"""What several verbs are asked, and the defaults."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from eager_vs_graph.modes import DEFAULT_MODES, MODES
from eager_vs_graph.results.cells import INPUTS

Scenarios = Annotated[
    str,
    typer.Option(
        metavar="NAMES|FILES|FOLDERS",
        help="What to run; default: every built-in. `all`: what other distributions ship, too; "
        "the name of a distribution: all that it ships.",
    ),
]
Modes = Annotated[
    str,
    typer.Option(
        metavar="NAMES|all", help=f"Of {', '.join(MODES)}; default: {', '.join(DEFAULT_MODES)}."
    ),
]
Sizes = Annotated[
    str, typer.Option(metavar="NAMES|all", help="Default: those that `list` marks with *.")
]
Devices = Annotated[
    str, typer.Option(metavar="NAMES", help="Such as CPU:0,GPU:0; default: every device found.")
]
Inputs = Annotated[
    str, typer.Option(metavar="POLICIES|all", help=f"Of {', '.join(INPUTS)}; default: {INPUTS[0]}.")
]
LogicalCpus = Annotated[
    int, typer.Option(min=1, help="Split the CPU into so many logical devices.")
]
Seed = Annotated[int, typer.Option(help="Seed of the order in which blocks are timed.")]
Results = Annotated[Path, typer.Option(help="The folder that runs are kept in.")]
AllowConcurrent = Annotated[
    bool, typer.Option("--allow-concurrent", help="Measure even beside another run.")
]
NoExplain = Annotated[
    bool,
    typer.Option("--no-explain", help="Do not find out why cells disagree (30 s at most)."),
]
CellTimeout = Annotated[
    float, typer.Option(min=1, metavar="SECONDS", help="A cell silent for longer is given up.")
]
MemoryLimit = Annotated[
    str, typer.Option(metavar="SIZE", help="Such as 4GiB; default: nine tenths of the machine's.")
]
