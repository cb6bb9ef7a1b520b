"""Makes a record of any size from a real one, to see what reports cost as runs grow.

    python tests/benchmarks/big_record.py results/latest big --cells 10000 --rounds 1000000
    python tests/benchmarks/big_record.py results/latest big --cells 10000 --rounds 1000000 --report

Every group of the record is copied under new names of its scenario, with its parity, explanations,
costs and blocks, until there are so many cells; its blocks are repeated, in their order, until
there are so many rounds. Every copy's times are those of its original, times a factor of its own
and a little noise, so that no two cells are alike. The files are written by the record's classes.

With ``--report``, the record is rendered in a process of its own; seconds, peak memory and bytes
are printed as a row of a table.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import count, cycle, islice
from pathlib import Path

import numpy as np

from eager_vs_graph.results.cells import Cell
from eager_vs_graph.results.rounds import Rounds
from eager_vs_graph.results.run import Run

NOISE = 0.02


def main() -> None:
    """Write the record, and render it if that is asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("source", type=Path, help="a run's folder")
    parser.add_argument("target", type=Path, help="a folder that does not exist yet")
    parser.add_argument("--cells", type=int, required=True)
    parser.add_argument("--rounds", type=int, required=True)
    parser.add_argument("--report", action="store_true", help="render it, and say what that costs")
    asked = parser.parse_args()
    write(asked.source, asked.target, asked.cells, asked.rounds)
    if asked.report:
        print(cost(asked.target, asked.cells, asked.rounds))


def write(source: Path, target: Path, cells: int, rounds: int) -> None:
    """Write a record of so many cells and about so many rounds.

    Args:
        source: a run's folder.
        target: a folder that does not exist yet.
        cells: how many; controls are among them.
        rounds: how many timed rounds, of all passes together.
    """
    target.mkdir(parents=True)
    old, new = Run(source), Run(target)
    new.raw.mkdir()
    request = old.request
    copies: dict[str, list[Cell]] = {}
    every = list(islice(_copies([Cell.parse(each) for each in request.cells]), cells))
    for original, copy in every:
        copies.setdefault(original.id, []).append(copy)
    scenarios = {
        copy.scenario: request.scenarios[original.scenario]
        for original, copy in every
        if original.scenario in request.scenarios
    }
    timed = [
        replace(each, cell=copy.id, group=copy.group)
        for each in request.timed
        for copy in copies.get(each.cell, [])
    ]
    ids = [copy.id for _, copy in every]
    new.save_environment(
        old.environment, replace(request, cells=ids, scenarios=scenarios, timed=timed)
    )
    new.save_parity(
        [replace(each, cell=copy.id) for each in old.parity() for copy in copies.get(each.cell, [])]
    )
    new.save_explanations(
        [
            replace(each, cell=copy.id)
            for each in old.explanations()
            for copy in copies.get(each.cell, [])
        ]
    )
    numbers = old.pass_numbers()
    for number in numbers:
        record = old.pass_record(number)
        of_pass = {
            copy.id: entry for cell, entry in record.cells.items() for copy in copies.get(cell, [])
        }
        new.save_pass(replace(record, cells=of_pass))
        made = _rounds(old.rounds(number), copies, rounds // len(numbers), seed=number)
        new.save_rounds(number, list(made))


def _copies(cells: list[Cell]) -> Iterator[tuple[Cell, Cell]]:
    """Cells with their copies, whole groups after each other, without end."""
    for number in count():
        for cell in cells:
            name = f"{cell.scenario}_{number:04d}" if number else cell.scenario
            yield cell, replace(cell, scenario=name)


def _rounds(
    timed: list[Rounds], copies: dict[str, list[Cell]], rounds: int, seed: int
) -> Iterator[Rounds]:
    """The rounds of all copies, each cell with its share of them."""
    rng = np.random.default_rng(seed)
    by_cell: dict[str, list[Rounds]] = {}
    for each in timed:
        by_cell.setdefault(each.cell, []).append(each)
    cells = sum(len(copies.get(cell, [])) for cell in by_cell)
    for cell, of_cell in by_cell.items():
        for number, copy in enumerate(copies.get(cell, [])):
            # The same for all cells of a group: their ratio stays what it is.
            factor = np.exp(0.3 * np.random.default_rng(number).standard_normal())
            left, block = rounds // max(cells, 1), 0
            for each in cycle(of_cell):
                seconds = each.seconds[: max(1, left // each.seconds.shape[1])]
                noise = np.exp(NOISE * rng.standard_normal(seconds.shape))
                made = replace(each, cell=copy.id, group=copy.group, block=block)
                yield replace(made, seconds=(seconds * factor * noise).astype(np.float32))
                left, block = left - seconds.size, block + len(seconds)
                if left <= 0:
                    break


def cost(folder: Path, cells: int, rounds: int) -> str:
    """Render a record in a fresh process: a row of a Markdown table."""
    script = (
        "import resource, sys, pathlib; from eager_vs_graph.reports import render; "
        "render(pathlib.Path(sys.argv[1])); "
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    )
    begin = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", script, str(folder)], check=True, capture_output=True, text=True
    )
    seconds = time.perf_counter() - begin
    memory = int(done.stdout) / 2**20
    record = sum(file.stat().st_size for file in Run(folder).raw.glob("*"))
    page = (folder / "report.html").stat().st_size
    return (
        f"| {cells:,} | {rounds:,} | {seconds:.1f} s | {memory:.2f} GiB | {page / 1e6:.2f} MB | "
        f"{record / rounds:.0f} bytes |"
    )


if __name__ == "__main__":
    main()
