"""From options to a request, and from a run to its report."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from eager_vs_graph.catalog import find as catalog
from eager_vs_graph.catalog.entry import Entry
from eager_vs_graph.errors import UsageError
from eager_vs_graph.modes import DEFAULT_MODES, MODES
from eager_vs_graph.results.cells import INPUTS, choose, unknown_name_message
from eager_vs_graph.runs import command as commands
from eager_vs_graph.runs.defaults import (
    BUDGET_S,
    FEW,
    PRECISION,
    QUICK_BUDGET_S,
    QUICK_SIZES,
    SECONDS_A_PASS,
)
from eager_vs_graph.runs.quantities import MEMORY, quantity, words

if TYPE_CHECKING:
    from eager_vs_graph.processes.supervise import Limits
    from eager_vs_graph.runs.bench import Request


def show_report(folder: Path) -> int:
    """Render and print a run; 1 when a cell failed or differs without being known to."""
    from eager_vs_graph import reports
    from eager_vs_graph.reports.terminal import run as terminal
    from eager_vs_graph.results.record import Run

    rendered = reports.render(folder)
    terminal.print_result(rendered)
    print(f"report: {rendered.page}")
    run = Run(folder)
    failed = any(cell.failed for cell in run.parity())
    return 1 if failed or any(pair.failed for pair in run.checkpoints()) else 0


def request_for(
    scenarios: str,
    modes: str,
    sizes: str,
    devices: str,
    inputs: str,
    *,
    logical_cpus: int,
    limits: Limits,
    passes: int | None = None,
    budget_s: float = BUDGET_S,
    precision: float = PRECISION,
    seed: int = 0,
    quick: bool = False,
    explain: bool = True,
) -> Request:
    """What the options ask for; raises ``UsageError`` where one names what does not exist."""
    entries = catalog.select(words(scenarios or (FEW if quick else "")))
    chosen_sizes = _choose_sizes(entries, words(sizes))
    if not sizes:
        few = QUICK_SIZES if quick else None
        entries = [
            replace(entry, sizes={size: entry.sizes[size] for size in entry.default_sizes[:few]})
            for entry in entries
        ]
    return request_of(
        entries,
        modes=modes,
        devices=devices,
        inputs=inputs,
        sizes=chosen_sizes,
        budget_s=budget_s,
        passes=passes,
        precision=precision,
        seed=seed,
        logical_cpus=logical_cpus,
        limits=limits,
        explain=explain,
    )


def request_of(
    entries: list[Entry],
    *,
    modes: str,
    devices: str,
    inputs: str,
    sizes: list[str] | None = None,
    budget_s: float,
    passes: int | None,
    precision: float,
    seed: int = 0,
    logical_cpus: int = 1,
    limits: Limits | None = None,
    explain: bool = True,
    command: str = "",
) -> Request:
    """A request for these entries, at all their sizes where none are named.

    ``command`` is what was called, where it was no command line.
    """
    from eager_vs_graph.processes.supervise import Limits
    from eager_vs_graph.runs.bench import Request

    return Request(
        entries=entries,
        sizes=sizes or list(dict.fromkeys(size for entry in entries for size in entry.sizes)),
        modes=choose("mode", words(modes), list(MODES), DEFAULT_MODES),
        devices=words(devices),
        inputs=choose("inputs policy", words(inputs), INPUTS, INPUTS[:1]),
        budget_s=budget_s,
        passes=passes,
        precision=precision,
        command=command or commands.line(*sys.argv[1:]),
        seed=seed,
        logical_cpus=logical_cpus,
        limits=limits or Limits(),
        explain=explain,
    )


def default_budget_s(passes: int | None, quick: bool) -> float:
    """Wall seconds for a run whose user gave none."""
    if passes is not None:
        return BUDGET_S + passes * SECONDS_A_PASS
    return QUICK_BUDGET_S if quick else BUDGET_S


def limits_for(cell_timeout: float, memory_limit: str) -> Limits:
    """What a child process may take; raises ``UsageError`` where the size is none."""
    from eager_vs_graph.processes.supervise import Limits

    if not memory_limit:
        return Limits(silence_s=cell_timeout)
    return Limits(silence_s=cell_timeout, memory_bytes=int(quantity(memory_limit, MEMORY)))


def _choose_sizes(entries: list[Entry], wanted: list[str]) -> list[str]:
    """The size names to run, of all that any selected scenario has.

    Raises:
        UsageError: a size that no selected scenario has.
    """
    known = list(dict.fromkeys(size for entry in entries for size in entry.sizes))
    if not wanted or wanted == ["all"]:
        return known
    for size in wanted:
        if size not in known:
            raise UsageError(unknown_name_message("size", size, known))
    return wanted
