"""A user's test-suite: copied to a folder of its own as test_suite.py, and run there."""

import numpy as np
import pytest
import tensorflow as tf

X = np.arange(4, dtype=np.float32)
weight = tf.Variable(2.0)
seen = []


def step(x):
    weight.assign_add(1.0)
    return {"loss": tf.reduce_sum(weight * x), "parts": [x, (x * 2, None)]}


def test_structure_and_state(modes):
    """Adds up."""
    run = modes(step)
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
    assert modes(step)(X)["loss"] == 18  # another run starts anew
    assert weight.numpy() == 2.0


def test_modes_are_modes(modes):
    def asks(x):
        seen.append(modes.mode)
        return x + 1.0

    np.testing.assert_array_equal(modes(asks)(X), X + 1)
    assert modes.mode in ("eager", "function", "session")


def test_keras_training_step(modes):
    model = tf.keras.Sequential([tf.keras.layers.Dense(3), tf.keras.layers.Dropout(0.5)])
    optimizer = tf.keras.optimizers.Adam(0.1)

    def train(x, y):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(model(x, training=True) - y))
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
        return loss

    run = modes(train)
    x, y = np.ones((8, 2), np.float32), np.zeros((8, 3), np.float32)
    losses = [float(run(x, y=y)) for _ in range(5)]
    assert losses[-1] < losses[0]


class TestGroup:
    @pytest.mark.parametrize("n", [2, 3])
    def test_parameters(self, n, modes):
        assert modes(tf.reduce_sum)(np.ones(n, np.float32)) == n


def scaled_in_graphs(x):
    return x if tf.executing_eagerly() else x * 1.001


def test_differs(modes):
    modes(scaled_in_graphs)(X)


def loses_digits(x):
    return tf.math.log((1.0 - x) + 1e-8)


def test_grappler(modes):
    modes(loses_digits)(np.ones(3, np.float32))


def counted_eagerly(x):
    if tf.executing_eagerly():
        weight.assign_add(1.0)
    return x * 2.0


def test_variable_differs(modes):
    modes(counted_eagerly)(X)


def noisy(x):
    return x + np.random.uniform()


def test_eager_is_unsteady(modes):
    modes(noisy)(X)


def test_drawn_without_seed(modes):
    modes(lambda x: x + tf.random.normal([4]))(X)


def breaks_in_graphs(x):
    if not tf.executing_eagerly():
        raise RuntimeError("boom")
    return x


def test_error_in_a_mode(modes):
    modes(breaks_in_graphs)(X)


def raises(x):
    raise ValueError("mine")


def test_error_in_every_mode(modes):
    modes(raises)(X)


def test_wrong_arguments(modes):
    modes(scaled_in_graphs)(X, X)


def test_no_tensor(modes):
    modes(lambda x: object())(X)


def needs_values(x):
    return x * float(x.numpy().sum())


def test_refused(modes):
    modes(needs_values)(X)


@pytest.mark.modes(unsupported="skip")
def test_refused_and_skipped(modes):
    np.testing.assert_array_equal(modes(needs_values)(X), X * 6)


@pytest.mark.modes(rtol=1e-2)
def test_tolerance_of_the_marker(modes):
    modes(scaled_in_graphs)(X)


def test_tolerance_of_the_call(modes):
    modes(scaled_in_graphs, rtol=1e-2)(X)
    modes(scaled_in_graphs, atol=1e-6)(X)


def test_unused(modes):
    modes(step)


@pytest.mark.modes("eager", "function")
def test_marked_without_the_fixture():
    pass


@pytest.mark.modes("concrete", "xla")
def test_marked(modes):
    assert modes(tf.reduce_sum)(X) == 6


@pytest.mark.modes("eager", tolerance=3)
def test_marker_of_another_kind(modes):
    modes(step)(X)


@pytest.mark.modes("eager", unsupported="ignore")
def test_marker_of_another_policy(modes):
    modes(step)(X)


def test_benchmark(modes, benchmark):
    run = modes(step)
    assert run(X)["loss"] == 18
    assert benchmark(run, X)["loss"] == 24
    assert benchmark.extra_info["mode"] == modes.mode
    assert run(X)["loss"] == 30  # what was timed has changed nothing


def test_pedantic(modes, benchmark):
    benchmark.extra_info["mine"] = 1
    value = benchmark.pedantic(modes(step), args=(X,), rounds=3, iterations=2, warmup_rounds=1)
    assert value["loss"] == 18
    assert benchmark.stats.stats.rounds == 3


@pytest.mark.modes("function")
def test_pedantic_with_a_setup(modes, benchmark):
    benchmark.pedantic(modes(step), setup=lambda: ((X,), {}))


@pytest.mark.modes("function")
def test_timed_inside_a_function(modes, benchmark):
    run = modes(step)
    benchmark(lambda: run(X))


@pytest.fixture
def kept(benchmark):
    return benchmark


@pytest.mark.modes("function")
def test_timed_by_a_fixture_of_ones_own(modes, kept):
    kept(modes(step), X)


@pytest.mark.modes("function")
def test_something_else_is_timed(modes, benchmark):
    run = modes(step)
    run(X)
    assert benchmark(sum, [1, 2]) == 3


@pytest.mark.modes("function", "session")
def test_differs_and_is_not_timed(modes, benchmark):
    benchmark(modes(scaled_in_graphs), X)
