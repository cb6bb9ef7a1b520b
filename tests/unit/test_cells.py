"""Cells, their ids, and the selection of a run's cells."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eager_vs_graph.errors import UsageError
from eager_vs_graph.results.cells import Cell, choose, grid, unknown_name_message

WORD = st.text("abcdefghijklmnopqrstuvwxyz0123456789_", min_size=1, max_size=12)
CELLS = st.builds(
    Cell,
    scenario=WORD,
    size=WORD,
    mode=WORD,
    device=st.builds("{}:{}".format, st.sampled_from(["CPU", "GPU"]), st.integers(0, 9)),
    inputs=st.sampled_from(["resident", "fed"]),
)


@given(CELLS)
def test_an_id_reads_back_as_its_cell(cell):
    assert Cell.parse(cell.id) == cell


@given(CELLS, CELLS)
def test_two_cells_have_two_ids(one, other):
    assert (one.id == other.id) == (one == other)


@given(CELLS, WORD)
def test_a_group_holds_the_modes_of_one_comparison(cell, mode):
    assert cell.in_mode(mode).group == cell.group
    assert cell.in_mode(mode).mode == mode
    assert cell.mode not in cell.group.split("/") or cell.mode in {cell.scenario, cell.size}


@pytest.mark.parametrize("text", ["", "a/b/c/d", "a/b/c/d/e/f"])
def test_text_that_is_no_id_is_refused(text):
    with pytest.raises(ValueError, match=r"has \d parts, but should have 5"):
        Cell.parse(text)


def test_the_grid_is_complete_and_grouped():
    cells = grid(
        [("a", "tiny"), ("a", "large"), ("b", "tiny")],
        ["eager", "session"],
        ["CPU:0", "CPU:1"],
        ["resident", "fed"],
    )
    assert len({cell.id for cell in cells}) == len(cells) == 3 * 2 * 2 * 2
    groups = [cell.group for cell in cells]
    assert groups == [group for group in dict.fromkeys(groups) for _ in range(2)]
    assert not [cell for cell in cells if (cell.scenario, cell.size) == ("b", "large")]


@pytest.mark.parametrize("wanted", [[], ["all"]])
def test_nothing_wanted_or_all_is_everything(wanted):
    assert choose("mode", wanted, ["eager", "session"]) == ["eager", "session"]


def test_a_choice_keeps_the_known_order():
    known = ["eager", "function", "session"]
    assert choose("mode", ["session", "eager", "session"], known) == ["eager", "session"]


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("sesion", "did you mean session?"),
        ("funktion", "did you mean function?"),
        ("xyz", "choose from: eager, function, session"),
        ("", "choose from: eager, function, session"),
    ],
)
def test_an_unknown_name_gives_the_nearest_or_all(name, hint):
    with pytest.raises(UsageError) as raised:
        choose("mode", ["eager", name], ["eager", "function", "session"])
    assert str(raised.value) == f"unknown mode {name!r}; {hint}"


@given(st.sampled_from(["matmul_chain", "mnist_step", "custom_gradient"]), st.data())
def test_one_wrong_letter_finds_the_name(name, data):
    place = data.draw(st.integers(0, len(name) - 1))
    typo = name[:place] + "z" + name[place + 1 :]
    assert name in unknown_name_message(
        "scenario", typo, ["matmul_chain", "mnist_step", "custom_gradient"]
    )
