"""A user's test-suite: copied to a folder of its own as test_suite.py, and run there."""

import unittest

import numpy as np
import pytest
import tensorflow as tf

X = np.arange(4, dtype=np.float32)
weight = tf.Variable(2.0)
seen = []


def step(x):
    weight.assign_add(1.0)
    return {"loss": tf.reduce_sum(weight * x), "parts": [x, (x * 2, None)]}


def test_structure_and_state(tf_modes):
    """Adds up."""
    run = tf_modes(step)
    first = run(X)
    assert first["loss"] == 18
    assert isinstance(first["loss"], np.ndarray | np.generic)
    assert isinstance(first["parts"], list)
    parts = first["parts"][1]
    assert isinstance(parts, tuple)
    np.testing.assert_array_equal(parts[0], 2 * X)
    assert parts[1] is None
    assert run(X)["loss"] == 24  # the run's own variable goes on
    assert run(X[:2])["loss"] == 5  # with another shape, too
    assert run(X)["loss"] == 36
    assert tf_modes(step)(X)["loss"] == 18  # another run starts anew
    assert weight.numpy() == 2.0


def test_modes_are_modes(tf_modes):
    def asks(x):
        seen.append(tf_modes.mode)
        return x + 1.0

    np.testing.assert_array_equal(tf_modes(asks)(X), X + 1)
    assert tf_modes.mode in ("eager", "function", "session")


def test_keras_training_step(tf_modes):
    model = tf.keras.Sequential([tf.keras.layers.Dense(3), tf.keras.layers.Dropout(0.5)])
    optimizer = tf.keras.optimizers.Adam(0.1)

    def train(x, y):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(model(x, training=True) - y))
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
        return loss

    run = tf_modes(train)
    x, y = np.ones((8, 2), np.float32), np.zeros((8, 3), np.float32)
    losses = [float(run(x, y=y)) for _ in range(5)]
    assert losses[-1] < losses[0]


class TestGroup:
    @pytest.mark.parametrize("n", [2, 3])
    def test_parameters(self, n, tf_modes):
        assert tf_modes(tf.reduce_sum)(np.ones(n, np.float32)) == n


def scaled_in_graphs(x):
    return x if tf.executing_eagerly() else x * 1.001


def test_differs(tf_modes):
    tf_modes(scaled_in_graphs)(X)


def loses_digits(x):
    return tf.math.log((1.0 - x) + 1e-8)


def test_grappler(tf_modes):
    tf_modes(loses_digits)(np.ones(3, np.float32))


def counted_eagerly(x):
    if tf.executing_eagerly():
        weight.assign_add(1.0)
    return x * 2.0


def test_variable_differs(tf_modes):
    tf_modes(counted_eagerly)(X)


count = 0


def counted(x):
    global count  # noqa: PLW0603
    count += 1
    return x + count


def test_counter(tf_modes):
    run = tf_modes(counted)
    for _ in range(2):
        run(X)
    assert count == 0


def noisy(x):
    return x + np.random.uniform()


def test_drawn_while_traced(tf_modes):
    run = tf_modes(noisy)
    run(X)  # the same in every mode: each draws once from the same stream
    run(X)  # in a graph, what was drawn while tracing


def test_streams_are_those_of_an_eager_call(tf_modes):
    def draws(x):
        return x + np.random.uniform() + tf.random.normal([4])

    np.random.seed(3)
    tf.random.set_seed(4)
    eager, after = draws(X), (np.random.uniform(), tf.random.normal([2]))
    np.random.seed(3)
    tf.random.set_seed(4)
    found = tf_modes(draws)(X)
    if tf_modes.mode == "eager":
        np.testing.assert_array_equal(found, eager)
    assert np.random.uniform() == after[0]
    np.testing.assert_array_equal(tf.random.normal([2]), after[1])


def test_eager_is_unsteady(tf_modes):
    tf_modes(lambda x: x + np.random.default_rng().uniform())(X)


def test_drawn_without_seed(tf_modes):
    tf_modes(lambda x: x + tf.random.normal([4]))(X)


def breaks_in_graphs(x):
    if not tf.executing_eagerly():
        raise RuntimeError("boom")
    return x


def test_error_in_a_mode(tf_modes):
    tf_modes(breaks_in_graphs)(X)


def raises(x):
    raise ValueError("mine")


def test_error_in_every_mode(tf_modes):
    tf_modes(raises)(X)


class Mine(Exception):
    pass


class Outer:
    class Theirs(Exception):
        pass


def checked(x):
    tf.debugging.assert_less(x, 4.0, message="too large")
    weight.assign_add(1.0)
    return weight * x


def test_raises(tf_modes):
    class Local(Exception):
        pass

    def raises_a_class(x, which):
        raise {"mine": Mine, "theirs": Outer.Theirs, "local": Local}[which]("all mine")

    run = tf_modes(checked)
    with pytest.raises(tf.errors.InvalidArgumentError, match="too large"):
        run(X + 1)
    np.testing.assert_array_equal(run(X), X * 3)  # goes on from eager's variables
    with pytest.raises(tf.errors.InvalidArgumentError):
        run(X + 1)
    with pytest.raises(tf.errors.InvalidArgumentError):
        run(X[:2] + 4)  # of another shape
    assert weight.numpy() == 2.0
    for kind, which in {Mine: "mine", Outer.Theirs: "theirs", Local: "local"}.items():
        with pytest.raises(kind, match="all mine") as caught:
            tf_modes(raises_a_class)(X, which=which)
        shown = [each for each in caught.traceback if not each.ishidden(caught)]
        assert not [each for each in shown if "eager_vs_graph" in str(each.path)]
        assert "eager_vs_graph" not in str(caught.value)


