"""A cell whose work is unequal: no speed-up, and every surface says why."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from record_fixture import TIMED_CELL, Shape, write_run

from eager_vs_graph.reports import Rendered, reasons, render, tables
from eager_vs_graph.reports.matrix import matrix
from eager_vs_graph.reports.terminal import run as terminal
from eager_vs_graph.results.codec import write_json
from eager_vs_graph.results.explanation import UNEQUAL_WORK
from eager_vs_graph.results.run import Run

WHY = "of 1e+06 elements that eager computes in a call the graph computes 10"
SMALL = Shape(scenarios=("mnist_step",), inputs=("resident",))
UNEQUAL_CELL = TIMED_CELL


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Rendered:
    """A run in which one cell's work is unequal, and its A/A control's twin's too."""
    folder = write_run(tmp_path_factory.mktemp("results") / "run", SMALL)
    mark(folder, UNEQUAL_CELL, TIMED_CELL.replace("session", "function"))
    return render(folder)


def mark(folder: Path, *cells: str) -> None:
    content = json.loads((folder / "parity.json").read_text())
    for entry in content["cells"]:
        if entry["cell"] in cells:
            entry["unequal_work"] = WHY
    write_json(folder / "parity.json", content)


def test_no_speed_up_is_claimed_for_unequal_work(rendered: Rendered) -> None:
    row = rendered.summary.loc[UNEQUAL_CELL]
    assert row["verdict"] == UNEQUAL_WORK
    assert row["reason"] == f"{UNEQUAL_WORK}: {WHY}"
    assert row[["speedup", "speedup_low", "speedup_high", "break_even_calls"]].isna().all()
    assert row["latency_s"] > 0
    assert row["parity_status"] == "close"
    other = rendered.summary.loc[UNEQUAL_CELL.replace("small", "large")]
    assert other["speedup"] > 1
    assert other["verdict"] != UNEQUAL_WORK


def test_every_surface_says_so_and_why(rendered: Rendered) -> None:
    marked = f"close ({UNEQUAL_WORK})"
    (row,) = [
        r for r in tables.results(rendered.summary).rows if r[:2] == ("mnist_step small", "session")
    ]
    assert UNEQUAL_WORK in row
    assert marked in row
    (reason,) = [each for each in rendered.reasons if each.status == marked]
    assert reason.text == f"{UNEQUAL_WORK}: {WHY}"
    assert reason.cells == "mnist_step small in function, session"
    assert any("2 cells do not do the work that eager does" in line for line in rendered.headline)
    parity_of_run = list(rendered.frames.parity.values())
    assert matrix(parity_of_run, {}).rows["mnist_step", "small"]["session"] == marked
    assert [(r.status, r.text) for r in reasons.of_check(parity_of_run)] == [
        (marked, f"no speed-up: {WHY}")
    ]
    page = rendered.page.read_text(encoding="utf-8")
    assert page.count(marked) >= 3
    assert WHY in (rendered.folder / "summary.md").read_text(encoding="utf-8").replace("\\", "")
    console = terminal.Console(file=io.StringIO(), width=200)
    terminal.print_result(rendered, console)
    assert marked in console.file.getvalue()


def test_older_records_read_as_of_equal_work(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run", SMALL)
    content = json.loads((folder / "parity.json").read_text())
    for entry in content["cells"]:
        del entry["unequal_work"]
    write_json(folder / "parity.json", content)
    assert not any(cell.unequal_work for cell in Run(folder).parity())
    assert UNEQUAL_WORK not in render(folder).page.read_text(encoding="utf-8")
