"""Helper processes: what they say, how they end, and that they end with their parent."""

from __future__ import annotations

import os
import subprocess
import sys

import helper_work
import psutil
import pytest
from commands import SUPPORT

from eager_vs_graph.errors import WorkerLost
from eager_vs_graph.processes.helper import Helper
from eager_vs_graph.processes.python import child_environment

READY_S = 120
GONE_S = 20


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
