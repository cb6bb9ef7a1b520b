"""``list``: scenarios, sizes and modes."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from enum import StrEnum
from typing import Annotated

import typer

from eager_vs_graph.catalog import find as catalog
from eager_vs_graph.catalog.entry import Entry
from eager_vs_graph.modes import MODES
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
        print(f"left out: {line}", file=sys.stderr)
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
    width = max(len(name) for name in [*(entry.name for entry in entries), *MODES])
    print("scenarios (* runs by default)")
    for entry in entries:
        sizes = ", ".join(f"{size}{'*' * (size in entry.default_sizes)}" for size in entry.sizes)
        concept = f"{entry.concept}; " if entry.concept else ""
        print(f"  {entry.name:{width}}  {entry.summary}")
        shipped = f"; from {entry.distribution}" if entry.distribution else ""
        print(f"  {'':{width}}  {concept}sizes: {sizes}{shipped}")
    print("modes (* runs by default)")
    for mode in MODES.values():
        print(f"  {mode.name + '*' * mode.default:{width}}  {mode.summary}")


def _shown(wanted: list[str]) -> tuple[list[Entry], list[str]]:
    """The scenarios to show, and what is wrong with those that cannot be shown."""
    if wanted and wanted != ["all"]:
        return catalog.select(wanted), []
    shipped, broken = catalog.installed()
    return [*catalog.select([]), *shipped], broken
