"""``why`` end to end, in processes of its own, away from the repository."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

from commands import harness

from eager_vs_graph.results.why_files import Answer

PROGRAM = """
import os
import numpy as np
import tensorflow as tf

weights = tf.Variable(tf.ones([8, 8]))

@tf.function
def inner(x, rate):
    return tf.tanh(x @ weights) * rate

def step(x, rate):
    return tf.reduce_sum(inner(x, rate))

def calls():
    for number in range(3):
        yield np.ones([4, 8], np.float32), 0.1 * number

def ends(x):
    if not tf.executing_eagerly():
        os.abort()
    return x + 1.0
"""
BUDGET = ("--budget", "3600s")
"""So that no change is left out on a busy machine."""


def answer(folder: Path) -> Answer:
    (found,) = (folder / "results" / "why").iterdir()
    return Answer(found)


def test_what_a_stranger_sees(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(PROGRAM)
    asked = harness("why", "mine.py:step", "--arg", "mine.py:calls", *BUDGET, cwd=tmp_path)
    assert asked.returncode == 0, asked.stderr
    assert "eager: " in asked.stdout
    assert "session: unsupported: " in asked.stdout
    assert "inner was traced again 2 times: rate: 0.0 → 0.1, 0.2" in asked.stdout
    assert (
        "remedy: pass rate as a tensor in every call: tf.constant(rate) (tried: 1 in place of 3"
        in (asked.stdout)
    )
    found = answer(tmp_path)
    assert str(found.folder.name) in asked.stdout
    assert {cell.cell.split("/")[2] for cell in found.read().cells} == {
        *("eager", "function", "session", "as_written"),
    }
    with gzip.open(found.trace, "rt") as file:
        assert json.load(file)["traceEvents"]


def test_a_mode_that_ends_the_process_costs_itself_only(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(PROGRAM)
    asked = harness(
        *("why", "mine.py:ends", "--arg", "float32[4]", "--modes", "eager,function"), cwd=tmp_path
    )
    assert asked.returncode == 0, asked.stderr
    eager, function = answer(tmp_path).read().cells
    assert eager.call_s > 0
    assert function.error.startswith("crashed")


def test_a_mistake_is_one_line(tmp_path: Path) -> None:
    asked = harness("why", "nothing.py:step", cwd=tmp_path)
    assert asked.returncode == 2
    assert asked.stderr.splitlines()[-1] == "error: nothing.py: no such file"
    assert not (tmp_path / "results").exists()
