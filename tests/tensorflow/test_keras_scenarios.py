"""Layers, models, optimizers and ``fit``: known values in every mode, and who updates what."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
from test_scenarios import differing, run
from workbench import GRAPHS, WHOLE, built_in, outputs, program, words

from eager_vs_graph.child.parity.compare import compare
from eager_vs_graph.child.parity.trajectory import of_program
from eager_vs_graph.modes import MODES
from eager_vs_graph.results.record import AGREEING
from eager_vs_graph.scenarios.variables_and_optimizers import adapt

every_mode = pytest.mark.parametrize("mode", WHOLE)
DEFAULT = [mode for mode in MODES if MODES[mode].default]
OPTIMIZERS, FIT, LOOP = map(built_in, ("variables_and_optimizers", "keras_fit", "keras_loop"))

RULES = ("sgd", "momentum", "adam")


@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("custom_layer", "guide"),
        ("subclassed_model", "guide"),
        ("subclassed_model", "thrice"),
        ("variables_and_optimizers", "tiny"),
        ("gradient_clipping", "small"),
        ("straight_through", "small"),
        ("keras_fit", "tiny"),
        ("keras_loop", "tiny"),
    ],
)
def test_every_mode_agrees(name, size):
    modes = [mode for mode in DEFAULT if name != "keras_fit" or MODES[mode].runs_self_traced]
    for cell in words(built_in(name), modes, size=size).values():
        assert cell.status in AGREEING, cell.reason
        assert not cell.reason  # nothing traced twice


@every_mode
def test_a_custom_layer_multiplies_by_its_kernel(mode):
    x = np.arange(12, dtype=np.float32).reshape(4, 3)
    kernel = np.array([[1, 0], [0, 1], [1, -1]], np.float32)
    (found,) = outputs(built_in("custom_layer"), mode, "tiny", {"layer/kernel": kernel}, [{"x": x}])
    y = [[2, -1], [8, -1], [14, -1], [20, -1]]
    np.testing.assert_array_equal(found["output"], y)
    np.testing.assert_array_equal(found["kernel_gradient"], [[576, -36], [664, -44], [752, -52]])
    np.testing.assert_array_equal(found["input_gradient"][0], [4, -2, 6])


@every_mode
@pytest.mark.parametrize(("size", "expected"), [("guide", 7), ("thrice", 15)])
def test_a_reused_layer_is_applied_each_time(size, expected, mode):
    """Of b, 2 b + 1 is 4 b + 3 after two uses and 8 b + 7 after three; here with b = 1."""
    units, features = 10, 784
    state = {
        "model/dense/kernel": np.zeros((features, units), np.float32),
        "model/dense/bias": np.ones(units, np.float32),
        "model/dense_1/kernel": 2 * np.eye(units, dtype=np.float32),
        "model/dense_1/bias": np.ones(units, np.float32),
    }
    (found,) = outputs(built_in("subclassed_model"), mode, size, state)
    np.testing.assert_array_equal(found["logits"], np.full((32, units), expected, np.float32))
    np.testing.assert_allclose(found["loss"], np.log(10), rtol=1e-6)


def test_a_reused_layer_has_one_set_of_variables():
    built = program(built_in("subclassed_model"), "eager", size="thrice")
    assert set(built.state()) == {
        f"model/{layer}/{part}" for layer in ("dense", "dense_1") for part in ("kernel", "bias")
    }


def test_rounding_has_no_gradient_of_its_own():
    with tf.GradientTape() as tape:
        x = tf.Variable([0.4, 1.6])
        y = tf.round(x)
    assert tape.gradient(y, x) is None


@every_mode
def test_the_first_update_of_each_rule(mode):
    """Momentum's first is plain descent; Adam's is the rate, against the gradient's sign."""
    trained, _ = run(OPTIMIZERS, "small", mode, steps=1)
    state = trained.state
    for parameter, start in {"weight": 5.0, "bias": 10.0}.items():
        sgd, momentum, adam = (state[f"lines/{name}/{parameter}"] for name in RULES)
        assert sgd == momentum != start
        assert adam == pytest.approx(start - 0.01, abs=2e-6)
        slots = {
            slot: state[f"optimizers/{slot}"]
            for slot in (
                f"momentum/{parameter}_momentum",
                f"adam/{parameter}_momentum",
                f"adam/{parameter}_velocity",
            )
        }
        gradient = (start - sgd) / 0.01
        np.testing.assert_allclose(
            list(slots.values()), [-0.01 * gradient, 0.1 * gradient, 0.001 * gradient**2], rtol=1e-4
        )


