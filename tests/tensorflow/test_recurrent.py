"""The recurrent scenarios: known states, and a loop that the data end."""

from __future__ import annotations

import numpy as np
import pytest
from workbench import WHOLE, built_in, outputs, program, words

from eager_vs_graph.modes import MODES
from eager_vs_graph.results.record import AGREEING

every_mode = pytest.mark.parametrize("mode", WHOLE)
LSTM, RNN = built_in("lstm_unrolled"), built_in("dynamic_rnn")


@pytest.mark.parametrize(
    ("scenario", "size", "inputs"),
    [
        (LSTM, "small", "resident"),
        (RNN, "small", "resident"),
        (RNN, "varying", "resident"),
        (RNN, "varying", "fed"),
    ],
)
def test_every_mode_agrees_with_back_propagation_by_hand(scenario, size, inputs):
    modes = [mode for mode in MODES if MODES[mode].default]
    for cell in words(scenario, modes, inputs, size).values():
        assert cell.status in AGREEING, cell.reason


@every_mode
def test_a_cell_of_open_gates_adds_up(mode):
    """Gates of bias 100 are 1 in float32, so that the carry is the number of steps times tanh(½).

    The candidate is the third of the four: a cell that mixes up its gates gives other numbers.
    """
    features, units, steps = (LSTM.sizes["tiny"][key] for key in ("features", "units", "steps"))
    bias = np.repeat(np.array([100, 100, 0.5, 100], np.float32), units)
    state = {
        "cell/kernel": np.zeros((features, 4 * units), np.float32),
        "cell/recurrent_kernel": np.zeros((units, 4 * units), np.float32),
        "cell/bias": bias,
    }
    for step in outputs(LSTM, mode, "tiny", state):
        np.testing.assert_allclose(step["carry"], steps * np.tanh(0.5), rtol=1e-6)
        np.testing.assert_allclose(step["hidden"], np.tanh(steps * np.tanh(0.5)), rtol=1e-6)
        assert not step["input_gradient"].any()  # nothing of the input passes a kernel of zeros


@every_mode
def test_the_loop_runs_as_long_as_the_longest_sequence(mode):
    feeds = program(RNN, "eager", size="small").task.feeds
    longest = [int(feed["lengths"].max()) for feed in feeds]
    assert longest == [12, 6, 9, 3]
    assert len({feed["x"].shape for feed in feeds}) == 1  # nothing but the values tells
    assert [int(step["rounds"]) for step in outputs(RNN, mode, "small")] == longest


@every_mode
def test_a_sequence_keeps_its_state_past_its_end(mode):
    feeds = program(RNN, "eager", size="tiny").task.feeds
    found = outputs(RNN, mode, "tiny", feeds=feeds)
    padding = [np.arange(feed["x"].shape[1]) >= feed["lengths"][:, np.newaxis] for feed in feeds]
    others = [
        {**feed, "x": np.where(past[..., np.newaxis], np.float32(7), feed["x"])}
        for feed, past in zip(feeds, padding, strict=True)
    ]
    for step, other, feed, past in zip(
        found, outputs(RNN, mode, "tiny", feeds=others), feeds, padding, strict=True
    ):
        assert not step["final"][feed["lengths"] == 0].any()
        assert step["final"][feed["lengths"] > 0].all()
        assert not step["input_gradient"][past].any()
        assert step["input_gradient"][~past].all()
        for name in step:
            np.testing.assert_array_equal(step[name], other[name], err_msg=name)


@pytest.mark.parametrize(
    ("size", "mode", "traces"),
    [("small", "function", 1), ("small", "session", 1), ("varying", "function", 4),
     ("varying", "session", 1)],
)  # fmt: skip
def test_lengths_are_data_and_only_a_new_time_axis_is_traced(size, mode, traces):
    built = program(RNN, mode, size=size)
    rounds = [int(built.run(feed)["rounds"]) for feed in built.task.feeds * 2]
    assert len(set(rounds)) == 4
    assert built.traces == traces
    built.close()
