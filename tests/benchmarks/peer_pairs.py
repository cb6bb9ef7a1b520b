"""The pairs that `peers.py` gives to every tool: a program, its twin, and a slowed twin.

Run by pytest (its two tests, one after the other, with pytest-benchmark's defaults) and by pyperf
(`python peer_pairs.py PAIR ...` is a pyperf runner). The calls are the harness's own programs, so
that every tool times the same thing.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

PAIRS = [
    (scenario, "tiny", mode, slowdown)
    for slowdown in (0.0, 0.05)
    for scenario in ("matmul_chain", "regression_training")
    for mode in ("eager", "function", "session")
]
PAIR = "EAGER_VS_GRAPH_PAIR"
"""Environment variable with the index of the pair to time."""


def calls(index: int) -> list[Callable[[], Any]]:
    """The calls of a pair: a program, and a second one of the same mode, slowed if asked."""
    from eager_vs_graph.processes.lean_import import import_tensorflow

    import_tensorflow()
    from eager_vs_graph.catalog import find as catalog
    from eager_vs_graph.child.adopt.loading import load
    from eager_vs_graph.child.bench.prepare import prepare
    from eager_vs_graph.child.parity.check import subject
    from eager_vs_graph.results.cells import Cell
    from eager_vs_graph.results.request import Timed

    scenario, size, mode, slowdown = PAIRS[index]
    entry = next(entry for entry in catalog.select([]) if entry.name == scenario)
    feeds = subject(load(entry), size)
    cell = Cell(scenario, size, mode, "CPU:0", "resident")
    both = (Timed(cell.id, mode, cell.group, amount) for amount in (0.0, slowdown))
    return [prepare(feeds, timed).program.call for timed in both]


_built: list[Callable[[], Any]] = []


def _pair() -> list[Callable[[], Any]]:
    if not _built:
        _built.extend(calls(int(os.environ[PAIR])))
    return _built


def test_first(benchmark: Any) -> None:
    benchmark(_pair()[0])


def test_second(benchmark: Any) -> None:
    benchmark(_pair()[1])


def _pyperf() -> None:
    import pyperf

    runner = pyperf.Runner()
    runner.parse_args()
    first, second = _pair()
    runner.bench_func("first", first)
    runner.bench_func("second", second)


if __name__ == "__main__":
    _pyperf()
