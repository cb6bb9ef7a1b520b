"""The harness's medians beside a hand-written loop of the same call, in one process, interleaved.

For `matmul_chain` at 8×8, each mode is timed by the harness (its runner, pytest-benchmark, a pass's
calibration) and, right after each block, by a plain `for` loop around code written here by hand,
which shares nothing with the harness. What counts is the ratio of the two medians.

    python tests/benchmarks/bare_loop.py [blocks]
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from eager_vs_graph.processes.lean_import import import_tensorflow

import_tensorflow()

import tensorflow as tf

from eager_vs_graph.catalog import find as catalog
from eager_vs_graph.child.adopt.loading import load
from eager_vs_graph.child.bench.blocks import Blocks, run
from eager_vs_graph.child.bench.prepare import Prepared, pace, prepare
from eager_vs_graph.child.bench.schedule import Turn
from eager_vs_graph.child.parity.check import subject
from eager_vs_graph.processes.journal import Journal
from eager_vs_graph.results.cells import Cell
from eager_vs_graph.results.request import Timed

SCENARIO, SIZE = "matmul_chain", "tiny"
MODES = ("eager", "function", "session")


def by_hand(mode: str, matrix: Any, products: int) -> Callable[[], Any]:
    """The same computation as anybody would write it; returns the call to time."""

    def chain(a: Any) -> Any:
        x = a
        for _ in range(products):
            x = tf.matmul(x, a)
        return x

    if mode == "session":
        with tf.Graph().as_default():
            resident = tf.compat.v1.get_variable("a", initializer=matrix, trainable=False)
            power = chain(resident.read_value())
            session = tf.compat.v1.Session()
            session.run(resident.initializer)
            return session.make_callable(power)
    constant = tf.constant(matrix)
    step = chain if mode == "eager" else tf.function(chain)
    return lambda: step(constant).numpy()


class Interleaved(Blocks):
    """Times the hand-written loop right after each of the harness's blocks."""

    hand: dict[str, Callable[[], Any]]
    loops: dict[str, list[float]]
    blocks_s: dict[str, list[float]]

    def time(self, benchmark: Any, cell: str, block: int, position: int) -> None:
        # Who comes second finds warmer caches, so they take turns.
        if block % 2:
            self._loop(cell)
        super().time(benchmark, cell, block, position)
        self.blocks_s[cell] += benchmark.stats.stats.data
        if not block % 2:
            self._loop(cell)

    def _loop(self, cell: str) -> None:
        prepared, call = self.prepared[cell], self.hand[cell]
        for _ in range(prepared.iterations):  # as the harness's warm-up round
            call()
        for _ in range(prepared.rounds):
            start = time.perf_counter()
            for _ in range(prepared.iterations):
                call()
            self.loops[cell].append((time.perf_counter() - start) / prepared.iterations)


def main(blocks: int) -> None:
    entry = next(e for e in catalog.select([]) if e.name == SCENARIO)
    parameters = subject(load(entry), SIZE)
    size = parameters.scenario.sizes[SIZE]
    prepared: dict[str, Prepared] = {}
    hand: dict[str, Callable[[], Any]] = {}
    for mode in MODES:
        cell = Cell(SCENARIO, SIZE, mode, "CPU:0", "resident")
        prepared[cell.id] = prepare(parameters, Timed(cell.id, mode, cell.group))
        hand[cell.id] = by_hand(mode, parameters.feeds[0]["a"], size.products)
        for _ in range(50):
            hand[cell.id]()
    paced = pace(list(prepared.values()))
    # More rounds than a pass takes: 2 % of a median is to be seen in a minute.
    prepared = {p.cell.id: replace(p, rounds=10) for p in paced}
    turns = [Turn(cell, block, 0) for block in range(blocks) for cell in prepared]
    with tempfile.TemporaryDirectory() as folder:
        plugin = Interleaved(turns, prepared, Journal(Path(folder) / "journal.jsonl"), 1, 600.0)
        plugin.hand = hand
        plugin.loops = {cell: [] for cell in prepared}
        plugin.blocks_s = {cell: [] for cell in prepared}
        run(plugin, Path(folder) / "result.json")
    print(f"{'mode':10}{'harness':>12}{'by hand':>12}{'ratio':>9}")
    for cell in prepared:
        harness_s = statistics.median(plugin.blocks_s[cell])
        hand_s = statistics.median(plugin.loops[cell])
        mode = Cell.parse(cell).mode
        print(f"{mode:10}{harness_s * 1e6:9.1f} µs{hand_s * 1e6:9.1f} µs{harness_s / hand_s:9.3f}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 200)
