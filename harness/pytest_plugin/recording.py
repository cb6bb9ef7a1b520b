"""The results of a test suite as a run's record: one pass, one block a cell. No TensorFlow."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
import pytest

from eager_vs_graph.errors import UsageError
from eager_vs_graph.modes import MODES
from eager_vs_graph.results.cells import Cell
from eager_vs_graph.results.record import CellParity, PassCell, PassRecord
from eager_vs_graph.results.request import RunRequest, ScenarioInfo
from eager_vs_graph.results.rounds import Rounds
from eager_vs_graph.results.run import Run

if TYPE_CHECKING:
    from eager_vs_graph.pytest_plugin.tf_modes import TfModes

BY_TESTS = "pytest"


class Reports:
    """Gives a test's report what a record needs; pytest-xdist carries it to the controller."""

    def __init__(self, key: pytest.StashKey[TfModes]) -> None:
        self._key = key
        self._environment: dict[str, Any] = {}

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Add it, while the programs are there."""
        report = yield
        if call.when == "call" and self._key in item.stash:
            from eager_vs_graph.child.environment import describe

            self._environment = self._environment or describe()
            runs = [each.record() for each in item.stash[self._key].functions if each.calls]
            vars(report)["eager_vs_graph"] = {"runs": runs, "environment": self._environment}
        return report


class Writer:
    """Gathers what the tests found, and writes it at the end."""

    def __init__(self, config: pytest.Config, folder: Path) -> None:
        self._config, self._folder = config, folder
        self._runs: list[dict[str, Any]] = []
        self._environment: dict[str, Any] = {}
        self._started = _now()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take in what a test's report brings."""
        if found := getattr(report, "eager_vs_graph", None):
            self._runs += found["runs"]
            self._environment = self._environment or found["environment"]

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Write, and say where."""
        if not self._runs:
            terminalreporter.write_line(
                f"eager-vs-graph: no test ran anything in a mode; nothing written to {self._folder}"
            )
            return
        command = " ".join(["pytest", *map(str, self._config.invocation_params.args)])
        write(self._folder, self._runs, self._environment, command, self._started, _now())
        timed = sum(run["timing"] is not None for run in self._runs)
        terminalreporter.write_line(
            f"eager-vs-graph: {len(self._runs)} cells, {timed} timed; "
            f"`eager-vs-graph report {self._folder}` renders them"
        )


def require_place(folder: Path) -> None:
    """Check that a record may be written to the folder: it is new, empty, or written by tests.

    Raises:
        UsageError: it holds something else.
    """
    if not folder.exists():
        return
    if not folder.is_dir():
        raise UsageError(f"{folder}: is a file, but should be a folder")
    if not any(folder.iterdir()):
        return
    environment = folder / "environment.json"
    if not environment.exists():
        raise UsageError(f"{folder}: is not empty and holds no record; name a new folder")
    if Run(folder).request.recorded_by != BY_TESTS:
        raise UsageError(f"{folder}: is a run of the command line; name another folder")


def write(
    folder: Path,
    records: Sequence[Mapping[str, Any]],
    environment: Mapping[str, Any],
    command: str,
    started: str,
    ended: str,
) -> Run:
    """Write the record, in the place of a former one.

    Args:
        folder: where.
        records: one for each function and mode, as ``CheckedFunction.record`` gives it.
        environment: what the tests ran on.
        command: what was typed.
        started: when, in ISO format.
        ended: likewise.
    """
    by_cell = {record["cell"]: record for record in records}  # a test that ran again counts once
    order = {mode: place for place, mode in enumerate(MODES)}
    groups = list(dict.fromkeys(Cell.parse(cell).group for cell in by_cell))
    cells = sorted(
        map(Cell.parse, by_cell), key=lambda cell: (groups.index(cell.group), order[cell.mode])
    )
    run = Run(folder)
    run.raw.mkdir(parents=True, exist_ok=True)
    for former in run.raw.glob("pass-*"):
        former.unlink()
    run.save_environment(dict(environment), _request(cells, by_cell, command))
    run.save_parity([_parity(by_cell[cell.id]["parity"]) for cell in cells])
    timed = [by_cell[cell.id] for cell in cells if by_cell[cell.id]["timing"]]
    if timed:
        _write_pass(run, timed, started, ended)
    return run


def _write_pass(run: Run, timed: Sequence[Mapping[str, Any]], started: str, ended: str) -> None:
    timings = [record["timing"] for record in timed]
    run.save_rounds(
        1,
        [
            Rounds(record["cell"], timing["group"], 0, np.array([timing["stats"]["data"]]))
            for record, timing in zip(timed, timings, strict=True)
        ],
    )
    clock_s = sum(sum(each["stats"]["data"]) * each["stats"]["iterations"] for each in timings)
    run.save_pass(
        PassRecord(
            number=1,
            outcome="complete",
            started=started,
            ended=ended,
            startup_s=0.0,
            blocks_s=clock_s,
            clock_s=clock_s,
            cells={record["cell"]: PassCell(**record["cold"]) for record in timed},
        )
    )


def _request(
    cells: Sequence[Cell], records: Mapping[str, Mapping[str, Any]], command: str
) -> RunRequest:
    modes = [mode for mode in MODES if mode in {cell.mode for cell in cells}]
    scenarios: dict[str, ScenarioInfo] = {}
    for cell in cells:
        record = records[cell.id]
        scenario = scenarios.setdefault(cell.scenario, ScenarioInfo(record["summary"]))
        scenario.sizes.setdefault(cell.size, record["arguments"])
    return RunRequest(
        command=command,
        recorded_by=BY_TESTS,
        scenarios=scenarios,
        cells=[cell.id for cell in cells],
        modes=modes,
        about_modes={mode: MODES[mode].about() for mode in modes},
        devices=list(dict.fromkeys(cell.device for cell in cells)),
        inputs=list(dict.fromkeys(cell.inputs for cell in cells)),
    )


def _parity(content: Mapping[str, Any]) -> CellParity:
    return msgspec.convert(content, CellParity)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
