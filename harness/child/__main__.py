"""A child process: the only kind of process that imports TensorFlow.

``python -m eager_vs_graph.child JOB JOURNAL`` does the job and writes the journal.
"""

from __future__ import annotations

import gc
import os
import random
import sys
import time
from collections import defaultdict
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from eager_vs_graph.errors import PartNotFound, ScenarioError, UsageError
from eager_vs_graph.processes import jobs
from eager_vs_graph.processes.jobs import CheckJob, ExplainJob, MeasureJob
from eager_vs_graph.processes.journal import Journal
from eager_vs_graph.processes.lean_import import import_tensorflow

if TYPE_CHECKING:
    from eager_vs_graph.child.parity.check import Subject
    from eager_vs_graph.results.explanation import Explanation


def main() -> int:
    """Read the job, import TensorFlow, work."""
    started = time.perf_counter()
    parent = os.getppid()
    job = jobs.read(Path(sys.argv[1]))
    journal = Journal(Path(sys.argv[2]))
    import_tensorflow()
    programs = len(job.timed) if isinstance(job, MeasureJob) else 0
    journal.write("imported", startup_s=time.perf_counter() - started, programs=programs)
    try:
        if isinstance(job, CheckJob):
            check(job, journal)
        elif isinstance(job, ExplainJob):
            explain(job, journal)
        else:
            measure(job, journal, parent)
    except UsageError as error:
        journal.write("usage_error", message=str(error))
        return 2
    return 0


def check(job: CheckJob, journal: Journal) -> None:
    """Devices, environment, grid, and the parity of every cell."""
    from eager_vs_graph.child import environment
    from eager_vs_graph.child.explain.engine import EqualWork
    from eager_vs_graph.child.loading import load
    from eager_vs_graph.child.parity import check as parity
    from eager_vs_graph.child.parity.checkpoints import exchange
    from eager_vs_graph.results.cells import Cell
    from eager_vs_graph.results.record import ERROR, CellParity

    selection = job.selection
    environment.split_cpu(selection.logical_cpus, selection.modes)
    devices = environment.devices(selection.devices, selection.logical_cpus)
    scenarios = {}
    for entry in selection.entries:
        with suppress(PartNotFound):
            scenarios[entry.name] = load(entry)
    for adopted in filter(None, (scenario.adopted() for scenario in scenarios.values())):
        journal.write("adopted", **adopted)
    pairs = [(name, size) for name, size in selection.pairs() if name in scenarios]
    cells = [cell for cell in selection.cells(devices) if cell.scenario in scenarios]
    gc.freeze()  # the check collects before every cell; TensorFlow's own objects need no look
    journal.write(
        "grid",
        cells=[cell.id for cell in cells],
        devices=devices,
        absent=environment.absent_kinds() if not selection.devices else [],
        environment=environment.describe(),
    )

    def starting(cell: Cell) -> None:
        journal.write("cell", cell=cell.id, stage="parity")

    for name, size in pairs:
        mine = [cell for cell in cells if (cell.scenario, cell.size) == (name, size)]
        left = [cell for cell in mine if cell.id not in {*job.excluded, *job.done}]
        if not mine or [name, size] in job.finished:
            continue
        starting((left or mine)[0])
        try:
            subject = parity.subject(scenarios[name], size)
        except ScenarioError as error:
            results = [CellParity(cell.id, ERROR, str(error)) for cell in left]
            for result in results:
                journal.write("parity", **asdict(result))
            continue
        subject.files = Path(job.files) if job.files else None
        equal_work = EqualWork(subject)
        # Where a cell ended its process, tracing the step once more could do the same.
        counted = [name, size] not in job.uncounted and not (
            {cell.id for cell in mine} & {*job.excluded}
        )
        for result in parity.check(subject, left, starting):
            journal.write("parity", **asdict(result))
            if counted and result.timed:
                journal.write("cell", cell=result.cell, stage="work")
                why = equal_work.checked(result).unequal_work
                journal.write("work", cell=result.cell, unequal_work=why)
        # A checkpoint knows neither devices nor policies: one cell of each mode will do.
        one_a_mode = {cell.mode: cell for cell in reversed(mine)}
        chosen = [one_a_mode[mode] for mode in selection.modes if mode in one_a_mode]
        for pair in exchange(subject, chosen, starting, job.excluded):
            journal.write("checkpoint", **asdict(pair))
        journal.write("checked", scenario=name, size=size)
    journal.write("done")


