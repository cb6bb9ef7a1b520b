"""``explain``: why modes disagree."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from eager_vs_graph.catalog.entry import Entry
from eager_vs_graph.cli.groups import grouped
from eager_vs_graph.errors import UsageError, printable
from eager_vs_graph.results.cells import choose
from eager_vs_graph.results.explanation import Explanation
from eager_vs_graph.results.record import AGREEING, STATUSES, UNSUPPORTED
from eager_vs_graph.runs.options import (
    GridOptions,
    LimitOptions,
    ScenarioOptions,
    TargetOptions,
    TimingOptions,
)
from eager_vs_graph.runs.quantities import words

if TYPE_CHECKING:
    from eager_vs_graph.runs.explain import ExplainResult as Result

app = typer.Typer()


@app.command()
@grouped
def explain(
    what: Annotated[
        str,
        typer.Argument(
            metavar="SCENARIO|TARGET",
            help="A scenario: its name, its file, or FILE.py:NAME; or what `try` takes: "
            "MODULE:FUNCTION, FILE.py:FUNCTION, or a .keras file.",
        ),
    ],
    call: TargetOptions,
    grid: GridOptions,
    limits: LimitOptions,
    sizes: Annotated[
        str,
        typer.Option(metavar="NAMES|all", help="Default: the sizes that `list` marks with *."),
    ] = "",
    part: Annotated[
        str,
        typer.Option(metavar="NAMES", help="Of a model: forward, predict, train_step, fit."),
    ] = "",
    reproduce: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write a script that shows the worst disagreement."),
    ] = None,
) -> None:
    """Find by experiment why modes disagree: where, how far, who is right, and what to do."""
    from eager_vs_graph.processes.scratch import scratch_folder
    from eager_vs_graph.reports.terminal import explanation as terminal
    from eager_vs_graph.runs import explain as inquiry
    from eager_vs_graph.runs.progress import TerminalProgress

    entries, chosen = _entries(what, call, ScenarioOptions(what, sizes), part)
    request = TimingOptions().request(
        grid.selection(entries, chosen), limits.limits(), default_budget_s=0.0
    )
    explain_request = inquiry.ExplainRequest(
        request.selection,
        request.limits,
        request.limits.explain_s or inquiry.SECONDS,
        scripts=reproduce is not None,
    )
    with scratch_folder() as scratch, TerminalProgress() as progress:
        result = inquiry.explain(explain_request, scratch, progress)
    terminal.print_explanations(result.explanations)
    if reproduce is not None:
        _write_script(what, result, reproduce)
    agreeing = (*AGREEING, UNSUPPORTED)
    disagree = any(each.status not in agreeing for each in result.explanations)
    raise typer.Exit(1 if disagree or not result.explanations else 0)


def _entries(
    what: str, call: TargetOptions, which: ScenarioOptions, part: str
) -> tuple[list[Entry], list[str]]:
    """What is to be explained, and at which sizes.

    Raises:
        UsageError: it names several scenarios, or none.
    """
    file, colon, name = what.rpartition(":")
    if colon and file.endswith(".py") and Path(file).is_file():
        found = [
            entry for entry in _of_file(ScenarioOptions(file, which.sizes)) if entry.name == name
        ]
        if found:
            return found, which.chosen_sizes(found)
    if colon or Path(what).suffix in (".keras", ".h5"):
        entries = call.entries(what)
        if part:
            parts = [entry.target.part for entry in entries if entry.target is not None]
            wanted = choose("part", words(part), parts)
            entries = [e for e in entries if e.target is not None and e.target.part in wanted]
        return entries, which.chosen_sizes(entries) if which.sizes else []
    if call != TargetOptions():
        raise UsageError(
            f"{what!r} is a scenario, which has its own inputs; --arg and its kin are for "
            "MODULE:FUNCTION, FILE.py:FUNCTION or a .keras file"
        )
    entries = which.entries()
    if len(entries) != 1:
        names = ", ".join(f"{what}:{entry.name}" for entry in entries)
        raise UsageError(f"explain takes one scenario, but {what!r} has several: {names}")
    return entries, which.chosen_sizes(entries)


def _of_file(which: ScenarioOptions) -> list[Entry]:
    """The scenarios of a file; none where it has none."""
    try:
        return which.entries()
    except UsageError:
        return []


def _write_script(what: str, result: Result, file: Path) -> None:
    from eager_vs_graph.results.scripts import head, shown

    def badness(each: Explanation) -> tuple[int, bool]:
        return STATUSES.index(shown(each).status), bool(each.causes)

    cells = [each for each in result.explanations if each.cell in result.scripts]
    if not cells:
        raise UsageError(f"{what}: nothing differs that a script could show")
    worst = max(cells, key=badness)
    file.write_text(f"{head(worst)}{result.scripts[worst.cell]}", encoding="utf-8")
    print(printable(f"script: {file} ({worst.cell})"))
