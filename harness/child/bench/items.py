"""The pytest item: some blocks of one group, timed call by call while its programs take turns.

``run`` starts a pytest session in this process over this very file. pytest-benchmark is the only
clock: ``benchmark.pedantic`` times single calls, and its setup, which is not timed, chooses whose
turn it is. So the programs of a group are compared within a millisecond, where the machine is in
one state for all of them.

Garbage collection stays on, as it is for users; objects that exist before the first block are
frozen, so that a collection inside the clock does not walk the programs of every other cell.
"""

from __future__ import annotations

import gc
import operator
import os
import platform
import random
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from eager_vs_graph.child.bench.prepare import Prepared
from eager_vs_graph.child.bench.schedule import Item
from eager_vs_graph.child.machine import cpu_model, probe_s
from eager_vs_graph.modes.failures import failure
from eager_vs_graph.modes.retraces import RetraceWarnings
from eager_vs_graph.processes.journal import Journal
from eager_vs_graph.results.rounds import Rounds, to_journal

ANNOUNCED_S = 0.01
"""A turn that takes longer is announced in the journal, which the parent watches for progress; of
shorter ones a number in shared memory says whose it is, because writing a file would disturb
them."""


BARE_EVERY = 8
"""Of so many items of a group, one is timed once more by hand, where that is asked for."""


