"""It keeps going: passes that are cut short, taken up again, refused, or taken down by a cell.

Two chains of real runs are started when a test first asks for one, side by side, because most of
their time is TensorFlow's import. Each has a temporary folder of its own for the machine's lock.
Nothing here looks at a time.
"""

from __future__ import annotations

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

import psutil
import pytest
from commands import REPOSITORY
from record_fixture import Shape, write_run

from eager_vs_graph.catalog.entry import Entry
from eager_vs_graph.errors import Interrupted, UsageError
from eager_vs_graph.processes.jobs import MeasureJob
from eager_vs_graph.processes.journal import Event, Follower
from eager_vs_graph.processes.supervise import Limits, Outcome
from eager_vs_graph.results.cells import CONTROL, Cell
from eager_vs_graph.results.codec import write_json
from eager_vs_graph.results.frames import read
from eager_vs_graph.results.record import CellParity, PassCell, PassRecord
from eager_vs_graph.results.request import RunRequest, Timed
from eager_vs_graph.results.run import Run
from eager_vs_graph.runs import bench as orchestrate
from eager_vs_graph.runs import lock, passes
from eager_vs_graph.runs.options import TimingOptions
from eager_vs_graph.runs.passes import PassListener, recover
from eager_vs_graph.runs.progress import Progress

CELLS = [f"s/tiny/{mode}/CPU:0/resident" for mode in ("eager", "function", "session")]


# What a child tells, and what is made of it


def block(cell: str, number: int) -> Event:
    benchmark = {
        "name": f"{cell}-{number}",
        "group": "s/tiny/CPU:0/resident",
        "extra_info": {"cell": cell, "block": number, "position": 0, "probe_s": 1e-4},
        "stats": {"data": [1e-3, 1.1e-3, 1.2e-3]},
    }
    return {"event": "block", "cell": cell, "benchmark": benchmark}


def told(blocks: int, cells: Sequence[str] = CELLS) -> list[Event]:
    """What a child tells that finished so many blocks of every cell and was then gone."""
    costs = {"build_s": 0.01, "first_call_s": 0.1, "traces": 1, "prepare_s": 0.2}
    events: list[Event] = [{"event": "imported", "startup_s": 4.0, "programs": len(cells)}]
    for cell in cells:
        events.append({"event": "cell", "cell": cell, "stage": "build"})
        events.append({"event": "built", "cell": cell, **costs})
    events.append({"event": "blocks", "total": 30, "block_s": dict.fromkeys(cells, 0.01)})
    for number in range(blocks):
        for cell in cells:
            events += [{"event": "cell", "cell": cell, "stage": "blocks"}, block(cell, number)]
    return events


def finished() -> Event:
    return {
        "event": "finished",
        "started": "2026-01-02T03:04:05+00:00",
        "blocks_s": 3.0,
        "clock_s": 2.0,
        "traces": dict.fromkeys(CELLS, 2),
        "retraces": dict.fromkeys(CELLS, 1),
        "machine": {"warnings": ["the machine swapped 1.0 MiB"]},
    }


def new_run(folder: Path) -> Run:
    """A run whose check is done, and no pass begun."""
    run = Run(folder)
    run.raw.mkdir(parents=True)
    run.work.mkdir()
    entry = {"name": "s", "summary": "", "sizes": {"tiny": ""}, "file": "s.py", "class_name": "S"}
    programs = [Timed(cell, Cell.parse(cell).mode, Cell.parse(cell).group) for cell in CELLS]
    twin = Cell.parse(CELLS[0]).in_mode(CONTROL)
    programs.append(Timed(twin.id, "function", twin.group))
    request = RunRequest(
        cells=CELLS,
        timed=programs,
        bare_loops=True,
        control_of="function",
        entries=[entry],
        precision=0.5,
        budget_s=60.0,
        seed=7,
    )
    run.save_environment({}, request)
    run.save_parity([CellParity(cell, "identical", call_s=1e-3) for cell in CELLS])
    return run


def listener(events: list[Event], number: int = 1) -> PassListener:
    heard = PassListener(number, Progress())
    for event in events:
        heard.listen(event)
    return heard


def journal(run: Run, number: int, events: list[Event]) -> Path:
    path = run.work / f"pass-{number}.jsonl"
    path.write_text("".join(json.dumps(event) + "\n" for event in events), encoding="utf-8")
    return path


