"""Deliberately broken scenarios (``tests/broken``) are each caught, with a message of their own."""

from __future__ import annotations

import pytest
from workbench import DEFAULT_GRAPHS as GRAPHS
from workbench import GRAPHS as EVERY_GRAPH
from workbench import WHOLE, broken, tensor, words

from eager_vs_graph.errors import ScenarioError
from eager_vs_graph.modes import DEFAULT_MODES
from eager_vs_graph.results.record import CellParity

EVERY_MODE = WHOLE
"""For defects whose finding depends on the runner; what parity's comparison finds is found in the
default modes as in any."""


def assert_agrees(cell: CellParity) -> None:
    assert (cell.status, cell.reason, cell.failed) == ("identical", "", False)


@pytest.mark.parametrize("inputs", ["resident", "fed"])
def test_a_healthy_scenario_passes(inputs):
    cells = words(broken("healthy"), EVERY_MODE, inputs=inputs)
    assert list(cells) == [*EVERY_MODE]
    for mode, cell in cells.items():
        assert_agrees(cell)
        assert cell.traces == (mode != "eager")
        assert {(t.tensor, t.against) for t in cell.tensors} == {
            (name, against) for name in ("doubled", "total") for against in ("eager", "reference")
        }


def test_a_dropped_update_is_caught_in_the_state():
    cells = words(broken("dropped_update"), EVERY_MODE)
    assert_agrees(cells["eager"])
    for mode in EVERY_GRAPH:
        assert cells[mode].status == "differs"
        assert cells[mode].failed
        assert "variable 'total' against eager: 4 of 4 elements out of tolerance" in (
            cells[mode].reason
        )
        assert "= 0.0, but should be" in cells[mode].reason
        assert tensor(cells[mode], "doubled", "eager").status == "identical"


def test_float64_in_one_mode_is_caught_before_values_are_compared():
    cells = words(broken("float64_in_graph"))
    assert_agrees(cells["eager"])
    for mode in GRAPHS:
        assert cells[mode].status == "differs"
        assert cells[mode].reason.startswith(
            "output 'doubled' against eager: value.dtype=float64, but should be float32"
        )
        assert tensor(cells[mode], "doubled", "eager").max_abs is None


def test_another_shape_in_one_mode_is_caught():
    cells = words(broken("shape_in_graph"))
    assert_agrees(cells["eager"])
    for mode in GRAPHS:
        assert cells[mode].status == "differs"
        assert "value.shape=(1, 4), but should be (4,)" in cells[mode].reason


def test_nan_everywhere_is_vacuous_not_identical():
    for cell in words(broken("nan_everywhere")).values():
        assert cell.status == "vacuous"
        assert cell.failed
        assert "every element is NaN or infinite" in cell.reason


def test_a_nan_in_one_mode_is_caught():
    cells = words(broken("nan_in_graph"))
    assert_agrees(cells["eager"])
    for mode in GRAPHS:
        assert cells[mode].status == "differs"
        assert "NaN or infinity in other places: 1 of 4 elements" in cells[mode].reason
        assert "doubled[2] = nan, but should be" in cells[mode].reason


def test_a_fourth_digit_wrong_in_every_mode_is_caught_by_the_reference():
    for cell in words(broken("fourth_digit")).values():
        assert cell.status == "differs"
        assert cell.reason.startswith(
            "output 'doubled' against reference: 4 of 4 elements out of tolerance"
        )
        assert tensor(cell, "doubled", "eager").status == "identical"
        assert tensor(cell, "doubled", "reference").max_rel == pytest.approx(1e-4, rel=0.01)


def test_a_fourth_digit_wrong_in_one_mode_is_caught_there():
    cells = words(broken("fourth_digit_in_session"))
    assert_agrees(cells["eager"])
    assert_agrees(cells["function"])
    assert cells["session"].status == "differs"
    assert "against eager: 1 of 4 elements out of tolerance; step 0: doubled[3] =" in (
        cells["session"].reason
    )
    assert tensor(cells["session"], "doubled", "eager").max_rel == pytest.approx(1e-4, rel=0.01)


def test_equality_of_tensors_which_a_session_takes_for_identity_is_caught():
    cells = words(broken("tensor_equality"))
    assert_agrees(cells["eager"])
    assert_agrees(cells["function"])
    assert cells["session"].status == "differs"
    assert "against eager: 4 of 4 elements out of tolerance" in cells["session"].reason


