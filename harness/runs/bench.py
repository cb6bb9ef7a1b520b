"""From a request to a run's folder: check parity, then measure passes. Free of TensorFlow."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from eager_vs_graph.catalog.entry import Entry
from eager_vs_graph.errors import Interrupted, UsageError
from eager_vs_graph.modes import MODES
from eager_vs_graph.processes.jobs import CheckJob, Timed
from eager_vs_graph.processes.journal import Event
from eager_vs_graph.processes.supervise import Limits, Outcome, run_child
from eager_vs_graph.results import explanation
from eager_vs_graph.results.cells import CONTROL, Cell
from eager_vs_graph.results.explanation import Explanation
from eager_vs_graph.results.record import (
    CRASHED,
    TIMEOUT,
    CellParity,
    CheckpointParity,
    Run,
    TensorComparison,
    reading,
)
from eager_vs_graph.runs import command, disagreements
from eager_vs_graph.runs.budget import Stop
from eager_vs_graph.runs.passes import Costs, PassRunner, Schedule, recover
from eager_vs_graph.runs.progress import Progress

FILES = "files"
_MAX_LOST = 20
_TRACE_S = 0.3
_PREPARE_S = 0.1
"""Seconds to build and warm a program of negligible calls: a first guess."""
_SHORT_BLOCK_S = 0.012
MAX_CONTROLS = 12
"""Groups that have an A/A control: enough to know the noise floor; the rest of the time is for the
comparisons that were asked for."""
NO_CONTROL_S = 1.0
"""A group with longer calls has no A/A control of its own: it would cost a quarter of its time."""


@dataclass(frozen=True)
class Request:
    """What the user asked for."""

    entries: list[Entry]
    sizes: list[str]
    modes: list[str]
    devices: list[str]
    inputs: list[str]
    budget_s: float
    """Wall seconds for everything after installation."""
    passes: int | None
    """Exactly so many passes; None means as many as precision needs and the budget allows."""
    precision: float
    """Half-width of a speed-up's 95 % interval to reach, as a fraction."""
    command: str
    seed: int = 0
    logical_cpus: int = 1
    limits: Limits = field(default_factory=Limits)
    explain: bool = True
    """Whether to find out why cells disagree, after the check."""

    @property
    def control_of(self) -> str:
        """The mode that the A/A control repeats: a traced one, if there is one."""
        return "function" if "function" in self.modes else self.modes[0]


@dataclass
class CheckResult:
    """What the check found."""

    cells: list[Cell] = field(default_factory=list)
    devices: list[str] = field(default_factory=list)
    absent: list[str] = field(default_factory=list)
    environment: dict[str, Any] = field(default_factory=dict)
    parity: dict[str, CellParity] = field(default_factory=dict)
    checkpoints: dict[tuple[str, str], CheckpointParity] = field(default_factory=dict)
    """By the cell that wrote and the cell that restored."""
    finished: list[list[str]] = field(default_factory=list)
    """Scenario and size of the cells that need no further look."""
    uncounted: list[list[str]] = field(default_factory=list)
    """Scenario and size whose work could not be compared."""
    startup_s: float = 0.0
    adopted: dict[str, dict[str, Any]] = field(default_factory=dict)
    """By scenario: the arguments and notes of what was adopted (``Scenario.adopted``)."""

    def in_order(self) -> list[CellParity]:
        """The parity of the cells in the order of the grid."""
        return [self.parity[cell.id] for cell in self.cells if cell.id in self.parity]


