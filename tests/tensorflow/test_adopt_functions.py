"""Functions and models of a user's, adopted in this process and held against eager."""

from __future__ import annotations

import linecache
import pickle

import numpy as np
import pytest
import tensorflow as tf
from workbench import DEFAULT_GRAPHS, adopted, program, tensor, words

from eager_vs_graph.child.adopt.copying import Snapshot
from eager_vs_graph.child.adopt.function import scenario_of
from eager_vs_graph.errors import PartNotFound, UsageError
from eager_vs_graph.results.record import (
    AGREEING,
    CLOSE,
    DIFFERS,
    IDENTICAL,
    UNSUPPORTED,
)

INPUT = ("float32[16,5]",)
LABELLED = (*INPUT, "int32[16] in 0..2")


AGREE = {
    "globals": ("plain:step", ("float32[32,4]", "int32[32] in 0..2"), {"WEIGHT"}),
    "by name": ("plain:step", ("labels=int32[8]", "x=float32[8,4]"), {"WEIGHT"}),
    "factory of arguments": ("plain:step", ("plain:make_args",), {"WEIGHT"}),
    "nested arguments": ("plain:mean_of", ("plain:make_batch",), set()),
    "tf.function": ("plain:decorated", ("float32[8]",), set()),
    "constant": ("plain:smooth", ("float32[8]", "mean=True"), set()),
    "functional model": (
        "models:make_functional",
        (),
        {"model/dense/kernel", "model/dense/bias", "model/dense_1/kernel"},
    ),
    "custom step": (
        "models:make_step",
        LABELLED,
        {"model/seed_generator/seed_generator_state", "model/dense/kernel", "accuracy/total"},
    ),
    "tf.Module": ("models:make_module", ("float32[16] in 1..2",), {"iterate/parts/1/bias"}),
    "method": ("models:make_module.step", ("float32[16] in 1..2",), {"iterate/rate"}),
    "example": ("programs:make_mnist_convnet", (), {"model/conv2d/kernel"}),
    "training loop": (
        "programs:CustomTraining.train_step",
        ("int32[4,12] in 0..19", "int32[4,12] in 0..19"),
        {"customtraining_model/gru/gru_cell/kernel"},
    ),
    "sampler": ("programs:make_hmc", ("float32[8,2]", "int32[2] in 0..99"), {"step_size"}),
}


@pytest.mark.parametrize("case", AGREE)
def test_a_function_agrees_with_itself_in_every_default_mode(case):
    reference, arguments, variables = AGREE[case]
    scenario = adopted(reference, *arguments)
    found = words(scenario)
    assert {mode: cell.status for mode, cell in found.items() if cell.status not in AGREEING} == {}
    seen = {t.tensor for t in found["function"].tensors if t.kind == "variable"}
    assert variables <= seen


def test_a_model_is_trained_by_hand_and_by_keras():
    options = {"train": True}
    forward, train, predict, fit = (
        words(adopted("models:make_subclassed", *INPUT, part=part, **options)) for part in range(4)
    )
    for found in (forward, train):
        assert {
            mode: cell.status for mode, cell in found.items() if cell.status not in AGREEING
        } == {}
    for found in (predict, fit):
        assert found["function"].status in AGREEING
        assert found["session"].status == UNSUPPORTED
    # Dropout's random numbers are state, which is loaded; in float64 they would be others.
    assert "random numbers" in train["eager"].note
    assert not forward["eager"].note
    changed = tensor(train["function"], "model/dense/kernel", "eager")
    assert changed.status in AGREEING


def test_every_other_mode_takes_it_or_says_why_not():
    modes = ("eager", "concrete", "xla", "saved_model", "saved_model_session", "mirrored")
    found = words(adopted("models:make_functional", train=True, part=1), modes)
    assert found.pop("mirrored").status == UNSUPPORTED
    assert {mode: cell.status for mode, cell in found.items() if cell.status not in AGREEING} == {}


