"""What is special to a session on a server: where ops run, whose state it is, how it is lost."""

from __future__ import annotations

import os
import signal
import threading
import time

import numpy as np
import psutil
import pytest
import tensorflow as tf
from workbench import broken, program, words

from eager_vs_graph import Scenario, Size
from eager_vs_graph.child.bench.prepare import warm_tensorflow
from eager_vs_graph.errors import WorkerLost
from eager_vs_graph.modes import MODES, session_remote
from eager_vs_graph.modes.failures import failure
from eager_vs_graph.scenarios.py_func_bridge import PyFuncBridge

v1 = tf.compat.v1
GONE_S = 300
"""Longer than any end takes on a busy machine."""


class Count(Scenario):
    """Counts up to ``n``, one by one; says in a file that it has begun, where there is a place."""

    name = "count"
    sizes = {"tiny": Size(n=3), "endless": Size(n=2**62)}
    parity_steps = 1
    begun = ""

    def inputs(self, rng):
        return [{"n": np.int64(self.size.n)}]

    def build(self):
        self.calls = tf.Variable(0)

    def step(self, n):
        self.calls.assign_add(1)
        if self.begun:
            tf.io.write_file(self.begun, "")
        count = tf.constant(0, tf.int64)
        while count < n:
            count += 1
        return {"count": count}

    def reference(self, state, n):
        state["calls"] += 1
        return {"count": n}


def server() -> psutil.Process:
    """The server of this process, which must be up."""
    return psutil.Process(session_remote.server().pid)


@pytest.mark.parametrize(("mode", "job"), [("session", "localhost"), ("session_remote", "local")])
@pytest.mark.parametrize("inputs", ["resident", "fed"])
def test_ops_run_in_the_servers_process(mode, job, inputs):
    built = program(Count, mode, inputs)
    feeds = {} if inputs == "resident" else {built._inputs[0]: built.task.feeds[0]["n"]}
    (step,) = [op for op in built._graph.get_operations() if "PartitionedCall" in op.type]
    options, told = v1.RunOptions(trace_level=v1.RunOptions.FULL_TRACE), v1.RunMetadata()
    built._session.run(step.outputs, feeds, options=options, run_metadata=told)
    assert {stats.device for stats in told.step_stats.dev_stats} == {
        f"/job:{job}/replica:0/task:0/device:CPU:0"
    }


def test_the_server_is_a_process_of_this_one():
    assert server().ppid() == os.getpid()


def test_programs_share_the_server_and_no_state():
    first, second = (program(Count, "session_remote") for _ in range(2))
    assert first._server is second._server
    first.call()
    first.call()
    second.call()
    assert [built.state()["calls"] for built in (first, second)] == [2, 1]
    first.close()
    assert second.run(second.task.feeds[0])["count"] == 3


@pytest.mark.parametrize("inputs", ["resident", "fed"])
def test_a_python_function_cannot_be_called_from_the_server(inputs):
    cell = words(PyFuncBridge, ["session_remote"], inputs, "guide")["session_remote"]
    assert cell.status == "unsupported"
    assert cell.reason.startswith(
        "InvalidArgumentError: ValueError: Could not find callback with key=pyfunc_"
    )
    assert "must run in the process that made the function" in cell.reason


def test_a_killed_server_costs_the_cell_and_is_replaced(tmp_path):
    idle = program(Count, "session_remote")
    idle.call()
    killed, begun = server(), tmp_path / "begun"

    def kill():
        while not begun.exists():
            time.sleep(0.05)
        killed.kill()

    killer = threading.Thread(target=kill, daemon=True)
    killer.start()
    endless = type("Endless", (Count,), {"begun": str(begun)})
    cell = words(endless, ["session_remote"], size="endless")["session_remote"]
    killer.join()
    assert cell.status == "crashed"
    assert cell.reason.startswith("the TensorFlow server is gone: the process was ended by SIGKILL")

    with pytest.raises(tf.errors.AbortedError) as inside_the_clock:
        idle.call()
    status, reason = failure(inside_the_clock.value)
    assert status == "crashed"
    assert "is not found" in reason
    with pytest.raises(WorkerLost, match="server is gone: the process was ended by SIGKILL"):
        idle.load(idle.state())
    idle.close()  # there is nothing left to close, and that is no error

    assert server() != killed
    cells = words(broken("healthy"), ["eager", "session_remote"])
    assert cells["session_remote"].status == "identical"


def test_a_hanging_server_costs_the_time_limit_and_is_killed(monkeypatch):
    program(Count, "session_remote").call()  # so that the next one's building is soon done
    monkeypatch.setattr(session_remote, "CALL_S", 10.0)
    built = program(Count, "session_remote")
    hanging = server()
    hanging.send_signal(signal.SIGSTOP)
    monkeypatch.setattr(session_remote, "READY_S", 0.01)  # its successor will be too slow
    with pytest.raises(
        WorkerLost, match="the TensorFlow server hangs: it did not answer within 10 s"
    ) as lost:
        built.run(built.task.feeds[0])
    assert failure(lost.value)[0] == "timeout"
    hanging.wait(GONE_S)

    built._server._keeper.join(GONE_S)
    silent = r"TensorFlow server \(\w+\), asked to target, gave no answer within 0\.01 s"
    with pytest.raises(WorkerLost, match=rf"server is gone: .*{silent}") as lost:
        built.state()
    assert failure(lost.value)[0] == "crashed"
    with pytest.raises(WorkerLost, match=silent) as lost:
        program(Count, "session_remote")
    assert failure(lost.value)[0] == "timeout"
    warm_tensorflow(["session_remote"])  # leaves the complaint to the cells

    monkeypatch.undo()
    assert program(Count, "session_remote").call() == 3


def test_the_mode_is_one_of_distribution_and_not_of_the_default_grid():
    assert MODES["session_remote"].kind == "distribution"
    assert not MODES["session_remote"].default
