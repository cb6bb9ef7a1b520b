"""Steps that replicas share: the same weights as one worker, and workers that are lost."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from contextlib import suppress

import numpy as np
import psutil
import pytest
from commands import SUPPORT, harness, python
from divided import (
    ROWS,
    Branch,
    Choice,
    Four,
    KerasLoss,
    Line,
    Loop,
    Misnamed,
    Optimized,
    Refused,
    ScalarBatch,
    Scaled,
    Summed,
    Total,
    Undivided,
)
from workbench import SPLITTING, program, words

from eager_vs_graph.child.parity.trajectory import of_program
from eager_vs_graph.errors import ScenarioError, WorkerLost
from eager_vs_graph.modes import worker_cluster as workers
from eager_vs_graph.results.cells import INPUTS
from eager_vs_graph.scenarios.mnist_step import MnistStep
from eager_vs_graph.scenarios.regression_training import (
    RegressionTraining,
    RegressionTrainingOptimizer,
)

STEPS = 5
RTOL = 1e-5
"""Float32 means of shares are rounded otherwise than the mean of the whole: some 2⁻²⁴ in each of
five steps, which cancellation in a gradient magnifies."""

every_mode = pytest.mark.parametrize("mode", SPLITTING)
every_policy = pytest.mark.parametrize("inputs", INPUTS)


def trajectories(scenario, mode, size=None, inputs="resident"):
    """What a mode and one eager worker do from the same state on the same batches."""
    eager, divided = (program(scenario, m, inputs, size) for m in ("eager", mode))
    initial, feeds = eager.state(), eager.task.feeds
    return tuple(of_program(one, initial, feeds, STEPS) for one in (divided, eager))


def assert_close(found, expected):
    assert found.keys() == expected.keys()
    for name, array in expected.items():
        assert (found[name].dtype, found[name].shape) == (array.dtype, array.shape)
        np.testing.assert_allclose(found[name], array, rtol=RTOL, atol=1e-7, err_msg=name)


@every_policy
@every_mode
@pytest.mark.parametrize(
    ("scenario", "size"),
    [
        (Line, "tiny"),
        (Summed, "tiny"),
        (Optimized, "sgd"),
        (Optimized, "momentum"),
        (Optimized, "adam"),
        (KerasLoss, "sgd"),
        (KerasLoss, "adam"),
        (RegressionTraining, "small"),
        (RegressionTrainingOptimizer, "small"),
        (MnistStep, "tiny"),
    ],
)
def test_weights_are_those_of_one_worker_on_the_whole_batch(scenario, size, mode, inputs):
    divided, eager = trajectories(scenario, mode, size, inputs)
    assert_close(divided.state, eager.state)
    for found, expected in zip(divided.outputs, eager.outputs, strict=True):
        assert_close(found, expected)


@every_mode
def test_rows_come_back_in_order_and_counters_count_once(mode):
    divided, eager = trajectories(Line, mode)
    assert divided.outputs[0]["errors"].shape == (ROWS,)
    assert_close(divided.outputs[0], eager.outputs[0])
    assert [step["calls"] for step in divided.outputs] == [1, 2, 3, 4, 5]
    summed, _ = trajectories(Summed, mode)
    assert summed.state["seen"] == summed.state["given"] == STEPS * ROWS


@every_mode
def test_parity_calls_trained_digits_close(mode):
    cell = words(MnistStep, ["eager", mode])[mode]
    assert (cell.status, cell.reason, cell.traces) == ("close", "", 1)
    assert cell.learned["held_out_accuracy"] == pytest.approx(0.86, abs=0.05)


@every_policy
@every_mode
def test_a_timed_call_is_one_step_of_all_replicas(mode, inputs):
    built = program(Line, mode, inputs)
    initial = built.state()
    rows = [
        np.asarray(dict(zip(("loss", "errors", "calls"), built.call(), strict=False))["errors"])
        for _ in range(3)
    ]
    assert built.state()["calls"] == 3
    assert built.traces == 1
    built.load(initial)
    repeated = program(Line, "eager", inputs)
    repeated.load(initial)
    for found in rows:
        np.testing.assert_allclose(found, repeated.call()[1], rtol=RTOL, atol=1e-6)
    assert built.state().keys() == built.variables().keys()
    for name, variable in built.variables().items():
        assert variable.dtype.as_numpy_dtype == initial[name].dtype
        assert tuple(variable.shape) == initial[name].shape


def test_mirrored_variables_and_inputs_are_on_every_device():
    built = program(Line, "mirrored")
    copies = built.variables()["weight"].values
    assert [copy.device[-5:] for copy in copies] == ["CPU:0", "CPU:1"]
    x = built._resident[built.task.argument_names().index("x")]
    assert [(share.device[-5:], len(share)) for share in x.values] == [
        ("CPU:0", ROWS // 2),
        ("CPU:1", ROWS // 2),
    ]


MERGE = (
    "step updates variables inside a loop or branch of the graph, where TensorFlow cannot merge "
    "the updates of replicas (merge_call)"
)


@every_mode
@pytest.mark.parametrize(
    ("scenario", "status", "reason"),
    [
        (Undivided, "unsupported", "declares no batch to split among replicas"),
        (
            Total,
            "unsupported",
            "input 'x' has a batch of 3, which cannot be split evenly among 2 replicas",
        ),
        (Loop, "unsupported", MERGE),
        (Branch, "unsupported", MERGE),
        (
            ScalarBatch,
            "error",
            "batch names input 'x', which is a scalar, but should have a first dimension to split",
        ),
        (
            Misnamed,
            "error",
            "batch names 'rows', but should name inputs or outputs of step: x, mean",
        ),
    ],
)
def test_what_cannot_be_split_is_refused_in_a_line(scenario, status, reason, mode):
    cell = words(scenario, [mode])[mode]
    # Where TensorFlow has refused, the author's line follows.
    assert (cell.status, re.sub(r" \(\w+\.py:\d+\)$", "", cell.reason)) == (status, reason)


@every_mode
@pytest.mark.parametrize("size", Scaled.sizes)
def test_gradients_that_are_scaled_already_are_refused(size, mode):
    cell = words(Scaled, [mode], size=size)[mode]
    assert cell.status == "unsupported"
    assert "scales the loss itself" in cell.reason


@every_mode
def test_replicas_that_choose_differently_are_told(mode):
    cell = words(Choice, [mode])[mode]
    who = "worker" if mode == "multi_worker" else "replica"
    assert cell.status == "error"
    assert cell.reason.startswith(f"output 'largest' is 1 in {who} 0 and 3 in {who} 1, but should")


def test_workers_compute_on_the_first_cpu_only():
    cell = words(Line, ["multi_worker"], device="CPU:1")["multi_worker"]
    assert cell.status == "unsupported"
    assert "which have no CPU:1" in cell.reason


class Adopted(Line):
    """Its class is not in the file of the user's code."""

    name = "adopted"

    @classmethod
    def source_file(cls):
        return "train.py"