def test_programs_share_nothing_with_each_other_or_the_users_module():
    scenario = adopted("plain:step", "float32[4,4]", "int32[4]")
    import plain

    before = plain.WEIGHT.numpy()
    programs = [program(scenario, mode) for mode in ("eager", "eager", *DEFAULT_GRAPHS)]
    start = programs[0].state()["WEIGHT"]
    np.testing.assert_array_equal(start, before)
    programs[0].run(programs[0].task.feeds[0])
    assert not np.array_equal(programs[0].state()["WEIGHT"], start)
    for other in programs[1:]:
        np.testing.assert_array_equal(other.state()["WEIGHT"], start)
        other.run(other.task.feeds[0])
    np.testing.assert_array_equal(plain.WEIGHT.numpy(), before)
    moved = [each.state()["WEIGHT"] for each in programs]
    for other in moved[1:]:
        np.testing.assert_allclose(other, moved[0], rtol=1e-5)


def test_classes_and_their_globals_are_copied_too():
    scenario = scenario_of(Holder().bump, (np.float32(1),), name="bump")
    first, second = program(scenario, "eager"), program(scenario, "eager")
    first.run(first.task.feeds[0])
    assert type(first.scenario.function.call.__self__) is not Holder
    assert float(first.state()["holder_value"]) == 2.0
    assert float(second.state()["holder_value"]) == 1.0
    assert float(first.state()["SHARED"]) == 1.0
    assert float(second.state()["SHARED"]) == 0.0


SHARED = tf.Variable(0.0)


class Holder:
    """A plain Python object that holds a variable."""

    def __init__(self):
        self.value = tf.Variable(1.0)

    def bump(self, x):
        SHARED.assign_add(x)
        return self.value.assign_add(x)


def test_closures_lambdas_and_partial_application():
    import functools

    weight = tf.Variable([[2.0], [3.0]])
    tensors = tf.constant(np.arange(400, dtype=np.float32))
    for function in (
        lambda x: x @ weight + tf.reduce_sum(tensors),
        functools.partial(lambda w, x: x @ w + tf.reduce_sum(tensors), weight),
    ):
        scenario = scenario_of(function, (np.ones((3, 2), np.float32),))
        found = words(scenario)
        assert {cell.status for cell in found.values()} <= {IDENTICAL, CLOSE}
        (variable,) = [t for t in found["session"].tensors if t.kind == "variable"][:1]
        assert variable.shape == (2, 1)


def test_random_numbers_without_a_seed_are_declared_and_told():
    found = words(adopted("plain:noisy", "float32[8]"))
    # Eager draws the same again when it begins again; a graph's stream is another.
    assert found["eager"].status == IDENTICAL
    for mode in DEFAULT_GRAPHS:
        assert found[mode].status == DIFFERS
        assert "RandomStandardNormal" in found[mode].known
        assert found[mode].timed
        assert not found[mode].comparable


def test_python_state_is_an_alarm_and_is_named():
    scenario = adopted("plain:counts", "float32[8]")
    assert any(note.startswith("it changes counter (0 ") for note in scenario.notes)
    found = words(scenario)
    assert found["eager"].status == IDENTICAL
    assert found["function"].status == DIFFERS
    assert not found["function"].timed


def test_code_of_a_notebook_keeps_its_lines_in_another_process():
    source = "def step(x):\n    if tf.reduce_sum(x) > 0.0:\n        x = x * 3.0\n    return x\n"
    linecache.cache["<cell 7>"] = (len(source), None, source.splitlines(True), "<cell 7>")
    names = {"__name__": "__main__", "tf": tf}
    exec(compile(source, "<cell 7>", "exec"), names)
    sent = pickle.dumps(Snapshot(names["step"]))
    del linecache.cache["<cell 7>"]  # as in a process that never ran the cell
    copy = pickle.loads(sent).copy()
    assert float(tf.function(copy)(tf.constant(2.0))) == 6.0


