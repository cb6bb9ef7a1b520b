"""Helper processes: what they say, how they end, and that they end with their parent."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import helper_work
import psutil
import pytest
from commands import SUPPORT

from eager_vs_graph.errors import WorkerLost
from eager_vs_graph.processes import supervise
from eager_vs_graph.processes.cpu_wait import cpu_wait_s, longest_wait_s
from eager_vs_graph.processes.helper import Helper
from eager_vs_graph.processes.python import child_environment

READY_S = 600
GONE_S = 300
"""Both end only what hangs."""


@pytest.fixture(autouse=True)
def _importable(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(SUPPORT), prepend=os.pathsep)


def test_a_helper_answers_is_silent_and_dies():
    helper = Helper(helper_work.answer, {"cpus": 2}, environment={"OF_THE_HELPER": "yes"})
    try:
        assert helper.receive(READY_S) == (({"cpus": 2},), "yes", True)
        helper.send([1, 2])
        assert helper.receive(GONE_S) == [1, 2]
        with pytest.raises(WorkerLost, match=r"process 'answer' was silent for 0\.1 s") as lost:
            helper.receive(timeout_s=0.1)
        assert lost.value.status == "timeout"
        assert helper.alive
        helper.send("raise")
        with pytest.raises(
            WorkerLost, match="'answer' is gone: the process ended with exit code 1"
        ) as (lost):
            helper.receive(GONE_S)
        assert lost.value.status == "crashed"
        assert "ValueError: this was asked for" in str(lost.value)
        assert not helper.alive
        with pytest.raises(WorkerLost, match="is gone"):
            helper.send("anything")
    finally:
        helper.close()


PARENT = """
import time, helper_work
from eager_vs_graph.processes import supervise
from eager_vs_graph.processes.cpu_wait import cpu_wait_s, longest_wait_s
from eager_vs_graph.processes.helper import Helper
helper = Helper(helper_work.sleep)
print(helper.pid, flush=True)
time.sleep(3600)
"""


def test_a_helper_ends_with_a_parent_that_is_killed():
    environment = child_environment()  # with this folder on the path
    command = [sys.executable, "-c", PARENT]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE) as parent:
        helper = psutil.Process(int(parent.stdout.readline()))
        parent.kill()
    helper.wait(GONE_S)  # raises when it lives on


def test_a_helper_that_nobody_has_any_more_ends():
    helper = Helper(helper_work.sleep)
    process = psutil.Process(helper.pid)
    del helper
    process.wait(GONE_S)


def test_a_process_does_not_inherit_the_pytest_session_it_is_started_from(monkeypatch):
    """In a worker of pytest-xdist, pytest-benchmark would measure nothing."""
    monkeypatch.setenv("PYTEST_XDIST_WORKER", "gw0")
    monkeypatch.setenv("PYTEST_ADDOPTS", "--benchmark-disable")
    monkeypatch.setenv("TF_NUM_INTRAOP_THREADS", "1")
    environment = child_environment()
    assert not [name for name in environment if name.startswith("PYTEST_")]
    assert environment["TF_NUM_INTRAOP_THREADS"] == "1"  # the user's own are kept


def test_waiting_for_a_cpu_is_counted_thread_by_thread():
    cpu = min(os.sched_getaffinity(0))
    busy = f"import os\nos.sched_setaffinity(0, [{cpu}])\nprint(flush=True)\nwhile True: pass"
    rivals = [
        subprocess.Popen([sys.executable, "-c", busy], stdout=subprocess.PIPE) for _ in range(2)
    ]
    try:
        for rival in rivals:
            rival.stdout.readline()
        before = cpu_wait_s(rivals[0].pid)
        assert len(before) == 1
        until_it_waited(rivals[0].pid, before)
        assert longest_wait_s({}, os.getppid()) >= 0  # somebody else's process may be read, too
    finally:
        for rival in rivals:
            rival.kill()
            rival.communicate()
    assert cpu_wait_s(rivals[0].pid) == {}


def until_it_waited(pid, before):
    deadline = time.monotonic() + GONE_S
    while longest_wait_s(before, pid) < 0.02:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_silence_of_a_child_that_waits_for_a_cpu_is_no_hang(monkeypatch):
    now, waited = [1000.0], [0.0]
    monkeypatch.setattr(supervise.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(supervise, "longest_wait_s", lambda before, pid: waited[0])
    watch, limits = supervise._Watch(), supervise.Limits(silence_s=10.0)
    watch.hear({"event": "imported"})
    now[0] += 9.0
    assert not watch.verdict(os.getpid(), limits)
    now[0] += 9.0
    waited[0] = 9.0
    assert not watch.verdict(os.getpid(), limits)
    now[0] += 9.0
    assert watch.verdict(os.getpid(), limits) == "no sign of progress for 27 s"
