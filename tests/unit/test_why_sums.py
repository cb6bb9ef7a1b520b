"""Where the time goes: what threads did at once, sums, sentences and the page. No TensorFlow."""

import io
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from eager_vs_graph.child.why.sweep import Interval, sweep
from eager_vs_graph.errors import UsageError
from eager_vs_graph.reports.terminal.why import print_why
from eager_vs_graph.reports.why_section import Section
from eager_vs_graph.reports.why_wording import advice, doubt, retraces, sentence
from eager_vs_graph.results.why import (
    CONVERSION,
    DISPATCH,
    KERNELS,
    PYTHON,
    Advice,
    CellWhy,
    Kernel,
    Prediction,
    Retrace,
    Share,
    Why,
    reasons,
    with_measured,
)
from eager_vs_graph.results.why_files import Answer

CELL = "step/given/eager/CPU:0/resident"
KINDS = ("first", "second")


@pytest.fixture
def cell():
    """A cell of one millisecond."""
    return CellWhy(
        CELL,
        call_s=1e-3,
        profiled_s=1e-3,
        shares=(
            Share(KERNELS, 2e-4, 20),
            Share(DISPATCH, 5e-4, 20),
            Share(CONVERSION, 2.99e-4, 1),
            Share(PYTHON, 1e-6),
        ),
        kernels=(Kernel("MatMul", 1.5e-4, 10), Kernel("Tanh", 5e-5, 10)),
    )


def test_a_moment_of_two_kinds_counts_for_the_first():
    found = sweep(
        [Interval("second", "b", 0, 10), Interval("first", "a", 4, 6)], 0, 12, KINDS, "none"
    )
    assert found == {("first", "a"): 2, ("second", "b"): 8, ("none", ""): 2}


def test_two_of_one_kind_share_the_time():
    found = sweep([Interval("first", "a", 0, 10), Interval("first", "b", 0, 10)], 0, 10, KINDS, "")
    assert found == {("first", "a"): 5, ("first", "b"): 5}


def test_what_reaches_beyond_the_region_is_cut():
    assert sweep([Interval("first", "a", -5, 50)], 0, 10, KINDS, "") == {("first", "a"): 10}


@given(
    st.lists(
        st.tuples(
            st.sampled_from(KINDS), st.sampled_from("abc"), st.integers(0, 50), st.integers(0, 50)
        )
    )
)
def test_the_parts_add_up_to_the_whole(given_):
    intervals = [Interval(kind, name, min(a, b), max(a, b)) for kind, name, a, b in given_]
    assert sum(sweep(intervals, 10, 40, KINDS, "none").values()) == 30


def test_the_sentence_says_the_largest_share_first_and_leaves_out_what_is_nothing(cell):
    assert sentence(cell) == (
        "1.00 ms a call: 50% dispatch (20 ops), 30% conversion (1 value) and "
        "20% kernels (MatMul 15%, Tanh 5%)"
    )


def test_shares_that_do_not_add_up_are_said(cell):
    assert doubt(cell) == ""
    assert doubt(replace(cell, profiled_s=1.09e-3)) == ""
    assert doubt(replace(cell, profiled_s=8e-4)).startswith("does not add up")
    assert "20 % are missing" in doubt(replace(cell, profiled_s=8e-4))
    assert "30 % too much" in doubt(replace(cell, profiled_s=1.3e-3))


def test_traces_of_one_reason_are_one_line():
    again = [
        Retrace("f", "rate", "0.1", after, 2e-3, call=n, line="a.py:1: f(rate)", remedy="tensor")
        for n, after in enumerate(["0.2", "0.3"], start=1)
    ]
    ((line, place, remedy),) = retraces(again)
    assert line == "f was traced again 2 times: rate: 0.1 → 0.2, 0.3; 2.00 ms each"
    assert (place, remedy) == ("a.py:1: f(rate)", "tensor")


def test_reasons_begin_with_traces_then_the_code_then_other_modes_then_shares(cell):
    code = Advice("printing", "it prints", "do not", 1e-3, 9e-4)
    mode = Advice("many small ops", "many", "tf.function", 1e-3, 1e-4, general=True)
    again = Retrace("f", "rate", "0.1", "0.2", 1e-3)
    found = reasons(replace(cell, advice=(mode, code), retraces=(again,)))
    assert [each.kind for each in found] == ["traced again", "printing", "many small ops", DISPATCH]
    assert [each.kind for each in reasons(cell)] == [DISPATCH]


def test_advice_says_the_gain_in_numbers_that_fit():
    text = advice(Advice("p", "it prints", "print less", 2e-3, 1e-3))
    assert text == "it prints. Tried: print less: 2.00× as fast (2.00 ms → 1.00 ms a call)"


def test_a_prediction_finds_what_was_measured(cell):
    said = replace(cell, predictions=(Prediction("function", 1e-4), Prediction("xla", 1e-4)))
    other = CellWhy("step/given/function/CPU:0/resident", call_s=2e-4)
    first, _ = with_measured((said, other))
    assert [each.measured_s for each in first.predictions] == [2e-4, None]


def test_what_is_kept_is_read_again(tmp_path, cell):
    trace = tmp_path / "trace"
    trace.write_bytes(b"x")
    why = Why((replace(cell, counters={"traces": 1}),), seconds=1.5)
    answers = [Answer.keep(tmp_path, why, trace) for _ in range(2)]
    assert len({each.folder for each in answers}) == 2
    assert answers[0].read() == why
    assert answers[0].trace.read_bytes() == b"x"


def test_a_damaged_answer_is_named(tmp_path, cell):
    answer = Answer.keep(tmp_path, Why((cell,)), tmp_path / "none")
    (answer.folder / "why.json").write_text('{"why": {"cells": [{"cell": 3}]}, "schema": 3}')
    with pytest.raises(UsageError, match=r"why.json: damaged"):
        answer.read()


def test_the_terminal_shows_every_cell(cell):
    console = Console(record=True, width=200, file=io.StringIO())
    failed = CellWhy("step/given/xla/CPU:0/resident", error="unsupported: no kernel")
    print_why(Why((cell, failed)), console)
    text = console.export_text()
    assert "eager: 1.00 ms a call" in text
    assert "xla: unsupported: no kernel" in text


def test_a_page_without_an_answer_has_no_section(tmp_path, cell):
    assert Section.of(Why(), []) is None
    section = Section.of(Why((cell,)), [tmp_path / "a.png", tmp_path / "a.svg"])
    assert section.svg.name == "a.svg"
    assert section.lines[0].name == "eager"
