"""The scenarios on real TensorFlow: each against its reference, the guide's values, the data."""

from __future__ import annotations

import sys

import numpy as np
import pytest
import tensorflow as tf
from workbench import GRAPHS, WHOLE

from eager_vs_graph.catalog import find as catalog
from eager_vs_graph.child.adopt.loading import load
from eager_vs_graph.child.parity.compare import compare
from eager_vs_graph.child.parity.trajectory import Trajectory, of_program, of_reference
from eager_vs_graph.modes import MODES
from eager_vs_graph.modes.program import Task
from eager_vs_graph.results.cells import INPUTS
from eager_vs_graph.scenario import Scenario
from eager_vs_graph.scenarios import mnist_step
from eager_vs_graph.scenarios.custom_gradient import CustomGradient
from eager_vs_graph.scenarios.line_search import LineSearch
from eager_vs_graph.scenarios.matmul_chain import MatmulChain
from eager_vs_graph.scenarios.mnist_step import MnistStep
from eager_vs_graph.scenarios.python_control_flow import PythonControlFlow
from eager_vs_graph.scenarios.regression_training import (
    RegressionTraining,
    RegressionTrainingOptimizer,
)

SCENARIOS = [load(entry) for entry in catalog.entries([catalog.BUILT_IN])]
SLOW = {
    ("matmul_chain", "guide"),
    ("matmul_chain", "large"),
    ("python_control_flow", "large"),
    ("variables_and_optimizers", "guide"),  # in test_keras_scenarios
    ("lstm_unrolled", "large"),
    ("dynamic_rnn", "large"),
    ("keras_fit", "large"),
    ("keras_loop", "large"),
}
CASES = [(s, size) for s in SCENARIOS for size in s.sizes if (s.name, size) not in SLOW]


def feeds_of(scenario: type[Scenario], size: str, seed: int = 0):
    return list(scenario(scenario.sizes[size]).inputs(np.random.default_rng(seed)))


def run(
    scenario: type[Scenario],
    size: str,
    mode: str = "eager",
    steps: int | None = None,
    inputs: str = "resident",
) -> tuple[Trajectory, Trajectory]:
    """What a mode and the reference do from the same state."""
    tf.keras.utils.set_random_seed(0)
    feeds = feeds_of(scenario, size)
    program = MODES[mode].build(Task(scenario, size, "CPU:0", inputs, feeds))
    initial = program.state()
    steps = steps or scenario.parity_steps
    trajectory = of_program(program, initial, feeds, steps)
    program.close()
    return trajectory, of_reference(scenario(scenario.sizes[size]), initial, feeds, steps)


def differing(scenario: type[Scenario], one: Trajectory, other: Trajectory, *, reference: bool):
    """Names of the tensors that are further apart than the scenario's tolerance."""
    pairs = [*zip(one.outputs, other.outputs, strict=True), (one.state, other.state)]
    return {
        name
        for values, references in pairs
        for name in values.keys() | references.keys()
        if compare(
            values[name], references[name], scenario.tolerance_of(name), exact_dtype=not reference
        ).status
        not in {"identical", "close"}
    }


@pytest.mark.parametrize(("scenario", "size"), CASES)
def test_eager_agrees_with_a_tensorflow_free_reference(scenario, size, monkeypatch):
    eager, reference = run(scenario, size)
    known = {
        name
        for difference in scenario.known_differences
        for name in difference.tensors
        if difference.covers(name, against="reference", mode="eager", size=size, inputs="resident")
    }
    assert differing(scenario, eager, reference, reference=True) == known

    feed = feeds_of(scenario, size)[0]
    monkeypatch.delattr(sys.modules[scenario.__module__], "tf")
    assert scenario(scenario.sizes[size]).reference(dict(eager.state), **feed)


@pytest.mark.parametrize(("scenario", "size"), CASES)
def test_inputs_repeat_under_their_seed(scenario, size):
    first, again, other = (feeds_of(scenario, size, seed) for seed in (1, 1, 2))
    assert all(a.keys() == b.keys() for a, b in zip(first, again, strict=True))
    for a, b in zip(first, again, strict=True):
        for name in a:
            np.testing.assert_array_equal(a[name], b[name])
            # float64 would be an accident: float32_array / np.sqrt(n) is one.
            assert a[name].dtype != np.float64
    same = all(np.array_equal(first[0][name], other[0][name]) for name in first[0])
    # A size that gives an input literally has a parameter of its name.
    literal = not first[0] or any(name in scenario.sizes[size] for name in first[0])
    assert same == (literal or scenario.name.startswith("mnist_training"))  # all digits; see build