def check(request: Request, folder: Path, progress: Progress) -> CheckResult:
    """Check the parity of every cell, in as many processes as it takes.

    Args:
        request: what to check.
        folder: for plans, journals and output of the processes; what the compared steps wrote is
            left in its subfolder ``FILES``.
        progress: is told.

    Raises:
        UsageError: nothing to check, or a scenario breaks its contract.
        Interrupted: the user stopped it.
    """
    checked = CheckResult()

    def listen(event: Event) -> None:
        match event.pop("event"):
            case "imported":
                checked.startup_s = event["startup_s"]
            case "adopted":
                checked.adopted[event["scenario"]] = event
            case "grid":
                checked.cells = [Cell.parse(text) for text in event["cells"]]
                checked.devices, checked.absent = event["devices"], event["absent"]
                checked.environment = event["environment"]
                progress.stage("parity", len(checked.cells))
            case "parity":
                tensors = tuple(TensorComparison(**tensor) for tensor in event.pop("tensors"))
                checked.parity[event["cell"]] = CellParity(**event, tensors=tensors)
                progress.advance(event["cell"])
            case "work":
                cell = checked.parity[event["cell"]]
                checked.parity[event["cell"]] = replace(cell, unequal_work=event["unequal_work"])
            case "checkpoint":
                checked.checkpoints[event["wrote"], event["read"]] = CheckpointParity(**event)
            case "checked":
                checked.finished.append([event["scenario"], event["size"]])

    progress.stage("importing TensorFlow")
    for attempt in range(_MAX_LOST):
        plan = CheckJob(
            entries=request.entries,
            sizes=request.sizes,
            modes=request.modes,
            devices=request.devices,
            inputs=request.inputs,
            logical_cpus=request.logical_cpus,
            excluded=[
                cell.cell for cell in checked.parity.values() if cell.status in (CRASHED, TIMEOUT)
            ],
            done=list(checked.parity),
            finished=checked.finished,
            uncounted=checked.uncounted,
            files=str(folder / FILES),
        )
        outcome = run_child(plan, folder, f"check-{attempt}", listen, request.limits, progress.tick)
        if outcome.status == "complete":
            return checked
        _give_up_cell(outcome, checked, progress)
    raise UsageError(f"{_MAX_LOST} cells ended their process; narrow the run to find out why")


def _give_up_cell(outcome: Outcome, checked: CheckResult, progress: Progress) -> None:
    if outcome.cell is None:
        raise UsageError(f"the process that checks parity {outcome.status}: {outcome.reason}")
    if outcome.cell in checked.parity and outcome.stage == "work":
        # Its answers are known; it was its work that was looked at.
        cell = Cell.parse(outcome.cell)
        checked.uncounted.append([cell.scenario, cell.size])
        progress.note(f"{outcome.cell}: its work could not be compared with eager's")
        return
    checked.parity[outcome.cell] = CellParity(outcome.cell, outcome.status, outcome.reason)
    progress.note(f"{outcome.cell}: {outcome.status}: {outcome.reason}")


def bench(
    request: Request,
    results: Path,
    progress: Progress,
    choose_timed: Callable[[CheckResult, str], list[Timed]] | None = None,
    bare_loops: bool = False,
) -> Run:
    """Check parity, then measure passes until it is enough.

    Args:
        request: what the user asked for.
        results: the folder that runs are kept in.
        progress: is told.
        choose_timed: what to time, from what the check found and the control's mode; default:
            ``timed_cells``.
        bare_loops: time every block once more in a plain loop.

    Returns:
        The run. When the user interrupted it after the check, it holds what was finished.

    Raises:
        UsageError: nothing to time, or a scenario breaks its contract: no folder is left behind.
        Interrupted: the user stopped it before anything could be kept.
    """
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="eager-vs-graph-") as scratch:
        checked = check(request, Path(scratch), progress)
        timed = (choose_timed or timed_cells)(checked, request.control_of)
        explanations: list[Explanation] = []
        if request.explain:
            # Where nothing is worth timing, the time is for finding out why.
            share = disagreements.SHARE if timed else 1.0
            limit = min(disagreements.SECONDS, share * request.budget_s)
            explanations = disagreements.explain(request, checked, Path(scratch), progress, limit)
        run = _new_run(results)
        request = replace(request, entries=_as_adopted(request.entries, checked, run))
        if (files := Path(scratch) / FILES).exists():
            shutil.move(files, run.files)
    run.save_environment(checked.environment, describe(request, checked, timed, bare_loops))
    run.save_parity(checked.in_order())
    run.save_checkpoints(list(checked.checkpoints.values()))
    explanation.save(run.folder, explanations)
    passes = PassRunner(
        run=run,
        entries=request.entries,
        timed=timed,
        costs=_first_costs(checked, timed),
        schedule=Schedule(
            budget_s=request.budget_s - (time.monotonic() - began),
            precision=request.precision,
            passes=request.passes,
            seed=request.seed,
            limits=request.limits,
            logical_cpus=request.logical_cpus,
        ),
        progress=progress,
        startup_s=checked.startup_s + 1.0,
        bare_loops=bare_loops,
    )
    _measure(passes)
    return run


