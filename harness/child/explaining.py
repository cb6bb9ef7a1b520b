"""Explains why cells disagree with eager, or runs them under one condition."""

from __future__ import annotations

import logging
import time
from collections import defaultdict
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict

import tensorflow as tf

from eager_vs_graph.catalog.entry import Entry
from eager_vs_graph.child import environment
from eager_vs_graph.child.adopt.loading import load
from eager_vs_graph.child.explain import engine, process_start
from eager_vs_graph.child.explain.conditions import Condition
from eager_vs_graph.child.explain.engine import Isolate
from eager_vs_graph.child.explain.experiments import Observation
from eager_vs_graph.child.explain.isolated import Isolated, Workers
from eager_vs_graph.child.explain.reproduce import script
from eager_vs_graph.child.explain.watchdog import EXPERIMENT_S, Watchdog
from eager_vs_graph.child.parity import check as parity
from eager_vs_graph.child.parity.check import Subject
from eager_vs_graph.errors import PartNotFound
from eager_vs_graph.processes.jobs import ExplainJob
from eager_vs_graph.processes.journal import Journal
from eager_vs_graph.results.cells import Cell
from eager_vs_graph.results.explanation import Explanation

_ALONE = "in a process of its own"
_ISOLATED_S = 20.0
"""Seconds that an experiment in a process of its own may take."""


def explain(job: ExplainJob, journal: Journal) -> None:
    """The experiments on cells, or their runs under one condition."""
    tf.get_logger().setLevel(logging.ERROR)  # experiments trace again and again
    workers = Workers()  # before TensorFlow's first op
    try:
        _explain(job, journal, workers)
    finally:
        workers.close()


def _explain(job: ExplainJob, journal: Journal, workers: Workers) -> None:
    deadline = time.monotonic() + job.seconds
    process_start.apply(job.condition)
    selection = job.selection
    environment.split_cpu(selection.logical_cpus, selection.modes)
    entries, scenarios = {}, {}
    for entry in selection.entries:
        with suppress(PartNotFound):
            scenarios[entry.name] = load(entry)
            entries[entry.name] = entry
    cells = [Cell.parse(text) for text in job.cells]
    of_use = [name for name, scenario in scenarios.items() if scenario.own_functions]
    cells = cells or selection.cells(selection.devices or ["CPU:0"], of_use)
    cells = [cell for cell in cells if cell.id not in job.done and cell.scenario in scenarios]
    journal.write("grid", cells=[cell.id for cell in cells])

    watchdog = Watchdog(lambda seconds: journal.write("held_up", seconds=seconds))

    def starting(cell: Cell) -> None:
        watchdog.rest()
        journal.write("cell", cell=cell.id, stage="explain")

    def stage(cell: Cell, name: str) -> None:
        journal.write("cell", cell=cell.id, stage=name)
        watchdog.begin(least_s=_ISOLATED_S + 40.0 if name.startswith(_ALONE) else EXPERIMENT_S)

    groups: dict[str, list[Cell]] = defaultdict(list)
    for cell in cells:
        groups[cell.group].append(cell)
    for number, mine in enumerate(groups.values()):
        starting(mine[0])
        subject = parity.subject(scenarios[mine[0].scenario], mine[0].size)
        if job.condition:
            for result in engine.observe_fresh(subject, mine, job.condition, starting):
                journal.write("fresh", **asdict(result))
            continue
        now = time.monotonic()
        for explanation in engine.explain(
            subject,
            mine,
            now + (deadline - now) / (len(groups) - number),
            starting,
            stage=stage,
            ended=job.ended,
            partial=lambda found: journal.write("explanation", whole=False, **asdict(found)),
            isolate=isolate(workers, entries[mine[0].scenario], subject, stage),
        ):
            watchdog.rest()
            if job.cells and explanation.cell not in job.cells:
                continue  # eager is run with each, and was not asked for
            journal.write("explanation", whole=True, **asdict(explanation))
            if job.scripts and explanation.tensors:
                journal.write("script", cell=explanation.cell, text=_script(subject, explanation))
    journal.write("done")


def isolate(
    workers: Workers,
    entry: Entry,
    subject: Subject,
    stage: engine.Stage,
    seconds: float = _ISOLATED_S,
) -> Isolate:
    """Runs a cell's program in a process of its own, which has so many seconds to answer."""

    def run(cell: Cell, condition: Condition, variables: Mapping[str, str]) -> Observation:
        assert subject.initial is not None
        stage(cell, f"{_ALONE}, with {variables}")
        experiment = Isolated(entry, cell.size, cell.id, condition, subject.initial)
        return workers.run(experiment, variables, seconds)

    return run


def _script(subject: Subject, explanation: Explanation) -> str:
    try:
        return script(subject, explanation)
    except Exception:  # a script is an extra: what was found is not to be lost for it
        return ""
