"""Objects in processes of their own: requests, how the processes end, and with whom."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import helper_work
import psutil
import pytest
import tensorflow as tf
from commands import SUPPORT

from eager_vs_graph.errors import ScenarioError, WorkerLost
from eager_vs_graph.processes import supervise
from eager_vs_graph.processes.cpu_wait import cpu_wait_s, longest_wait_s
from eager_vs_graph.processes.python import SILENCE_S, child_environment
from eager_vs_graph.processes.remote import Remote, answer_limit_s

READY_S = 600
GONE_S = 300
"""Both end only what hangs."""


@pytest.fixture(autouse=True)
def _importable(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(SUPPORT), prepend=os.pathsep)


@pytest.fixture(scope="module")
def worker():
    """One that no test may lose."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(SUPPORT), prepend=os.pathsep)
        remote = Remote(helper_work.Worker, {"cpus": 2}, environment={"OF_THE_WORKER": "yes"})
    yield remote
    remote.close()


@pytest.fixture
def mortal():
    """One for the test alone, ready."""
    remote = Remote(helper_work.Worker, name="mortal")
    remote.request("about", timeout_s=READY_S)
    yield remote
    remote.close()


def test_a_request_is_a_call_of_a_method_in_the_other_process(worker):
    assert worker.request("about", timeout_s=READY_S) == (({"cpus": 2},), "yes", True)
    assert worker.request("echo", [1, 2], timeout_s=READY_S) == [1, 2]
    large = bytes(10_000_000)  # more than fits into the pipe, both ways
    assert worker.request("echo", large, timeout_s=READY_S) == large
    assert worker.pid != os.getpid()


@pytest.mark.parametrize(
    ("kind", "arguments"),
    [
        (ValueError, ("why",)),
        (KeyError, ("why",)),
        (ScenarioError, ("why",)),
        (WorkerLost, ("timeout", "why")),
        (tf.errors.InvalidArgumentError, (None, None, "why")),
        (tf.errors.OperatorNotAllowedInGraphError, ("why",)),
    ],
)
def test_an_exception_is_raised_here_as_it_was_there(worker, kind, arguments):
    with pytest.raises(kind, match="why") as raised:
        worker.request("fail", kind, *arguments, timeout_s=READY_S)
    assert type(raised.value) is kind
    assert getattr(raised.value, "status", "timeout") == "timeout"
    assert worker.alive  # the next request is answered


@pytest.mark.parametrize(
    ("verb", "arguments", "message"),
    [
        ("fail_strangely", (), "Strange: why"),
        ("fail", (UnicodeDecodeError, "utf-8", b"", 0, 1, "why"), r"UnicodeDecodeError: .*why"),
    ],
)
def test_an_exception_that_cannot_be_made_here_keeps_its_name(worker, verb, arguments, message):
    with pytest.raises(RuntimeError, match=message):
        worker.request(verb, *arguments, timeout_s=READY_S)


def test_an_answer_that_cannot_be_pickled_is_an_exception(worker):
    with pytest.raises(Exception, match="pickle"):
        worker.request("give_what_cannot_be_pickled", timeout_s=READY_S)
    assert worker.request("echo", 1, timeout_s=READY_S) == 1


def test_a_process_that_ends_is_lost_with_its_last_words(mortal):
    for _ in range(2):  # once and for all
        with pytest.raises(
            WorkerLost, match="'mortal' is gone: the process ended with exit code 3"
        ) as lost:
            mortal.request("exit", 3, timeout_s=READY_S)
        assert lost.value.status == "crashed"
        assert "last words" in str(lost.value)
        assert "on its start" not in str(lost.value)
    assert not mortal.alive


def test_a_process_that_cannot_start_says_why():
    remote = Remote(helper_work.Unstartable)
    with pytest.raises(WorkerLost, match=r"'Unstartable' is gone: .*exit code 1.*was asked for"):
        remote.request("anything", timeout_s=READY_S)


def test_a_process_that_gives_no_answer_in_time_is_killed(mortal):
    process = psutil.Process(mortal.pid)
    with pytest.raises(
        WorkerLost, match=r"mortal \(\w+\), asked to sleep, gave no answer within 0\.1 s and"
    ) as lost:
        mortal.request("sleep", timeout_s=0.1)
    assert lost.value.status == "timeout"
    process.wait(GONE_S)  # raises when it lives on
    with pytest.raises(WorkerLost, match="asked to sleep"):
        mortal.request("about", timeout_s=READY_S)


def test_a_process_that_does_not_read_costs_no_more_time_than_allowed(mortal):
    os.kill(mortal.pid, signal.SIGSTOP)
    with pytest.raises(WorkerLost, match=r"mortal \(stopped\), asked to echo, gave no answer"):
        mortal.request("echo", bytes(10_000_000), timeout_s=0.1)


def test_an_answer_that_nobody_waited_for_is_not_taken_for_another(mortal, monkeypatch):
    def interrupt(_self):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("multiprocessing.connection.Connection.recv", interrupt)
        with pytest.raises(KeyboardInterrupt):
            mortal.request("echo", 1, timeout_s=READY_S)
    with pytest.raises(WorkerLost, match="'mortal' was ended, because waiting for it was inter"):
        mortal.request("echo", 2, timeout_s=READY_S)


def test_an_answer_may_take_less_time_than_a_cell(monkeypatch):
    monkeypatch.setenv(SILENCE_S, "50")
    assert answer_limit_s() == 40


PARENT = """
import time, helper_work
from eager_vs_graph.processes.remote import Remote
remote = Remote(helper_work.Worker)
print(remote.pid, flush=True)
time.sleep(3600)
"""


def test_a_process_ends_with_a_parent_that_is_killed():
    environment = child_environment()  # with this folder on the path
    command = [sys.executable, "-c", PARENT]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE) as parent:
        process = psutil.Process(int(parent.stdout.readline()))
        parent.kill()
    process.wait(GONE_S)  # raises when it lives on


def test_a_process_that_nobody_refers_to_any_more_ends():
    remote = Remote(helper_work.Worker)
    process = psutil.Process(remote.pid)
    del remote
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
    watch, limits = supervise._Watch(lambda _cell: False), supervise.Limits(silence_s=10.0)
    watch.hear({"event": "imported"})
    now[0] += 9.0
    assert not watch.verdict(os.getpid(), limits)
    now[0] += 9.0
    waited[0] = 9.0
    assert not watch.verdict(os.getpid(), limits)
    now[0] += 9.0
    assert watch.verdict(os.getpid(), limits) == "no sign of progress for 27 s"