@pytest.mark.parametrize("mode", WHOLE)
@pytest.mark.parametrize(
    ("scenario", "size", "expected", "within"),
    [
        (RegressionTraining, "guide", {"W": 3.0, "B": 2.0}, 0.15),
        (RegressionTrainingOptimizer, "guide", {"W": 3.0, "B": 2.0}, 0.1),
        (MnistStep, "tiny", {"held_out_accuracy": 0.86}, 0.05),
    ],
)
def test_training_reaches_its_goal_in_every_mode(scenario, size, expected, within, mode):
    trained, _ = run(scenario, size, mode, scenario.goal.steps)
    learned = scenario(scenario.sizes[size]).measure(trained.state)
    assert learned == pytest.approx(expected, abs=within)
    assert all(low <= learned[name] <= high for name, (low, high) in scenario.goal.expect.items())


@pytest.mark.parametrize("size", ["tiny", "medium"])
def test_powers_stay_orthogonal(size):
    power = run(MatmulChain, size)[0].outputs[0]["power"]
    np.testing.assert_allclose(power @ power.T, np.eye(len(power)), atol=1e-5)


@pytest.mark.parametrize(
    ("mode", "inputs", "at_minus_20"),
    [
        ("eager", "resident", 0.0),
        ("function", "resident", 2.0611537e-09),
        ("function", "fed", 2.0611537e-09),
        ("session", "resident", 2.0611537e-09),
        ("session", "fed", 0.0),  # Grappler does not know the shape of what is fed
        ("concrete", "fed", 2.0611537e-09),
        ("xla", "resident", 0.0),  # compiled without Grappler
        ("session_remote", "resident", 2.0611537e-09),
        ("session_remote", "fed", 0.0),
    ],
)
def test_custom_gradient_gives_the_guides_values(mode, inputs, at_minus_20):
    outputs = run(CustomGradient, "guide", mode, inputs=inputs)[0].outputs[0]
    naive, custom = outputs["naive_gradient"], outputs["custom_gradient"]
    assert naive[0] == custom[0] == 0.5
    assert np.isnan(naive[1])
    assert custom[1] == 1.0
    assert outputs["naive_value"][2] == outputs["custom_value"][2] == np.float32(at_minus_20)


@pytest.mark.parametrize("inputs", INPUTS)
@pytest.mark.parametrize("mode", GRAPHS)
def test_known_differences_are_those_that_occur(mode, inputs):
    eager, _ = run(CustomGradient, "guide", inputs=inputs)
    graph, reference = run(CustomGradient, "guide", mode, inputs=inputs)
    for against, expected in {"eager": eager, "reference": reference}.items():
        declared = {
            name
            for name in graph.outputs[0]
            for known in CustomGradient.known_differences
            if known.covers(name, against=against, mode=mode, size="guide", inputs=inputs)
        }
        found = differing(CustomGradient, graph, expected, reference=against == "reference")
        assert found == declared


@pytest.mark.parametrize("mode", WHOLE)
def test_trip_counts_depend_on_the_data(mode):
    """The feeds have one shape: a count that tracing had fixed would be the same for all."""
    tried = [int(step["tried"]) for step in run(LineSearch, "small", mode)[0].outputs]
    assert tried == sorted(set(tried))  # each feed is steeper than the one before
    steps = [step["steps"] for step in run(PythonControlFlow, "small", mode)[0].outputs]
    assert len({int(count) for counts in steps for count in counts}) > 6


def test_the_project_carries_500_real_digits_of_each_class():
    with np.load(mnist_step.DIGITS) as file:
        images, labels = file["images"], file["labels"]
    assert images.shape == (5000, 28, 28)
    assert images.dtype == labels.dtype == np.uint8
    assert np.bincount(labels).tolist() == [500] * 10
    assert (mnist_step.DIGITS.parent / "README.md").exists()


def test_digits_are_held_out_of_training():
    train, held_out = mnist_step.load_digits()
    assert np.bincount(train.labels).tolist() == [450] * 10
    assert np.bincount(held_out.labels).tolist() == [50] * 10
    assert not {i.tobytes() for i in train.images} & {i.tobytes() for i in held_out.images}
    feeds = feeds_of(MnistStep, "tiny")
    assert len(feeds) == MnistStep.goal.steps
    assert {feed["images"].shape for feed in feeds} == {(32, 784)}


def test_full_mnist_that_cannot_be_loaded_names_the_variable(monkeypatch):
    def offline():
        raise OSError("no network")

    monkeypatch.setenv("EAGER_VS_GRAPH_MNIST", "full")
    monkeypatch.setattr(mnist_step.tf.keras.datasets.mnist, "load_data", offline)
    with pytest.raises(RuntimeError, match=r"EAGER_VS_GRAPH_MNIST=full.*no network"):
        mnist_step.load_digits.__wrapped__()  # past the cache
