"""A checkpoint of one mode is restored in every other, and what is wrong with it is told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pytest
import tensorflow as tf
from workbench import DEFAULT_GRAPHS, SPLITTING, broken, program

from eager_vs_graph.child.parity import check as parity
from eager_vs_graph.child.parity.checkpoints import exchange
from eager_vs_graph.errors import ScenarioError, Unsupported
from eager_vs_graph.modes import DEFAULT_MODES, MODES
from eager_vs_graph.modes.eager import EagerProgram
from eager_vs_graph.modes.program import Program
from eager_vs_graph.modes.variables import checkpointed
from eager_vs_graph.results.cells import Cell
from eager_vs_graph.results.record import AGREEING, CheckpointParity
from eager_vs_graph.results.run import Run
from eager_vs_graph.scenario import Scenario
from eager_vs_graph.scenarios.checkpoint import Checkpoint, TrainingCheckpoint
from eager_vs_graph.scenarios.regression_training import RegressionTraining

REFUSED = {
    **dict.fromkeys(SPLITTING, "declares no batch to split among replicas"),
    "as_written": "it calls no tf.function that the other modes would take apart",
    "saved_model": "a tf.train.Checkpoint of the scenario cannot be reached in this mode",
    "saved_model_session": "a tf.train.Checkpoint of the scenario cannot be reached in this mode",
}
"""Modes that cannot keep a checkpoint: a part of the reason."""
NO_FILES = {**REFUSED, "xla": "Detected unsupported operations when trying to compile graph"}
"""The same where the step itself reads and writes files."""
KEEPING = tuple(mode for mode in MODES if mode not in REFUSED)

Pairs = dict[tuple[str, str], CheckpointParity]


def pairs(
    scenario: type[Scenario],
    modes: Sequence[str] = tuple(MODES),
    size: str | None = None,
    lost: Sequence[str] = (),
) -> Pairs:
    """What became of every mode's checkpoint in every mode, as a run finds it."""
    size = size or next(iter(scenario.sizes))
    cells = [Cell(scenario.name, size, mode, "CPU:0", "resident") for mode in modes]
    ids = [cell.id for cell in cells if cell.mode in lost]
    found = exchange(parity.subject(scenario, size), cells, lambda _cell: None, ids)
    return {(Cell.parse(p.wrote).mode, Cell.parse(p.read).mode): p for p in found}


def assert_complete(found: Pairs, refused: Mapping[str, str] = REFUSED) -> None:
    """Every pair of modes has a word, and a mode that refuses has its reason."""
    assert set(found) == {(wrote, read) for wrote in MODES for read in MODES}
    for modes, pair in found.items():
        refusing = [mode for mode in modes if mode in refused]
        if refusing:
            assert pair.status == "unsupported"
            assert any(refused[mode] in pair.reason for mode in refusing), pair.reason
        else:
            assert pair.status in AGREEING, (modes, pair.reason)
            assert pair.reason == ""
        assert not pair.failed


@pytest.mark.parametrize("mode", [mode for mode in KEEPING if mode not in NO_FILES])
def test_saved_2_assigned_11_restored_2(mode):
    built = program(Checkpoint, mode, size="guide")
    assert built.state() == {"x": 10.0}
    assert built.run(built.task.feeds[0]) == {"assigned": 11.0, "restored": 2.0}
    assert built.state() == {"x": 2.0}


@pytest.mark.parametrize("reader", KEEPING)
@pytest.mark.parametrize("writer", KEEPING)
def test_a_checkpoint_of_one_mode_is_the_checkpoint_of_another(writer, reader, tmp_path):
    one, other = (program(Checkpoint, mode, size="guide") for mode in (writer, reader))
    prefix = str(tmp_path / "ckpt")
    one.load({"x": np.array(2.0, np.float32)})
    one.write_checkpoint(prefix)
    other.load({"x": np.array(11.0, np.float32)})
    other.restore_checkpoint(prefix)
    assert other.state() == {"x": 2.0}
    assert one.state() == {"x": 2.0}
    assert "x/.ATTRIBUTES/VARIABLE_VALUE" in dict(tf.train.list_variables(prefix))


@pytest.mark.parametrize("size", Checkpoint.sizes)
def test_a_variable_is_restored_bit_for_bit_in_every_mode(size):
    found = pairs(Checkpoint, size=size)
    assert_complete(found, NO_FILES)
    words = {pair.status for modes, pair in found.items() if not NO_FILES.keys() & {*modes}}
    assert words == {"identical"}


def test_model_optimizer_and_counter_are_restored_bit_for_bit_in_every_mode():
    found = pairs(TrainingCheckpoint)
    assert_complete(found)
    for mode in KEEPING:
        assert found[mode, mode].status == "identical"