def test_a_pass_whose_child_died_is_written_from_its_journal(tmp_path: Path) -> None:
    run = new_run(tmp_path / "run")
    died = Outcome("crashed", "the process was ended by SIGSEGV", CELLS[2])
    record = listener(told(blocks=4)).save(run, died)
    assert run.pass_record(1) == record
    assert record.outcome == "crashed"
    assert {cell: entry.status for cell, entry in record.cells.items()} == {
        CELLS[0]: "measured",
        CELLS[1]: "measured",
        CELLS[2]: "crashed",
    }
    assert record.cells[CELLS[2]].reason == "the process was ended by SIGSEGV"
    assert record.cells[CELLS[0]].build_s == 0.01
    assert record.cells[CELLS[0]].block_s == 0.01
    assert record.startup_s == 4.0
    frames = read(run.folder)
    assert frames.warnings == []
    assert frames.blocks.groupby("cell")["block"].nunique().to_dict() == dict.fromkeys(CELLS, 4)
    assert frames.blocks["seconds"].iloc[0].tolist() == [1e-3, 1.1e-3, 1.2e-3]


def test_pytest_benchmark_reads_what_was_written_from_a_journal(tmp_path: Path) -> None:
    run = new_run(tmp_path / "run")
    listener(told(blocks=1)).save(run, Outcome("interrupted"))
    content = json.loads(run.pass_file(1).read_text("utf-8"))
    assert content.keys() >= {"benchmarks", "version", "machine_info", "commit_info", "datetime"}


@pytest.mark.parametrize("half", ["", '{"benchmarks": [{"name"'])
def test_half_a_file_of_a_dead_child_is_replaced(tmp_path: Path, half: str) -> None:
    run = new_run(tmp_path / "run")
    run.pass_file(1).write_text(half, encoding="utf-8")
    listener(told(blocks=3)).save(run, Outcome("crashed", "gone", CELLS[0]))
    assert len(run.blocks(1)) == 9


def test_what_the_child_wrote_itself_is_kept(tmp_path: Path) -> None:
    run = new_run(tmp_path / "run")
    own = json.dumps({"benchmarks": [block(CELLS[0], 0)["benchmark"]]})
    run.pass_file(1).write_text(own, encoding="utf-8")
    record = listener([*told(blocks=3), finished()]).save(run, Outcome("complete"))
    assert run.pass_file(1).read_text(encoding="utf-8") == own
    assert (record.blocks_s, record.clock_s) == (3.0, 2.0)
    assert record.machine["warnings"] == ["the machine swapped 1.0 MiB"]
    assert (record.cells[CELLS[1]].traces, record.cells[CELLS[1]].retraces) == (2, 1)


def test_a_cell_that_raised_in_its_blocks_keeps_its_costs(tmp_path: Path) -> None:
    raised = {"event": "failed", "cell": CELLS[1], "status": "error", "reason": "ValueError: no"}
    heard = listener([*told(blocks=2), raised, finished()])
    entry = heard.save(new_run(tmp_path / "run"), Outcome("complete")).cells[CELLS[1]]
    assert (entry.status, entry.reason, entry.build_s) == ("error", "ValueError: no", 0.01)


def test_a_child_that_died_before_its_first_cell_leaves_an_empty_pass(tmp_path: Path) -> None:
    run = new_run(tmp_path / "run")
    listener([]).save(run, Outcome("interrupted"))
    assert read(run.folder).blocks.empty
    assert run.pass_record(1).cells == {}


def test_an_orphaned_journal_is_closed(tmp_path: Path) -> None:
    run = new_run(tmp_path / "run")
    listener([*told(blocks=3), finished()]).save(run, Outcome("complete"))
    path = journal(run, 2, told(blocks=5))
    with path.open("a", encoding="utf-8") as file:
        file.write('{"event": "block", "cell": "s/tiny/ea')  # the process was killed here
    (run.work / "pass-2.plan").write_text("{}", encoding="utf-8")
    (run.work / "pass-2.log").write_text("", encoding="utf-8")
    assert recover(run) == [2]
    assert run.pass_record(2).outcome == "interrupted"
    assert len(run.blocks(2)) == 15
    assert list(run.work.iterdir()) == []
    frames = read(run.folder)
    assert frames.warnings == []
    assert set(frames.blocks["pass"]) == {1, 2}
    assert recover(run) == []


def test_a_damaged_line_in_a_journal_costs_that_line(tmp_path: Path) -> None:
    run = new_run(tmp_path / "run")
    path = journal(run, 1, told(blocks=2))
    lines = path.read_text(encoding="utf-8").splitlines()
    lines[-1] = lines[-1][:40]  # a full disk
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    assert recover(run) == [1]
    assert len(run.blocks(1)) == 5


