"""Passes that are cut short, taken up again and refused; with a child process that is none."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from eager_vs_graph.catalog.entry import Entry
from eager_vs_graph.errors import Interrupted, UsageError
from eager_vs_graph.processes.jobs import MeasureJob
from eager_vs_graph.processes.journal import Event, Follower, in_base64
from eager_vs_graph.processes.supervise import Limits, Outcome
from eager_vs_graph.results.cells import CONTROL, Cell
from eager_vs_graph.results.frames import read
from eager_vs_graph.results.record import CellParity, PassCell, PassRecord
from eager_vs_graph.results.request import RunRequest, Timed
from eager_vs_graph.results.rounds import Rounds, to_journal
from eager_vs_graph.results.run import Run
from eager_vs_graph.runs import bench as orchestrate
from eager_vs_graph.runs import lock, ownership, passes
from eager_vs_graph.runs.budget import MIN_PASSES
from eager_vs_graph.runs.options import TimingOptions
from eager_vs_graph.runs.passes import PassListener, recover
from eager_vs_graph.runs.progress import Progress

CELLS = [f"s/tiny/{mode}/CPU:0/resident" for mode in ("eager", "function", "session")]


# What a child tells, and what is made of it


GROUP = "s/tiny/CPU:0/resident"
ROUNDS = [[5e-3, 1e-3, 1.1e-3], [6e-3, 1.2e-3, 1e-3]]


def item(number: int, cells: Sequence[str]) -> Event:
    """Two blocks of every cell."""
    timed = [Rounds(cell, GROUP, 2 * number, np.array(ROUNDS), probe_s=1e-4) for cell in cells]
    return {"event": "item", "rounds": [to_journal(each) for each in timed]}


def told(items: int, cells: Sequence[str] = CELLS) -> list[Event]:
    """What a child tells that finished so many items of all cells and was then gone."""
    costs = {"build_s": 0.01, "first_call_s": 0.1, "traces": 1, "prepare_s": 0.2}
    events: list[Event] = [{"event": "imported", "startup_s": 4.0, "programs": len(cells)}]
    for cell in cells:
        events.append({"event": "cell", "cell": cell, "stage": "build"})
        events.append({"event": "built", "cell": cell, **costs})
    events.append({"event": "blocks", "total": 30, "block_s": dict.fromkeys(cells, 0.01)})
    for number in range(items):
        events += [{"event": "turns", "cells": list(cells)}, item(number, cells)]
    return [json.loads(json.dumps(event, default=in_base64)) for event in events]


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
    save_request(run, request)
    run.save_parity([CellParity(cell, "identical", call_s=1e-3) for cell in CELLS])
    return run


def save_request(run: Run, request: RunRequest) -> None:
    """As this user's own run: another's is not resumed."""
    run.save_environment({}, request)
    ownership.mark(run)


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
    record = listener(told(items=4)).save(run, died)
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
    assert frames.blocks.groupby("cell")["block"].nunique().to_dict() == dict.fromkeys(CELLS, 8)
    first = frames.blocks.iloc[0]
    assert (first["fastest_s"], first["median_s"]) == pytest.approx((1e-3, 1.1e-3))
    assert (first["rounds"], first["probe_s"]) == (3, 1e-4)


def test_a_pass_that_was_finished_is_written_whole(tmp_path: Path) -> None:
    run = new_run(tmp_path / "run")
    record = listener([*told(items=3), finished()]).save(run, Outcome("complete"))
    assert [(each.cell, each.block) for each in run.rounds(1)] == [
        (cell, block) for block in (0, 2, 4) for cell in CELLS
    ]
    np.testing.assert_allclose(run.rounds(1)[0].seconds, ROUNDS, rtol=1e-7)
    assert (record.blocks_s, record.clock_s) == (3.0, 2.0)
    assert record.machine["warnings"] == ["the machine swapped 1.0 MiB"]
    assert (record.cells[CELLS[1]].traces, record.cells[CELLS[1]].retraces) == (2, 1)


def test_half_a_file_of_rounds_is_replaced(tmp_path: Path) -> None:
    run = new_run(tmp_path / "run")
    run.rounds_file(1).write_bytes(b"\x83")
    listener(told(items=3)).save(run, Outcome("crashed", "gone", CELLS[0]))
    assert len(run.rounds(1)) == 9


def test_a_round_takes_little_of_the_disk(tmp_path: Path) -> None:
    run = new_run(tmp_path / "run")
    listener(told(items=50)).save(run, Outcome("complete"))
    rounds = sum(each.seconds.size for each in run.rounds(1))
    assert run.rounds_file(1).stat().st_size / rounds < 16


def test_a_cell_that_raised_in_its_blocks_keeps_its_costs(tmp_path: Path) -> None:
    raised = {"event": "failed", "cell": CELLS[1], "status": "error", "reason": "ValueError: no"}
    heard = listener([*told(items=2), raised, finished()])
    entry = heard.save(new_run(tmp_path / "run"), Outcome("complete")).cells[CELLS[1]]
    assert (entry.status, entry.reason, entry.build_s) == ("error", "ValueError: no", 0.01)


def test_a_child_that_died_before_its_first_cell_leaves_an_empty_pass(tmp_path: Path) -> None:
    run = new_run(tmp_path / "run")
    listener([]).save(run, Outcome("interrupted"))
    assert read(run.folder).blocks.empty
    assert run.pass_record(1).cells == {}


def test_an_orphaned_journal_is_closed(tmp_path: Path) -> None:
    run = new_run(tmp_path / "run")
    listener([*told(items=3), finished()]).save(run, Outcome("complete"))
    path = journal(run, 2, told(items=5))
    with path.open("a", encoding="utf-8") as file:
        file.write('{"event": "item", "rounds": [{"cell": "s/ti')  # the process was killed here
    (run.work / "pass-2.plan").write_text("{}", encoding="utf-8")
    (run.work / "pass-2.log").write_text("", encoding="utf-8")
    assert recover(run) == [2]
    assert run.pass_record(2).outcome == "interrupted"
    assert len(run.rounds(2)) == 15
    assert list(run.work.iterdir()) == []
    frames = read(run.folder)
    assert frames.warnings == []
    assert set(frames.blocks["pass"]) == {1, 2}
    assert recover(run) == []


def test_a_damaged_line_in_a_journal_costs_that_line(tmp_path: Path) -> None:
    run = new_run(tmp_path / "run")
    path = journal(run, 1, told(items=2))
    lines = path.read_text(encoding="utf-8").splitlines()
    lines[-1] = lines[-1][:40]  # a full disk
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    assert recover(run) == [1]
    assert len(run.rounds(1)) == 3


def test_the_journal_of_a_recorded_pass_is_only_removed(tmp_path: Path) -> None:
    run = new_run(tmp_path / "run")
    listener(told(items=3)).save(run, Outcome("interrupted"))
    before = {path: path.read_bytes() for path in run.raw.iterdir()}
    journal(run, 1, told(items=1))
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

    def __init__(self, *ends: Outcome | BaseException, items: int = 3) -> None:
        self.ends = list(ends)
        self.items = items
        self.plans: list[MeasureJob] = []

    def __call__(
        self, plan: MeasureJob, folder: Path, name: str, listen: Any, *others: Any, **more: Any
    ) -> Outcome:
        self.plans.append(plan)
        events = told(self.items, [each.cell for each in plan.timed])
        text = "".join(json.dumps(event) + "\n" for event in events)
        (folder / f"{name}.jsonl").write_text(text, encoding="utf-8")
        for event in events:
            listen(event)
        end = self.ends.pop(0)
        if isinstance(end, BaseException):
            raise end
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


class Notes(Progress):
    """Keeps what a run says."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def note(self, text: str) -> None:
        self.lines.append(text)


