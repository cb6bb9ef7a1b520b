"""One pass: prepares every program, then times the blocks."""

from __future__ import annotations

import random
import time
from collections import defaultdict
from datetime import UTC, datetime

from eager_vs_graph.child import environment
from eager_vs_graph.child.adopt.loading import load
from eager_vs_graph.child.bench import items as bench
from eager_vs_graph.child.bench.prepare import Prepared, calibrate, prepare, warm_tensorflow
from eager_vs_graph.child.bench.schedule import ITEM_S, allocate, blocks_of_item, order
from eager_vs_graph.child.machine import Snapshot, change
from eager_vs_graph.child.parity.check import Subject, subject
from eager_vs_graph.modes.failures import failure
from eager_vs_graph.processes.jobs import MeasureJob
from eager_vs_graph.processes.journal import Journal
from eager_vs_graph.results.cells import Cell


def measure(job: MeasureJob, journal: Journal, parent: int) -> None:
    """One pass: prepare every program, then time the blocks, as long as the parent lives."""
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
    block_s = {
        group: sum(prepared[cell].turn_s for cell in members) for group, members in groups.items()
    }
    blocks = {group: blocks_of_item(seconds) for group, seconds in block_s.items()}
    item_s = {group: blocks[group] * block_s[group] + ITEM_S for group in groups}
    shares = allocate(item_s, job.seconds, weights=job.weights)
    items = bench.Items(
        order(groups, shares, blocks, rng),
        prepared,
        journal,
        job.seconds,
        rng,
        job.bare_loops,
        parent,
    )
    journal.write(
        "blocks",
        total=len(items.items),
        block_s={cell: done.turn_s for cell, done in prepared.items()},
    )
    before, start = Snapshot.take(), time.perf_counter()
    code, retraces = bench.run(items)
    wall_s = time.perf_counter() - start
    journal.write(
        "finished",
        exit_code=code,
        started=started,
        blocks_s=wall_s,
        clock_s=items.clock_s,
        retracing=retraces.message,
        traces={cell: done.program.traces for cell, done in prepared.items()},
        retraces={cell: done.program.traces - done.warm_traces for cell, done in prepared.items()},
        machine=change(before, Snapshot.take(), wall_s, items.probes),
    )