def test_the_step_at_which_modes_part_is_named():
    cells = words(broken("drifting_in_graph"))
    assert_agrees(cells["eager"])
    for mode in GRAPHS:
        assert cells[mode].status == "differs"
        assert tensor(cells[mode], "doubled", "eager").first_step == 2
        assert "step 2: doubled" in cells[mode].reason or "step 3: doubled" in cells[mode].reason


def test_varying_shapes_are_marked_as_retracing():
    cells = words(broken("varying_shapes"))
    assert_agrees(cells["eager"])
    assert_agrees(cells["session"])
    assert cells["function"].traces == 3
    assert cells["function"].reason == (
        "retraced: 3 traces in 3 calls: x comes in 3 shapes; give inputs one shape"
    )


def test_a_function_made_in_each_call_is_marked_by_tensorflows_own_warning():
    cells = words(broken("inner_function"))
    assert cells["eager"].status == "identical"
    assert cells["eager"].reason.startswith("retraced: ")
    assert "triggered tf.function retracing" in cells["eager"].reason
    for mode in GRAPHS:
        assert_agrees(cells[mode])  # traced once with the step, as part of it


def test_eager_disagrees_with_itself_and_a_graph_repeats_what_python_drew_at_tracing():
    cells = words(broken("python_random"))
    for mode, cell in cells.items():
        assert cell.status == ("nondeterministic" if mode == "eager" else "differs")
        assert "'noisy'" in cell.reason
        assert {t.status for t in cell.tensors if t.tensor == "doubled"} == {"identical"}
    assert "output 'noisy' against eager:" in cells["eager"].reason


@pytest.mark.parametrize("name", ["python_counter", "unseeded_random"])
def test_what_begins_again_with_each_program_is_no_nondeterminism(name):
    cells = words(broken(name))
    for mode, cell in cells.items():
        assert cell.status == "differs"  # the author's reference knows neither
        against = {t.against: t.status for t in cell.tensors if t.tensor == "noisy"}
        assert against["eager"] == ("identical" if mode == "eager" else "differs")


def test_noise_in_one_tensor_excuses_nothing_in_another():
    cells = words(broken("noisy_and_wrong"))
    assert cells["eager"].status == "nondeterministic"
    for mode in GRAPHS:
        assert cells[mode].status == "differs"
        assert "output 'doubled' against eager: 4 of 4" in cells[mode].reason
        assert tensor(cells[mode], "noisy", "eager").status == "differs"  # it repeats itself


def test_a_declared_difference_is_shown_and_fails_nothing():
    cells = words(broken("declared"), DEFAULT_MODES)
    assert_agrees(cells["eager"])
    for mode in ("function", "session"):
        assert cells[mode].status == "differs"
        assert cells[mode].known == "graphs triple here"
        assert cells[mode].timed
        assert not cells[mode].failed
        assert not cells[mode].comparable
        assert tensor(cells[mode], "doubled", "eager").max_rel == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("mode", "inputs", "declared"),
    [("function", "resident", True), ("function", "fed", False), ("session", "resident", False)],
)
def test_a_declaration_covers_only_what_it_names(mode, inputs, declared):
    cell = words(broken("declared_elsewhere"), ["eager", mode], inputs)[mode]
    assert cell.status == "differs"
    assert cell.failed == (not declared)
    assert bool(cell.known) == declared
    assert tensor(cell, "doubled", "reference").known == "the reference doubles"
    if not declared:
        assert "output 'doubled' against eager: 4 of 4" in cell.reason
        assert "against reference" not in cell.reason


def test_a_missed_goal_is_caught_in_every_mode():
    for cell in words(broken("missed_goal"), EVERY_MODE).values():
        assert cell.status == "differs"
        assert cell.failed
        assert cell.reason == (
            f"largest = {cell.learned['largest']:.4g} after 5 steps, but should be in [100, 200]"
        )
        assert 5 <= cell.learned["largest"] <= 10  # five steps from the initial state


def test_a_goal_that_nobody_measures_is_missed():
    for cell in words(broken("unmeasured_goal")).values():
        assert cell.status == "differs"
        assert "largest = nan after 5 steps" in cell.reason


def test_an_reference_that_forgets_the_state_is_told_in_every_mode():
    for cell in words(broken("stale_reference")).values():
        assert cell.status == "differs"
        assert cell.reason.startswith("variable 'total' against reference: 4 of 4 elements")
        assert tensor(cell, "total", "eager").status == "identical"


