"""The modes that load a SavedModel: what deploys, what does not, and the fresh process."""

from __future__ import annotations

import gc
import os
import signal
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from commands import SUPPORT, python
from contract_scenarios import Cumulate, Everything, Varying, assert_same_bits
from workbench import built_in, program, words

from eager_vs_graph import Scenario, Size
from eager_vs_graph.catalog import find as catalog
from eager_vs_graph.child.adopt.loading import load
from eager_vs_graph.errors import WorkerLost
from eager_vs_graph.modes import DEFAULT_MODES, MODES
from eager_vs_graph.modes import saved_model_process as fresh
from eager_vs_graph.modes.saved_model_loading import LoadedModel, signatures_of
from eager_vs_graph.processes.python import SILENCE_S
from eager_vs_graph.results.cells import INPUTS

DEPLOYED = tuple(mode.name for mode in MODES.values() if mode.kind == "deployment")
every_deployed = pytest.mark.parametrize("mode", DEPLOYED)
every_policy = pytest.mark.parametrize("inputs", INPUTS)


class Ones(Scenario):
    """Something goes in."""

    def inputs(self, rng):
        return [{"x": np.ones(4, np.float32)}]

    def reference(self, state, x):
        return {"y": x + 1}


def test_the_modes_are_asked_for_by_name():
    assert DEPLOYED == ("saved_model", "saved_model_session")
    assert not {*DEPLOYED} & {*DEFAULT_MODES}


SOURCE = '''
import tensorflow as tf
from eager_vs_graph import Scenario, Size

class Vanishing(Scenario):
    """Its source is gone before it runs."""

    name = "vanishing"
    sizes = {"tiny": Size()}

    def inputs(self, rng):
        return [{"x": rng.standard_normal(3).astype("float32")}]

    def build(self):
        self.total = tf.Variable(tf.zeros(3))

    def step(self, x):
        if tf.reduce_sum(x) > 0.0:
            self.total.assign_add(x)
        return {"total": self.total + 0.0}
'''


@every_deployed
def test_the_fresh_process_has_never_seen_a_scenario(tmp_path, mode):
    file = tmp_path / "vanishing.py"
    file.write_text(SOURCE)
    (entry,) = catalog.entries([file])
    scenario = load(entry)
    built = program(scenario, mode)
    file.unlink()
    (feed,) = built.task.feeds
    total = built.run(feed)["total"]
    np.testing.assert_array_equal(total, feed["x"] if feed["x"].sum() > 0 else 0 * feed["x"])
    assert built._at.process is fresh.shared()
    modules = fresh.shared().ask("modules")
    assert {"tensorflow", "eager_vs_graph.modes.saved_model_loading"} <= {*modules}
    assert not {name for name in modules if name.startswith("eager_vs_graph.scenarios")}
    # Neither the contract of scenarios nor that of programs is there.
    contracts = {"scenario", "modes.variables", "modes.program"}
    assert not {f"eager_vs_graph.{name}" for name in contracts} & {*modules}
    assert not {scenario.__module__, entry.file.stem} & {*modules}


@pytest.fixture(scope="module")
def trained():
    """Everything that holds variables, after five steps as a function."""
    built = program(Everything, "function")
    initial = built.state()
    outputs = [built.run(built.task.feeds[0]) for _ in range(5)]
    return initial, outputs, built.state()


@every_deployed
def test_everything_trains_on_in_the_fresh_process_bit_for_bit(trained, mode):
    initial, outputs, state = trained
    first, second = program(Everything, mode), program(Everything, mode, "fed")
    (feed,) = first.task.feeds
    first.load(initial)
    found = [first.run(feed) for _ in range(2)]
    second.load(first.state())  # another model goes on from where the first one is
    found += [second.run(feed) for _ in range(3)]
    for one, expected in zip(found, outputs, strict=True):
        assert_same_bits(one, expected)
    assert_same_bits(second.state(), state)
    changed = {name for name in state if not np.array_equal(state[name], initial[name])}
    assert changed >= {"generator/state", "adam/iteration", "metric/total", "module/parts/0"}
    assert sum(name.startswith("adam/") for name in changed) == 13  # every slot, and the count
    first.close()
    second.close()


@every_policy
@every_deployed
def test_loading_and_calling_start_no_process(monkeypatch, mode, inputs):
    monkeypatch.setattr(fresh, "_shared", [])
    built = program(Cumulate, mode, inputs)
    initial = built.state()
    built.load(initial)
    built.call()
    built.warm(built.task.feeds[1])
    assert built.state()["calls"] == 2
    built.load(initial)
    assert built.state()["calls"] == 0
    assert fresh._shared == []
    built.close()


