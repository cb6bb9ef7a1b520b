"""Real runs that are interrupted, killed, taken up again, and taken down by a cell of theirs.

Two chains of runs are started when a test first asks for one, side by side, because most of their
time is TensorFlow's import. Nothing here looks at a time.
"""

from __future__ import annotations

import csv
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import psutil
import pytest
from record_fixture import Shape, write_run

from eager_vs_graph.processes.journal import Follower
from eager_vs_graph.processes.supervise import Outcome
from eager_vs_graph.results.run import Run
from eager_vs_graph.runs.passes import PassListener
from eager_vs_graph.runs.progress import Progress

HEAD = """
import os, sys, time
from pathlib import Path
import numpy as np
import tensorflow as tf
from eager_vs_graph import *

HERE = Path(__file__).parent

def slowly(x):
    time.sleep(0.03)
    while (HERE / "hold").exists():
        time.sleep(0.03)
    return x

def in_a_block():
    return "PYTEST_CURRENT_TEST" in os.environ  # a block is an item of a pytest session

def note_finished_blocks(name):
    journals = (HERE / "results").rglob("pass-*.jsonl")
    newest = max(journals, key=lambda file: file.stat().st_mtime_ns)
    finished = newest.read_text().count('"data": "')
    (HERE / f"{name}.finished").write_text(str(finished))
"""
SCENARIO = '''

class {class_name}(Scenario):
    """Doubles a vector."""

    name = "{name}"
    sizes = {{"tiny": Size(n=4)}}

    def inputs(self, rng):
        return [{{"x": np.ones(self.size.n, np.float32)}}]

    def build(self):
        self.graph = not tf.executing_eagerly()

    def step(self, x):
        {first}
        return {{"doubled": 2 * x}}

    def reference(self, state, x):
        return {{"doubled": 2 * x}}
'''

# Slow enough that a pass can be met in the middle of its blocks, and held there.
SLOWLY = "x = tf.ensure_shape(tf.numpy_function(slowly, [x], x.dtype), 4)"
HANGS = """if tf.executing_eagerly() and in_a_block():
            note_finished_blocks(self.name)
            time.sleep(3600)"""
TAKES = """if tf.executing_eagerly() and in_a_block():
            note_finished_blocks(self.name)
            self.hoard = np.ones(2**28)
            time.sleep(3600)"""
STUCK = "if not (tf.executing_eagerly() or self.graph): time.sleep(3600)"


def source(name: str, first: str = "pass") -> str:
    return SCENARIO.format(name=name, class_name=name.capitalize(), first=first)


# A shell may have started the tests with SIGINT ignored, and that is inherited.
LAUNCH = (
    "import signal; signal.signal(signal.SIGINT, signal.default_int_handler);"
    "from eager_vs_graph.cli import main; main()"
)
PATIENCE_S = 900.0
"""Longer than anything here takes on the busiest machine: it only ends what hangs."""


class Done(NamedTuple):
    code: int
    out: str
    err: str


class Started:
    """``python -m harness`` in a folder with its own lock."""

    def __init__(self, folder: Path, *arguments: str | Path) -> None:
        self._out = folder / f"{threading.get_ident()}-{time.monotonic_ns()}.out"
        self._err = self._out.with_suffix(".err")
        own = {"EAGER_VS_GRAPH_LOCK": str(folder / "lock"), "COLUMNS": "200", "NO_COLOR": "1"}
        with self._out.open("wb") as out, self._err.open("wb") as err:
            self.process = subprocess.Popen(
                [sys.executable, "-c", LAUNCH, *map(str, arguments)],
                cwd=folder,
                env={**os.environ, **own},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
            )

    def done(self) -> Done:
        code = self.process.wait(PATIENCE_S)
        texts = (file.read_text(encoding="utf-8") for file in (self._out, self._err))
        return Done(code, *texts)


def harness(folder: Path, *arguments: str | Path) -> Done:
    return Started(folder, *arguments).done()


def blocks_in(path: Path) -> int:
    """Turns of programs that a journal tells of, as many as the record has."""
    items = (event for event in Follower(path).events() if event["event"] == "item")
    return sum(len(item["rounds"]) for item in items)