def test_adams_bias_correction_is_that_of_a_float32_beta():
    """Near zero the variable is fine enough to show it: 6.4e-6 of a step, and rounding 1e-6."""
    variable = tf.Variable(0.0)
    tf.keras.optimizers.Adam(0.01).apply_gradients([(tf.constant(1.0), variable)])
    state = {"o/weight_momentum": 0.0, "o/weight_velocity": 0.0, "line/weight": 0.0}
    state |= {"o/iteration": 1, "o/learning_rate": 0.01}
    adapt(state, "o", "line", "weight", 1.0)
    np.testing.assert_allclose(variable.numpy(), state["line/weight"], rtol=1e-6)


@every_mode
def test_the_guides_300_updates(mode):
    trained, reference = run(OPTIMIZERS, "guide", mode, OPTIMIZERS.goal.steps)
    assert not differing(OPTIMIZERS, trained, reference, reference=True)
    assert [trained.state[f"optimizers/{name}/iteration"] for name in RULES] == [300] * 3
    learned = OPTIMIZERS(OPTIMIZERS.sizes["guide"]).measure(trained.state)
    for name, (low, high) in OPTIMIZERS.goal.expect.items():
        assert low <= learned[name] <= high, name
    assert learned["sgd W"] == pytest.approx(3.0, abs=0.12)
    assert learned["sgd B"] == pytest.approx(2.0, abs=0.12)


@pytest.mark.parametrize("mode", ["eager", "function"])
def test_fit_and_the_loop_make_the_same_updates(mode):
    fit, loop = (program(scenario, mode, size="small") for scenario in (FIT, LOOP))
    initial = fit.state()
    assert initial.keys() == loop.state().keys()
    for name, array in loop.state().items():
        np.testing.assert_array_equal(array, initial[name])
    fitted, looped = (of_program(one, initial, fit.task.feeds, 3) for one in (fit, loop))
    assert fitted.state["optimizer/iteration"] == looped.state["optimizer/iteration"] == 12
    pairs = [*zip(fitted.outputs, looped.outputs, strict=True), (fitted.state, looped.state)]
    for one, other in pairs:
        for name in one.keys() | other.keys():
            assert compare(one[name], other[name]).status in AGREEING, name
    moved = np.abs(fitted.state["model/dense/kernel"] - initial["model/dense/kernel"])
    assert moved.max() > 0.01  # it is training that agrees
    losses = [float(step["loss"]) for step in fitted.outputs]
    assert losses == sorted(losses, reverse=True)


def test_a_mode_that_would_trace_fit_refuses_it():
    found = words(FIT, [mode for mode in MODES if not MODES[mode].runs_self_traced], size="tiny")
    assert "session" in found
    for cell in found.values():
        assert cell.status == "unsupported"
        assert "it makes tf.functions of its own" in cell.reason


@pytest.mark.parametrize(("mode", "python_steps"), [("eager", [2, 4, 6]), ("function", [1, 1, 1])])
def test_fit_runs_its_step_as_python_in_eager_and_traces_it_once_in_function(mode, python_steps):
    built = program(FIT, mode, size="tiny")
    model = built.scenario.model
    train_step, steps = model.train_step, []

    def counted(data):
        steps.append(tf.inside_function())
        return train_step(data)

    model.train_step = counted
    functions, counts = set(), []
    for _ in python_steps:
        built.call()
        counts.append(len(steps))
        functions.add(model.train_function)
    assert counts == python_steps  # two batches in an epoch
    assert set(steps) == {mode == "function"}
    assert len(functions) == 1
    assert not tf.config.functions_run_eagerly()
    assert built.state()["optimizer/iteration"] == 6


@pytest.mark.parametrize("mode", GRAPHS)
def test_the_loop_by_hand_runs_wherever_a_graph_does(mode):
    (first,) = outputs(LOOP, mode, "tiny")
    assert np.isfinite(first["loss"])