def test_what_rounding_decides_is_named():
    """A bias before a batch normalization has no gradient but rounding, which Adam blows up."""
    found = words(adopted("models:make_step", *LABELLED))
    assert found["function"].status == CLOSE
    assert "rounding decides" in found["function"].note
    assert "model/dense/bias" in found["function"].note
    assert "rounding decides" not in found["eager"].note


def test_what_a_graph_does_otherwise_is_no_matter_of_rounding():
    weight = tf.Variable([1.0, 2.0])

    def step(x):
        scale = 1.0 if tf.executing_eagerly() else 1.0001
        return tf.reduce_sum(weight * x) * scale

    found = words(scenario_of(step, (np.ones(2, np.float32),)))
    assert found["function"].status == DIFFERS
    assert not found["function"].timed


def test_an_update_that_a_graph_leaves_out_is_found():
    """The rule for results that rounding decides must not swallow a true difference."""

    def build():
        weight, seen = tf.Variable([1.0, 2.0]), []

        def step(x):
            seen.append(1)
            if len(seen) % 2:  # true while a graph is traced, and in every other eager call
                weight.assign(weight * 1.0001)
            return tf.reduce_sum(weight * x)

        return step

    found = words(scenario_of(build(), (np.ones(2, np.float32),), name="skips"))
    assert not found["function"].comparable
    assert not found["function"].timed


def test_a_function_that_loses_its_digits_blames_no_mode():
    found = words(scenario_of(_cancels, (np.linspace(1, 2, 8, dtype=np.float32),)))
    assert found["eager"].status == "close"
    assert "far from the same computation in float64, in eager too" in found["eager"].note
    assert tensor(found["function"], "output", "eager").status in AGREEING
    assert found["function"].timed


BIG = tf.Variable(1e6)


def _cancels(x):
    return (x + BIG) - BIG


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        (lambda x: x + tf.constant(1.0, tf.float32), "does not run in float64"),
        (lambda x: tf.cast(x, tf.float32) * 2.0, "names the dtype itself"),
        (lambda x: x + tf.random.stateless_normal(tf.shape(x), [1, 2]), "random numbers"),
    ],
)
def test_a_function_without_float64_is_held_against_eager_and_says_so(function, reason):
    found = words(scenario_of(function, (np.ones(4, np.float32),)))
    assert reason in found["eager"].note
    assert found["function"].status in AGREEING
    assert {t.against for t in found["function"].tensors} == {"eager"}