def test_code_that_workers_cannot_import_is_refused():
    cell = words(Adopted, ["multi_worker"])["multi_worker"]
    assert cell.status == "unsupported"
    assert "adopted code exists only in the process that adopted it" in cell.reason


def test_three_replicas_share_what_three_divides():
    done = python(SUPPORT / "three_replicas_script.py", cwd=SUPPORT)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["devices"] == ["CPU:0", "CPU:1", "CPU:2"]
    assert found["uneven"] == [
        "unsupported",
        "input 'x' has a batch of 4, which cannot be split evenly among 3 replicas",
    ]
    for scenario in ("line", "optimized"):
        mirrored, eager = (found[f"{scenario}/{mode}"] for mode in ("mirrored", "eager"))
        assert mirrored.keys() == eager.keys()
        for name, values in eager.items():
            np.testing.assert_allclose(mirrored[name], values, rtol=RTOL, atol=1e-7, err_msg=name)


def test_asking_for_mirrored_splits_the_cpu_and_keeps_the_grid(tmp_path):
    done = harness(
        *("parity", "--scenarios", "regression_training", "--sizes", "tiny"),
        *("--modes", "eager,mirrored", "--inputs", "resident", "--details"),
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"^  mirrored +\w+ +eager +", done.stdout, re.MULTILINE)
    assert "CPU:1" not in done.stdout
    assert "unsupported" not in done.stdout