def resume(
    folder: Path,
    progress: Progress,
    limits: Limits,
    *,
    budget_s: float | None = None,
    passes: int | None = None,
    precision: float | None = None,
) -> Run:
    """Go on with a run: finished passes are kept, and not measured again.

    Args:
        folder: the run's folder.
        progress: is told.
        limits: what a process may take.
        budget_s: wall seconds to go on; default: what is left of the run's own budget.
        passes: how many passes there should be, with those that are there; default: as the run was
            asked for, unless a budget or precision is given.
        precision: half-width to reach; default: the run's own.

    Raises:
        UsageError: the folder is not a run's, or its record is damaged.
    """
    run = Run(folder)
    request = run.request()
    with reading(folder / "environment.json"):
        timed = [Timed(**each) for each in request["timed"]]
    for number in recover(run):
        progress.note(f"pass {number} was cut short; its finished blocks are kept")
    parity = {cell.cell: cell for cell in run.parity()}
    checked = CheckResult(
        cells=[cell for cell in map(Cell.parse, request["cells"]) if cell.mode != CONTROL],
        parity=parity,
    )
    asked = request["passes"] if budget_s is None and precision is None else None
    schedule = Schedule(
        budget_s=request["budget_s"] - run.spent_s() if budget_s is None else budget_s,
        precision=request["precision"] if precision is None else precision,
        passes=asked if passes is None else passes,
        seed=request["seed"],
        limits=limits,
        logical_cpus=request["logical_cpus"],  # the run's devices depend on it
    )
    remaining = PassRunner(
        run=run,
        entries=_entries(run, request),
        timed=timed,
        costs=_first_costs(checked, timed),
        schedule=schedule,
        progress=progress,
        startup_s=10.0,
        bare_loops=request["bare_loops"],
    )
    _measure(remaining)
    return run


def _as_adopted(entries: list[Entry], checked: CheckResult, run: Run) -> list[Entry]:
    """The entries as the check found them: parts that exist, arguments as they are.

    What was pickled for this run goes into its folder, so that the run can be resumed.
    """
    kept = []
    for entry in entries:
        if entry.target is None:
            kept.append(entry)
        elif entry.name in checked.adopted:
            sizes = dict.fromkeys(entry.sizes, str(checked.adopted[entry.name]["arguments"]))
            target = entry.target
            if target.payload:
                shutil.copy(target.payload, run.payload)
                target = replace(target, payload=str(run.payload))
            kept.append(replace(entry, sizes=sizes, target=target))
    return kept


def _entries(run: Run, request: dict[str, Any]) -> list[Entry]:
    """The entries of a run; its folder may have been moved."""
    entries = [Entry.of_json(fields) for fields in request["entries"]]
    return [
        replace(entry, target=replace(entry.target, payload=str(run.payload)))
        if entry.target is not None and entry.target.payload
        else entry
        for entry in entries
    ]


def _measure(passes: PassRunner) -> None:
    """Measure; what was finished stays, whatever ends it."""
    run, progress = passes.run, passes.progress
    run.work.mkdir(exist_ok=True)
    run.owner.write_text(str(os.getpid()), encoding="utf-8")
    try:
        stop = passes.measure()
    except Interrupted:
        progress.note(
            "interrupted; what was finished is kept; go on with "
            f"`{command.line('bench', '--resume', run.folder)}`"
        )
    except UsageError:
        if not any(run.raw.iterdir()):  # on a full disk, rounds without a pass's record
            shutil.rmtree(run.folder)
        raise
    else:
        if isinstance(stop, Stop) and not stop.reached:
            progress.note(f"{stop.reason} after {len(run.pass_numbers())} passes")
        shutil.rmtree(run.work)
    _point_latest(run)