@pytest.mark.tf_modes("function", "session")
def test_raises_another_class(tf_modes):
    with pytest.raises(ValueError, match="reshape") as caught:
        tf_modes(lambda x: tf.reshape(x, [3]))(X)
    assert "eager raises InvalidArgumentError" in caught.value.__notes__[0]


@pytest.mark.tf_modes("eager", "xla")
def test_raises_in_eager_only(tf_modes):
    with pytest.raises(tf.errors.InvalidArgumentError):
        tf_modes(checked)(X + 1)


def test_wrong_arguments(tf_modes):
    with pytest.raises(TypeError, match="given 2 arguments"):
        tf_modes(scaled_in_graphs)(X, X)
    tf_modes(scaled_in_graphs)(X, X)


def test_no_tensor(tf_modes):
    tf_modes(lambda x: object())(X)


def needs_values(x):
    return x * float(x.numpy().sum())


def test_refused(tf_modes):
    tf_modes(needs_values)(X)


@pytest.mark.tf_modes(unsupported="skip")
def test_refused_and_skipped(tf_modes):
    np.testing.assert_array_equal(tf_modes(needs_values)(X), X * 6)


@pytest.mark.tf_modes(rtol=1e-2)
def test_tolerance_of_the_marker(tf_modes):
    tf_modes(scaled_in_graphs)(X)


def test_tolerance_of_the_call(tf_modes):
    tf_modes(scaled_in_graphs, rtol=1e-2)(X)
    tf_modes(scaled_in_graphs, atol=1e-6)(X)


def test_unused(tf_modes):
    tf_modes(step)


@pytest.mark.tf_modes("eager", "function")
def test_marked_without_the_fixture():
    pass


@pytest.mark.tf_modes("function", "eager", rtol=1e-2)
class TestMarked:
    @pytest.mark.tf_modes(unsupported="skip")
    def test_names_and_tolerance_of_the_class(self, tf_modes):
        tf_modes(scaled_in_graphs)(X)

    @pytest.mark.tf_modes("session", rtol=1e-6)
    def test_own_name_and_tolerance(self, tf_modes):
        tf_modes(scaled_in_graphs)(X)


@pytest.mark.tf_modes("egaer")
def test_marker_of_no_mode(tf_modes):
    tf_modes(step)(X)


@pytest.mark.tf_modes("eager", rtol=2.0)
def test_marker_of_no_tolerance(tf_modes):
    tf_modes(step)(X)


class TestCase(unittest.TestCase):
    def test_takes_the_fixture(self, tf_modes):
        pass

    @pytest.mark.usefixtures("tf_modes")
    def test_uses_the_fixture(self):
        pass

    def test_does_not_care(self):
        pass


def test_asks_late(request):
    request.getfixturevalue("tf_modes")


@pytest.fixture
def run(tf_modes):
    return tf_modes(tf.reduce_sum)


@pytest.fixture(scope="class")
def model():
    return tf.keras.Sequential([tf.keras.layers.Input([4]), tf.keras.layers.Dense(2)])


class TestFixtures:
    def test_of_ones_own(self, run):
        assert run(X) == 6

    def test_of_class_scope(self, tf_modes, model):
        assert tf_modes(model)(X[None]).shape == (1, 2)


@pytest.mark.tf_modes("concrete", "xla")
def test_marked(tf_modes):
    assert tf_modes(tf.reduce_sum)(X) == 6


@pytest.mark.tf_modes("eager", tolerance=3)
def test_marker_of_another_kind(tf_modes):
    tf_modes(step)(X)


@pytest.mark.tf_modes("eager", unsupported="ignore")
def test_marker_of_another_policy(tf_modes):
    tf_modes(step)(X)


def test_benchmark(tf_modes, benchmark):
    run = tf_modes(step)
    assert run(X)["loss"] == 18
    assert benchmark(run, X)["loss"] == 24
    assert benchmark.extra_info["mode"] == tf_modes.mode
    assert run(X)["loss"] == 30  # what was timed has changed nothing


def test_pedantic(tf_modes, benchmark):
    benchmark.extra_info["mine"] = 1
    value = benchmark.pedantic(tf_modes(step), args=(X,), rounds=3, iterations=2, warmup_rounds=1)
    assert value["loss"] == 18
    assert benchmark.stats.stats.rounds == 3


@pytest.mark.tf_modes("function")
def test_pedantic_with_a_setup(tf_modes, benchmark):
    benchmark.pedantic(tf_modes(step), setup=lambda: ((X,), {}))


@pytest.mark.tf_modes("function")
def test_timed_inside_a_function(tf_modes, benchmark):
    run = tf_modes(step)
    benchmark(lambda: run(X))


@pytest.fixture
def kept(benchmark):
    return benchmark


@pytest.mark.tf_modes("function")
def test_timed_by_a_fixture_of_ones_own(tf_modes, kept):
    kept(tf_modes(step), X)


@pytest.mark.tf_modes("function")
def test_something_else_is_timed(tf_modes, benchmark):
    run = tf_modes(step)
    run(X)
    assert benchmark(sum, [1, 2]) == 3


@pytest.mark.tf_modes("function", "session")
def test_differs_and_is_not_timed(tf_modes, benchmark):
    benchmark(tf_modes(scaled_in_graphs), X)
