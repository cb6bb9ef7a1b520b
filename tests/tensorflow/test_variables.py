"""Structural names: the same variable is called the same in every program of a process."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
from contract_scenarios import Everything
from workbench import WHOLE, program

from eager_vs_graph import Scenario, Size
from eager_vs_graph.errors import ScenarioError
from eager_vs_graph.modes import DEFAULT_MODES
from eager_vs_graph.modes.object_graph import walk
from eager_vs_graph.modes.variables import (
    as_reference,
    code_of_variables,
    require_same,
    variables_of,
)

EXPECTED = {
    "plain": (),
    "listed/0": (),
    "listed/1": (),
    "mapped/a": (),
    "mapped/b/0": (),
    "module/weight": (2,),
    "module/parts/0": (),
    "module/parts/1": (),
    "module/_private/unnamed": (),
    "dense/kernel": (4, 3),
    "dense/bias": (3,),
    "layers/0/kernel": (4, 3),
    "layers/1/kernel": (4, 3),
    "nested/scale": (),
    "nested/dense/kernel": (4, 3),
    "nested/dense/bias": (3,),
    "nested/dense_1/kernel": (3, 3),
    "nested/dense_1/bias": (3,),
    "nested/offset": (),
    "nested/innermost/0/w": (),
    "sequence/layers/2/w": (),
    "sequence/dense/kernel": (4, 5),
    "sequence/dense_1/kernel": (5, 3),
    "sequence/batch_normalization/moving_mean": (5,),
    "adam/iteration": (),
    "adam/learning_rate": (),
    "metric/total": (),
    "metric/count": (),
    "accuracy/total": (),
    "generator/state": (3,),
    "keras": (),
}


@pytest.fixture(scope="module")
def programs():
    """Three programs a default mode and one of every other, alternating, alive in one process."""
    turns = [*WHOLE, *DEFAULT_MODES, *DEFAULT_MODES]
    return [(mode, program(Everything, mode)) for mode in turns]


def test_names_say_where_a_variable_is(programs):
    _, eager = programs[0]
    state = eager.state()
    assert {name: state[name].shape for name in EXPECTED if name in state} == EXPECTED
    assert "again" not in state  # one variable, one name
    slots = [name for name in state if name.startswith("adam/")]
    assert len(slots) == 2 + 2 * 6  # momentum and velocity of each trainable variable
    assert len({name.removeprefix("adam/") for name in slots}) == len(slots)


def test_every_variable_is_where_its_code_says():
    scenario = Everything(Size())
    scenario.build()
    variables, code = variables_of(scenario), code_of_variables(scenario)
    assert code.keys() == variables.keys()
    assert code["nested/innermost/0/w"] == ".nested.innermost[0].w"
    for name, variable in variables.items():
        assert eval(f"scenario{code[name]}", {"scenario": scenario}) is variable, name


def test_a_walk_visits_each_object_once_by_its_first_way():
    shared = {"leaf": object()}
    ring = [shared, [shared]]
    ring.append(ring)

    def parts(value):
        return enumerate(value) if isinstance(value, list) else getattr(value, "items", tuple)()

    visited = list(walk(ring, parts))
    assert [path for path, _ in visited] == [(), (0,), (0, "leaf"), (1,)]
    assert [value for _, value in visited] == [ring, shared, shared["leaf"], ring[1]]


def test_names_shapes_and_dtypes_are_the_same_in_every_program(programs):
    described = [
        [(name, tuple(v.shape), v.dtype.name) for name, v in built.variables().items()]
        for _, built in programs
    ]
    assert all(other == described[0] for other in described[1:])


def test_every_program_starts_from_and_returns_to_one_state(programs):
    initial = programs[0][1].state()
    trajectories = []
    for mode, built in programs:
        built.load(initial)
        outputs = [built.run(built.task.feeds[0]) for _ in range(3)]
        state = built.state()
        trajectories.append((mode, outputs, state))
        built.load(initial)
        for name, array in built.state().items():
            np.testing.assert_array_equal(array, initial[name], err_msg=name)
    _, reference_outputs, reference_state = trajectories[0]
    changed = {n for n, a in reference_state.items() if not np.array_equal(a, initial[n])}
    assert changed >= {
        "generator/state",
        "adam/iteration",
        "sequence/dense/kernel",
        "metric/total",
        "listed/1",
        "module/parts/0",
    }
    assert "module/parts/1" not in changed
    for mode, outputs, state in trajectories[1:]:
        assert state.keys() == reference_state.keys()
        if mode == "xla":  # draws other numbers, but as many
            np.testing.assert_array_equal(
                state["generator/state"], reference_state["generator/state"]
            )
            continue
        for name, array in state.items():
            np.testing.assert_allclose(
                array, reference_state[name], rtol=1e-4, atol=1e-6, err_msg=name
            )
        for found, expected in zip(outputs, reference_outputs, strict=True):
            # The generator's state was loaded, so even its numbers are the same.
            np.testing.assert_array_equal(found["noise"], expected["noise"])
            np.testing.assert_allclose(found["loss"], expected["loss"], rtol=1e-4)


def test_a_scenario_without_variables_has_no_state():
    class Bare(Scenario):
        name = "bare"
        sizes = {"tiny": Size()}

    assert variables_of(Bare(Bare.sizes["tiny"])) == {}


STATE = {"weight": np.zeros((2, 3), np.float32), "bias": np.zeros(3, np.float32)}


def found(**changes):
    """Variables as TensorFlow has them, after STATE but for changes; None leaves one out."""
    values = {**STATE, **changes}
    return {name: tf.Variable(value) for name, value in values.items() if value is not None}


def test_the_same_variables_are_accepted():
    require_same(STATE, found(), "session")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"bias": None}, "variable 'bias' exists in eager but not in session"),
        ({"extra": 1.0}, "variable 'extra' exists in session but not in eager"),
        (
            {"bias": np.zeros(4, np.float32)},
            "variable 'bias' is float32(4,) in session, but should be float32(3,) as in eager",
        ),
        (
            {"weight": np.zeros((2, 3))},
            "variable 'weight' is float64(2, 3) in session, but should be float32(2, 3) as in",
        ),
    ],
)
def test_other_variables_are_told_by_name(changes, message):
    with pytest.raises(ScenarioError) as raised:
        require_same(STATE, found(**changes), "session")
    assert str(raised.value).startswith(message)


def test_bfloat16_variables_are_the_same_as_themselves():
    variables = {"half": tf.Variable(tf.ones(3, tf.bfloat16))}
    require_same({"half": variables["half"].numpy()}, variables, "session")


def test_an_reference_gets_float64_copies_and_integers_as_they_are():
    values = {
        "single": np.ones(2, np.float32),
        "half": tf.ones(2, tf.bfloat16).numpy(),
        "count": np.int32(3),
        "flag": np.array([True]),
        "complex": np.ones(1, np.complex64),
    }
    given = as_reference(values)
    assert {name: array.dtype.name for name, array in given.items()} == {
        "single": "float64",
        "half": "float64",
        "count": "int32",
        "flag": "bool",
        "complex": "complex128",
    }
    given["single"][0] = 5
    given["flag"][0] = False
    assert values["single"][0] == 1
    assert values["flag"][0]
