"""Explains why cells disagree with eager, or runs them under one condition."""

from __future__ import annotations

import time
from collections import defaultdict
from dataclasses import asdict

from eager_vs_graph.child import environment
from eager_vs_graph.child.explain import engine, process_start
from eager_vs_graph.child.explain.reproduce import script
from eager_vs_graph.child.loading import load
from eager_vs_graph.child.parity import check as parity
from eager_vs_graph.child.parity.check import Subject
from eager_vs_graph.processes.jobs import ExplainJob
from eager_vs_graph.processes.journal import Journal
from eager_vs_graph.results.cells import Cell
from eager_vs_graph.results.explanation import Explanation


def explain(job: ExplainJob, journal: Journal) -> None:
    """The experiments on cells, or their runs under one condition."""
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
    try:
        return script(subject, explanation)
    except ValueError:
        return ""
