"""Unequal work: found by the check, and withheld from every claim of speed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from commands import REPOSITORY, harness
from record_fixture import TIMED_CELL, Shape, write_run

from eager_vs_graph.catalog import find as catalog
from eager_vs_graph.child.explain.equal_work import EqualWork
from eager_vs_graph.child.loading import load
from eager_vs_graph.child.parity import check as parity
from eager_vs_graph.reports import Rendered, render, tables
from eager_vs_graph.reports.matrix import matrix, reasons
from eager_vs_graph.reports.terminal import run as terminal
from eager_vs_graph.reports.wording import sentences
from eager_vs_graph.results.cells import Cell
from eager_vs_graph.results.codec import write_json
from eager_vs_graph.results.explanation import UNEQUAL_WORK
from eager_vs_graph.results.record import CellParity
from eager_vs_graph.results.run import Run

CAUSES = REPOSITORY / "tests" / "causes"
WHY = "of 1e+06 elements that eager computes in a call the graph computes 10"
SMALL = Shape(scenarios=("mnist_step",), inputs=("resident",))
UNEQUAL_CELL = TIMED_CELL


def entry_of(folder, name):
    return {entry.name: entry for entry in catalog.entries([folder])}[name]


def unequal(entry, mode="function", **changes):
    scenario = load(entry)
    (size, *_) = entry.default_sizes or entry.sizes
    cell = Cell(entry.name, size, mode, "CPU:0", "resident")
    result = CellParity(cell.id, **{"status": "identical", **changes})
    return EqualWork(parity.subject(scenario, size)).checked(result).unequal_work


@pytest.mark.parametrize("mode", ["function", "session"])
@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("folded_inputs", "constant inputs are folded"),
        ("dropped_result", "a dropped result is pruned"),
        ("dropped_gradient", "a dropped result is pruned"),
        ("same_again", "repeated work is shared"),
        ("numpy_work", "of eager's step is Python outside of TensorFlow"),
        ("body_of_forty", "eager changes self.rows in every step, the graph once at tracing"),
    ],
)
def test_unequal_work_is_found(name, reason, mode):
    assert reason in unequal(entry_of(CAUSES, name), mode)


def test_a_cell_that_is_not_timed_is_not_looked_at():
    entry = entry_of(CAUSES, "folded_inputs")
    assert not unequal(entry, status="differs")
    assert not unequal(entry, mode="eager")
    assert not unequal(entry, mode="mirrored")  # a replica is to do less
    assert unequal(entry, status="differs", known="declared")


@pytest.mark.parametrize("name", [e.name for e in catalog.entries([CAUSES / "controls"])])
def test_no_alarm_where_the_work_is_equal(name):
    assert not unequal(entry_of(CAUSES / "controls", name))


@pytest.mark.parametrize("name", [entry.name for entry in catalog.select([])])
def test_no_alarm_on_a_built_in_scenario(name):
    (entry,) = catalog.select([name])
    assert not unequal(entry)


def test_parity_marks_the_cells_and_fails_nothing(tmp_path):
    done = harness("parity", "--scenarios", CAUSES / "work.py", "--modes", "eager,function",
                   "--no-explain", cwd=tmp_path)  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.count(f"identical ({UNEQUAL_WORK})") >= 6
    assert "no speed-up: of 2.66e+05 elements that eager computes in a call" in done.stdout


DIES_WHEN_TRACED_AGAIN = """
import os

import numpy as np
import tensorflow as tf

from eager_vs_graph import Scenario, Size

TRACES = []


class Fragile(Scenario):
    \"\"\"Its second trace in a process is the process's last.\"\"\"

    name = "fragile"
    sizes = {"tiny": Size(n=4)}

    def inputs(self, rng):
        return [{"x": np.ones(self.size.n, np.float32)}]

    def build(self):
        pass

    def step(self, x):
        if not tf.executing_eagerly():
            TRACES.append(1)
            if len(TRACES) > 1:
                os.abort()
        return {"sum": tf.reduce_sum(x)}

    def reference(self, state, x):
        return {"sum": np.sum(x)}
"""


def test_a_look_at_work_that_ends_its_process_is_given_up_once(tmp_path):
    (tmp_path / "fragile.py").write_text(DIES_WHEN_TRACED_AGAIN, encoding="utf-8")
    done = harness("parity", "--scenarios", "fragile.py", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    # Each process gets as far as one look; the cells that follow have theirs left out.
    assert done.stderr.count("its work could not be compared with eager's") == 1
    assert done.stdout.count("identical") == 3


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
    assert row["median_s"] > 0
    assert row["parity"] == "close"
    other = rendered.summary.loc[UNEQUAL_CELL.replace("small", "large")]
    assert other["speedup"] > 1
    assert other["verdict"] != UNEQUAL_WORK


def test_every_surface_says_so_and_why(rendered: Rendered) -> None:
    marked = f"close ({UNEQUAL_WORK})"
    (row,) = [r for r in tables.results(rendered.summary).rows if r[0].endswith("small")][2:3]
    assert UNEQUAL_WORK in row
    assert marked in row
    assert any(
        marked in r and f"{UNEQUAL_WORK}: {WHY}" in r
        for r in tables.without_speedup(rendered.summary).rows
    )
    (sentence,) = [s for s in sentences(rendered.summary) if s.size == "small"]
    assert sentence.text().count(f"{UNEQUAL_WORK}: {WHY}") == 2
    assert any("2 cells do not do the work that eager does" in line for line in rendered.headline)
    parity_of_run = list(rendered.frames.parity.values())
    assert matrix(parity_of_run, {}).rows["mnist_step", "small"]["session"] == marked
    assert [(r.status, r.text) for r in reasons(parity_of_run)] == [(marked, f"no speed-up: {WHY}")]
    page = rendered.page.read_text(encoding="utf-8")
    assert page.count(marked) >= 3
    assert WHY in (rendered.folder / "summary.md").read_text(encoding="utf-8").replace("\\", "")
    console = terminal.Console(file=__import__("io").StringIO(), width=200)
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
