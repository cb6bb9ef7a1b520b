"""Processes that have imported TensorFlow before their work is there."""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path

import psutil
import pytest

from eager_vs_graph.catalog.find import select
from eager_vs_graph.catalog.selection import Selection
from eager_vs_graph.processes import children as module
from eager_vs_graph.processes.children import Child, Children
from eager_vs_graph.processes.jobs import CheckJob
from eager_vs_graph.processes.journal import Event
from eager_vs_graph.processes.supervise import Limits, run_child

CORES = os.cpu_count() or 1


def folders() -> set[str]:
    """This process's temporary folders."""
    return {each.name for each in Path(tempfile.gettempdir()).glob(f"*-{os.getpid()}-*")}


def a_job() -> CheckJob:
    (entry,) = select(["hello_matmul"])
    return CheckJob(
        Selection([entry], entry.default_sizes, ["eager"], ["CPU:0"], ["resident"], logical_cpus=1)
    )


def settle(child: Child) -> None:
    while not child.is_settled():
        time.sleep(0.05)


def test_children_that_got_no_work_end_with_their_folders() -> None:
    before = folders()
    with Children(silence_s=120.0) as pool:
        pool.prepare(2)
        pool.prepare(2)  # they are there already
        waiting = list(pool._waiting)
        assert len(waiting) == min(2, CORES)
        for child in waiting:
            settle(child)
            assert child.process.poll() is None
        assert len(folders() - before) == len(waiting)
    assert not any(psutil.pid_exists(child.process.pid) for child in waiting)
    assert folders() == before


def test_a_child_that_waited_does_its_job_with_an_empty_standard_input(tmp_path: Path) -> None:
    heard: list[Event] = []
    with Children(silence_s=120.0) as pool:
        outcome = run_child(a_job(), tmp_path, "one", heard.append, Limits(), take=pool.take)
    assert outcome.status == "complete"
    assert [each["event"] for each in heard][:2] == ["imported", "loading"]
    assert [each["cell"] for each in heard if each["event"] == "parity"] == [
        "hello_matmul/guide/eager/CPU:0/resident"
    ]


def test_a_child_is_taken_only_when_no_other_one_imports() -> None:
    with Children(silence_s=120.0) as pool:
        child = pool.take(ahead=2)
        with child:
            assert all(other.is_settled() for other in pool._waiting)


def test_a_child_that_ended_while_it_waited_costs_its_job_only(tmp_path: Path) -> None:
    with Children(silence_s=120.0) as pool:
        pool.prepare(1)
        settle(pool._waiting[0])
        pool._waiting[0].process.kill()
        pool._waiting[0].process.wait()
        outcome = run_child(a_job(), tmp_path, "one", lambda _: None, Limits(), take=pool.take)
        assert (outcome.status, outcome.cell) == ("crashed", None)
        assert "SIGKILL" in outcome.reason
        again = run_child(a_job(), tmp_path, "two", lambda _: None, Limits(), take=pool.take)
    assert again.status == "complete"


def test_none_is_started_ahead_where_memory_is_short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MEMORY_OF_A_CHILD", 2**62)
    with Children(silence_s=120.0) as pool:
        pool.prepare(2)
        assert pool._waiting == []
