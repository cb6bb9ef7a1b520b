"""Says where the time of cells' calls goes."""

from __future__ import annotations

import gc
import logging
import time
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

import tensorflow as tf

from eager_vs_graph.child import environment
from eager_vs_graph.child.adopt.loading import load
from eager_vs_graph.child.parity.subject import Subject, subject
from eager_vs_graph.child.why import engine, perfetto
from eager_vs_graph.child.why.profile import Profile
from eager_vs_graph.errors import PartNotFound
from eager_vs_graph.modes.failures import failure
from eager_vs_graph.processes.jobs import WhyJob
from eager_vs_graph.processes.journal import Journal
from eager_vs_graph.results.cells import Cell
from eager_vs_graph.results.why import CellWhy


def why(job: WhyJob, journal: Journal) -> None:
    """Watch a program of each cell, and write what was seen."""
    deadline = time.monotonic() + job.seconds
    tf.get_logger().setLevel(logging.ERROR)  # of retracing, the answer says more
    selection = job.selection
    environment.split_cpu(selection.logical_cpus, selection.modes)
    scenarios, files = {}, {}
    for entry in selection.entries:
        journal.write("loading", scenario=entry.name)
        with suppress(PartNotFound):
            scenarios[entry.name] = load(entry)
            files[entry.name] = str(entry.file)
    of_use = [name for name, scenario in scenarios.items() if scenario.own_functions]
    cells = selection.cells(selection.devices or ["CPU:0"], of_use)
    cells = [cell for cell in cells if cell.scenario in scenarios]
    journal.write("grid", cells=[cell.id for cell in cells])
    gc.freeze()
    subjects: dict[tuple[str, str], Subject] = {}
    profiles: dict[str, Profile] = {}
    for number, cell in enumerate(cells):
        if cell.id in job.done:
            continue

        def stage(name: str, cell: Cell = cell) -> bool:
            """Say what comes next; whether it may."""
            if name in job.left_out.get(cell.id, ()):
                return False
            journal.write("cell", cell=cell.id, stage=name)
            return True

        stage("why")
        now = time.monotonic()
        until = now + max(0.0, deadline - now) / (len(cells) - number)
        try:
            key = (cell.scenario, cell.size)
            if key not in subjects:
                subjects[key] = subject(scenarios[cell.scenario], cell.size)
            found, profile = engine.why(subjects[key], cell, until, stage)
            profiles[cell.id] = profile
        except Exception as error:  # a cell that fails costs that cell
            status, reason = failure(error, files[cell.scenario])
            found = CellWhy(cell.id, error=f"{status}: {reason}")
        journal.write("why", **asdict(found))
    if job.trace and profiles:
        perfetto.write(profiles, Path(job.trace))
    journal.write("done")