def test_one_process_serves_all_programs():
    started = fresh.shared().pid
    built = [program(Cumulate, mode) for mode in (*DEPLOYED, *DEPLOYED)]
    for count in (1, 2):
        assert all(one.run(one.task.feeds[0])["total"][0] == count for one in built)
    assert {one._there.process.pid for one in built} == {started}


@every_policy
@every_deployed
def test_there_is_one_state_wherever_the_step_is_run(mode, inputs):
    built = program(Cumulate, mode, inputs)
    (first, *_) = built.task.feeds
    calls = []
    for step in (built.run, built.run, None, None, built.run, None, built.warm, built.run):
        built.call() if step is None else step(first)
        calls.append(int(built.state()["calls"]))
    assert calls == [1, 2, 3, 4, 5, 6, 7, 8]
    built.close()


@every_policy
@every_deployed
def test_what_needs_the_python_process_does_not_deploy(mode, inputs):
    bridge = built_in("py_func_bridge")
    cells = words(bridge, ["eager", mode], inputs, "guide")
    assert cells["eager"].status == "identical"
    assert cells[mode].status == "unsupported"
    assert cells[mode].reason.startswith(
        "does not deploy: Could not find callback with key=pyfunc_"
    )
    # In the process that traced it, it seems to work: that is why parity asks another.
    here = program(bridge, mode, inputs, "guide")
    assert [np.ravel(array).tolist() for array in here.call()] == [[4.0], [4.0], [4.0]]


OUTSIDE = tf.Variable(1.0)


class Outside(Ones):
    """A variable that the scenario does not hold."""

    name = "outside"
    sizes = {"tiny": Size()}

    def step(self, x):
        return {"y": x + OUTSIDE}


@every_deployed
def test_what_cannot_be_written_does_not_deploy(mode):
    cells = words(Outside, ["eager", mode])
    assert cells["eager"].status == "identical"
    assert cells[mode].status == "unsupported"
    assert cells[mode].reason.startswith("does not deploy: tf.saved_model.save: Tried to export")
    assert "\n" not in cells[mode].reason


class Resources(Ones):
    """Things that are no variables, in places where a SavedModel does not look for them."""

    name = "resources"
    sizes = {"tiny": Size()}

    def build(self):
        filled = tf.lookup.KeyValueTensorInitializer([1, 2], [10.0, 20.0], tf.int64, tf.float32)
        self.tables = {"one": [tf.lookup.StaticHashTable(filled, -1.0)]}
        self.layer = tf.keras.layers.StringLookup(vocabulary=["a", "b"])
        self.rows = tf.data.Dataset.from_tensor_slices(np.arange(5, dtype=np.float32)).batch(2)

    def step(self, x):
        total = tf.constant(0.0)
        for row in self.rows:
            total += tf.reduce_sum(row)
        (table,) = self.tables["one"]
        return {
            "total": total + x,
            "found": table.lookup(tf.constant([2, 3], tf.int64)),
            "index": self.layer(tf.constant(["b", "c"])),
        }


@every_deployed
def test_tables_and_datasets_deploy(mode):
    built = program(Resources, mode)
    outputs = built.run(built.task.feeds[0])
    assert outputs["total"].tolist() == [11.0] * 4
    assert outputs["found"].tolist() == [20.0, -1.0]
    assert outputs["index"].tolist() == [2, 0]


class Refusing(Ones):
    """An op fails, whatever the mode."""

    name = "refusing"
    sizes = {"tiny": Size()}

    def step(self, x):
        return {"y": tf.gather(x, tf.cast(x[0], tf.int32) + 7)}


@every_deployed
def test_an_op_that_fails_is_an_error_of_its_own_kind(mode):
    built = program(Refusing, mode)
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"8 is not in \[0, 4\)"):
        built.run(built.task.feeds[0])
    assert fresh.shared().alive  # the process goes on


def test_a_process_that_dies_costs_the_program_that_asked():
    built, other = (program(Cumulate, mode) for mode in DEPLOYED)
    (feed, *_) = built.task.feeds
    initial = built.state()
    built.run(feed)
    os.kill(fresh.shared().pid, signal.SIGKILL)
    for _ in range(2):  # what it held is lost, for good
        with pytest.raises(WorkerLost, match=r"is gone: the process was ended by SIGKILL") as lost:
            built.run(feed)
        assert lost.value.status == "crashed"
    assert other.run(feed)["total"].tolist() == [1, 1, 1]  # in a new process
    built.load(initial)
    assert built.run(feed)["total"].tolist() == [1, 1, 1]