def explain(job: ExplainJob, journal: Journal) -> None:
    """The experiments on cells, or their runs under one condition."""
    from eager_vs_graph.child import environment
    from eager_vs_graph.child.explain import engine, process_start
    from eager_vs_graph.child.loading import load
    from eager_vs_graph.child.parity import check as parity
    from eager_vs_graph.results.cells import Cell

    deadline = time.monotonic() + job.seconds
    process_start.apply(job.condition)
    selection = job.selection
    environment.split_cpu(selection.logical_cpus, selection.modes)
    scenarios = {entry.name: load(entry) for entry in selection.entries}
    cells = [Cell.parse(text) for text in job.cells]
    cells = cells or selection.cells(selection.devices or ["CPU:0"])
    cells = [cell for cell in cells if cell.id not in job.done]
    journal.write("grid", cells=[cell.id for cell in cells])

    def starting(cell: Cell) -> None:
        journal.write("cell", cell=cell.id, stage="explain")

    groups: dict[str, list[Cell]] = defaultdict(list)
    for cell in cells:
        groups[cell.group].append(cell)
    for number, mine in enumerate(groups.values()):
        starting(mine[0])
        subject = parity.subject(scenarios[mine[0].scenario], mine[0].size)
        if job.condition:
            for result in engine.observe_fresh(subject, mine, job.condition, starting):
                journal.write("fresh", **asdict(result))
        else:
            now = time.monotonic()
            share = now + (deadline - now) / (len(groups) - number)
            for explanation in engine.explain(subject, mine, share, starting):
                if job.cells and explanation.cell not in job.cells:
                    continue  # eager is run with each, and was not asked for
                journal.write("explanation", **asdict(explanation))
                if job.scripts and explanation.tensors:
                    journal.write(
                        "script", cell=explanation.cell, text=_script(subject, explanation)
                    )
    journal.write("done")


def _script(subject: Subject, explanation: Explanation) -> str:
    from eager_vs_graph.child.explain.reproduce import script

    try:
        return script(subject, explanation)
    except ValueError:
        return ""


def measure(job: MeasureJob, journal: Journal, parent: int) -> None:
    """One pass: prepare every program, then time the blocks, as long as the parent lives."""
    from eager_vs_graph.child import environment
    from eager_vs_graph.child.bench import blocks as bench
    from eager_vs_graph.child.bench.prepare import Prepared, calibrate, prepare, warm_tensorflow
    from eager_vs_graph.child.bench.schedule import ITEM_S, allocate, order
    from eager_vs_graph.child.loading import load
    from eager_vs_graph.child.machine import Snapshot, change
    from eager_vs_graph.child.parity.check import subject
    from eager_vs_graph.modes.failures import failure
    from eager_vs_graph.results.cells import Cell

    started = datetime.now(UTC).isoformat(timespec="seconds")
    environment.split_cpu(job.logical_cpus, {timed.mode for timed in job.timed})
    rng = random.Random(job.seed * 10_007 + job.number)  # noqa: S311 - an order, not a secret
    files = {entry.name: entry for entry in job.entries}
    subjects: dict[tuple[str, str], Subject] = {}
    prepared: dict[str, Prepared] = {}
    failed: dict[str, tuple[str, str]] = {}
    warm_tensorflow({timed.mode for timed in job.timed})
    # Which mode is built first would otherwise always pay for what the first use of an op costs.
    for timed in rng.sample(job.timed, len(job.timed)):
        cell = Cell.parse(timed.cell)
        key = (cell.scenario, cell.size)
        journal.write("cell", cell=cell.id, stage="build")
        started_s = time.perf_counter()
        try:
            if key not in subjects:
                subjects[key] = subject(load(files[cell.scenario]), cell.size)
            prepared[cell.id] = prepare(subjects[key], timed)
        except Exception as error:  # a cell that fails costs that cell, never the run
            failed[cell.id] = failure(error, str(files[cell.scenario].file))
            journal.write(
                "failed", cell=cell.id, status=failed[cell.id][0], reason=failed[cell.id][1]
            )
            continue
        done = prepared[cell.id]
        journal.write(
            "built",
            cell=cell.id,
            build_s=done.build_s,
            first_call_s=done.first_call_s,
            traces=done.warm_traces,
            prepare_s=time.perf_counter() - started_s,
        )
    groups: dict[str, list[str]] = defaultdict(list)
    for timed in job.timed:
        if timed.cell in prepared:
            groups[timed.group].append(timed.cell)
    for members in groups.values():
        calibrated = calibrate([prepared[cell] for cell in members])
        prepared.update((done.cell.id, done) for done in calibrated)
    cost = {
        group: sum(prepared[cell].block_s + ITEM_S for cell in members)
        for group, members in groups.items()
    }
    turns = order(groups, allocate(cost, job.seconds, weights=job.weights), rng)
    journal.write(
        "blocks", total=len(turns), block_s={cell: done.block_s for cell, done in prepared.items()}
    )
    blocks = bench.Blocks(turns, prepared, journal, job.number, job.seconds, job.bare_loops, parent)
    before, start = Snapshot.take(), time.perf_counter()
    code, retraces = bench.run(blocks, job.result)
    wall_s = time.perf_counter() - start
    journal.write(
        "finished",
        exit_code=code,
        started=started,
        blocks_s=wall_s,
        clock_s=blocks.clock_s,
        retracing=retraces.message,
        traces={cell: done.program.traces for cell, done in prepared.items()},
        retraces={cell: done.program.traces - done.warm_traces for cell, done in prepared.items()},
        machine=change(before, Snapshot.take(), wall_s, blocks.probes),
    )


if __name__ == "__main__":
    sys.exit(main())
