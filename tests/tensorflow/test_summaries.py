"""What the steps write for TensorBoard is read back, compared, kept with the run, and cleared."""

from __future__ import annotations

import gc

import numpy as np
import pytest
import tensorflow as tf
from tensorboard.backend.event_processing.plugin_event_multiplexer import EventMultiplexer
from tensorboard.util.tensor_util import make_ndarray
from workbench import DEFAULT_GRAPHS, SPLITTING, broken, program, tensor, words

from eager_vs_graph.child.parity import check as parity
from eager_vs_graph.child.parity.trajectory import of_program
from eager_vs_graph.errors import ScenarioError, Unsupported
from eager_vs_graph.modes import MODES
from eager_vs_graph.modes.program import Program
from eager_vs_graph.results.cells import INPUTS, Cell
from eager_vs_graph.results.event_files import read_summaries
from eager_vs_graph.results.record import AGREEING
from eager_vs_graph.scenarios.matmul_chain import MatmulChain
from eager_vs_graph.scenarios.summaries import Summaries

REFUSED = {
    **dict.fromkeys(SPLITTING, "declares no batch to split among replicas"),
    "as_written": "it calls no tf.function that the other modes would take apart",
    "xla": "Detected unsupported operations when trying to compile graph",
    "saved_model": "does not deploy: tf.saved_model.save: Tried to export a ",
    "saved_model_session": "does not deploy: tf.saved_model.save: Tried to export a ",
}
"""Modes that cannot write summaries: a part of the reason."""
WRITING = tuple(mode for mode in MODES if mode not in REFUSED)

SUMMARY, STEPS = "summary of x", "steps of x"


@pytest.mark.parametrize("mode", WRITING)
def test_the_guides_every_100_steps(mode):
    built = program(Summaries, mode, size="guide")
    found = of_program(built, built.state(), built.task.feeds, 300)
    written = built.written()
    assert written.keys() == {"summary of loss", "steps of loss"}
    np.testing.assert_array_equal(written["steps of loss"], [100, 200, 300])
    losses = [found.outputs[step - 1]["loss"] for step in (100, 200, 300)]
    assert written["summary of loss"].dtype == np.float32
    assert written["summary of loss"].tolist() == [float(loss) for loss in losses]
    assert losses == sorted(losses, reverse=True)


@pytest.mark.parametrize("inputs", INPUTS)
def test_every_mode_writes_what_eager_writes_and_what_the_reference_foresees(inputs):
    for mode, cell in words(Summaries, tuple(MODES), inputs).items():
        if mode in REFUSED:
            assert cell.status == "unsupported"
            assert REFUSED[mode] in cell.reason
            continue
        assert cell.status in AGREEING, cell.reason
        for name, shape in {"summary of loss": (10,), "steps of loss": (10,)}.items():
            against_eager = tensor(cell, name, "eager")
            assert (against_eager.status, against_eager.kind) == ("identical", "written")
            assert against_eager.shape == shape
            assert tensor(cell, name, "reference").status in AGREEING


@pytest.mark.parametrize("name", ["logged", "held_back"])
def test_nothing_is_wrong_with_a_sound_log(name):
    for cell in words(broken(name)).values():
        assert (cell.status, cell.reason) == ("identical", "")
        assert {t.tensor for t in cell.tensors if t.kind == "written"} == {SUMMARY, STEPS}


def test_a_wrong_step_is_caught_by_the_reference_in_every_mode():
    for cell in words(broken("step_before")).values():
        assert cell.status == "differs"
        assert cell.failed
        assert cell.reason == (
            f"written '{STEPS}' against reference: 3 of 3 elements differ; step 5: "
            f"{STEPS}[0] = 1, but should be 2"
        )
        assert tensor(cell, STEPS, "eager").status == "identical"
        assert tensor(cell, SUMMARY, "reference").status == "identical"


def test_a_step_that_a_graph_has_frozen_is_caught():
    cells = words(broken("frozen_step"))
    assert cells["eager"].status == "identical"
    for mode in DEFAULT_GRAPHS:
        assert cells[mode].status == "differs"
        assert f"written '{STEPS}' against eager: 3 of 3 elements differ" in cells[mode].reason
        assert f"{STEPS}[2] = 1, but should be 6" in cells[mode].reason


def test_a_wrong_value_is_caught_though_the_outputs_agree():
    cells = words(broken("other_value"))
    assert cells["eager"].status == "identical"
    for mode in DEFAULT_GRAPHS:
        assert cells[mode].status == "differs"
        assert f"written '{SUMMARY}' against eager: 3 of 3 elements" in cells[mode].reason
        assert tensor(cells[mode], "x_again", "eager").status == "identical"