def until(condition: Callable[[], bool], what: str) -> None:
    """Wait for an event."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.1)


def meet(started: Started, path: Path, blocks: int) -> None:
    """Wait until a pass is in the middle of its blocks."""

    def arrived() -> bool:
        assert started.process.poll() is None, started.done()
        return blocks_in(path) >= blocks

    until(arrived, f"{path}: the pass did not get as far as block {blocks}")


def is_gone(process: psutil.Process) -> bool:
    """Whether a process has ended; who adopted it may be slow to bury it."""
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def contents(run: Run) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(run.raw.iterdir())}


def rows(run: Run) -> dict[str, dict[str, str]]:
    """The rows of the summary by cell id."""
    with (run.folder / "summary.csv").open(encoding="utf-8", newline="") as file:
        keys = ("scenario", "size", "mode", "device", "inputs")
        return {"/".join(row[key] for key in keys): row for row in csv.DictReader(file)}


@dataclass
class Story:
    """One run, taken up again and again."""

    folder: Path
    run: Run
    done: dict[str, Done] = field(default_factory=dict)
    """What each command said."""
    raw: dict[str, dict[str, bytes]] = field(default_factory=dict)
    """The record after each command."""
    rows: dict[str, Mapping[str, dict[str, str]]] = field(default_factory=dict)
    """The summary after each report."""
    measuring: int = 0
    """The process that was measuring when another was refused."""
    journalled: int = 0
    """Blocks in the journal when the parent was killed."""
    early: int = -1
    """Blocks of the pass whose parent was killed while it imported TensorFlow."""

    def tell(self, name: str, done: Done) -> None:
        self.done[name] = done
        self.raw[name] = contents(self.run)


def one_after_the_other(folder: Path) -> Story:
    """A pass; the second one interrupted; the parents of two more killed; the run finished."""
    (folder / "slow.py").write_text(HEAD + source("slow", SLOWLY), encoding="utf-8")
    options = ("--modes", "eager,session", "--inputs", "resident", "--results", "results")
    bench = ("bench", "--scenarios", "slow.py", *options)
    done = harness(folder, *bench, "--passes", "1", "--budget", "1s")
    assert done.code == 0, done.err
    story = Story(folder, Run((folder / "results" / "latest").resolve()))
    run = story.run
    story.tell("first", done)
    story.rows["first"] = rows(run)
    again = ("bench", "--resume", run.folder, "--passes", "2")

    interrupted = Started(folder, *again, "--budget", "60s")
    meet(interrupted, run.work / "pass-2.jsonl", 6)
    story.measuring = interrupted.process.pid
    (folder / "hold").touch()
    story.tell("refused", harness(folder, *bench, "--passes", "1"))
    (folder / "hold").unlink()
    interrupted.process.send_signal(signal.SIGINT)
    story.tell("interrupted", interrupted.done())
    story.tell("report", harness(folder, "report", run.folder))
    story.rows["report"] = rows(run)

    killed = Started(folder, *again, "--budget", "60s")
    meet(killed, run.work / "pass-3.jsonl", 6)
    (child,) = psutil.Process(killed.process.pid).children()
    killed.process.kill()
    killed.process.wait()
    until(lambda: is_gone(child), "the child outlives its parent")
    story.journalled = blocks_in(run.work / "pass-3.jsonl")
    story.tell("recovered", harness(folder, "report", run.folder))
    story.rows["recovered"] = rows(run)

    early = Started(folder, *again, "--budget", "20s")
    parent = psutil.Process(early.process.pid)

    def has_child() -> bool:
        assert early.process.poll() is None, early.done()
        return (run.work / "pass-4.job").exists() and bool(parent.children())

    until(has_child, "the fourth pass has no process")
    (child,) = parent.children()
    early.process.kill()
    early.process.wait()
    until(lambda: is_gone(child), "a child that was still starting outlives its parent")
    story.early = blocks_in(run.work / "pass-4.jsonl")

    story.tell("finished", harness(folder, *again, "--budget", "1s"))
    story.rows["finished"] = rows(run)
    return story


def taken_down(folder: Path) -> Story:
    """A run of one sound scenario and three whose cells end or hold up their process.

    Each is waited for until the limit, so it is short; a busy machine does not use it up, because
    time spent waiting for a CPU does not count.
    """
    kinds = {"sound": "pass", "hanging": HANGS, "taking": TAKES, "stuck": STUCK}
    text = HEAD + "".join(source(name, first) for name, first in kinds.items())
    (folder / "kinds.py").write_text(text, encoding="utf-8")
    limits = ("--cell-timeout", "12", "--memory-limit", "1.5GiB")
    options = ("--inputs", "resident", "--results", "results", "--passes", "1", "--budget", "1s")
    done = harness(folder, "bench", "--scenarios", "kinds.py", *options, *limits)
    assert done.code in (0, 1), done.err
    story = Story(folder, Run((folder / "results" / "latest").resolve()))
    story.tell("bench", done)
    story.rows["bench"] = rows(story.run)
    return story


@pytest.fixture(scope="session")
def stories(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Future[Story]]]:
    with ThreadPoolExecutor(max_workers=2) as pool:
        yield [
            pool.submit(tell, tmp_path_factory.mktemp(tell.__name__))
            for tell in (taken_down, one_after_the_other)
        ]


@pytest.fixture(scope="session")
def victims(stories: list[Future[Story]]) -> Story:
    return stories[0].result()


@pytest.fixture(scope="session")
def resumed(stories: list[Future[Story]]) -> Story:
    return stories[1].result()


SLOW = [f"slow/tiny/{mode}/CPU:0/resident" for mode in ("eager", "session")]


def test_resuming_does_not_measure_finished_passes_again(resumed: Story) -> None:
    first = resumed.raw["first"]
    assert first.keys() == {"pass-1.rounds", "pass-1.cells.json"}
    for name, after in resumed.raw.items():
        assert {file: after[file] for file in first} == first, name
    done = resumed.done["finished"]
    assert done.code == 0, done.err
    # The first and the last pass are complete; what was finished of the others is kept as it was.
    # The one whose parent was killed before there was a word of it has left nothing.
    outcomes = [resumed.run.pass_record(number).outcome for number in resumed.run.pass_numbers()]
    assert outcomes == ["complete", "interrupted", "interrupted", "complete"]
    before = resumed.raw["recovered"]
    assert {file: resumed.raw["finished"][file] for file in before} == before
    assert resumed.run.pass_numbers() == [1, 2, 3, 4]
    assert not resumed.run.work.exists()


def test_ctrl_c_keeps_what_was_finished(resumed: Story) -> None:
    done = resumed.done["interrupted"]
    assert "Traceback" not in done.err
    resume_with = f"`python -m eager_vs_graph bench --resume {resumed.run.folder}`"
    assert f"interrupted; what was finished is kept; resume with {resume_with}" in done.err
    assert len(resumed.run.rounds(2)) >= 6
    assert done.out.rstrip().endswith("report.html")


def test_an_interrupted_run_can_be_reported(resumed: Story) -> None:
    done = resumed.done["report"]
    assert (done.code, done.err) == (0, "")
    for cell in SLOW:
        assert resumed.rows["report"][cell]["passes"] == "2"
        assert resumed.rows["report"][cell]["status"] == "identical"
    assert int(resumed.rows["report"][SLOW[0]]["rounds"]) > int(
        resumed.rows["first"][SLOW[0]]["rounds"]
    )


def test_a_child_whose_parent_was_killed_ends_by_itself(resumed: Story) -> None:
    # Its end was waited for. Whose parent was killed before its first block times none.
    assert resumed.early == 0


def test_the_finished_blocks_of_a_killed_run_are_recovered(resumed: Story) -> None:
    done = resumed.done["recovered"]
    assert (done.code, done.err) == (0, "")
    assert len(resumed.run.rounds(3)) == resumed.journalled >= 6
    assert resumed.rows["recovered"][SLOW[1]]["passes"] == "3"
    assert resumed.rows["finished"][SLOW[1]]["passes"] == "4"


def test_a_second_run_is_refused_with_the_process_id_of_the_first(resumed: Story) -> None:
    done = resumed.done["refused"]
    assert done.code == 2
    assert done.err.startswith(f"error: Another benchmark (pid {resumed.measuring}) is running")
    assert "--allow-concurrent" in done.err
    assert done.err.count("\n") == 1
    runs = {path.resolve() for path in resumed.run.folder.parent.iterdir()}
    assert runs == {resumed.run.folder}


def test_a_cell_that_hangs_is_given_up_and_the_rest_is_complete(victims: Story) -> None:
    found = victims.rows["bench"]
    hanging = {cell.split("/")[2]: row for cell, row in found.items() if "hanging" in cell}
    assert hanging["eager"]["status"] == "timeout"
    assert "no sign of progress for " in hanging["eager"]["reason"]
    assert {hanging[mode]["status"] for mode in ("function", "session")} == {"identical"}
    assert float(hanging["session"]["latency_s"]) > 0


def test_a_cell_that_hangs_in_its_trace_is_given_up_before_it_is_timed(victims: Story) -> None:
    found = victims.rows["bench"]
    stuck = {cell.split("/")[2]: row for cell, row in found.items() if "stuck" in cell}
    assert stuck["function"]["status"] == "timeout"
    assert stuck["function"]["latency_s"] == ""
    assert {stuck[mode]["status"] for mode in ("eager", "session")} == {"identical"}
    assert float(stuck["session"]["speedup"]) > 0


def test_a_cell_that_takes_too_much_memory_is_stopped(victims: Story) -> None:
    found = victims.rows["bench"]
    taking = {cell.split("/")[2]: row for cell, row in found.items() if "taking" in cell}
    assert taking["eager"]["status"] == "crashed"
    assert "GiB of memory; the limit is 1.5 GiB" in taking["eager"]["reason"]
    assert {taking[mode]["status"] for mode in ("function", "session")} == {"identical"}


def test_a_sound_scenario_beside_them_is_complete(victims: Story) -> None:
    found = victims.rows["bench"]
    sound = {cell: row for cell, row in found.items() if cell.startswith("sound")}
    assert len(sound) == 4
    assert {row["status"] for cell, row in sound.items() if "control" not in cell} == {"identical"}
    assert all(float(row["latency_s"]) > 0 for row in sound.values())
    done = victims.done["bench"]
    assert done.code == 1
    assert "Traceback" not in done.err
    # Two passes were cut short, and their finished blocks are kept; then one was complete.
    outcomes = [victims.run.pass_record(number).outcome for number in victims.run.pass_numbers()]
    assert sorted(outcomes[:2]) == ["crashed", "timeout"]
    assert outcomes[2:] == ["complete"]
    kept = sorted(len(victims.run.rounds(number)) for number in (1, 2))
    assert kept == sorted(
        int((victims.folder / f"{name}.finished").read_text()) for name in ("hanging", "taking")
    )


def test_a_damaged_pass_of_a_run_is_named_and_the_rest_reported(
    resumed: Story, tmp_path: Path
) -> None:
    copy = Run(shutil.copytree(resumed.run.folder, tmp_path / "run"))
    whole = copy.rounds_file(1).read_bytes()
    copy.rounds_file(1).write_bytes(whole[: len(whole) // 2])
    copy.pass_cells_file(2).write_text("[]", encoding="utf-8")
    done = harness(tmp_path, "report", "run")
    assert done.code == 0, done.err
    page = (copy.folder / "report.html").read_text(encoding="utf-8")
    for name in ("pass-1.rounds", "pass-2.cells.json"):
        assert f"{name}: damaged" in page
    assert rows(copy)[SLOW[0]]["passes"] == "3"


def test_a_run_without_a_complete_pass_is_reported(tmp_path: Path) -> None:
    """What Ctrl-C leaves while the first pass is still being built."""
    run = Run(write_run(tmp_path / "run", Shape(scenarios=("mnist_step",), passes=0)))
    PassListener(1, Progress()).save(run, Outcome("interrupted"))
    done = harness(tmp_path, "report", "run")
    assert (done.code, done.err) == (0, "")
    assert {row["latency_s"] for row in rows(run).values()} == {""}
