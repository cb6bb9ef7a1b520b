"""One pass: prepares every program, then times the blocks."""

from __future__ import annotations

import random
import time
from collections import defaultdict
from contextlib import suppress
from dataclasses import asdict
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

_FIRST_ASKED = {"as_written": 0, "eager": 1}
"""Modes whose answer is wanted most, where there is no time for all."""
_WATCH_S = 1.0
_CALLS = 60
"""What watching a program takes, in seconds and in calls, about."""


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
    _watch(job, journal, prepared, subjects)


def _watch(
    job: MeasureJob,
    journal: Journal,
    prepared: dict[str, Prepared],
    subjects: dict[tuple[str, str], Subject],
) -> None:
    """Say where the time of calls goes, now that nothing is timed any more."""
    if not job.watch_s:
        return
    with suppress(Exception):  # what was timed is written; this is beside it
        _watch_until(time.monotonic() + job.watch_s, job, journal, prepared, subjects)


def _watch_until(
    until: float,
    job: MeasureJob,
    journal: Journal,
    prepared: dict[str, Prepared],
    subjects: dict[tuple[str, str], Subject],
) -> None:
    # Imported only here: a pass that is asked for no more does without TensorFlow's profiler.
    from eager_vs_graph.child.why import engine

    for timed in sorted(job.timed, key=lambda each: _FIRST_ASKED.get(each.mode, len(_FIRST_ASKED))):
        done = prepared.get(timed.cell)
        if done is None or done.cell.mode != timed.mode:
            continue
        costs_s = done.build_s + done.first_call_s + _CALLS * done.call_s + _WATCH_S
        if time.monotonic() + costs_s > until:
            continue
        journal.write("cell", cell=timed.cell, stage="why")
        subject = subjects[done.cell.scenario, done.cell.size]
        with suppress(Exception):  # a cell that cannot be watched costs itself only
            journal.write("why", **asdict(engine.briefly(subject, done.cell)))