REFUSED = {
    "no module": ("nowhere:f", (), "no module 'nowhere'"),
    "no attribute": ("plain:stepp", (), "did you mean step"),
    "does not import": ("broken_import:f", (), "broken_import.py:5"),
    "missing import": ("missing_import:f", (), "No module named 'not_installed_anywhere'"),
    "syntax": ("broken_syntax:f", (), "broken_syntax.py:2"),
    "too few": ("plain:step", ("float32[8,4]",), "missing a required argument: 'labels'"),
    "too many": ("plain:decorated", ("float32[8]",) * 2, "too many positional arguments"),
    "no such parameter": ("plain:step", ("y=float32[8,4]", "labels=int32[8]"), "'x'"),
    "twice": ("plain:step", ("x=float32[1]", "x=float32[1]"), "'x' is given twice"),
    "wrong shape": ("plain:step", ("float32[8,5]", "int32[8]"), "x: float32[8,5]"),
    "wrong dtype": ("plain:step", ("float32[8,4]", "float32[8]"), "labels: float32[8]"),
    "no dtype": ("plain:step", ("floot32[8,4]", "int32[8]"), "'floot32' is no dtype"),
    "not understood": ("plain:step", ("float32(8,4)",), "is not understood"),
    "no file": ("plain:decorated", ("nowhere.npy",), "nowhere.npy: no such file"),
    "object": ("plain:returns_object", ("float32[8]",), "returns object as 'output'"),
    "nothing": ("plain:returns_nothing", ("float32[8]",), "returns nothing"),
    "async": ("plain:later", ("float32[8]",), "later is async"),
    "generator": ("plain:yields", ("float32[8]",), "yields is a generator"),
    "raises": ("plain:shapes", ("float32[8]",), "plain.py:"),
    "no function": ("plain:TABLE", (), "but should be a function"),
    "factory raises": ("uncopied:make_nothing", (), "make_nothing() raised RuntimeError: no luck"),
    "no inputs": ("models:make_subclassed", (), "give them with --arg"),
    "model's shape": ("models:make_functional", ("float32[8,5]",), "but the model takes"),
    "not a model": ("plain:step", {"train": True}, "--train"),
    "not compiled": ("models:make_uncompiled", {"train": True, "part": 1}, "--loss"),
    "no such loss": (
        "models:make_uncompiled",
        {"train": True, "part": 1, "loss": "nonsense", "optimizer": "sgd"},
        "nonsense",
    ),
    "SavedModel": ("saved", (), "no SavedModel"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_adopted_is_refused_in_a_line(case, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "saved").mkdir()
    (tmp_path / "broken_syntax.py").write_text("f = 1\ng = (\n", encoding="utf-8")
    reference, given, expected = REFUSED[case]
    arguments, options = ((), given) if isinstance(given, dict) else (given, {})
    with pytest.raises(UsageError) as refusal:
        adopted(reference, *arguments, **options)
    message = str(refusal.value)
    assert expected in message
    assert "\n" not in message
    assert len(message) < 700


def test_a_part_that_nobody_asked_for_is_left_out():
    with pytest.raises(PartNotFound):
        adopted("plain:step", "float32[8,4]", "int32[8]", part=1)


def test_arguments_from_files(tmp_path):
    np.save(tmp_path / "x.npy", np.ones((4, 4), np.float32))
    np.savez(tmp_path / "both.npz", labels=np.zeros(4, np.int32), x=np.ones((4, 4), np.float32))
    alone = adopted("plain:step", str(tmp_path / "x.npy"), "int32[4]")
    assert alone.feeds[0]["x"].shape == (4, 4)
    both = adopted("plain:step", str(tmp_path / "both.npz"))
    assert both.names == ("x", "labels")
    assert len(both.feeds) == 1
    np.testing.assert_array_equal(both.feeds[0]["labels"], np.zeros(4, np.int32))


def test_drawn_arguments_are_seeded_and_within_their_range():
    first, again = (
        adopted("plain:mean_of", "plain:make_batch").feeds,
        adopted("plain:step", "float32[9,4]", "int32[9] in 1..2").feeds,
    )
    assert len(again) == 3
    assert not np.array_equal(again[0]["x"], again[1]["x"])
    assert {int(each) for feed in again for each in feed["labels"]} == {1, 2}
    repeated = adopted("plain:step", "float32[9,4]", "int32[9] in 1..2").feeds
    np.testing.assert_array_equal(repeated[1]["x"], again[1]["x"])
    assert first[0]["batch_x"].shape == (3, 2)


def test_a_saved_model(tmp_path):
    import keras

    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    model.export(tmp_path / "exported", verbose=False)
    scenario = adopted(str(tmp_path / "exported"), batch=3)
    found = words(scenario)
    assert {cell.status for cell in found.values()} <= {IDENTICAL, CLOSE}
    assert "Python" in scenario.notes[0]
    assert {t.shape for t in found["session"].tensors if t.kind == "variable"} == {(4, 2), (2,)}
    with pytest.raises(UsageError, match="cannot be trained"):
        adopted(str(tmp_path / "exported"), train=True, part=1)
    with pytest.raises(UsageError, match="should be"):
        adopted(str(tmp_path / "exported"), "float32[3,5]")


def test_a_keras_file(tmp_path):
    import keras

    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    model.save(tmp_path / "model.keras")
    found = words(adopted(str(tmp_path / "model.keras"), batch=3))
    assert {cell.status for cell in found.values()} <= {IDENTICAL, CLOSE}
    assert tensor(found["function"], "output", "eager").shape == (3, 2)
