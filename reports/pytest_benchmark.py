"""A run's rounds in pytest-benchmark's own format, for its tools and for those that read it."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Any, cast

from pytest_benchmark import __version__
from pytest_benchmark.stats import Stats

from eager_vs_graph.results.cells import Cell
from eager_vs_graph.results.codec import write_json
from eager_vs_graph.results.run import Run


def export(run: Run, file: Path) -> None:
    """Write one benchmark a cell: the rounds of all passes, in seconds per call.

    Args:
        run: the run, which has been timed.
        file: where; it is replaced.

    Raises:
        UsageError: the record is damaged, or the file cannot be written.
    """
    seconds: dict[str, list[float]] = defaultdict(list)
    for number in run.pass_numbers():
        for timed in run.rounds(number):
            seconds[timed.cell] += timed.seconds.ravel().tolist()
    environment = run.environment
    content = {
        "machine_info": {
            "node": "",
            "python_version": environment.get("python"),
            "cpu": {"brand_raw": environment.get("cpu")},
        },
        "commit_info": {"id": environment.get("revision")},
        "benchmarks": [_benchmark(Cell.parse(cell), data) for cell, data in seconds.items()],
        "datetime": environment.get("started"),
        "version": __version__,
    }
    write_json(file, content)


def _benchmark(cell: Cell, data: list[float]) -> dict[str, Any]:
    stats = Stats()  # type: ignore[no-untyped-call]
    stats.data = data
    return {
        "group": cell.group,
        "name": cell.id,
        "fullname": cell.id,
        "params": vars(cell),
        "param": cell.id,
        "extra_info": vars(cell),
        "options": {},
        "stats": {**cast(Any, stats).as_dict(), "data": data, "iterations": 1},
    }
