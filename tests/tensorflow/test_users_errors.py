"""What is said of a user's mistakes and of TensorFlow's limits, and what needs no saying."""

from __future__ import annotations

import sys

import keras
import pytest
from workbench import USER_CODE, adopted, words

from eager_vs_graph.errors import PartNotFound, UsageError
from eager_vs_graph.modes import MODES
from eager_vs_graph.results.record import AGREEING, UNSUPPORTED

CONVERTED = ("eager", "function", "session")


def test_keras_reason_with_the_sizes_the_layer_and_the_line():
    with pytest.raises(UsageError) as refusal:
        adopted("mistakes:wrong_shape", "float32[2,4]")
    message = str(refusal.value)
    assert "Matrix size-incompatible: In[0]: [2,4], In[1]: [5,2]" in message
    assert "in Projection.call()" in message
    assert "mistakes.py:13" in message
    assert "\x1b" not in message
    assert "function_node" not in message


def test_numpy_in_a_layers_call_is_unsupported_in_a_graph_with_the_remedy():
    found = words(adopted("mistakes:sorted_by_numpy", "float32[2,4]"))
    assert found["eager"].status in AGREEING
    for mode in ("function", "session"):
        assert found[mode].status == UNSUPPORTED
        assert "has no attribute 'numpy', in NumpyInside.call()" in found[mode].reason
        assert "(mistakes.py:18)" in found[mode].reason
        assert "tf.numpy_function" in found[mode].reason


def test_predict_inside_a_step_is_answered_with_calling_the_model():
    found = words(adopted("mistakes:predicts", "float32[2,4]"))
    assert found["eager"].status in AGREEING
    for mode in ("function", "session"):
        assert found[mode].status == UNSUPPORTED
        assert "inside a step, call the model, such as model(x" in found[mode].reason


def test_no_text_is_cut_in_a_sentence():
    with pytest.raises(UsageError) as refusal:
        adopted("mistakes:long_message", "float32[2]")
    assert "the end." in str(refusal.value)


def test_all_open_inputs_are_named_and_go_by_name():
    with pytest.raises(UsageError) as refusal:
        adopted("mistakes:make_open")
    message = str(refusal.value)
    for name in ("words", "tags", "marks"):
        assert f"{name}: float32[?,?,3]" in message
        assert f'--arg "{name}=float32[32,16,3]"' in message
    shapes = ("marks=float32[2,7,3]", "words=float32[2,5,3]", "tags=float32[2,6,3]")
    found = words(adopted("mistakes:make_open", *shapes))
    assert {cell.status for cell in found.values()} <= set(AGREEING)
    with pytest.raises(UsageError, match="words: float32"):
        adopted("mistakes:make_open", "marks=float32[2,7,3]", "word=float32[2,5,3]")


@pytest.mark.parametrize("part", [1, 3])
def test_a_step_of_the_models_own_asks_for_no_label(part):
    scenario = adopted("mistakes:make_autoencoder", "float32[8,4]", train=True, part=part)
    found = words(scenario, CONVERTED)
    assert found["function"].status in AGREEING
    assert {t.tensor for t in found["function"].tensors if t.kind == "output"} == {"error"}
    assert found["session"].status in (AGREEING if part == 1 else (UNSUPPORTED,))


def test_models_that_are_there_to_be_trained_only():
    options = {"train": True}
    for part in (0, 2):
        with pytest.raises(PartNotFound):
            adopted("mistakes:make_rivals", "float32[8,4]", part=part, **options)
    found = words(adopted("mistakes:make_rivals", "float32[8,4]", part=1, **options))
    assert {cell.status for cell in found.values()} <= set(AGREEING)
    with pytest.raises(UsageError, match="--train runs its training step"):
        adopted("mistakes:make_rivals", "float32[8,4]")


def test_unsupported_shows_no_attribute_of_ours():
    found = words(adopted("models:make_functional", train=True, part=3), tuple(MODES))
    reasons = [cell.reason for cell in found.values() if cell.status == UNSUPPORTED]
    assert reasons
    for reason in reasons:
        assert "traces_itself" not in reason


def test_a_keras_file_with_classes_of_ones_own(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(USER_CODE))
    import layers_of_ones_own as own

    inputs = keras.Input((4,))
    outputs = keras.layers.Dense(2, activation=own.steep)(own.Doubling()(inputs))
    keras.Model(inputs, outputs).save(tmp_path / "model.keras")
    for name in ("Doubling", "steep"):  # as in a notebook, whose module nobody can import
        monkeypatch.setattr(getattr(own, name), "__module__", "__main__")
    keras.Model(inputs, outputs).save(tmp_path / "notebook.keras")
    del sys.modules["layers_of_ones_own"]
    with pytest.raises(UsageError, match="--import MODULE"):
        adopted(str(tmp_path / "notebook.keras"))
    for file in ("model.keras", "notebook.keras"):
        scenario = adopted(str(tmp_path / file), imports=["layers_of_ones_own"], batch=3)
        found = words(scenario)
        assert {cell.status for cell in found.values()} <= set(AGREEING)