def test_programs_share_the_workers_which_drop_those_that_are_closed():
    pids = workers.cluster().pids
    first, second = program(Line, "multi_worker"), program(Line, "multi_worker")
    first.call()
    assert [one.state()["calls"] for one in (first, second)] == [1, 0]
    first.close()
    assert workers.cluster().unused == [first._number]
    third = program(Line, "multi_worker")
    third.call()
    assert workers.cluster().pids == pids
    assert first._number not in workers.cluster().unused
    with pytest.raises(ScenarioError, match="KeyError"):
        first.call()


def gone(process: psutil.Process, within_s: float = 0) -> bool:
    try:
        process.wait(within_s)
    except psutil.TimeoutExpired:
        return False
    return True


def processes(pids):
    return [psutil.Process(pid) for pid in pids]


def test_workers_end_with_their_parent_even_when_they_are_stopped():
    parent = subprocess.Popen(
        [sys.executable, SUPPORT / "orphans_script.py"],
        cwd=SUPPORT,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    with parent:
        told = json.loads(parent.stdout.readline())
        orphans = processes(told["pids"])
        orphans[1].suspend()
        parent.kill()
    ended = [gone(orphan, within_s=300) for orphan in orphans]
    for orphan in orphans:
        with suppress(psutil.NoSuchProcess):
            orphan.kill()
    assert ended == [True, True]
    assert told["alone"] == [
        "unsupported",
        "needs 2 logical CPU devices, and there is 1; --logical-cpus 2 splits the CPU",
    ]


# From here on, each test costs a cluster: the next one that needs workers starts fresh ones.


def test_a_worker_that_is_killed_is_named_and_the_next_program_gets_fresh_workers():
    lost = workers.cluster()
    members = processes(lost.pids)
    built = program(Four, "multi_worker")
    members[1].kill()
    with pytest.raises(
        WorkerLost, match=r"'worker 1' is gone: the process was ended by SIGKILL"
    ) as raised:
        built.call()
    assert "oneDNN" not in str(raised.value)  # what TensorFlow says on its start explains nothing
    assert raised.value.status == "crashed"
    assert gone(members[0])  # its partner is not left behind
    with pytest.raises(WorkerLost, match=r"'worker 1' is gone: the process was ended by SIGKILL"):
        built.run(built.task.feeds[0])
    fresh = program(Four, "multi_worker")
    assert fresh.run(fresh.task.feeds[0])["mean"] == 1.5
    assert not set(workers.cluster().pids) & set(lost.pids)


def test_what_one_worker_fails_with_is_told_not_the_silence_of_the_other(monkeypatch):
    monkeypatch.setattr(workers, "_GRACE_S", 1.0)
    lost = workers.cluster()
    cell = words(Refused, ["multi_worker"])["multi_worker"]
    assert cell.status == "error"
    assert "two is too much" in cell.reason or "InvalidArgumentError" in cell.reason
    assert not lost.alive


def test_a_worker_that_hangs_is_named_within_the_limit():
    lost = workers.cluster()
    members = processes(lost.pids)
    built = program(Four, "multi_worker")
    lost.limit_s = 1.0
    members[1].suspend()
    with pytest.raises(
        WorkerLost, match=r"no answer for 1 s from .*worker 1 \(stopped\)"
    ) as raised:
        built.call()
    assert raised.value.status == "timeout"
    assert all(map(gone, members))
