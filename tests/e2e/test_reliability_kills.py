"""``kill -9`` at random moments of one run, each followed by ``--resume``.

``EAGER_VS_GRAPH_KILLS=20`` kills so many times, instead of three.
"""

from __future__ import annotations

import csv
import os
import random
import time
from pathlib import Path

from watched_runs import Started, harness, latest, scratch_of

from eager_vs_graph.processes.journal import Follower
from eager_vs_graph.results.run import Run

KILLS = int(os.environ.get("EAGER_VS_GRAPH_KILLS", "3"))
SEED = int(os.environ.get("EAGER_VS_GRAPH_KILLS_SEED", "0"))
LONGEST_S = 4.0
"""After the event that is waited for, a kill comes at any moment of so many seconds."""
SCENARIO = '''
import time
import numpy as np
import tensorflow as tf
from eager_vs_graph import Scenario, Size

def slowly(x):
    time.sleep(0.03)
    return x

class Slow(Scenario):
    """Doubles a vector, slowly: a pass can be met in its blocks."""

    name = "slow"
    sizes = {"tiny": Size(n=4)}

    def inputs(self, rng):
        return [{"x": np.ones(self.size.n, np.float32)}]

    def step(self, x):
        x = tf.ensure_shape(tf.numpy_function(slowly, [x], x.dtype), 4)
        return {"doubled": 2 * x}

    def reference(self, state, x):
        return {"doubled": 2 * x}
'''


def finished(run: Run | None) -> dict[str, bytes]:
    """The files of the passes that are recorded."""
    if run is None:
        return {}
    files = [run.rounds_file(number) for number in run.pass_numbers()]
    files += [run.pass_cells_file(number) for number in run.pass_numbers()]
    return {file.name: file.read_bytes() for file in files}


def complete(folder: Path | None) -> int:
    """How many passes are complete."""
    if folder is None:
        return 0
    run = Run(folder)
    return sum(run.pass_record(number).outcome == "complete" for number in run.pass_numbers())


def blocks_begun(folder: Path) -> bool:
    """Whether a pass that is open has timed a block."""
    if (found := latest(folder)) is None:
        return False
    return any(
        event["event"] == "item"
        for journal in Run(found).work.glob("pass-*.jsonl")
        for event in Follower(journal).events()
    )


def test_finished_blocks_survive_every_kill(tmp_path: Path) -> None:
    (tmp_path / "slow.py").write_text(SCENARIO, encoding="utf-8")
    begin = ("bench", "--scenarios", "slow.py", "--modes", "eager,session", "--inputs", "resident")
    dice = random.Random(SEED)
    before: dict[str, bytes] = {}
    moments = []
    for _ in range(KILLS):
        folder = latest(tmp_path)
        wanted = str(complete(folder) + 2)  # so that there is always a pass to be met
        if folder is None:
            started = Started(tmp_path, *begin, "--passes", wanted, "--budget", "600s")
        else:
            again = ("bench", "--resume", folder, "--passes", wanted, "--budget", "600s")
            started = Started(tmp_path, *again)
        event = dice.choice(["start", "folder", "blocks", "blocks"])
        if event == "folder":
            started.until(lambda: latest(tmp_path) is not None, "the run has a folder")
        elif event == "blocks":
            started.until(lambda: blocks_begun(tmp_path), "a pass has timed a block")
        time.sleep(dice.uniform(0.0, LONGEST_S))
        started.kill()  # and nothing of it lives on
        moments.append(event)
        after = finished(Run(folder) if (folder := latest(tmp_path)) else None)
        assert {name: after.get(name) for name in before} == before, moments
        before = after
    if (folder := latest(tmp_path)) is None:  # all kills came before the check had ended
        done = harness(tmp_path, *begin, "--passes", "1", "--budget", "600s")
        folder = latest(tmp_path)
        assert folder is not None
    else:
        wanted = str(complete(folder) + 1)
        again = ("bench", "--resume", folder, "--passes", wanted, "--budget", "600s")
        done = harness(tmp_path, *again)
    assert done.code == 0, done.err
    run = Run(folder)
    after = finished(run)
    assert {name: after[name] for name in before} == before
    assert not run.work.exists()
    assert not list(run.folder.rglob("*.partial"))
    assert scratch_of(tmp_path) == []
    with (run.folder / "summary.csv").open(encoding="utf-8", newline="") as file:
        rows = {row["mode"]: row for row in csv.DictReader(file)}
    assert rows["session"]["status"] == "identical"
    assert float(rows["session"]["speedup"]) > 0
    assert int(rows["session"]["passes"]) == sum(
        any(timed.cell.split("/")[2] == "session" for timed in run.rounds(number))
        for number in run.pass_numbers()
    )
    assert (run.folder / "report.html").is_file()
