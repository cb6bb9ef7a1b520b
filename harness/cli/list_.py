"""``list``: scenarios, sizes and modes."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from enum import StrEnum
from typing import Annotated

import typer
from rich.console import Console

from eager_vs_graph.catalog import find as catalog
from eager_vs_graph.catalog.entry import Entry
from eager_vs_graph.errors import printable
from eager_vs_graph.modes import MODES
from eager_vs_graph.reports.table import Column, Table
from eager_vs_graph.reports.terminal.grid import print_table
from eager_vs_graph.results.cells import INPUTS
from eager_vs_graph.runs.quantities import words

app = typer.Typer()


class Format(StrEnum):
    """How ``list`` prints."""

    TEXT = "text"
    JSON = "json"


@app.command("list")
def list_(
    scenarios: Annotated[
        str,
        typer.Option(
            metavar="NAMES|FILES|FOLDERS", help="What to list. Default: everything installed."
        ),
    ] = "",
    format: Annotated[Format, typer.Option(help="text or json.")] = Format.TEXT,
) -> None:
    """Show scenarios, sizes and modes."""
    entries, broken = _shown(words(scenarios))
    for line in broken:
        print(f"left out: {printable(line)}", file=sys.stderr)
    if format is Format.JSON:
        content = {
            "scenarios": [
                {
                    "name": entry.name,
                    "concept": entry.concept,
                    "summary": entry.summary,
                    "sizes": entry.sizes,
                    "default_sizes": entry.default_sizes,
                    "distribution": entry.distribution,
                }
                for entry in entries
            ],
            "modes": {mode.name: asdict(mode.about()) for mode in MODES.values()},
            "inputs": list(INPUTS),
        }
        print(json.dumps(content, indent=2))
        return
    console = Console(highlight=False)
    for table in (_scenarios(entries), _modes()):
        print_table(table, console)


def _scenarios(entries: list[Entry]) -> Table:
    columns = (Column("scenario"), Column("what it computes", "prose"))
    rows = [(entry.name, " ".join(_about(entry))) for entry in entries]
    return Table("Scenarios (the sizes with * run by default)", columns, rows)


def _about(entry: Entry) -> list[str]:
    """A sentence on each thing that there is to know of a scenario."""
    sizes = ", ".join(f"{size}{'*' * (size in entry.default_sizes)}" for size in entry.sizes)
    facts = [entry.summary, f"Concept: {entry.concept}." if entry.concept else ""]
    facts += [f"Sizes: {sizes}.", f"From {entry.distribution}." if entry.distribution else ""]
    return [each for each in facts if each]


def _modes() -> Table:
    columns = (Column("mode"), Column("kind"), Column("what it is", "prose"))
    rows = [(mode.name + "*" * mode.default, mode.kind, mode.summary) for mode in MODES.values()]
    return Table("Modes (those with * run by default)", columns, rows)


def _shown(wanted: list[str]) -> tuple[list[Entry], list[str]]:
    """The scenarios to show, and what is wrong with those that cannot be shown."""
    if wanted and wanted != ["all"]:
        return catalog.select(wanted), []
    shipped, broken = catalog.installed()
    return [*catalog.select([]), *shipped], broken
