"""The registry of modes: what stands in it, and that a new mode needs nothing else."""

from __future__ import annotations

import ast
import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from commands import REPOSITORY
from record_fixture import Shape, write_run
from typer.testing import CliRunner
from workbench import words

from eager_vs_graph import Scenario, Size, modes
from eager_vs_graph.cli.list_ import app
from eager_vs_graph.modes import BASELINE, MODES, Mode, markdown_table
from eager_vs_graph.reports import render
from eager_vs_graph.results.run import Run


def test_every_entry_has_its_file_and_every_file_of_a_mode_its_entry():
    files = {
        file.stem: ast.parse(file.read_text()) for file in Path(modes.__path__[0]).glob("*.py")
    }
    assert {name for name, tree in files.items() if "build" in _assigned(tree)} == set(MODES)
    assert BASELINE in MODES


def _assigned(tree):
    """Names that a module assigns or defines."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            yield node.name
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            yield from (each.id for each in targets if isinstance(each, ast.Name))


def test_no_two_modes_look_alike_and_all_are_seen_on_both_backgrounds():
    looks = [(mode.colour, mode.marker) for mode in MODES.values()]
    assert (
        len({colour for colour, _ in looks}) == len({marker for _, marker in looks}) == len(looks)
    )
    for mode in MODES.values():
        for background in ("#ffffff", "#0d1117"):
            lighter, darker = sorted(map(luminance, (mode.colour, background)), reverse=True)
            assert (lighter + 0.05) / (darker + 0.05) >= 3, (mode.name, background)


def luminance(colour):
    """Relative luminance as WCAG 2 defines it."""
    channels = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def test_the_page_of_modes_has_the_table_of_the_registry():
    page = (REPOSITORY / "docs" / "modes.md").read_text(encoding="utf-8")
    assert markdown_table() in page, f"put this table into docs/modes.md:\n{markdown_table()}"


TOY = '''
"""The step is run twice, from the same state."""

from eager_vs_graph.modes.eager import EagerProgram


class TwiceProgram(EagerProgram):
    def run(self, feed):
        before = self.state()
        super().run(feed)
        self.load(before)
        return super().run(feed)


build = TwiceProgram
'''


@pytest.fixture
def twice(tmp_path, monkeypatch):
    """A new mode: one file and one entry."""
    (tmp_path / "twice.py").write_text(TOY, encoding="utf-8")
    monkeypatch.setattr(modes, "__path__", [*modes.__path__, str(tmp_path)])
    mode = Mode(name="twice", summary="the step, run twice from the same state")
    monkeypatch.setitem(MODES, "twice", mode)
    yield mode
    sys.modules.pop("eager_vs_graph.modes.twice", None)


class Count(Scenario):
    """Counts its calls."""

    name = "count"
    sizes = {"tiny": Size()}

    def inputs(self, rng):
        return [{"x": rng.standard_normal(3).astype(np.float32)}]

    def build(self):
        self.calls = tf.Variable(0)

    def step(self, x):
        return {"calls": self.calls.assign_add(1), "y": x + 1.0}

    def reference(self, state, x):
        state["calls"] += 1
        return {"calls": state["calls"], "y": x + 1.0}


def test_a_new_mode_is_compared(twice):
    cells = words(Count, ["eager", "function", "twice"])
    assert {cell.status for cell in cells.values()} == {"identical"}
    assert {tensor.against for tensor in cells["twice"].tensors} == {"eager", "reference"}


def test_a_new_mode_is_listed(twice):
    listed = CliRunner().invoke(app, [])
    assert twice.summary in listed.stdout
    listed = CliRunner().invoke(app, ["--format", "json"])
    assert json.loads(listed.stdout)["modes"]["twice"]["summary"] == twice.summary


def test_a_new_mode_is_reported_with_a_look_that_no_other_mode_has(twice, tmp_path):
    shape = Shape(scenarios=("mnist_step",), modes=("eager", "function", "twice"), passes=2)
    run = Run(write_run(tmp_path / "run", shape))
    about = {mode: MODES[mode].about() for mode in shape.modes}
    run.save_environment(run.environment, replace(run.request, about_modes=about))
    found = render(run.folder)
    page = found.page.read_text(encoding="utf-8")
    assert twice.summary in page
    assert set(found.summary["mode"]) == {"eager", "function", "twice"}
    (chart,) = [file for file in found.files if file.name == "speedup-cpu0-resident.svg"]
    drawn = chart.read_text(encoding="utf-8")
    assert MODES["function"].colour in drawn
    assert MODES["session"].colour in drawn  # the first that no mode of this run has
