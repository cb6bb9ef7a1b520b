"""A run's record made of what a test-suite found: one pass, one block a cell. No TensorFlow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from eager_vs_graph.errors import UsageError
from eager_vs_graph.modes import MODES
from eager_vs_graph.results.cells import Cell
from eager_vs_graph.results.codec import write_json
from eager_vs_graph.results.record import CellParity, PassCell, PassRecord
from eager_vs_graph.results.request import ModeInfo, RunRequest, ScenarioInfo
from eager_vs_graph.results.run import Run

BY_TESTS = "pytest"


def require_place(folder: Path) -> None:
    """Check that a record may be written to the folder: it is new, empty, or a former one of ours.

    Raises:
        UsageError: it holds something else.
    """
    if not folder.exists():
        return
    if not folder.is_dir():
        raise UsageError(f"--modes-record {folder}: is a file, but should be a folder")
    if not any(folder.iterdir()):
        return
    environment = folder / "environment.json"
    if not environment.exists():
        raise UsageError(
            f"--modes-record {folder}: is not empty and holds no record; name a new folder"
        )
    if Run(folder).request.recorded_by != BY_TESTS:
        raise UsageError(
            f"--modes-record {folder}: is a run of the command line; name another folder"
        )


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
        records: one for each function and mode, as ``eager_vs_graph.pytest_plugin.run`` makes them.
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
    for former in run.raw.glob("pass-*.json"):
        former.unlink()
    run.save_environment(dict(environment), _request(cells, by_cell, command))
    run.save_parity([_parity(by_cell[cell.id]["parity"]) for cell in cells])
    timed = [by_cell[cell.id] for cell in cells if by_cell[cell.id]["timing"]]
    if timed:
        _write_pass(run, timed, started, ended)
    return run


def _write_pass(run: Run, timed: Sequence[Mapping[str, Any]], started: str, ended: str) -> None:
    timings = [record["timing"] for record in timed]
    write_json(run.pass_file(1), {"benchmarks": timings, "machine_info": {}, "commit_info": {}})
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
        about_modes={mode: msgspec.convert(MODES[mode].about(), ModeInfo) for mode in modes},
        devices=list(dict.fromkeys(cell.device for cell in cells)),
        inputs=list(dict.fromkeys(cell.inputs for cell in cells)),
    )


def _parity(content: Mapping[str, Any]) -> CellParity:
    return msgspec.convert(content, CellParity)
