"""From a request to a run's folder: check parity, then measure passes."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from eager_vs_graph.catalog.entry import Entry
from eager_vs_graph.catalog.selection import Selection
from eager_vs_graph.catalog.variables import variables_of
from eager_vs_graph.errors import Interrupted, UsageError
from eager_vs_graph.modes import MODES
from eager_vs_graph.processes.children import Children
from eager_vs_graph.processes.scratch import scratch_folder
from eager_vs_graph.processes.supervise import Limits
from eager_vs_graph.reports.formatting import count
from eager_vs_graph.reports.matrix import in_words
from eager_vs_graph.results.cells import CONTROL, Cell
from eager_vs_graph.results.explanation import Explanation
from eager_vs_graph.results.files import write
from eager_vs_graph.results.request import RunRequest, ScenarioInfo, Timed
from eager_vs_graph.results.run import Run
from eager_vs_graph.runs import command, disagreements, ownership
from eager_vs_graph.runs.budget import Stop
from eager_vs_graph.runs.check import FILES, CheckResult, check
from eager_vs_graph.runs.folders import new_run, point_latest, publish, require_writable
from eager_vs_graph.runs.options import PRECISION, TimingOptions
from eager_vs_graph.runs.passes import (
    STARTUP_SHARE,
    DiskFull,
    PassRunner,
    Schedule,
    ahead_of,
    recover,
)
from eager_vs_graph.runs.progress import Progress
from eager_vs_graph.runs.quantities import seconds
from eager_vs_graph.runs.request import Request
from eager_vs_graph.runs.timed_cells import first_costs, timed_cells


def bench(
    request: Request,
    results: Path,
    progress: Progress,
    choose_timed: Callable[[CheckResult, str], list[Timed]] = timed_cells,
    bare_loops: bool = False,
) -> Run:
    """Check parity, then measure passes until it is enough.

    Args:
        request: what the user asked for.
        results: the folder that runs are kept in.
        progress: is told what is being done.
        choose_timed: what to time, from what the check found and the control's mode.
        bare_loops: time some blocks once more in a plain loop.

    Returns:
        The run. When the user interrupted it after the first cells were checked, it holds what was
        finished, and its folder ``work`` exists.

    Raises:
        UsageError: nothing to time, the results folder cannot be written, or a scenario breaks its
            contract: no folder is left behind.
        Interrupted: the user stopped it before anything could be kept.
    """
    began = time.monotonic()
    require_writable(results)
    variables = variables_of(request.selection.entries)
    with Children(request.limits.silence_s, variables) as children:
        return _bench(request, results, progress, choose_timed, bare_loops, children, began)


def _bench(
    request: Request,
    results: Path,
    progress: Progress,
    choose_timed: Callable[[CheckResult, str], list[Timed]],
    bare_loops: bool,
    children: Children,
    began: float,
) -> Run:
    if request.passes is None:
        progress.ends_in(request.budget_s)
    with scratch_folder() as scratch:
        # A pass's TensorFlow is imported beside the check, where nothing is measured.
        children.prepare(1)
        ahead = ahead_of(request.passes)
        checked = check(request, scratch, progress, imported=lambda: children.prepare(ahead))
        progress.so_far(in_words(checked.in_order()))
        timed = choose_timed(checked, request.control_of)
        explanations: list[Explanation] = []
        if request.explain and not checked.interrupted:
            limit = disagreements.seconds_of(
                request.budget_s,
                anything_timed=bool(timed),
                explain_s=request.limits.explain_s,
            )
            explanations = disagreements.explain(request, checked, scratch, progress, limit)
        run = new_run(results)
        try:
            entries = _as_adopted(request.selection.entries, checked, run)
            request = replace(request, selection=replace(request.selection, entries=entries))
            if (files := scratch / FILES).exists():
                shutil.move(files, run.files)
            _save_check(run, request, checked, timed, bare_loops)
            run.save_explanations(explanations)
            run = publish(run)
        except BaseException:
            shutil.rmtree(run.folder, ignore_errors=True)
            raise
    entries = [_moved(entry, run) for entry in entries]
    if checked.interrupted:
        return _unfinished(run, progress)
    # Waiting for cells that hung or crashed is not taken from the time of the others.
    spent_s = time.monotonic() - began - checked.lost_s
    passes = PassRunner(
        run=run,
        entries=entries,
        timed=timed,
        costs=first_costs(checked, timed),
        schedule=Schedule(
            budget_s=request.budget_s - spent_s,
            precision=request.precision,
            passes=request.passes,
            seed=request.seed,
            limits=request.limits,
            logical_cpus=request.selection.logical_cpus,
            overtime_s=request.overtime_s,
            watch_s=request.watch_s,
        ),
        progress=progress,
        children=children,
        startup_s=STARTUP_SHARE * checked.startup_s + 0.5,
        bare_loops=bare_loops,
    )
    _measure(passes)
    return run


def resume(
    folder: Path, progress: Progress, limits: Limits, timing: TimingOptions, trust: bool = False
) -> Run:
    """Resume a run: what is finished is kept, and neither checked nor measured again.

    A record names code that is then executed, so only a run that this user made is resumed.

    Args:
        folder: the run's folder.
        progress: is told what is being done.
        limits: what a process may take.
        timing: a budget is for what follows, default: what is left of the run's own; passes count
            those that are there; precision is the run's own unless one is given.
        trust: resume a run that somebody else made, too.

    Raises:
        UsageError: the folder is not a run's, its record is damaged, or somebody else made it.
    """
    budget_s = seconds(timing.budget) if timing.budget else None
    precision = timing.precision if timing.precision != PRECISION else None
    run = Run(folder)
    request = run.request
    if not trust:
        ownership.require_own(run)
    require_writable(folder)
    for number in recover(run):
        progress.note(f"pass {number} was cut short; its finished blocks are kept")
    checked = CheckResult(
        cells=[cell for cell in map(Cell.parse, request.cells) if cell.mode != CONTROL],
        devices=request.devices,
        absent=request.absent_devices,
        environment=run.environment,
        parity={cell.cell: cell for cell in run.parity()},
        checkpoints={(pair.wrote, pair.read): pair for pair in run.checkpoints()},
    )
    timed = request.timed
    if any(cell.id not in checked.parity for cell in checked.cells):
        checked, timed = _continue_check(run, checked, limits, progress)
        if checked.interrupted:
            return _unfinished(run, progress)
    if not timed:
        raise UsageError(f"{folder}: its record names no cell to time, so it cannot be resumed")
    asked = request.passes if budget_s is None and precision is None else None
    schedule = Schedule(
        budget_s=request.budget_s - run.spent_s() if budget_s is None else budget_s,
        precision=request.precision if precision is None else precision,
        passes=asked if timing.passes is None else timing.passes,
        seed=request.seed,
        limits=limits,
        logical_cpus=request.logical_cpus,  # the run's devices depend on it
    )
    entries = _entries(run)
    with Children(limits.silence_s, variables_of(entries)) as children:
        remaining = PassRunner(
            run=run,
            entries=entries,
            timed=timed,
            costs=first_costs(checked, timed),
            schedule=schedule,
            progress=progress,
            children=children,
            startup_s=10.0,
            bare_loops=request.bare_loops,
        )
        _measure(remaining)
    return run


def _continue_check(
    run: Run, checked: CheckResult, limits: Limits, progress: Progress
) -> tuple[CheckResult, list[Timed]]:
    """Check the cells that an interrupted check has left, and write what was found."""
    before = run.request
    entries = _entries(run)
    request = Request(
        Selection(
            entries=entries,
            sizes=list(dict.fromkeys(size for entry in entries for size in entry.sizes)),
            modes=before.modes,
            optional=_partly_present(before),
            devices=before.devices,
            inputs=before.inputs,
            logical_cpus=before.logical_cpus,
        ),
        budget_s=before.budget_s,
        passes=before.passes,
        precision=before.precision,
        command=before.command,
        seed=before.seed,
        limits=limits,
    )
    with scratch_folder() as scratch:
        checked = check(request, scratch, progress, checked)
        if (files := scratch / FILES).exists():
            shutil.copytree(files, run.files, dirs_exist_ok=True)
    timed = timed_cells(checked, request.control_of)
    _save_check(run, request, checked, timed, before.bare_loops)
    return checked, timed


def _partly_present(request: RunRequest) -> list[str]:
    """Modes that some scenarios of a run have no cell of: these have no use for them."""
    cells = [Cell.parse(cell) for cell in request.cells]
    of_mode = {
        mode: {cell.scenario for cell in cells if cell.mode == mode} for mode in request.modes
    }
    every = {cell.scenario for cell in cells}
    return [mode for mode, scenarios in of_mode.items() if scenarios != every]


def _save_check(
    run: Run, request: Request, checked: CheckResult, timed: list[Timed], bare_loops: bool
) -> None:
    run.save_environment(checked.environment, record_request(request, checked, timed, bare_loops))
    run.save_parity(checked.in_order())
    run.save_checkpoints(list(checked.checkpoints.values()))
    ownership.mark(run)


def _unfinished(run: Run, progress: Progress) -> Run:
    """Say how to go on with a run that the user interrupted."""
    run.work.mkdir(exist_ok=True)
    progress.note(
        "interrupted; what was finished is kept; resume with "
        f"`{command.line('bench', '--resume', run.folder)}`"
    )
    point_latest(run)
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


def _entries(run: Run) -> list[Entry]:
    """The entries of a run; its folder may have been moved."""
    return [_moved(Entry.of_json(content), run) for content in run.request.entries]


def _moved(entry: Entry, run: Run) -> Entry:
    """The entry with its payload where the run is now."""
    if entry.target is None or not entry.target.payload:
        return entry
    return replace(entry, target=replace(entry.target, payload=str(run.payload)))


def _measure(passes: PassRunner) -> None:
    """Measure; what was finished stays, whatever ends it."""
    run, progress = passes.run, passes.progress
    run.work.mkdir(exist_ok=True)
    write(run.folder, "work/pid", str(os.getpid()).encode())
    try:
        stop = passes.measure()
    except Interrupted:
        _unfinished(run, progress)
    except DiskFull:
        raise
    except UsageError:
        if not any(run.raw.iterdir()):
            shutil.rmtree(run.folder)
        raise
    else:
        if isinstance(stop, Stop) and not stop.reached:
            recorded = count(len(run.pass_numbers()), "pass", "passes")
            progress.note(f"{stop.reason}; {recorded} recorded")
        shutil.rmtree(run.work)
    point_latest(run)


def record_request(
    request: Request, checked: CheckResult, timed: list[Timed], bare_loops: bool = False
) -> RunRequest:
    """The request as the record keeps it."""
    selection = request.selection
    present = {cell.mode for cell in checked.cells}
    modes = [mode for mode in selection.modes if mode in present or mode not in selection.optional]
    return RunRequest(
        command=request.command,
        entries=[entry.to_json() for entry in selection.entries],
        scenarios={
            entry.name: ScenarioInfo(entry.summary, entry.sizes, entry.timing)
            for entry in selection.entries
        },
        cells=_all_ids(checked.cells, timed),
        timed=timed,
        bare_loops=bare_loops,
        modes=modes,
        notes=checked.notes(),
        about_modes={name: MODES[name].about() for name in modes},
        devices=checked.devices,
        inputs=selection.inputs,
        control_of=request.control_of,
        passes=request.passes,
        precision=request.precision,
        budget_s=request.budget_s,
        seed=request.seed,
        logical_cpus=selection.logical_cpus,
        absent_devices=checked.absent,
    )


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