def test_a_tag_that_takes_a_loops_name_is_caught():
    cells = words(broken("summary_in_loop"), ("eager", "function", "session"))
    assert cells["eager"].status == cells["session"].status == "identical"
    assert cells["function"].status == "differs"
    assert f"written '{SUMMARY}' against eager: it wrote none" in cells["function"].reason
    unforeseen = tensor(cells["function"], "summary of while/x", "eager")
    assert (unforeseen.status, unforeseen.detail) == ("differs", "eager wrote none")


def test_files_that_nobody_foresees_are_told():
    for cell in words(broken("written_unforeseen")).values():
        assert cell.status == "differs"
        assert f"written '{SUMMARY}' against reference: reference wrote none" in cell.reason


def test_files_that_nobody_writes_are_told():
    for cell in words(broken("never_written")).values():
        assert cell.status == "differs"
        assert f"written '{SUMMARY}' against reference: it wrote none" in cell.reason


def test_an_reference_of_files_that_fails_is_one_line():
    with pytest.raises(
        ScenarioError, match="reference_written_raises: reference_written raised KeyErr"
    ):
        words(broken("reference_written_raises"))


def test_what_the_compared_steps_wrote_is_kept_for_tensorboard(tmp_path):
    subject = parity.subject(broken("logged"), "tiny")
    subject.files = tmp_path / "files"
    cells = [Cell("logged", "tiny", mode, "CPU:0", "resident") for mode in WRITING]
    list(parity.check(subject, cells, lambda _cell: None))
    # What `tensorboard --logdir` does with a folder.
    runs = EventMultiplexer().AddRunsFromDirectory(str(tmp_path))
    runs.Reload()
    names = {f"files/logged/tiny/{mode}/CPU-0/resident" for mode in WRITING}
    assert runs.Runs().keys() == names
    for name in names:
        events = runs.Tensors(name, "x")
        # No steps but the compared ones: neither eager's second run nor its further calls.
        assert [event.step for event in events] == [2, 4, 6]
        assert [make_ndarray(event.tensor_proto) for event in events] == [1.5, 0.5, 3.0]


def test_a_scenario_that_writes_nothing_keeps_nothing(tmp_path):
    subject = parity.subject(MatmulChain, "tiny")
    subject.files = tmp_path / "files"
    cell = Cell("matmul_chain", "tiny", "eager", "CPU:0", "resident")
    list(parity.check(subject, [cell], lambda _cell: None))
    assert not subject.writes
    assert not subject.files.exists()


@pytest.mark.parametrize("mode", WRITING)
def test_every_program_has_a_folder_of_its_own_that_goes_with_it(mode):
    one, other = program(broken("logged"), mode), program(broken("logged"), mode)
    folders = [one.scenario.folder, other.scenario.folder]
    assert folders[0] != folders[1]
    for feed in one.task.feeds:
        one.run(feed)
        one.call()
    np.testing.assert_array_equal(one.written()[STEPS], [2, 4, 6])
    assert other.written() == {}
    assert all(folder.is_dir() for folder in folders)
    for built in (one, other):
        built.close()
    del one, other, built
    gc.collect()
    assert not any(folder.exists() for folder in folders)


def test_a_mode_in_another_process_says_that_it_cannot_tell():
    built = program(broken("logged"), "eager")
    built.scenario = None
    with pytest.raises(Unsupported, match="files of the scenario cannot be reached in this mode"):
        Program.written(built)
    with pytest.raises(Unsupported, match="summary writers of the scenario cannot be reached"):
        Program.flush(built)


def test_the_reader_takes_any_summary_in_the_order_of_writing(tmp_path):
    for name, start in (("b", 5), ("a", 3), ("a", 3)):
        writer = tf.summary.create_file_writer(str(tmp_path / name))
        with writer.as_default():
            for step in range(start, start + 2):
                tf.summary.scalar("loss", 1.0 / step, step=step)
                tf.summary.write("matrix", tf.fill([2, 3], step), step=step)
        writer.close()
    found = read_summaries(tmp_path)
    assert found.keys() == {
        f"{kind} of {tag}" for kind in ("summary", "steps") for tag in ("loss", "matrix")
    }
    # A step written twice is there twice.
    assert sorted(found["steps of loss"].tolist()) == [3, 3, 4, 4, 5, 6]
    assert found["steps of loss"].tolist()[-2:] == [5, 6]
    assert found["summary of loss"].dtype == np.float32
    assert found["summary of matrix"].shape == (6, 2, 3)
    np.testing.assert_array_equal(found["summary of matrix"][:, 1, 2], found["steps of matrix"])
    assert read_summaries(tmp_path / "nowhere") == {}