def test_a_run_with_too_many_accidents_ends_and_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, notes = new_run(tmp_path / "run"), Notes()
    monkeypatch.setattr(passes, "_MAX_LOST", 2)
    child = Child(*(Outcome("crashed", "gone", cell) for cell in CELLS))
    monkeypatch.setattr(passes, "run_child", child)
    orchestrate.resume(run.folder, notes, Limits(), TimingOptions(passes=1))
    assert run.pass_numbers() == [1, 2]
    assert [f"{cell}: crashed: gone" for cell in CELLS[:2]] == notes.lines[:2]
    assert "2 passes did not complete" in notes.lines[-1]


def test_an_interrupted_pass_is_kept_and_not_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = new_run(tmp_path / "run")
    resume(run, Child(Interrupted()), monkeypatch)
    assert run.pass_record(1).outcome == "interrupted"
    assert len(run.rounds(1)) == 12
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
            resume(run, Child(Outcome("complete"), items=4), patch, wanted=earlier + 1)
    assert run.folder.is_dir()
    recover(run)
    assert len(run.rounds(earlier + 1)) == 16
    resume(run, Child(Outcome("complete")), monkeypatch, wanted=earlier + 1)
    assert run.pass_record(max(run.pass_numbers())).outcome == "complete"


def test_resuming_goes_on_as_the_run_began(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = new_run(tmp_path / "run")
    request = replace(run.request, logical_cpus=2)
    save_request(run, request)
    child = Child(*[Outcome("complete")] * MIN_PASSES)
    monkeypatch.setattr(passes, "run_child", child)
    orchestrate.resume(run.folder, Progress(), Limits(), TimingOptions())
    plan = child.plans[0]
    assert (plan.logical_cpus, plan.seed, plan.bare_loops) == (2, 7, True)
    assert plan.entries == [Entry.of_json(request.entries[0])]
    assert plan.timed == request.timed
    # Its own precision is reached with the fewest passes, its own budget not exceeded.
    assert len(child.plans) == MIN_PASSES


def test_a_run_is_resumed_with_what_is_left_of_its_budget(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = new_run(tmp_path / "run")
    began = "2026-01-02T03:04:00+00:00"
    cells = {cell: PassCell("measured") for cell in CELLS}
    run.save_pass(PassRecord(1, "complete", began, "2026-01-02T03:05:00+00:00", 4, 9, 8, cells))
    run.save_rounds(1, [])
    assert run.spent_s() == 60.0
    child = Child(Outcome("complete"))
    monkeypatch.setattr(passes, "run_child", child)
    orchestrate.resume(run.folder, Progress(), Limits(), TimingOptions())
    assert not child.plans
    orchestrate.resume(run.folder, Progress(), Limits(), TimingOptions(passes=2, budget="60s"))
    assert len(child.plans) == 1


def test_a_record_that_does_not_say_how_it_was_timed_cannot_be_resumed(tmp_path: Path) -> None:
    run = new_run(tmp_path / "run")
    save_request(run, replace(run.request, timed=[]))
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
    refusal = rf"Another benchmark \(pid {os.getpid()}\) is running.*--allow-concurrent"
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
