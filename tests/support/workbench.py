"""What several test modules need: a scenario from a file, programs of it, words for its cells."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from eager_vs_graph.catalog import find as catalog
from eager_vs_graph.catalog.user_code import entries_of
from eager_vs_graph.child.adopt import adopt
from eager_vs_graph.child.adopt.loading import load
from eager_vs_graph.child.parity import check as parity
from eager_vs_graph.modes import DEFAULT_MODES, MODES
from eager_vs_graph.modes.failures import failure
from eager_vs_graph.modes.program import Program, Task
from eager_vs_graph.results.cells import Cell
from eager_vs_graph.results.record import UNSUPPORTED, CellParity, TensorComparison
from eager_vs_graph.scenario import Array, Feed, Scenario, State

USER_CODE = Path(__file__).resolve().parents[1] / "user_code"
BROKEN = Path(__file__).resolve().parents[1] / "broken"
SPLITTING = ("mirrored", "multi_worker")
"""Modes that split a batch among replicas; tests/e2e/test_distribution.py is about them."""
WHOLE = tuple(
    name for name, mode in MODES.items() if name not in SPLITTING and not mode.needs_functions
)
"""Modes that do every scenario's step in one piece."""
GRAPHS = tuple(mode for mode in WHOLE if mode != "eager")
DEFAULT_GRAPHS = tuple(mode for mode in DEFAULT_MODES if mode != "eager")
SAME_KERNELS = tuple(mode for mode in GRAPHS if mode != "xla")
"""The graph modes that run TensorFlow's own kernels, and so round as eager does."""


def built_in(name: str) -> type[Scenario]:
    """A scenario of the catalogue."""
    (entry,) = catalog.select([name])
    return load(entry)


def broken(name: str) -> type[Scenario]:
    """A deliberately broken scenario of ``tests/broken``, found as a user's would be."""
    (entry,) = [entry for entry in catalog.entries([BROKEN]) if entry.name == name]
    return load(entry)


def adopted(
    reference: str, *arguments: str, part: int = 0, path: Path = USER_CODE, **options: Any
) -> type[Scenario]:
    """The scenario of a target, as a child process makes it; modules are found in a folder."""
    entries = entries_of(
        reference, arguments=arguments, path=[str(path), str(Path.cwd())], **options
    )
    target = entries[part].target
    assert target is not None
    return adopt(target, entries[part].name)


def words(
    scenario: type[Scenario],
    modes: Sequence[str] = DEFAULT_MODES,
    inputs: str = "resident",
    size: str | None = None,
    device: str = "CPU:0",
) -> dict[str, CellParity]:
    """The parity of a scenario's modes on one device, as a run finds it."""
    size = size or next(iter(scenario.sizes))
    cells = [Cell(scenario.name, size, mode, device, inputs) for mode in modes]
    found = parity.check(parity.subject(scenario, size), cells, lambda _cell: None)
    return {Cell.parse(result.cell).mode: result for result in found}


def tensor(cell: CellParity, name: str, against: str) -> TensorComparison:
    """One comparison of a cell."""
    (found,) = [t for t in cell.tensors if (t.tensor, t.against) == (name, against)]
    return found


def program(
    scenario: type[Scenario], mode: str, inputs: str = "resident", size: str | None = None
) -> Program:
    """A program of a scenario on CPU:0, from the same initial state in every mode."""
    size = size or next(iter(scenario.sizes))
    cell = Cell(scenario.name, size, mode, "CPU:0", inputs)
    return parity.subject(scenario, size).build(cell)


def outputs(
    scenario: type[Scenario],
    mode: str,
    size: str,
    state: State | None = None,
    feeds: Sequence[Feed] = (),
) -> list[dict[str, Array]]:
    """What a mode returns for feeds (its own where none are given), from a state.

    A mode outside the default grid may refuse the scenario, with a reason; the test is skipped.
    """
    try:
        built = program(scenario, mode, size=size)
        built.load({**built.state(), **(state or {})})
        found = [built.run(feed) for feed in feeds or built.task.feeds]
        built.close()
    except Exception as error:
        status, reason = failure(error)
        if MODES[mode].default or status != UNSUPPORTED or not reason:
            raise
        pytest.skip(f"{mode}: {reason}")
    return found


def task(scenario: type[Scenario], inputs: str = "resident", size: str | None = None) -> Task:
    """The task of a scenario on CPU:0."""
    size = size or next(iter(scenario.sizes))
    subject = parity.subject(scenario, size)
    return subject.task(Cell(scenario.name, size, "eager", "CPU:0", inputs))
