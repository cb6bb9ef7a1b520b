"""How a pass is laid out: items shared among groups, their order, and whose turn it is in them."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass
from functools import partial
from types import SimpleNamespace

import numpy as np
import psutil
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from eager_vs_graph.child.bench.items import Turns
from eager_vs_graph.child.bench.prepare import TURN, calibrate
from eager_vs_graph.child.bench.schedule import (
    MAX_BLOCKS,
    MAX_ITEMS,
    allocate,
    blocks_of_item,
    order,
)
from eager_vs_graph.processes.journal import Follower, Journal

COSTS = st.dictionaries(st.sampled_from("abcdefgh"), st.floats(1e-3, 10.0), min_size=1, max_size=8)
SECONDS = st.floats(0.1, 1000.0)


@given(COSTS, SECONDS)
def test_every_group_is_measured_and_none_too_often(costs, seconds):
    items = allocate(costs, seconds)
    assert list(items) == list(costs)
    assert all(1 <= count <= MAX_ITEMS for count in items.values())


@given(COSTS, SECONDS, st.integers(1, 4))
def test_the_budget_is_kept_but_for_the_minimum(costs, seconds, minimum):
    items = allocate(costs, seconds, minimum)
    spent = sum(items[group] * costs[group] for group in costs)
    least = sum(minimum * cost for cost in costs.values())
    assert spent <= seconds + least


@given(COSTS, st.floats(1.0, 1000.0))
def test_the_budget_is_kept_exactly_where_every_share_pays_for_the_minimum(costs, seconds):
    share = seconds / len(costs)
    assume(all(2 * cost <= share for cost in costs.values()))
    items = allocate(costs, seconds)
    assert sum(items[group] * costs[group] for group in costs) <= seconds * (1 + 1e-9)
    assert all(count >= 2 for count in items.values())


@given(COSTS, st.floats(1.0, 1000.0))
def test_no_time_is_left_that_a_group_could_use(costs, seconds):
    items = allocate(costs, seconds)
    left = seconds - sum(items[group] * costs[group] for group in costs)
    hungry = [group for group in costs if items[group] < MAX_ITEMS]
    if hungry:
        # Each group leaves less than one of its own items.
        assert left <= sum(costs[group] for group in hungry) * (1 + 1e-9)


def test_a_group_dearer_than_its_share_gets_one_item():
    assert allocate({"cheap": 0.01, "dear": 60.0}, 10.0) == {"cheap": MAX_ITEMS, "dear": 1}


def test_what_cheap_groups_leave_goes_to_the_others():
    alone = allocate({"a": 1.0, "b": 1.0}, 20.0)
    beside = allocate({"a": 1.0, "cheap": 0.001, "b": 1.0}, 30.0)
    assert alone == {"a": 10, "b": 10}
    # The cheap one leaves 9.6 of its 10 seconds, though it is named second.
    assert beside == {"a": 14, "cheap": MAX_ITEMS, "b": 15}


def test_time_goes_by_weight():
    assert allocate({"a": 1.0, "b": 1.0}, 40.0, weights={"a": 3.0}) == {"a": 30, "b": 10}
    # What the heavy one cannot use goes to the other.
    assert allocate({"a": 0.01, "b": 1.0}, 40.0, weights={"a": 3.0}) == {"a": MAX_ITEMS, "b": 36}


def test_a_share_that_pays_for_one_item_gets_the_minimum():
    # a's share is 1.33 s of 4, b's 1 s of the 2 that are left; nothing is left for c.
    assert allocate({"a": 1.0, "b": 1.0, "c": 1.0}, 4.0, minimum=2) == {"a": 2, "b": 2, "c": 1}


GROUPS = {
    "a": ["a/eager", "a/function", "a/session", "a/control"],
    "b": ["b/eager", "b/function"],
    "c": ["c/eager"],
}
ITEMS = {"a": 12, "b": 6, "c": 1}
BLOCKS = {"a": 5, "b": 1, "c": 3}


@given(st.integers())
def test_items_number_the_blocks_of_their_group(seed):
    items = order(GROUPS, ITEMS, BLOCKS, random.Random(seed))
    assert len(items) == sum(ITEMS.values())
    for group, count in ITEMS.items():
        own = [item for item in items if item.group == group]
        assert [item.block for item in own] == [number * BLOCKS[group] for number in range(count)]
        assert {(item.cells, item.blocks) for item in own} == {
            (tuple(GROUPS[group]), BLOCKS[group])
        }


@given(st.integers())
def test_the_items_of_a_group_are_spread_over_the_pass(seed):
    counts = {"a": 20, "b": 20}
    items = order({"a": ["a/eager"], "b": ["b/eager"]}, counts, counts, random.Random(seed))
    for group in counts:
        for quarter in range(4):
            here = items[quarter * 10 : quarter * 10 + 10]
            assert 3 <= sum(item.group == group for item in here) <= 7


@pytest.mark.parametrize("seed", [0, 7])
def test_a_seed_gives_the_same_order_again(seed):
    one, again, other = (
        order(GROUPS, ITEMS, BLOCKS, random.Random(s)) for s in (seed, seed, seed + 1)
    )
    assert one == again != other


@given(st.floats(1e-6, 100.0))
def test_an_item_has_a_block_and_not_too_many(block_s):
    assert 1 <= blocks_of_item(block_s) <= MAX_BLOCKS


def test_short_blocks_share_what_an_item_costs():
    assert blocks_of_item(10e-6) == MAX_BLOCKS
    assert 2 < blocks_of_item(4e-3) < MAX_BLOCKS
    assert blocks_of_item(0.1) == 1


# Whose turn it is


@dataclass
class Fake:
    """A program as far as turns know of it."""

    cell: SimpleNamespace
    program: SimpleNamespace
    turn: int = 3
    turn_s: float = 1e-3


@pytest.fixture
def journal(tmp_path):
    journal = Journal(tmp_path / "journal")
    yield journal
    journal.close()


def turns_of(journal: Journal, names: str, blocks: int, seed: int = 1) -> tuple[Turns, list[str]]:
    """Turns of programs that note that they were called, and these notes."""
    called: list[str] = []
    programs = [
        Fake(SimpleNamespace(id=name), SimpleNamespace(call=partial(called.append, name)))
        for name in names
    ]
    return Turns(programs, blocks, random.Random(seed), journal), called


def take(turns: Turns, rounds: int) -> None:
    for _ in range(rounds):
        (call,), _ = turns.next()
        call()


def test_every_block_has_a_turn_of_every_program_and_nothing_comes_between(journal):
    turns, called = turns_of(journal, "abcd", blocks=30)
    take(turns, turns.rounds)
    with pytest.raises(StopIteration):
        turns.next()
    orders = Counter()
    for at in range(0, len(called), 12):
        block = called[at : at + 12]
        assert [name for name in block[::3] for _ in range(3)] == block
        assert set(block) == set("abcd")
        orders["".join(block[::3])] += 1
    assert sum(orders.values()) == 30
    assert len(orders) > 12  # of 24: their order within a block is random


def test_seconds_go_to_the_program_whose_turn_it_was(journal):
    turns, called = turns_of(journal, "abc", blocks=20)
    take(turns, turns.rounds)
    own = {"a": 1.0, "b": 2.0, "c": 3.0}
    seconds = [own[name] + at / 1e6 for at, name in enumerate(called)]
    for name, rounds in turns.by_cell(seconds).items():
        assert rounds.shape == (20, 3)
        assert (np.floor(rounds) == own[name]).all()
        assert (np.diff(rounds.ravel()) > 0).all()


def test_half_a_block_is_no_block(journal):
    turns, called = turns_of(journal, "abc", blocks=4)
    take(turns, 9 + 8)
    found = turns.by_cell([1.0] * len(called))
    assert {name: rounds.shape for name, rounds in found.items()} == dict.fromkeys("abc", (1, 3))


def test_the_parent_knows_whose_turn_it_was(journal, tmp_path):
    turns, called = turns_of(journal, "abc", blocks=4)
    follower = Follower(tmp_path / "journal")
    (event,) = follower.events()
    assert event == {"event": "turns", "cells": ["a", "b", "c"]}
    for _ in range(turns.rounds):
        take(turns, 1)
        assert follower.whose_turn(event["cells"]) == called[-1] == turns.at.cell.id
    assert not list(follower.events())  # nothing was written meanwhile


def test_a_turn_that_takes_long_is_announced(journal, tmp_path):
    turns, called = turns_of(journal, "ab", blocks=2)
    turns._programs[1].turn_s = 1.0
    take(turns, turns.rounds)
    events = [event["event"] for event in Follower(tmp_path / "journal").events()]
    assert events == ["turns", "cell", "cell"]
    assert called.count("b") == 6


@dataclass
class Paced:
    """What `calibrate` looks at and changes."""

    call_s: float
    turn: int = 0


@pytest.mark.parametrize(
    ("calls_s", "turn"),
    [
        ((200e-6, 90e-6), TURN),
        ((10e-3, 1e-3), TURN),
        ((20e-3, 1e-3), 2),
        ((0.4, 0.09), 2),
        ((0.5, 0.1), 1),
        ((30.0, 1e-3), 1),
    ],
)
def test_programs_of_a_group_have_the_same_turn(calls_s, turn):
    calibrated = calibrate([Paced(seconds) for seconds in calls_s])
    assert {program.turn for program in calibrated} == {turn}


def test_many_items_hold_one_descriptor(journal):
    turns_of(journal, "ab", blocks=1)
    before = psutil.Process().num_fds()
    kept = [turns_of(journal, "ab", blocks=1) for _ in range(50)]
    assert psutil.Process().num_fds() < before + len(kept)
