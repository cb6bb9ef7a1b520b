"""The pytest item of one block of one cell, and the plugin that makes the items.

``run`` starts a pytest session in this process over this very file. pytest-benchmark is the only
clock; its JSON keeps every round.

Garbage collection stays on, as it is for users; objects that exist before the first block are
frozen, so that a collection inside the clock does not walk the programs of every other cell.
"""

from __future__ import annotations

import gc
import os
import platform
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from eager_vs_graph.child.bench.prepare import Prepared
from eager_vs_graph.child.bench.schedule import Turn
from eager_vs_graph.child.machine import cpu_model, probe_s
from eager_vs_graph.modes.failures import failure
from eager_vs_graph.modes.retraces import RetraceWarnings
from eager_vs_graph.processes.journal import Journal


class Blocks:
    """The plugin: turns become items, failures cost a cell, every finished block is journalled."""

    def __init__(
        self,
        turns: Sequence[Turn],
        prepared: Mapping[str, Prepared],
        journal: Journal,
        pass_number: int,
        seconds: float,
        bare_loops: bool = False,
        parent: int | None = None,
    ) -> None:
        self.turns = turns
        self.prepared = prepared
        self.journal = journal
        self.pass_number = pass_number
        self.seconds = seconds
        self.bare_loops = bare_loops
        self._began = time.monotonic()
        self._late = False
        self.failed: dict[str, tuple[str, str]] = {}
        self.probes: list[float] = []
        self.clock_s = 0.0
        self._parent = parent or os.getppid()

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Make an item of every turn."""
        metafunc.parametrize(
            ("cell", "block", "position"),
            [(turn.cell, turn.block, turn.position) for turn in self.turns],
            ids=[f"{turn.cell}-{turn.block}" for turn in self.turns],
        )

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
    def blocks(self) -> Blocks:
        """The plugin itself."""
        return self

    def time(self, benchmark: Any, cell: str, block: int, position: int) -> None:
        """Time one block of a cell from the initial state; a failed cell is skipped."""
        if os.getppid() != self._parent:
            pytest.exit("the parent process is gone", returncode=3)
        if position == 0:  # a block that has begun is finished: its cells are compared
            # On a machine that has become slow, a group would else have no block in the whole pass.
            self._late = block > 0 and time.monotonic() - self._began > self.seconds
        if self._late:
            pytest.skip("the pass has had its time")
        if cell in self.failed:
            pytest.skip("the cell failed earlier in this pass")
        prepared = self.prepared[cell]
        self.journal.write("cell", cell=cell, stage="blocks")
        try:
            # Every block starts from the initial state: every mode times the same values.
            prepared.program.load(prepared.initial)
            probe = probe_s()
            bare_s = bare_loop(prepared) if self.bare_loops and block % 2 else []
            with prepared.program.task.on_device():
                benchmark.pedantic(
                    prepared.program.call,
                    rounds=prepared.rounds,
                    iterations=prepared.iterations,
                )
            if self.bare_loops and not bare_s:  # in turns: who comes second finds warm caches
                bare_s = bare_loop(prepared)
        except KeyboardInterrupt:
            benchmark.has_error = True  # half a block is no block: pytest-benchmark leaves it out
            raise
        except Exception as error:
            status, reason = failure(error, prepared.program.task.scenario.source_file())
            self.failed[cell] = status, reason
            self.journal.write("failed", cell=cell, status=status, reason=reason)
            raise
        self.probes.append(probe)
        benchmark.extra_info.update(
            {
                "cell": cell,
                "scenario": prepared.cell.scenario,
                "size": prepared.cell.size,
                "mode": prepared.cell.mode,
                "device": prepared.cell.device,
                "inputs": prepared.cell.inputs,
                "pass": self.pass_number,
                "block": block,
                "position": position,
                "probe_s": probe,
            }
        )
        if bare_s:
            benchmark.extra_info["bare_s"] = bare_s
        benchmark.stats.group = prepared.group
        self.clock_s += sum(benchmark.stats.stats.data) * prepared.iterations
        self.journal.write("block", cell=cell, benchmark=benchmark.stats.as_dict())


def bare_loop(prepared: Prepared) -> list[float]:
    """Seconds per call of a plain loop of the same call, one for each round."""
    call, iterations = prepared.program.call, range(prepared.iterations)
    rounds = []
    with prepared.program.task.on_device():
        for _ in range(prepared.rounds):
            start = time.perf_counter()
            for _ in iterations:
                call()
            rounds.append((time.perf_counter() - start) / prepared.iterations)
    return rounds


def test_block(benchmark: Any, blocks: Blocks, cell: str, block: int, position: int) -> None:
    """Time one block of one cell."""
    blocks.time(benchmark, cell, block, position)


def run(blocks: Blocks, result: Path) -> tuple[int, RetraceWarnings]:
    """Time every turn; pytest-benchmark writes the rounds to ``result``.

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
        f"--benchmark-json={result}",
    ]
    # Only pytest-benchmark: what else is installed has no business beside the clock.
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    gc.collect()
    gc.freeze()
    try:
        with RetraceWarnings() as retraces:
            code = pytest.main([*options, __file__], plugins=[blocks])
    finally:
        gc.unfreeze()
    return int(code), retraces
