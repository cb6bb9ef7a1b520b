"""The harness's calls beside the same computation as anybody would write it, in one process.

For `matmul_chain` at 8×8, each mode of the harness and a call written here by hand, which shares
nothing with it, are programs of one group: they take turns call by call, in random order. What
counts is the median of the turns' log ratios.

    python tests/benchmarks/bare_loop.py [seconds]
"""

from __future__ import annotations

import random
import sys
import tempfile
from collections.abc import Callable
from copy import copy
from dataclasses import replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from eager_vs_graph.processes.lean_import import import_tensorflow

import_tensorflow()

import numpy as np
import tensorflow as tf

from eager_vs_graph.catalog import find as catalog
from eager_vs_graph.child.adopt.loading import load
from eager_vs_graph.child.bench.items import Items, run
from eager_vs_graph.child.bench.prepare import Prepared, calibrate, prepare
from eager_vs_graph.child.bench.schedule import MAX_ITEMS, Item, blocks_of_item
from eager_vs_graph.child.parity.check import subject
from eager_vs_graph.processes.journal import Follower, Journal
from eager_vs_graph.results.cells import Cell
from eager_vs_graph.results.request import Timed
from eager_vs_graph.results.rounds import of_journal

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


def beside(prepared: Prepared, call: Callable[[], Any]) -> Prepared:
    """The hand-written call as one more program of the group."""
    program = copy(prepared.program)
    program.call = call
    program.load = lambda _state: None  # type: ignore[method-assign]
    cell = prepared.cell.in_mode(f"{prepared.mode}+hand")
    return replace(prepared, cell=cell, program=program)


def main(seconds: float) -> None:
    """Print what a call takes, and how much longer the harness's own takes."""
    entry = next(e for e in catalog.select([]) if e.name == SCENARIO)
    parameters = subject(load(entry), SIZE)
    products = parameters.scenario.sizes[SIZE].products
    programs: list[Prepared] = []
    for mode in MODES:
        cell = Cell(SCENARIO, SIZE, mode, "CPU:0", "resident")
        own = prepare(parameters, Timed(cell.id, mode, cell.group))
        call = by_hand(mode, parameters.feeds[0]["a"], products)
        for _ in range(50):
            call()
        programs += [own, beside(own, call)]
    prepared = {each.cell.id: each for each in calibrate(programs)}
    group, cells = programs[0].group, tuple(prepared)
    blocks = blocks_of_item(sum(each.turn_s for each in prepared.values()))
    items = [Item(group, cells, number * blocks, blocks) for number in range(MAX_ITEMS * 20)]
    with tempfile.TemporaryDirectory() as folder:
        journal = Path(folder) / "journal.jsonl"
        run(Items(items, prepared, Journal(journal), seconds, random.Random(0)))
        told = [event for event in Follower(journal).events() if event["event"] == "item"]
    timed = [of_journal(each) for event in told for each in event["rounds"]]
    fastest = {
        cell: np.concatenate([t.seconds.min(axis=1) for t in timed if t.cell == cell]).astype(float)
        for cell in cells
    }
    print(f"{'mode':10}{'harness':>12}{'by hand':>12}{'longer by':>11}   blocks")
    for own, hand in zip(programs[::2], programs[1::2], strict=True):
        harness_s, hand_s = fastest[own.cell.id], fastest[hand.cell.id]
        longer = np.exp(np.median(np.log(harness_s / hand_s))) - 1
        print(
            f"{own.mode:10}{np.median(harness_s) * 1e6:9.1f} µs{np.median(hand_s) * 1e6:9.1f} µs"
            f"{longer:+11.2%}   {len(harness_s)}"
        )


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 20.0)
