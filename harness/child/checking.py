"""Checks the parity of every cell, and the work and checkpoints of those that agree."""

from __future__ import annotations

import gc
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

from eager_vs_graph.catalog.selection import Selection
from eager_vs_graph.child import environment
from eager_vs_graph.child.adopt.loading import load
from eager_vs_graph.child.explain.equal_work import EqualWork
from eager_vs_graph.child.parity import check as parity
from eager_vs_graph.child.parity.checkpoints import exchange
from eager_vs_graph.errors import PartNotFound, ScenarioError
from eager_vs_graph.processes.jobs import CheckJob
from eager_vs_graph.processes.journal import Journal
from eager_vs_graph.results.cells import Cell
from eager_vs_graph.results.record import ERROR, CellParity
from eager_vs_graph.scenario import Scenario

Broken = dict[str, tuple[str, str]]
"""By scenario that cannot be loaded: the status of its cells and the reason."""


def check(job: CheckJob, journal: Journal) -> None:
    """Devices, environment, grid, and the parity of every cell.

    Raises:
        UsageError: a device does not exist, or nothing that was asked for can be loaded.
    """
    selection = job.selection
    environment.split_cpu(selection.logical_cpus, selection.modes)
    devices = environment.devices(selection.devices, selection.logical_cpus)
    broken: Broken = {name: (status, why) for name, (status, why) in job.broken.items()}
    scenarios = _load(selection, broken, journal)
    for adopted in filter(None, (scenario.adopted() for scenario in scenarios.values())):
        journal.write("adopted", **adopted)
    loaded = {*scenarios, *broken}
    of_use = [name for name, scenario in scenarios.items() if scenario.own_functions]
    cells = [cell for cell in selection.cells(devices, of_use) if cell.scenario in loaded]
    gc.freeze()  # the check collects before every cell; TensorFlow's own objects need no look
    journal.write(
        "grid",
        cells=[cell.id for cell in cells],
        devices=devices,
        absent=environment.absent_kinds() if not selection.devices else [],
        environment=environment.describe(),
    )
    _write(
        journal,
        (
            CellParity(cell.id, *broken[cell.scenario])
            for cell in cells
            if cell.scenario in broken and cell.id not in job.done
        ),
    )
    for name, size in selection.pairs():
        mine = [cell for cell in cells if (cell.scenario, cell.size) == (name, size)]
        if name in scenarios and mine and [name, size] not in job.finished:
            _check_size(job, journal, scenarios[name], mine)
    journal.write("done")


def _load(selection: Selection, broken: Broken, journal: Journal) -> dict[str, type[Scenario]]:
    """The classes of the scenarios; those that do not import are added to ``broken``.

    Raises:
        ScenarioError: none can be loaded, or the user's own code, which is all that was asked for.
    """
    scenarios: dict[str, type[Scenario]] = {}
    for entry in selection.entries:
        if entry.name in broken:
            continue
        journal.write("loading", scenario=entry.name)
        try:
            scenarios[entry.name] = load(entry)
        except PartNotFound:
            continue
        except ScenarioError as error:
            if entry.target is not None:
                raise
            broken[entry.name] = (ERROR, str(error))
    if broken and not scenarios:
        raise ScenarioError("; ".join(dict.fromkeys(reason for _, reason in broken.values())))
    return scenarios


def _check_size(
    job: CheckJob, journal: Journal, scenario: type[Scenario], mine: list[Cell]
) -> None:
    """Check the cells of one scenario and size."""

    def starting(cell: Cell) -> None:
        journal.write("cell", cell=cell.id, stage="parity")

    size = mine[0].size
    left = [cell for cell in mine if cell.id not in {*job.excluded, *job.done}]
    starting((left or mine)[0])
    try:
        subject = parity.subject(scenario, size)
    except ScenarioError as error:
        _write(journal, (CellParity(cell.id, ERROR, str(error)) for cell in left))
        return
    subject.files = Path(job.files) if job.files else None
    equal_work = EqualWork(subject)
    # Where a cell ended its process, tracing the step once more could do the same.
    ended = {cell.id for cell in mine} & {*job.excluded}
    counted = [mine[0].scenario, size] not in job.uncounted and not ended
    for result in parity.check(subject, left, starting):
        _write(journal, [result])
        if counted and result.timed:
            journal.write("cell", cell=result.cell, stage="work")
            why = equal_work.checked(result).unequal_work
            journal.write("work", cell=result.cell, unequal_work=why)
    # A checkpoint knows neither devices nor policies: one cell of each mode will do.
    one_a_mode = {cell.mode: cell for cell in reversed(mine)}
    chosen = [one_a_mode[mode] for mode in job.selection.modes if mode in one_a_mode]
    for pair in exchange(subject, chosen, starting, job.excluded):
        journal.write("checkpoint", **asdict(pair))
    journal.write("checked", scenario=mine[0].scenario, size=size)


def _write(journal: Journal, results: Iterable[CellParity]) -> None:
    for result in results:
        journal.write("parity", **asdict(result))