def test_the_training_checkpoint_tracks_all_there_is():
    built = program(TrainingCheckpoint, "eager")
    tracked = checkpointed(built.scenario)
    assert tracked == built.state().keys()
    assert {"steps", "model/dense/kernel", "optimizer/sequential_dense_bias_velocity"} <= tracked


def test_training_goes_on_where_it_stopped():
    built = program(TrainingCheckpoint, "eager")
    feeds = built.task.feeds
    losses = [float(built.run(feeds[step % len(feeds)])["loss"]) for step in range(60)]
    assert np.mean(losses[-4:]) < np.mean(losses[:4])
    assert built.state()["steps"] == built.state()["optimizer/iteration"] == 60


def test_a_scenario_without_a_checkpoint_exchanges_nothing():
    assert pairs(RegressionTraining, size="tiny") == {}


def test_nothing_is_wrong_with_a_sound_checkpoint():
    assert_complete(pairs(broken("descent")))


def test_nan_the_sign_of_zero_and_text_are_restored_as_they_are():
    found = pairs(broken("odd_bits"), ("eager", "session"))
    assert {(pair.status, pair.reason) for pair in found.values()} == {("identical", "")}


def test_an_optimizer_left_out_of_the_checkpoint_is_caught():
    for pair in pairs(broken("optimizer_left_out"), DEFAULT_MODES).values():
        assert pair.status == "differs"
        assert pair.failed
        assert pair.reason.startswith("training on, output 'weight_now' against ")
        assert pair.reason.endswith("; the checkpoint leaves out momentum")


def test_a_bit_lost_in_restoring_is_caught_though_it_is_close():
    found = pairs(broken("last_bit_lost"), DEFAULT_MODES)
    assert {found[mode, "session"].status for mode in DEFAULT_MODES} == {"identical"}
    for mode in DEFAULT_MODES:
        pair = found[mode, "eager"]
        assert pair.status == "differs"
        assert pair.failed
        assert pair.reason.startswith(f"restored, variable 'weight' against {mode}: ")
        assert "weight[0] = 0." in pair.reason


def test_a_checkpoint_with_other_names_in_a_mode_is_an_error_with_tensorflows_reason():
    found = pairs(broken("other_names_in_graph"), ("eager", "session"))
    assert found["eager", "eager"].status == found["session", "session"].status == "identical"
    for wrote, read in (("eager", "session"), ("session", "eager")):
        pair = found[wrote, read]
        assert pair.status == "error"
        assert pair.failed
        assert pair.reason.startswith(f"{read}: AssertionError: Found 1 Python objects that were")


def test_a_checkpoint_of_nothing_is_one_line_that_names_the_scenario():
    with pytest.raises(ScenarioError, match="nothing_tracked: its checkpoint tracks none of its"):
        pairs(broken("nothing_tracked"))


def test_a_declared_difference_is_shown_and_fails_nothing():
    found = pairs(broken("drifts_as_declared"), DEFAULT_MODES)
    for graph in DEFAULT_GRAPHS:
        for pair in (found["eager", graph], found[graph, "eager"]):
            assert (pair.status, pair.known) == ("differs", "graphs descend faster here")
            assert not pair.failed
    assert found["eager", "eager"].status == "identical"


def test_a_mode_that_cannot_costs_its_row_and_its_column():
    class Refusing(broken("descent")):
        unsupported = {"function": "not here"}

    found = pairs(Refusing, ("eager", "function", "session"), lost=["session"])
    assert found["eager", "eager"].status == "identical"
    for modes, pair in found.items():
        if "function" in modes and "session" not in modes:
            assert (pair.status, pair.reason) == ("unsupported", "function: not here")
            assert not pair.failed
        if "session" in modes and "function" not in modes:
            assert (pair.status, pair.failed) == ("crashed", True)


def test_a_mode_in_another_process_says_that_it_cannot():
    class Elsewhere(EagerProgram):
        """Runs here, and has no more to offer than the contract itself."""

        scenario = None
        write_checkpoint = Program.write_checkpoint
        restore_checkpoint = Program.restore_checkpoint

    built = program(broken("descent"), "eager")
    built.__class__ = Elsewhere
    for refused in (built.write_checkpoint, built.restore_checkpoint):
        with pytest.raises(Unsupported, match=r"a tf\.train\.Checkpoint of the scenario cannot"):
            refused("anywhere")


def test_a_broken_scenario_has_no_checkpoint_to_exchange():
    class Unbuildable(broken("descent")):
        def build(self):
            raise RuntimeError("no")

    assert pairs(Unbuildable) == {}


def test_the_record_keeps_the_pairs(tmp_path):
    run = Run(tmp_path)
    assert run.checkpoints() == []
    run.save_checkpoints([])
    assert list(tmp_path.iterdir()) == []
    kept = [CheckpointParity("a/b/c/d/e", "a/b/f/d/e", "differs", "why", known="because")]
    run.save_checkpoints(kept)
    assert Run(tmp_path).checkpoints() == kept
