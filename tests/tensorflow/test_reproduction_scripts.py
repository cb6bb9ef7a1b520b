"""Reproduction scripts: a mode's ``run_mode`` does what the mode does, and their text is clean."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from contract_scenarios import Cumulate, Everything, Varying, assert_same_bits
from workbench import program

from eager_vs_graph import Scenario, Size
from eager_vs_graph.catalog import find as catalog
from eager_vs_graph.child.adopt.loading import load
from eager_vs_graph.child.explain.reproduce import script
from eager_vs_graph.child.parity import check as parity
from eager_vs_graph.child.parity.trajectory import of_program
from eager_vs_graph.modes import MODES
from eager_vs_graph.modes.variables import variables_of
from eager_vs_graph.results.explanation import GRAPPLER, TRACE_TIME, Cause, Explanation
from eager_vs_graph.results.record import TensorComparison
from eager_vs_graph.scenario import SEED

ABLE = [mode.name for mode in MODES.values() if hasattr(mode.module(), "run_mode")]
STEPS = 4


def test_scripts_can_run_the_modes_that_take_a_step_in_one_process():
    assert ABLE == ["eager", "function", "session", "concrete", "xla"]


@pytest.mark.parametrize("mode", ABLE)
@pytest.mark.parametrize("scenario", [Cumulate, Varying, Everything])
def test_a_script_runs_a_scenario_as_the_mode_does(scenario, mode):
    built = program(scenario, mode)
    expected = of_program(built, built.state(), built.task.feeds, STEPS)

    def build():
        tf.keras.utils.set_random_seed(SEED)
        made = scenario(next(iter(scenario.sizes.values())))
        made.build()
        return made

    feeds = [built.task.feeds[step % len(built.task.feeds)] for step in range(STEPS)]
    outputs, variables = MODES[mode].module().run_mode(build, feeds, variables_of)
    for found, wanted in zip(outputs, expected.outputs, strict=True):
        assert_same_bits(found, wanted)
    assert_same_bits(variables, expected.state)


FILE = '''
from __future__ import annotations

import random

import helper_of_scripts
import numpy as np
import tensorflow as tf
from eager_vs_graph import Scenario, Size

LOG = []


def scaled(x, seen=[]):
    seen.append(1)
    return x * helper_of_scripts.FACTOR * len(seen)


def unused():
    return random.random()


class Written(Scenario):
    """Something of everything that a script may need."""

    name = "written"
    sizes = {"tiny": Size(n=3)}

    def inputs(self, rng):
        return [{"x": rng.standard_normal(self.size.n).astype(np.float32)}]

    def build(self):
        self.layers = [tf.keras.layers.Dense(2)]
        self.layers[0].build((None, 3))
        self.weight = tf.Variable(1.0)

    def step(self, x: tf.Tensor) -> dict[str, tf.Tensor]:
        LOG.append(1)
        self.weight.assign_add(1.0)
        return {"y": self.layers[0](scaled(x)[None]) * self.weight}

    def reference(self, state, x):
        return {"y": np.zeros(1)}
'''


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """A scenario of a file that has a module beside it."""
    folder = tmp_path_factory.mktemp("written")
    (folder / "written.py").write_text(FILE, encoding="utf-8")
    (folder / "helper_of_scripts.py").write_text("FACTOR = 2.0\n", encoding="utf-8")
    (entry,) = catalog.entries([folder / "written.py"])
    return load(entry)


def explanation(mode, kind="output", tensor="y"):
    cause = Cause(TRACE_TIME, "LOG, seen (of scaled)", "summary", "remedy", tensors=(tensor,))
    grappler = Cause(GRAPPLER, "constant_folding", "summary", "remedy", tensors=(tensor,))
    return Explanation(
        f"written/tiny/{mode}/CPU:0/resident",
        "differs",
        tensors=(TensorComparison(tensor, kind, "eager", "differs", worst_step=1),),
        causes=(cause, grappler),
    )


@pytest.mark.parametrize("mode", ABLE)
@pytest.mark.parametrize(("kind", "tensor"), [("output", "y"), ("variable", "layers/0/kernel")])
def test_the_text_of_a_script_is_sound(written, tmp_path, mode, kind, tensor):
    text = script(parity.subject(written, "tiny"), explanation(mode, kind, tensor))
    file = tmp_path / "script.py"
    file.write_text(text, encoding="utf-8")
    ruff = Path(sys.executable).with_name("ruff")
    done = subprocess.run(
        [ruff, "check", "--isolated", "--select", "F,E9", file], capture_output=True, check=False
    )
    assert done.returncode == 0, done.stdout.decode() + text
    defined = {node.name for node in ast.parse(text).body if isinstance(node, ast.FunctionDef)}
    assert {"scaled", "take_steps", "run_mode", "put_back_python_state"} <= defined
    assert "unused" not in defined
    assert "eager_vs_graph" not in text
    assert '"layers/0/kernel": scenario.layers[0].variables[0].value' in text
    assert ("without constant_folding" in text) == (mode != "eager")


def test_a_script_that_cannot_be_written_says_why(written):
    subject = parity.subject(written, "tiny")
    with pytest.raises(ValueError, match="mode mirrored cannot be reproduced in a script; eager, "):
        script(subject, explanation("mirrored"))
    with pytest.raises(ValueError, match="in a file"):
        script(subject, explanation("function", "written", "summary of loss"))


def take_steps(x):
    """Named like a part of the script."""
    return x


class Clashing(Scenario):
    """Its file has a name that the script needs."""

    name = "clashing"
    sizes = {"tiny": Size()}

    def inputs(self, rng):
        return [{"x": np.ones(3, np.float32)}]

    def step(self, x):
        return {"y": take_steps(x)}


def test_a_name_that_the_script_needs_too_is_refused():
    subject = parity.subject(Clashing, "tiny")
    found = explanation("function")
    with pytest.raises(ValueError, match="take_steps of the author's file has the name of a part"):
        script(subject, found)