def timed_cells(checked: CheckResult, control_of: str) -> list[Timed]:
    """What is worth timing: cells that agree or differ as declared, and the A/A controls."""
    worth = {
        cell: parity
        for cell in checked.cells
        if (parity := checked.parity.get(cell.id)) and parity.timed
    }
    twins = [
        cell
        for cell, parity in worth.items()
        if cell.mode == control_of and (parity.call_s or 0.0) < NO_CONTROL_S
    ]
    step = max(1.0, len(twins) / MAX_CONTROLS)  # spread over the grid
    chosen = {twins[int(index * step)] for index in range(min(len(twins), MAX_CONTROLS))}
    timed = []
    for cell in worth:
        timed.append(Timed(cell.id, cell.mode, cell.group))
        if cell in chosen:
            timed.append(Timed(cell.in_mode(CONTROL).id, control_of, cell.group))
    return timed


def _first_costs(checked: CheckResult, timed: list[Timed]) -> dict[str, Costs]:
    """Costs guessed from what the check took."""
    costs = {}
    for each in timed:
        parity = checked.parity[Cell.parse(each.cell).in_mode(each.mode).id]
        call_s = parity.call_s or 0.0
        if call_s < _TRACE_S:  # mostly tracing, which _PREPARE_S holds already
            call_s = 0.0
        costs[each.cell] = Costs(_PREPARE_S + 2 * call_s, max(_SHORT_BLOCK_S, call_s))
    return costs


def describe(
    request: Request, checked: CheckResult, timed: list[Timed], bare_loops: bool = False
) -> dict[str, Any]:
    """The request as the record keeps it."""
    return {
        "command": request.command,
        "entries": [{**asdict(entry), "file": str(entry.file)} for entry in request.entries],
        "scenarios": {
            entry.name: {"summary": entry.summary, "sizes": entry.sizes, "timing": entry.timing}
            for entry in request.entries
        },
        "cells": _all_ids(checked.cells, timed),
        "timed": [asdict(each) for each in timed],
        "bare_loops": bare_loops,
        "modes": request.modes,
        "notes": [
            f"{name}: {note}" for name, told in checked.adopted.items() for note in told["notes"]
        ],
        "about_modes": {name: MODES[name].about() for name in request.modes},
        "devices": checked.devices,
        "inputs": request.inputs,
        "control_of": request.control_of,
        "passes": request.passes,
        "precision": request.precision,
        "budget_s": request.budget_s,
        "seed": request.seed,
        "logical_cpus": request.logical_cpus,
        "absent_devices": checked.absent,
    }


def _all_ids(cells: list[Cell], timed: list[Timed]) -> list[str]:
    """The ids of the grid's cells, each followed by further programs of its mode."""
    ids = []
    for cell in cells:
        ids.append(cell.id)
        ids += [
            each.cell
            for each in timed
            if each.cell != cell.id and Cell.parse(each.cell).in_mode(each.mode) == cell
        ]
    return ids


def _new_run(results: Path) -> Run:
    stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    for suffix in ("", *(f"-{i}" for i in range(2, 100))):
        folder = results / f"{stamp}{suffix}"
        if not folder.exists():
            (folder / "raw").mkdir(parents=True)
            return Run(folder)
    raise UsageError(f"{results / stamp}: a hundred runs of this second exist already")


def _point_latest(run: Run) -> None:
    latest = run.folder.parent / "latest"
    if latest.is_symlink() or not latest.exists():
        latest.unlink(missing_ok=True)
        latest.symlink_to(run.id, target_is_directory=True)


def newest(results: Path) -> Path:
    """The folder of the newest run.

    Raises:
        UsageError: there is none.
    """
    latest = results / "latest"
    if latest.exists():
        return latest.resolve()
    raise UsageError(f"{latest}: no run yet; make one with `{command.line('bench')}`")
