"""The guide's trainings in every mode: batches, losses, goals, and the curves that are recorded."""

from __future__ import annotations

import json
import sys

import numpy as np
import pytest
import tensorflow as tf
from workbench import program, words

from eager_vs_graph import Goal, Scenario, Size
from eager_vs_graph.child.parity.check import subject
from eager_vs_graph.modes import DEFAULT_MODES, MODES
from eager_vs_graph.results.codec import write_json
from eager_vs_graph.results.record import AGREEING, UNSUPPORTED, CellParity
from eager_vs_graph.results.run import Run
from eager_vs_graph.scenarios.mnist_step import MnistStep
from eager_vs_graph.scenarios.mnist_training import MnistTrainingGraph, MnistTrainingLoop
from eager_vs_graph.scenarios.regression_training import (
    RegressionTraining,
    RegressionTrainingOptimizer,
)

GUIDE_PRINTS_EVERY = 20
trainings = pytest.mark.parametrize("scenario", [MnistTrainingLoop, MnistTrainingGraph])
regressions = pytest.mark.parametrize("scenario", [RegressionTraining, RegressionTrainingOptimizer])


def assert_agree(cells: dict[str, CellParity]) -> None:
    for mode, cell in cells.items():
        assert cell.status in AGREEING or (cell.status == UNSUPPORTED and cell.reason), cell
        assert cell.status in AGREEING or mode not in DEFAULT_MODES, cell


@trainings
@pytest.mark.parametrize("inputs", ["resident", "fed"])
def test_mnist_training_agrees_in_every_mode(scenario, inputs):
    cells = words(scenario, inputs=inputs)
    assert_agree(cells)
    taken = [t for cell in cells.values() for t in cell.tensors if t.tensor == "rows"]
    assert {t.status for t in taken} == {"identical"}


@trainings
def test_the_reference_of_mnist_training_needs_no_tensorflow(scenario, monkeypatch):
    size = "small"
    state = program(scenario, "eager", size=size).state()
    (feed,) = subject(scenario, size).feeds
    for module in (
        "eager_vs_graph.scenarios.mnist_training",
        "eager_vs_graph.scenarios.mnist_step",
    ):
        monkeypatch.delattr(sys.modules[module], "tf")
    assert scenario(scenario.sizes[size]).reference(state, **feed)