class Large(Ones):
    """More goes in than fits into the pipe between two processes."""

    name = "large"
    sizes = {"tiny": Size()}

    def inputs(self, rng):
        return [{"x": np.ones(2_000_000, np.float32)}]

    def step(self, x):
        return {"y": x + 1.0}


@pytest.mark.parametrize(
    ("end", "status", "reason"),
    [
        (signal.SIGSTOP, "timeout", "asked to call, gave no answer within 0.5 s and was killed"),
        (signal.SIGKILL, "crashed", "is gone: the process was ended by SIGKILL"),
    ],
)
def test_parity_reports_a_process_that_is_lost_and_goes_on(monkeypatch, end, status, reason):
    process, load = fresh.shared(), fresh.FreshProcess.load

    def load_and_end(self, *arguments):
        model = load(self, *arguments)
        if self is process:
            self.limit_s = 0.5
            os.kill(self.pid, end)  # a stopped process does not read: the next request is large
        return model

    monkeypatch.setattr(fresh.FreshProcess, "load", load_and_end)
    cells = words(Large, ["eager", *DEPLOYED])
    assert cells["saved_model"].status == status
    assert cells["saved_model"].failed
    assert cells["saved_model"].reason.endswith(reason)
    assert not process.alive
    assert cells["saved_model_session"].status == "identical"  # in another process
    assert fresh.shared() is not process


def test_the_fresh_process_answers_within_less_than_a_cell_may_take(monkeypatch):
    monkeypatch.setattr(fresh, "_shared", [])
    monkeypatch.setenv(SILENCE_S, "50")
    process = fresh.shared()
    assert process.limit_s == 40
    assert fresh.shared() is process
    process.close()


@every_deployed
def test_the_export_is_removed_with_the_program(mode):
    closed, forgotten = program(Cumulate, mode), program(Cumulate, mode)
    folders = [one._export.folder for one in (closed, forgotten)]
    assert all((folder / "saved_model.pb").exists() for folder in folders)
    closed.close()
    assert [folder.exists() for folder in folders] == [False, True]
    del forgotten
    gc.collect()
    assert not folders[1].exists()


LEAVING = """
from workbench import program
from contract_scenarios import Cumulate
built = program(Cumulate, "saved_model")
assert built._export.folder.exists()
print(built._export.folder)
"""


def test_the_export_is_removed_at_exit(tmp_path):
    path = f"import sys; sys.path.insert(0, {str(SUPPORT)!r})\n"
    done = python("-c", path + LEAVING, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert not Path(done.stdout.splitlines()[-1]).exists()


def test_a_model_that_is_closed_is_dropped_in_the_fresh_process():
    built = program(Cumulate, "saved_model")
    remote = fresh.shared().load(LoadedModel, built._export.folder, "CPU:0", False)
    assert remote.call("state", {})
    remote.close()
    with pytest.raises(KeyError):
        remote.call("state", {})


@every_policy
def test_the_signatures_say_what_goes_in_and_out(inputs):
    built = program(Cumulate, "saved_model", inputs)
    signatures = signatures_of(built._export.folder)
    sides = {
        name: (sorted(signatures[name].inputs), sorted(signatures[name].outputs))
        for name in ("step", "state", "load")
    }
    variables = ["variable_0", "variable_1"]
    assert sides == {
        "step": (["x", "y"], ["before", "branch", "count", "total", "z_first"]),
        "state": ([], variables),
        "load": (variables, ["loaded"]),
    }
    assert [*built.variables()] == ["total", "calls"]


def test_resident_inputs_of_a_session_are_variables_and_nothing_is_fed():
    resident, fed = (program(Cumulate, "saved_model_session", policy)._here for policy in INPUTS)
    assert resident.placeholders("step") == {}
    assert {op.name for op in resident.graph.get_operations()} >= {"resident_x", "resident_y"}
    assert sorted(fed.placeholders("step")) == ["x", "y"]
    assert not [op for op in fed.graph.get_operations() if op.name.startswith("resident")]


@every_deployed
def test_varying_dimensions_stay_open(mode):
    built = program(Varying, mode)
    shape = signatures_of(built._export.folder)["step"].inputs["x"].tensor_shape
    assert [dimension.size for dimension in shape.dim] == [-1, 2]
    for rows in (3, 7):  # a shape that no feed has
        assert built.run({"x": np.ones((rows, 2), np.float32)})["sum"] == 2 * rows
