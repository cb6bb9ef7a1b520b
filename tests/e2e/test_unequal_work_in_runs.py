"""Unequal work, as the command line finds it."""

from __future__ import annotations

from commands import REPOSITORY, harness

from eager_vs_graph.results.explanation import UNEQUAL_WORK

CAUSES = REPOSITORY / "tests" / "causes"


def test_parity_marks_the_cells_and_fails_nothing(tmp_path):
    done = harness("parity", "--scenarios", CAUSES / "work.py", "--modes", "eager,function",
                   "--no-explain", cwd=tmp_path)  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.count(f"identical ({UNEQUAL_WORK})") >= 6
    assert (
        "no speed-up: of 2.74e+05 elements that eager computes in a call the graph computes "
        "4.1e+03 (constant inputs are folded)"
    ) in done.stdout
    assert (
        "no speed-up: eager runs MatMul once at work.py:24: _unused = tf.matmul(x, x); the graph "
        "never: nobody reads what it gives"
    ) in done.stdout


DIES_WHEN_TRACED_AGAIN = """
import os

import numpy as np
import tensorflow as tf

from eager_vs_graph import Scenario, Size

# Where nobody puts it back: state of the user's own begins anew in each program.
os.traces = 0


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
            os.traces += 1
            if os.traces > 1:
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
    assert done.stderr.count("could not check that it does the same amount of work") == 1
    assert done.stdout.count("identical") == 3
