"""Which cells of a check have something to explain."""

from __future__ import annotations

from eager_vs_graph.results.cells import Cell
from eager_vs_graph.results.record import CellParity
from eager_vs_graph.runs.check import CheckResult
from eager_vs_graph.runs.disagreements import disagreeing

MODES = ("eager", "function", "session")


def checked(**fates: list[tuple[str, str]]) -> CheckResult:
    """A check of scenarios: by name, the status and reason in each mode."""
    result = CheckResult()
    for name, of_modes in fates.items():
        for mode, (status, reason) in zip(MODES, of_modes, strict=True):
            cell = Cell(name, "tiny", mode, "CPU:0", "resident")
            result.cells.append(cell)
            result.parity[cell.id] = CellParity(cell.id, status, reason)
    return result


def names(result: CheckResult) -> set[tuple[str, str]]:
    cells = [Cell.parse(cell.cell) for cell in disagreeing(result)]
    return {(cell.scenario, cell.mode) for cell in cells}


def test_a_file_that_does_not_import_takes_no_explanation_from_the_others() -> None:
    result = checked(
        broken=[("error", "broken.py: does not import")] * 3,
        hanging=[("timeout", "importing hanging.py")] * 3,
        differing=[("identical", ""), ("differs", "3 ULP"), ("identical", "")],
    )
    assert names(result) == {("differing", "function")}


def test_a_mode_that_raises_differs_from_one_that_returns() -> None:
    result = checked(raising=[("identical", ""), ("error", "boom"), ("error", "boom")])
    assert names(result) == {("raising", "function"), ("raising", "session")}


def test_modes_that_raise_something_else_are_not_alike() -> None:
    result = checked(raising=[("error", "one"), ("error", "other"), ("error", "other")])
    assert len(names(result)) == 3