def test_inputs_of_mnist_training_are_the_files_digits_as_many_of_each():
    for scenario, size, count in (
        (MnistTrainingLoop, "small", 4500),
        (MnistTrainingGraph, "small", 160),
    ):
        (feed,) = subject(scenario, size).feeds
        assert feed["images"].shape == (count, 784)
        assert (feed["images"].dtype, feed["labels"].dtype) == (np.uint8, np.int32)
        assert set(np.bincount(feed["labels"])) == {count // 10}
        assert feed["images"].max() == 255


def test_inputs_do_not_depend_on_what_the_process_did_before():
    orders = []
    for seed in (1, 2):
        tf.keras.utils.set_random_seed(seed)
        orders.append(subject(MnistStep, "tiny").feeds[0]["labels"])
    np.testing.assert_array_equal(*orders)


def test_the_order_is_the_guides_shuffled_repeated_and_in_batches():
    order = program(MnistTrainingLoop, "eager", size="guide").state()["order"]
    assert order.shape == (4 * 4500 // 32, 32)
    epochs = [order.ravel()[start : start + 4500] for start in (0, 4500, 9000)]
    assert all(sorted(epoch) == list(range(4500)) for epoch in epochs)
    assert not any(np.array_equal(epochs[i], epochs[j]) for i, j in ((0, 1), (0, 2), (1, 2)))
    assert not np.array_equal(epochs[0], np.arange(4500))


@pytest.fixture(scope="module")
def loops() -> dict[str, CellParity]:
    return words(MnistTrainingLoop, DEFAULT_MODES, size="small")


@pytest.fixture(scope="module")
def graphs() -> dict[str, CellParity]:
    return words(MnistTrainingGraph, DEFAULT_MODES, size="epoch")


def test_both_loops_reach_the_stated_accuracy_in_every_mode(loops, graphs):
    for cells in (loops, graphs):
        assert_agree(cells)
        for cell in cells.values():
            assert 0.80 <= cell.learned["held_out_accuracy"] <= 0.95


def test_both_loops_go_the_same_way(loops, graphs):
    for mode in DEFAULT_MODES:
        (loop,), (graph,) = loops[mode].curves.values(), graphs[mode].curves.values()
        assert len(loop) == len(graph) == 140
        assert loop == pytest.approx(graph, rel=1e-5)
        assert np.mean(loop[-20:]) < 0.4 * np.mean(loop[:5])


def test_a_loop_begins_again_at_its_first_batch():
    built = program(MnistTrainingLoop, "function", size="small")
    (feed,) = subject(MnistTrainingLoop, "small").feeds
    first = built.run(feed)["rows"]
    state = built.state()
    assert state["taken"] == 1
    assert not np.array_equal(built.run(feed)["rows"], first)
    built.load({**state, "taken": np.int32(140)})
    np.testing.assert_array_equal(built.run(feed)["rows"], first)


@pytest.mark.parametrize("mode", DEFAULT_MODES)
def test_a_loop_in_the_graph_shuffles_alike_in_every_call(mode):
    built = program(MnistTrainingGraph, mode, size="small")
    (feed,) = subject(MnistTrainingGraph, "small").feeds
    first = built.run(feed)["rows"]
    np.testing.assert_array_equal(built.run(feed)["rows"], first)
    np.testing.assert_array_equal(built.state()["order"], first)
    built.close()


class Dice(Scenario):
    """Ops with a seed of their own, random and tf.data's."""

    name = "dice"
    sizes = {"tiny": Size(n=32)}

    def inputs(self, rng):
        return [{"x": rng.standard_normal(self.size.n, dtype=np.float32)}]

    def build(self):
        self.seen = tf.Variable(0.0)

    def step(self, x):
        shuffled = tf.data.Dataset.from_tensor_slices(x).shuffle(self.size.n, seed=3)
        return {"shuffled": shuffled.batch(self.size.n).get_single_element()}

    def reference(self, state, x):
        return {"shuffled": np.zeros(len(x))}  # not in question


def test_an_ops_seed_means_the_same_in_a_session():
    cells = words(Dice, DEFAULT_MODES)
    for mode in DEFAULT_MODES:
        (against_eager,) = (
            t for t in cells[mode].tensors if (t.tensor, t.against) == ("shuffled", "eager")
        )
        assert against_eager.status == "identical", mode


def test_a_new_graph_shuffles_by_another_seed():
    """Why the session runner gives its graph the seed that was set."""
    tf.keras.utils.set_random_seed(1)

    def order():
        return tf.data.Dataset.range(50).shuffle(50, seed=3).batch(50).get_single_element()

    eager = order().numpy()
    orders = []
    for seed in (None, 1):
        with tf.Graph().as_default(), tf.compat.v1.Session() as session:
            if seed is not None:
                tf.random.set_seed(seed)
            orders.append(session.run(tf.function(order)()))
    assert not np.array_equal(orders[0], eager)
    np.testing.assert_array_equal(orders[1], eager)


@regressions
def test_regression_prints_what_the_guide_prints_in_every_mode(scenario):
    """Initial loss, loss every 20 steps, final loss, W and B after 200 and 300 steps."""
    updates = scenario.sizes["guide"].updates
    assert updates == {"regression_training": 200}.get(scenario.name, 300)
    (feed,) = subject(scenario, "guide").feeds
    for mode in DEFAULT_MODES:
        built = program(scenario, mode, size="guide")
        outputs = built.run(feed)
        learned = scenario(scenario.sizes["guide"]).measure(built.state())
        built.close()
        losses = [*outputs["losses"], outputs["loss"]]
        assert len(losses) == updates + 1
        # Each update leaves 0.98 of what weight and bias are off by, 2 and 8 at first; noise is 1.
        for step in (0, *range(1, updates + 1, GUIDE_PRINTS_EVERY), updates):
            assert losses[step] == pytest.approx(1 + (2**2 + 8**2) * 0.98 ** (2 * step), rel=0.1)
        assert sorted(losses, reverse=True) == losses
        left = 0.98**updates
        assert learned["W"] == pytest.approx(3 + 2 * left, abs=0.1)
        assert learned["B"] == pytest.approx(2 + 8 * left, abs=0.1)


@regressions
def test_regression_agrees_and_its_curve_is_recorded(scenario):
    cells = words(scenario, ["function", "session"], size="guide")
    assert_agree(cells)
    for cell in cells.values():
        ((name, curve),) = cell.curves.items()
        assert (name, len(curve)) == ("losses", 3 * scenario.sizes["guide"].updates)
        assert curve[0] == pytest.approx(69, rel=0.1)


class Climb(Scenario):
    """Grow until it overflows: a goal with every kind of output."""

    name = "climb"
    sizes = {"tiny": Size()}
    goal = Goal(steps=5, expect={"height": (0.0, 1e38)}, curve="height")

    def inputs(self, rng):
        return [{"by": np.float32(1e12)}]

    def build(self):
        self.height = tf.Variable(1.0)

    def step(self, by):
        self.height.assign(self.height * by)
        return {
            "height": self.height.read_value(),
            "square": tf.fill((2, 2), by),
            "text": tf.constant("a"),
        }

    def reference(self, state, by):
        state["height"] = state["height"] * by
        return {"height": state["height"], "square": np.full((2, 2), by), "text": np.array(b"a")}

    def measure(self, state):
        return {"height": float(state["height"])}


def test_a_training_that_diverges_is_recorded(tmp_path):
    cells = words(Climb, DEFAULT_MODES)
    for cell in cells.values():
        assert cell.status == "differs"
        assert "height = inf after 5 steps, but should be in [0, 1e+38]" in cell.reason
        assert cell.learned == {"height": None}
        assert cell.curves == {"height": [*map(pytest.approx, (1e12, 1e24, 1e36)), None, None]}
    run = Run(tmp_path)
    run.save_parity(list(cells.values()))
    assert run.parity() == list(cells.values())


@pytest.mark.parametrize("curve", ["depth", "square", "text"])
def test_a_curve_that_is_none_is_named(curve):
    goal = Goal(steps=3, expect={}, curve=curve)
    cells = words(type("Crooked", (Climb,), {"goal": goal}), ["eager"])
    assert cells["eager"].status == "error"
    expected = {
        "depth": "goal.curve is 'depth', but step returns: height, square, text",
        "square": "which is float32(2, 2), but should be a real scalar or vector",
        "text": "should be a real scalar or vector",
    }
    assert expected[curve] in cells["eager"].reason


def test_a_record_without_curves_still_reads(tmp_path):
    run = Run(tmp_path)
    run.save_parity([CellParity("a/b/eager/CPU:0/fed", "close", learned={"W": 3.0})])
    content = json.loads((tmp_path / "parity.json").read_text("utf-8"))
    for cell in content["cells"]:
        del cell["curves"]
    write_json(tmp_path / "parity.json", {**content, "schema": 1})
    assert run.parity()[0].curves == {}
    assert run.parity()[0].learned == {"W": 3.0}


def test_every_mode_says_what_it_is():
    for mode in MODES.values():
        about = mode.about()
        assert about.kind in ("execution", "deployment", "distribution")
        assert about.summary
