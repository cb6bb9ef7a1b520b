"""A child process: the only kind of process that imports TensorFlow.

``python -m eager_vs_graph.child PLAN JOURNAL`` does what the plan says and writes the journal.
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
    from collections.abc import Mapping

    from eager_vs_graph.child.explain.conditions import Condition
    from eager_vs_graph.child.explain.experiments import Observation
    from eager_vs_graph.child.explain.isolated import Workers
    from eager_vs_graph.child.parity.check import Subject
    from eager_vs_graph.results.explanation import Explanation

_ISOLATED_S = 40.0
"""Seconds that an experiment in a process of its own may take."""


def main() -> int:
    """Read the plan, import TensorFlow, work."""
    started = time.perf_counter()
    parent = os.getppid()
    plan = jobs.read(Path(sys.argv[1]))
    journal = Journal(Path(sys.argv[2]))
    import_tensorflow()
    programs = len(plan.timed) if isinstance(plan, MeasureJob) else 0
    journal.write("imported", startup_s=time.perf_counter() - started, programs=programs)
    try:
        if isinstance(plan, CheckJob):
            check(plan, journal)
        elif isinstance(plan, ExplainJob):
            explain(plan, journal)
        else:
            measure(plan, journal, parent)
    except UsageError as error:
        journal.write("usage_error", message=str(error))
        return 2
    return 0


def check(plan: CheckJob, journal: Journal) -> None:
    """Devices, environment, grid, and the parity of every cell."""
    from eager_vs_graph.child import environment
    from eager_vs_graph.child.explain.equal_work import EqualWork
    from eager_vs_graph.child.loading import load
    from eager_vs_graph.child.parity import check as parity
    from eager_vs_graph.child.parity.checkpoints import exchange
    from eager_vs_graph.results.cells import Cell, grid
    from eager_vs_graph.results.record import ERROR, CellParity

    environment.split_cpu(plan.logical_cpus, plan.modes)
    devices = environment.devices(plan.devices, plan.logical_cpus)
    scenarios = {}
    for entry in plan.entries:
        with suppress(PartNotFound):
            scenarios[entry.name] = load(entry)
    for adopted in filter(None, (scenario.adopted() for scenario in scenarios.values())):
        journal.write("adopted", **adopted)
    pairs = [
        (entry.name, size)
        for entry in plan.entries
        for size in entry.sizes
        if size in plan.sizes and entry.name in scenarios
    ]
    cells = grid(pairs, plan.modes, devices, plan.inputs)
    gc.freeze()  # the check collects before every cell; TensorFlow's own objects need no look
    journal.write(
        "grid",
        cells=[cell.id for cell in cells],
        devices=devices,
        absent=environment.absent_kinds() if not plan.devices else [],
        environment=environment.describe(),
    )

    def starting(cell: Cell) -> None:
        journal.write("cell", cell=cell.id, stage="parity")

    for name, size in pairs:
        mine = [cell for cell in cells if (cell.scenario, cell.size) == (name, size)]
        left = [cell for cell in mine if cell.id not in {*plan.excluded, *plan.done}]
        if not mine or [name, size] in plan.finished:
            continue
        starting((left or mine)[0])
        try:
            subject = parity.subject(scenarios[name], size)
        except ScenarioError as error:
            results = [CellParity(cell.id, ERROR, str(error)) for cell in left]
            for result in results:
                journal.write("parity", **asdict(result))
            continue
        subject.files = Path(plan.files) if plan.files else None
        equal_work = EqualWork(subject)
        # Where a cell ended its process, tracing the step once more could do the same.
        counted = [name, size] not in plan.uncounted and not (
            {cell.id for cell in mine} & {*plan.excluded}
        )
        for result in parity.check(subject, left, starting):
            journal.write("parity", **asdict(result))
            if counted and result.timed:
                journal.write("cell", cell=result.cell, stage="work")
                why = equal_work.checked(result).unequal_work
                journal.write("work", cell=result.cell, unequal_work=why)
        # A checkpoint knows neither devices nor policies: one cell of each mode will do.
        one_a_mode = {cell.mode: cell for cell in reversed(mine)}
        chosen = [one_a_mode[mode] for mode in plan.modes if mode in one_a_mode]
        for pair in exchange(subject, chosen, starting, plan.excluded):
            journal.write("checkpoint", **asdict(pair))
        journal.write("checked", scenario=name, size=size)
    journal.write("done")


def explain(plan: ExplainJob, journal: Journal) -> None:
    """The experiments on cells, or their runs under one condition."""
    from eager_vs_graph.child.explain.isolated import Workers

    workers = Workers()  # before TensorFlow's first op
    try:
        _explain(plan, journal, workers)
    finally:
        workers.close()


def _explain(plan: ExplainJob, journal: Journal, workers: Workers) -> None:
    from eager_vs_graph.child import environment
    from eager_vs_graph.child.explain import engine, process_start
    from eager_vs_graph.child.explain.isolated import Isolated
    from eager_vs_graph.child.loading import load
    from eager_vs_graph.child.parity import check as parity
    from eager_vs_graph.results.cells import Cell, grid

    deadline = time.monotonic() + plan.seconds
    process_start.apply(plan.condition)
    environment.split_cpu(plan.logical_cpus, plan.modes)
    scenarios = {entry.name: load(entry) for entry in plan.entries}
    pairs = [
        (entry.name, size) for entry in plan.entries for size in entry.sizes if size in plan.sizes
    ]
    cells = [Cell.parse(text) for text in plan.cells]
    cells = cells or grid(pairs, plan.modes, plan.devices or ["CPU:0"], plan.inputs)
    cells = [cell for cell in cells if cell.id not in plan.done]
    journal.write("grid", cells=[cell.id for cell in cells])

    def starting(cell: Cell) -> None:
        journal.write("cell", cell=cell.id, stage="explain")

    def stage(cell: Cell, name: str) -> None:
        journal.write("cell", cell=cell.id, stage=name)

    entries = {entry.name: entry for entry in plan.entries}
    groups: dict[str, list[Cell]] = defaultdict(list)
    for cell in cells:
        groups[cell.group].append(cell)
    for number, mine in enumerate(groups.values()):
        starting(mine[0])
        subject = parity.subject(scenarios[mine[0].scenario], mine[0].size)
        if plan.condition:
            for result in engine.observe_fresh(subject, mine, plan.condition, starting):
                journal.write("fresh", **asdict(result))
        else:
            now = time.monotonic()
            share = now + (deadline - now) / (len(groups) - number)

            def isolate(
                cell: Cell,
                condition: Condition,
                variables: Mapping[str, str],
                subject: Subject = subject,
            ) -> Observation:
                assert subject.initial is not None
                experiment = Isolated(
                    entries[cell.scenario], cell.size, cell.id, condition, subject.initial
                )
                journal.write("cell", cell=cell.id, stage=f"in a process of its own: {variables}")
                return workers.run(experiment, variables, _ISOLATED_S)

            for explanation in engine.explain(
                subject,
                mine,
                share,
                starting,
                stage=stage,
                ended=plan.ended,
                isolate=isolate,
            ):
                if plan.cells and explanation.cell not in plan.cells:
                    continue  # eager is run with each, and was not asked for
                journal.write("explanation", **asdict(explanation))
                if plan.scripts and explanation.tensors:
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


def measure(plan: MeasureJob, journal: Journal, parent: int) -> None:
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
    environment.split_cpu(plan.logical_cpus, {timed.mode for timed in plan.timed})
    rng = random.Random(plan.seed * 10_007 + plan.number)  # noqa: S311 - an order, not a secret
    files = {entry.name: entry for entry in plan.entries}
    subjects: dict[tuple[str, str], Subject] = {}
    prepared: dict[str, Prepared] = {}
    failed: dict[str, tuple[str, str]] = {}
    warm_tensorflow({timed.mode for timed in plan.timed})
    # Which mode is built first would otherwise always pay for what the first use of an op costs.
    for timed in rng.sample(plan.timed, len(plan.timed)):
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
    for timed in plan.timed:
        if timed.cell in prepared:
            groups[timed.group].append(timed.cell)
    for members in groups.values():
        calibrated = calibrate([prepared[cell] for cell in members])
        prepared.update((done.cell.id, done) for done in calibrated)
    cost = {
        group: sum(prepared[cell].block_s + ITEM_S for cell in members)
        for group, members in groups.items()
    }
    turns = order(groups, allocate(cost, plan.seconds, weights=plan.weights), rng)
    journal.write(
        "blocks", total=len(turns), block_s={cell: done.block_s for cell, done in prepared.items()}
    )
    blocks = bench.Blocks(
        turns, prepared, journal, plan.number, plan.seconds, plan.bare_loops, parent
    )
    before, start = Snapshot.take(), time.perf_counter()
    code, retraces = bench.run(blocks, plan.result)
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