class Items:
    """The plugin: failures cost a cell, and every finished item is journalled."""

    def __init__(
        self,
        items: Sequence[Item],
        prepared: Mapping[str, Prepared],
        journal: Journal,
        seconds: float,
        rng: random.Random,
        bare_loops: bool = False,
        parent: int | None = None,
    ) -> None:
        self.items = items
        self.prepared = prepared
        self.journal = journal
        self.seconds = seconds
        self.bare_loops = bare_loops
        self.failed: dict[str, tuple[str, str]] = {}
        self.probes: list[float] = []
        self.clock_s = 0.0
        self._rng = rng
        self._began = time.monotonic()
        self._parent = parent or os.getppid()

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Make the items."""
        ids = [f"{item.group}-{item.block}" for item in self.items]
        metafunc.parametrize("item", self.items, ids=ids)

    def pytest_benchmark_generate_machine_info(self) -> dict[str, Any]:
        """Keep pytest-benchmark from starting a process to ask for the CPU."""
        return {
            "node": "",
            "machine": platform.machine(),
            "system": platform.system(),
            "release": platform.release(),
            "python_implementation": platform.python_implementation(),
            "python_version": platform.python_version(),
            "cpu": {"brand_raw": cpu_model()},
        }

    def pytest_report_teststatus(self) -> tuple[str, str, str]:
        """Print nothing for an item: the journal says it."""
        return "", "", ""

    @pytest.fixture
    def items_of_pass(self) -> Items:
        """The plugin itself."""
        return self

    def time(self, benchmark: Any, item: Item) -> None:
        """Time an item's blocks, each program from its initial state; what fails is left out."""
        if os.getppid() != self._parent:
            pytest.exit("the parent process is gone", returncode=3)
        if item.block > 0 and time.monotonic() - self._began > self.seconds:
            # On a machine that has become slow, a group would else have no block in the whole pass.
            pytest.skip("the pass has had its time")
        programs = self._from_initial_state(item.cells)
        if not programs:
            pytest.skip("its cells failed earlier in this pass")
        turns = Turns(programs, item.blocks, self._rng, self.journal)
        probe = probe_s()
        self.probes.append(probe)
        number = item.block // item.blocks
        by_hand = self.bare_loops and number % BARE_EVERY == 0
        bare_first = bool(number // BARE_EVERY % 2)  # who comes second finds warm caches
        bare = turns.by_hand() if by_hand and bare_first else {}
        try:
            with programs[0].program.task.on_device():
                benchmark.pedantic(
                    operator.call, setup=turns.next, rounds=turns.rounds, iterations=1
                )
        except KeyboardInterrupt:
            self._keep(item, turns, benchmark, probe, bare)
            raise
        except Exception as error:
            self._fail(turns.at, error)
            self._keep(item, turns, benchmark, probe, bare)
            raise
        if by_hand and not bare_first:
            bare = turns.by_hand()
        self._keep(item, turns, benchmark, probe, bare)

    def _from_initial_state(self, cells: Sequence[str]) -> list[Prepared]:
        """Every item begins with the same values in every mode."""
        programs = []
        for cell in cells:
            if cell in self.failed:
                continue
            prepared = self.prepared[cell]
            self.journal.write("cell", cell=cell, stage="blocks")
            try:
                prepared.program.load(prepared.initial)
            except Exception as error:
                self._fail(prepared, error)
            else:
                programs.append(prepared)
        return programs

    def _fail(self, prepared: Prepared, error: Exception) -> None:
        cell = prepared.cell.id
        status, reason = failure(error, prepared.program.task.scenario.source_file())
        self.failed[cell] = status, reason
        self.journal.write("failed", cell=cell, status=status, reason=reason)

    def _keep(
        self, item: Item, turns: Turns, benchmark: Any, probe: float, bare: dict[str, float]
    ) -> None:
        """Journal the blocks that were finished: half a block is no block."""
        seconds = benchmark.stats.stats.data if benchmark.stats else []
        self.clock_s += sum(seconds)
        by_cell = turns.by_cell(seconds)
        rounds = [
            to_journal(
                Rounds(
                    cell,
                    item.group,
                    item.block,
                    of_cell,
                    probe,
                    bare.get(cell),
                )
            )
            for cell, of_cell in by_cell.items()
            if len(of_cell)
        ]
        self.journal.write("item", rounds=rounds)


class Turns:
    """Whose turn it is, call by call: every block a turn of every program, in random order."""

    def __init__(
        self, programs: Sequence[Prepared], blocks: int, rng: random.Random, journal: Journal
    ) -> None:
        self._programs = programs
        self._orders = [rng.sample(range(len(programs)), len(programs)) for _ in range(blocks)]
        self._calls_of_block = sum(prepared.turn for prepared in programs)
        self._journal = journal
        self._place = journal.place([prepared.cell.id for prepared in programs])
        self._sequence = self._one_after_another()
        self.rounds = blocks * self._calls_of_block
        self.next: Callable[[], Any] = self._sequence.__next__

    @property
    def at(self) -> Prepared:
        """The program whose turn it is."""
        return self._programs[self._place[0]]

    def _one_after_another(self) -> Iterator[tuple[tuple[Any, ...], dict[str, Any]]]:
        """Arguments of ``operator.call`` for every round."""
        arguments: list[tuple[tuple[Any, ...], dict[str, Any]]] = [
            ((prepared.program.call,), {}) for prepared in self._programs
        ]
        place = self._place
        for order in self._orders:
            for at in order:
                prepared = self._programs[at]
                place[0] = at
                if prepared.turn_s > ANNOUNCED_S:
                    self._journal.write("cell", cell=prepared.cell.id, stage="blocks")
                for _ in range(prepared.turn):
                    yield arguments[at]

    def by_cell(self, seconds: Sequence[float]) -> dict[str, np.ndarray[Any, Any]]:
        """The rounds of every program, finished blocks × rounds of a turn."""
        finished = len(seconds) // self._calls_of_block
        blocks = np.array(seconds[: finished * self._calls_of_block]).reshape(finished, -1)
        turns = np.array([prepared.turn for prepared in self._programs])
        parts: list[list[Any]] = [[] for _ in turns]
        for block, order in zip(blocks, self._orders, strict=False):
            for at, part in zip(order, np.split(block, np.cumsum(turns[order])[:-1]), strict=True):
                parts[at].append(part)
        return {
            prepared.cell.id: np.array(part).reshape(len(part), prepared.turn)
            for prepared, part in zip(self._programs, parts, strict=True)
        }

    def by_hand(self) -> dict[str, float]:
        """The same turns by a clock around the call, as anybody would write it, in seconds."""
        fastest: dict[str, list[float]] = {prepared.cell.id: [] for prepared in self._programs}
        with self._programs[0].program.task.on_device():
            for order in self._orders:
                for at in order:
                    prepared = self._programs[at]
                    seconds = loop(prepared.program.call, prepared.turn)
                    fastest[prepared.cell.id].append(min(seconds))
        return {cell: statistics.median(values) for cell, values in fastest.items()}


def loop(call: Callable[[], object], calls: int) -> list[float]:
    """Seconds of every call of a plain loop."""
    clock = time.perf_counter
    seconds = []
    for _ in range(calls):
        start = clock()
        call()
        end = clock()
        seconds.append(end - start)
    return seconds


def test_item(benchmark: Any, items_of_pass: Items, item: Item) -> None:
    """Time some blocks of one group."""
    items_of_pass.time(benchmark, item)


def run(items: Items) -> tuple[int, RetraceWarnings]:
    """Time every item.

    Returns:
        pytest's exit code, and the retracing warnings that TensorFlow gave meanwhile.
    """
    options = [
        "--rootdir",
        str(Path(__file__).parent),
        "--confcutdir",
        str(Path(__file__).parent),
        "-c",
        os.devnull,
        "-p",
        "no:cacheprovider",
        "-p",
        "no:logging",
        "-p",
        "pytest_benchmark.plugin",
        "-q",
        "--no-header",
        "--no-summary",
        "--capture=no",
        "--benchmark-quiet",
        "--benchmark-timer=time.perf_counter",
    ]
    # Only pytest-benchmark: what else is installed has no business beside the clock.
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    gc.collect()
    gc.freeze()
    try:
        with RetraceWarnings() as retraces:
            code = pytest.main([*options, __file__], plugins=[items])
    finally:
        gc.unfreeze()
    return int(code), retraces