def test_without_a_reference_the_modes_are_compared_with_eager():
    for cell in words(broken("without_reference")).values():  # eager's with its second run
        assert_agrees(cell)
        assert "no method `reference`" in cell.note
        assert {each.against for each in cell.tensors} == {"eager"}


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "reference_names",
            "reference_names: the reference returned twice, but step returns doubled",
        ),
        ("reference_shape", r"the reference's 'doubled' has shape \(3,\), but step's has \(4,\)"),
        ("reference_raises", "reference_raises: the reference raised KeyError: 'total'"),
        ("reference_invents", "the reference set call, but the scenario's variables are: calls"),
        (
            "reference_reshapes",
            r"left variable 'calls' as \(1,\), but should leave it in shape \(\)",
        ),
        (
            "reference_of_nothing",
            "reference_of_nothing: the reference returned ndarray, but should return",
        ),
        ("list_as_input", "input 'x' of feed 0 is list, but should be a NumPy array"),
        ("feed_names", "feed_names/tiny: feed 1 has y, but step takes x"),
        ("feed_dtypes", "input 'x' is float64 in feed 1, but float32 in feed 0"),
        ("no_feeds", "inputs returned no feed, but should return at least one"),
        ("inputs_raise", "inputs raised AttributeError: size has no parameter 'n'"),
    ],
)
def test_a_broken_contract_is_one_line_that_names_the_scenario(name, message):
    with pytest.raises(ScenarioError, match=message) as raised:
        words(broken(name))
    assert name in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("more_variables_in_graph", "variable 'extra' exists in session but not in eager"),
        (
            "other_variable_in_graph",
            "variable 'total' is float64(4,) in session, but should be float32(4,) as in eager",
        ),
    ],
)
def test_variables_that_eager_did_not_build_cost_the_mode(name, message):
    cells = words(broken(name))
    assert_agrees(cells["eager"])
    assert_agrees(cells["function"])  # builds eagerly
    assert cells["session"].status == "error"
    assert message in cells["session"].reason


def test_a_step_that_returns_no_names_is_an_error():
    cells = words(broken("bare_tensor"))
    for mode, kind in {"eager": "EagerTensor", "session": "SymbolicTensor"}.items():
        assert cells[mode].status == "error"
        assert cells[mode].failed
        assert cells[mode].reason == (
            f"step returned {kind}, but should return a dict of named tensors"
        )


def test_a_step_that_returns_no_tensor_is_an_error_where_it_stays_none():
    cells = words(broken("python_output"), EVERY_MODE)
    assert cells["eager"].status == "error"
    assert "step returned output 'count' as int, but should return a tensor" in (
        cells["eager"].reason
    )
    for mode in EVERY_GRAPH:
        assert_agrees(cells[mode])  # tracing makes a tensor of it


@pytest.mark.parametrize(
    ("name", "variable"), [("late_variable", "total"), ("late_layer", "layer")]
)
def test_a_step_that_creates_variables_is_an_error_that_says_where_to_create_them(name, variable):
    for cell in words(broken(name), EVERY_MODE).values():
        assert cell.status == "error"
        assert f"step created variables on its first call: {variable}" in cell.reason
        assert "create them in build" in cell.reason


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("numpy_inside", "numpy"),
        ("numpy_function", "Cannot convert a symbolic tf.Tensor"),
    ],
)
def test_numpy_inside_a_step_is_unsupported_in_graphs_with_tensorflows_reason(name, message):
    cells = words(broken(name), EVERY_MODE)
    assert_agrees(cells["eager"])
    for mode in EVERY_GRAPH:
        assert cells[mode].status == "unsupported"
        assert not cells[mode].failed
        assert message in cells[mode].reason
        assert "(contract.py:" in cells[mode].reason
        assert cells[mode].reason.endswith("tf.numpy_function calls NumPy when it has one")


def test_a_tape_used_twice_is_the_same_error_in_every_mode():
    reasons = {(cell.status, cell.reason) for cell in words(broken("spent_tape")).values()}
    ((status, reason),) = reasons
    assert status == "error"
    assert reason.startswith(
        "RuntimeError: A non-persistent GradientTape can only be used to compute one set of "
        "gradients (or jacobians) (contract.py:"
    )


def test_a_plain_bug_is_an_error_not_a_refusal():
    for cell in words(broken("failing"), EVERY_MODE).values():
        assert cell.status == "error"
        assert cell.failed
        assert "contract.py:" in cell.reason
        assert "\n" not in cell.reason


def test_the_author_can_refuse_a_mode():
    cells = words(broken("author_says_no"))
    assert_agrees(cells["eager"])
    assert_agrees(cells["function"])
    assert (cells["session"].status, cells["session"].reason) == (
        "unsupported",
        "needs the eager runtime",
    )