def test_the_journal_of_a_recorded_pass_is_only_removed(tmp_path: Path) -> None:
    run = new_run(tmp_path / "run")
    listener(told(blocks=3)).save(run, Outcome("interrupted"))
    before = {path: path.read_bytes() for path in run.raw.iterdir()}
    journal(run, 1, told(blocks=1))
    assert recover(run) == []
    assert {path: path.read_bytes() for path in run.raw.iterdir()} == before
    assert list(run.work.iterdir()) == []


def test_a_follower_waits_for_the_end_of_a_line(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    follower = Follower(path)
    assert list(follower.events()) == []
    path.write_text('{"event": "a"}\n{"event": ', encoding="utf-8")
    assert [event["event"] for event in follower.events()] == ["a"]
    with path.open("a", encoding="utf-8") as file:
        file.write('"b"}\n')
    assert [event["event"] for event in follower.events()] == ["b"]
    assert list(follower.events()) == []


# The parent, with a child that is none


class Child:
    """Stands in for ``run_child``: finishes some blocks, and ends as it is told to."""

    def __init__(self, *ends: Outcome | BaseException, blocks: int = 3) -> None:
        self.ends = list(ends)
        self.blocks = blocks
        self.plans: list[MeasureJob] = []

    def __call__(
        self, plan: MeasureJob, folder: Path, name: str, listen: Any, limits: Any, tick: Any
    ) -> Outcome:
        self.plans.append(plan)
        events = told(self.blocks, [each.cell for each in plan.timed])
        text = "".join(json.dumps(event) + "\n" for event in events)
        (folder / f"{name}.jsonl").write_text(text, encoding="utf-8")
        for event in events:
            listen(event)
        end = self.ends.pop(0)
        if isinstance(end, BaseException):
            raise end
        benchmarks = [event["benchmark"] for event in events if event["event"] == "block"]
        write_json(plan.result, {"benchmarks": benchmarks})
        return end


def resume(run: Run, child: Child, monkeypatch: pytest.MonkeyPatch, wanted: int = 1) -> Run:
    monkeypatch.setattr(passes, "run_child", child)
    return orchestrate.resume(run.folder, Progress(), Limits(), TimingOptions(passes=wanted))


def test_a_lost_cell_is_not_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = new_run(tmp_path / "run")
    complete = Outcome("complete")
    child = Child(Outcome("timeout", "no sign of progress for 9 s", CELLS[0]), complete, complete)
    resume(run, child, monkeypatch, wanted=2)
    assert [len(plan.timed) for plan in child.plans] == [4, 3, 3]  # with the control
    assert CELLS[0] not in {each.cell for plan in child.plans[1:] for each in plan.timed}
    assert [run.pass_record(number).outcome for number in (1, 2, 3)] == [
        "timeout",
        "complete",
        "complete",
    ]
    assert not run.work.exists()


def test_a_run_with_too_many_accidents_gives_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = new_run(tmp_path / "run")
    monkeypatch.setattr(passes, "_MAX_LOST", 2)
    child = Child(*(Outcome("crashed", "gone", cell) for cell in CELLS))
    with pytest.raises(UsageError, match="2 cells ended their process; narrow the run"):
        resume(run, child, monkeypatch)
    assert run.pass_numbers() == [1, 2]


def test_an_interrupted_pass_is_kept_and_not_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = new_run(tmp_path / "run")
    resume(run, Child(Interrupted()), monkeypatch)
    assert run.pass_record(1).outcome == "interrupted"
    assert len(run.blocks(1)) == 12
    resume(run, Child(Outcome("complete")), monkeypatch)
    assert run.pass_record(2).outcome == "complete"
    resume(run, Child(), monkeypatch)  # there is nothing left to do
    assert run.pass_numbers() == [1, 2]


@pytest.mark.parametrize("earlier", [0, 1])
def test_a_full_disk_leaves_a_run_that_can_be_finished(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, earlier: int
) -> None:
    run = new_run(tmp_path / "run")
    if earlier:
        resume(run, Child(Outcome("complete")), monkeypatch)
    with monkeypatch.context() as patch:
        usage = shutil.disk_usage(tmp_path)
        patch.setattr(passes.shutil, "disk_usage", lambda _: usage._replace(free=2**20))
        with pytest.raises(UsageError, match=r"run: 1 MiB left on the disk.*--resume .*run`"):
            resume(run, Child(Outcome("complete"), blocks=4), patch, wanted=earlier + 1)
    assert run.folder.is_dir()
    recover(run)
    assert len(run.blocks(earlier + 1)) == 16
    resume(run, Child(Outcome("complete")), monkeypatch, wanted=earlier + 1)
    assert run.pass_record(max(run.pass_numbers())).outcome == "complete"


def test_resuming_goes_on_as_the_run_began(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = new_run(tmp_path / "run")
    request = replace(run.request, logical_cpus=2)
    run.save_environment({}, request)
    child = Child(*[Outcome("complete")] * 3)
    monkeypatch.setattr(passes, "run_child", child)
    orchestrate.resume(run.folder, Progress(), Limits(), TimingOptions())
    plan = child.plans[0]
    assert (plan.logical_cpus, plan.seed, plan.bare_loops) == (2, 7, True)
    assert plan.entries == [Entry.of_json(request.entries[0])]
    assert plan.timed == request.timed
    # Its own precision is reached with three passes, its own budget not exceeded.
    assert len(child.plans) == 3


def test_a_run_is_resumed_with_what_is_left_of_its_budget(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = new_run(tmp_path / "run")
    began = "2026-01-02T03:04:00+00:00"
    cells = {cell: PassCell("measured") for cell in CELLS}
    run.save_pass(PassRecord(1, "complete", began, "2026-01-02T03:05:00+00:00", 4, 9, 8, cells))
    write_json(run.pass_file(1), {"benchmarks": []})
    assert run.spent_s() == 60.0
    child = Child(Outcome("complete"))
    monkeypatch.setattr(passes, "run_child", child)
    orchestrate.resume(run.folder, Progress(), Limits(), TimingOptions())
    assert not child.plans
    orchestrate.resume(run.folder, Progress(), Limits(), TimingOptions(passes=2, budget="60s"))
    assert len(child.plans) == 1


def test_a_record_that_does_not_say_how_it_was_timed_cannot_be_resumed(tmp_path: Path) -> None:
    run = new_run(tmp_path / "run")
    run.save_environment({}, replace(run.request, timed=[]))
    with pytest.raises(UsageError, match="names no cell to time, so it cannot be resumed"):
        orchestrate.resume(run.folder, Progress(), Limits(), TimingOptions())


def test_only_a_run_can_be_resumed(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"environment\.json: no such file"):
        orchestrate.resume(tmp_path, Progress(), Limits(), TimingOptions())


def test_a_damaged_pass_is_named_when_resuming(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = new_run(tmp_path / "run")
    resume(run, Child(Outcome("complete")), monkeypatch)
    run.pass_cells_file(1).write_text("{", encoding="utf-8")
    with pytest.raises(UsageError, match=r"pass-1\.cells\.json: damaged"):
        resume(run, Child(Outcome("complete")), monkeypatch, wanted=2)
    assert run.folder.is_dir()


# The machine's lock


@pytest.fixture
def own_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(lock, "LOCK", tmp_path / "the.lock")
    return lock.LOCK


def test_a_second_measurement_is_refused_with_the_process_id(own_lock: Path) -> None:
    refusal = rf"process {os.getpid()} is measuring on this machine.*--allow-concurrent"
    with lock.machine(), pytest.raises(UsageError, match=refusal), lock.machine():
        pass
    with lock.machine():  # it is free again
        assert own_lock.read_text(encoding="utf-8") == str(os.getpid())


def test_concurrent_measurements_are_allowed_when_asked_for(own_lock: Path) -> None:
    with lock.machine(), lock.machine(shared=True), lock.machine(shared=True):
        pass


def test_a_lock_left_by_the_dead_is_free(own_lock: Path) -> None:
    own_lock.write_text("1", encoding="utf-8")
    with lock.machine():
        assert own_lock.read_text(encoding="utf-8") == str(os.getpid())


# Real runs

HEAD = "import time\nimport numpy as np\nimport tensorflow as tf\nfrom eager_vs_graph import *\n"
SCENARIO = '''

class {class_name}(Scenario):
    """Doubles a vector."""

    name = "{name}"
    sizes = {{"tiny": Size(n=4)}}

    def inputs(self, rng):
        return [{{"x": np.ones(self.size.n, np.float32)}}]

    def build(self):
        self.graph = not tf.executing_eagerly()
        self.calls = 0

    def step(self, x):
        self.calls += 1
        {first}
        return {{"doubled": 2 * x}}

    def reference(self, state, x):
        return {{"doubled": 2 * x}}
'''

# Slow enough that a pass can be met in the middle of its blocks.
SLOWLY = "x = tf.ensure_shape(tf.numpy_function(lambda x: time.sleep(0.03) or x, [x], x.dtype), 4)"
LATE = "if tf.executing_eagerly() and self.calls > 400:"
HANGS = f"{LATE} time.sleep(3600)"
TAKES = f"""{LATE}
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
PATIENCE_S = 90.0


class Done(NamedTuple):
    code: int
    out: str
    err: str


class Started:
    """``python -m harness`` in a folder with its own lock."""

    def __init__(self, folder: Path, *arguments: str | Path) -> None:
        self._out = folder / f"{threading.get_ident()}-{time.monotonic_ns()}.out"
        self._err = self._out.with_suffix(".err")
        temporary = folder / "tmp"
        temporary.mkdir(exist_ok=True)
        path = {"PYTHONPATH": str(REPOSITORY), "TMPDIR": str(temporary), "COLUMNS": "200"}
        with self._out.open("wb") as out, self._err.open("wb") as err:
            self.process = subprocess.Popen(
                [sys.executable, "-c", LAUNCH, *map(str, arguments)],
                cwd=folder,
                env={**os.environ, **path, "NO_COLOR": "1"},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
            )

    def done(self) -> Done:
        code = self.process.wait(240)
        texts = (file.read_text(encoding="utf-8") for file in (self._out, self._err))
        return Done(code, *texts)


def harness(folder: Path, *arguments: str | Path) -> Done:
    return Started(folder, *arguments).done()


def blocks_in(path: Path) -> int:
    """Blocks that a journal tells of."""
    return sum(event["event"] == "block" for event in Follower(path).events())


def meet(started: Started, path: Path, blocks: int) -> None:
    """Wait until a pass is in the middle of its blocks."""
    for _ in range(int(PATIENCE_S / 0.1)):
        assert started.process.poll() is None, started.done()
        if blocks_in(path) >= blocks:
            return
        time.sleep(0.1)
    raise AssertionError(f"{path}: the pass did not get as far as block {blocks}")


def is_gone(process: psutil.Process) -> bool:
    """Whether a process ends within a minute; who adopted it may be slow to bury it."""
    for _ in range(600):
        try:
            if process.status() == psutil.STATUS_ZOMBIE:
                return True
        except psutil.NoSuchProcess:
            return True
        time.sleep(0.1)
    process.kill()
    return False


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
    orphan_is_gone: bool = False
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
    story.tell("refused", harness(folder, *bench, "--passes", "1"))
    interrupted.process.send_signal(signal.SIGINT)
    story.tell("interrupted", interrupted.done())
    story.tell("report", harness(folder, "report", run.folder))
    story.rows["report"] = rows(run)

    killed = Started(folder, *again, "--budget", "60s")
    meet(killed, run.work / "pass-3.jsonl", 6)
    (child,) = psutil.Process(killed.process.pid).children()
    killed.process.kill()
    killed.process.wait()
    story.orphan_is_gone = is_gone(child)
    story.journalled = blocks_in(run.work / "pass-3.jsonl")
    story.tell("recovered", harness(folder, "report", run.folder))
    story.rows["recovered"] = rows(run)

    early = Started(folder, *again, "--budget", "20s")
    while not (run.work / "pass-4.plan").exists() or not (
        children := psutil.Process(early.process.pid).children()
    ):
        assert early.process.poll() is None, early.done()
        time.sleep(0.05)
    time.sleep(0.5)  # it has to be there to lose its parent
    early.process.kill()
    early.process.wait()
    story.orphan_is_gone &= is_gone(children[0])
    story.early = blocks_in(run.work / "pass-4.jsonl")

    story.tell("finished", harness(folder, *again, "--budget", "1s"))
    story.rows["finished"] = rows(run)
    return story


def taken_down(folder: Path) -> Story:
    """A run of one sound scenario and three whose cells end or hold up their process."""
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
    assert first.keys() == {"pass-1.json", "pass-1.cells.json"}
    for name, after in resumed.raw.items():
        assert {file: after[file] for file in first} == first, name
    done = resumed.done["finished"]
    assert done.code == 0, done.err
    # The first and the last pass are complete; what was finished of the others is kept as it was.
    outcomes = [resumed.run.pass_record(number).outcome for number in resumed.run.pass_numbers()]
    assert outcomes == ["complete", "interrupted", "interrupted", "interrupted", "complete"]
    before = resumed.raw["recovered"]
    assert {file: resumed.raw["finished"][file] for file in before} == before
    assert resumed.run.pass_numbers() == [1, 2, 3, 4, 5]
    assert not resumed.run.work.exists()


def test_ctrl_c_keeps_what_was_finished(resumed: Story) -> None:
    done = resumed.done["interrupted"]
    assert "Traceback" not in done.err
    resume_with = f"`python -m harness bench --resume {resumed.run.folder}`"
    assert f"interrupted; what was finished is kept; go on with {resume_with}" in done.err
    content = json.loads(resumed.raw["interrupted"]["pass-2.json"])
    assert len(content["benchmarks"]) >= 6
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
    assert resumed.orphan_is_gone
    # Whose parent was killed before its first block times none.
    assert resumed.early == 0


def test_the_finished_blocks_of_a_killed_run_are_recovered(resumed: Story) -> None:
    done = resumed.done["recovered"]
    assert (done.code, done.err) == (0, "")
    content = json.loads(resumed.raw["recovered"]["pass-3.json"])
    assert len(content["benchmarks"]) == resumed.journalled >= 6
    assert resumed.rows["recovered"][SLOW[1]]["passes"] == "3"
    assert resumed.rows["finished"][SLOW[1]]["passes"] == "4"


def test_a_second_run_is_refused_with_the_process_id_of_the_first(resumed: Story) -> None:
    done = resumed.done["refused"]
    assert done.code == 2
    assert done.err.startswith(f"error: process {resumed.measuring} is measuring on this machine")
    assert "--allow-concurrent" in done.err
    assert done.err.count("\n") == 1
    runs = {path.resolve() for path in resumed.run.folder.parent.iterdir()}
    assert runs == {resumed.run.folder}


def test_a_cell_that_hangs_is_given_up_and_the_rest_is_complete(victims: Story) -> None:
    found = victims.rows["bench"]
    hanging = {cell.split("/")[2]: row for cell, row in found.items() if "hanging" in cell}
    assert hanging["eager"]["status"] == "timeout"
    assert "no sign of progress for 12 s" in hanging["eager"]["reason"]
    assert {hanging[mode]["status"] for mode in ("function", "session")} == {"identical"}
    assert float(hanging["session"]["median_s"]) > 0


def test_a_cell_that_hangs_in_its_trace_is_given_up_before_it_is_timed(victims: Story) -> None:
    found = victims.rows["bench"]
    stuck = {cell.split("/")[2]: row for cell, row in found.items() if "stuck" in cell}
    assert stuck["function"]["status"] == "timeout"
    assert stuck["function"]["median_s"] == ""
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
    assert all(float(row["median_s"]) > 0 for row in sound.values())
    done = victims.done["bench"]
    assert done.code == 1
    assert "Traceback" not in done.err
    # Two passes were cut short, and their finished blocks are kept; then one was complete.
    outcomes = [victims.run.pass_record(number).outcome for number in victims.run.pass_numbers()]
    assert sorted(outcomes[:2]) == ["crashed", "timeout"]
    assert outcomes[2:] == ["complete"]
    assert all(victims.run.blocks(number) for number in (1, 2))


def test_a_damaged_pass_of_a_run_is_named_and_the_rest_reported(
    resumed: Story, tmp_path: Path
) -> None:
    copy = Run(shutil.copytree(resumed.run.folder, tmp_path / "run"))
    whole = copy.pass_file(1).read_bytes()
    copy.pass_file(1).write_bytes(whole[: len(whole) // 2])
    copy.pass_cells_file(2).write_text("[]", encoding="utf-8")
    done = harness(tmp_path, "report", "run")
    assert done.code == 0, done.err
    page = (copy.folder / "report.html").read_text(encoding="utf-8")
    for name in ("pass-1.json", "pass-2.cells.json"):
        assert f"{name}: damaged" in page
    assert rows(copy)[SLOW[0]]["passes"] == "3"


def test_a_run_without_a_complete_pass_is_reported(tmp_path: Path) -> None:
    """What Ctrl-C leaves while the first pass is still being built."""
    run = Run(write_run(tmp_path / "run", Shape(scenarios=("mnist_step",), passes=0)))
    listener([]).save(run, Outcome("interrupted"))
    done = harness(tmp_path, "report", "run")
    assert (done.code, done.err) == (0, "")
    assert {row["median_s"] for row in rows(run).values()} == {""}
