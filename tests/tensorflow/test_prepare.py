"""How a pass is laid out: blocks shared among groups, and their order."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from dataclasses import dataclass
from itertools import groupby

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from eager_vs_graph.child.bench.prepare import ROUNDS, calibrate
from eager_vs_graph.child.bench.schedule import MAX_BLOCKS, allocate, order

COSTS = st.dictionaries(st.sampled_from("abcdefgh"), st.floats(1e-3, 10.0), min_size=1, max_size=8)
SECONDS = st.floats(0.1, 1000.0)


@given(COSTS, SECONDS)
def test_every_group_is_measured_and_none_too_often(costs, seconds):
    blocks = allocate(costs, seconds)
    assert list(blocks) == list(costs)
    assert all(1 <= count <= MAX_BLOCKS for count in blocks.values())


@given(COSTS, SECONDS, st.integers(1, 4))
def test_the_budget_is_kept_but_for_the_minimum(costs, seconds, minimum):
    blocks = allocate(costs, seconds, minimum)
    spent = sum(blocks[group] * costs[group] for group in costs)
    least = sum(minimum * cost for cost in costs.values())
    assert spent <= seconds + least


@given(COSTS, st.floats(1.0, 1000.0))
def test_the_budget_is_kept_exactly_where_every_share_pays_for_the_minimum(costs, seconds):
    share = seconds / len(costs)
    assume(all(2 * cost <= share for cost in costs.values()))
    blocks = allocate(costs, seconds)
    assert sum(blocks[group] * costs[group] for group in costs) <= seconds * (1 + 1e-9)
    assert all(count >= 2 for count in blocks.values())


@given(COSTS, st.floats(1.0, 1000.0))
def test_no_time_is_left_that_a_group_could_use(costs, seconds):
    blocks = allocate(costs, seconds)
    left = seconds - sum(blocks[group] * costs[group] for group in costs)
    hungry = [group for group in costs if blocks[group] < MAX_BLOCKS]
    if hungry:
        # Each group leaves less than one of its own blocks.
        assert left <= sum(costs[group] for group in hungry) * (1 + 1e-9)


def test_a_group_dearer_than_its_share_gets_one_block():
    assert allocate({"cheap": 0.01, "dear": 60.0}, 10.0) == {"cheap": MAX_BLOCKS, "dear": 1}


def test_what_cheap_groups_leave_goes_to_the_others():
    alone = allocate({"a": 1.0, "b": 1.0}, 20.0)
    beside = allocate({"a": 1.0, "cheap": 0.001, "b": 1.0}, 30.0)
    assert alone == {"a": 10, "b": 10}
    # The cheap one leaves 9.97 of its 10 seconds, though it is named second.
    assert beside == {"a": 14, "cheap": MAX_BLOCKS, "b": 15}


def test_time_goes_by_weight():
    assert allocate({"a": 1.0, "b": 1.0}, 40.0, weights={"a": 3.0}) == {"a": 30, "b": 10}
    # What the heavy one cannot use goes to the other.
    assert allocate({"a": 0.01, "b": 1.0}, 40.0, weights={"a": 3.0}) == {"a": MAX_BLOCKS, "b": 38}


def test_a_share_that_pays_for_one_block_gets_the_minimum():
    # a's share is 1.33 s of 4, b's 1 s of the 2 that are left; nothing is left for c.
    assert allocate({"a": 1.0, "b": 1.0, "c": 1.0}, 4.0, minimum=2) == {"a": 2, "b": 2, "c": 1}


GROUPS = {
    "a": ["a/eager", "a/function", "a/session", "a/control"],
    "b": ["b/eager", "b/function"],
    "c": ["c/eager"],
}
BLOCKS = {"a": 12, "b": 6, "c": 1}


def blocks_of(turns):
    """Runs of turns that belong to one block of one group."""
    return [
        (key, list(members))
        for key, members in groupby(turns, lambda turn: (turn.cell[0], turn.block))
    ]


@given(st.integers())
def test_every_block_holds_every_cell_once_and_nothing_comes_between(seed):
    turns = order(GROUPS, BLOCKS, random.Random(seed))
    found = blocks_of(turns)
    assert len({key for key, _ in found}) == len(found) == sum(BLOCKS.values())
    for (group, _), members in found:
        assert Counter(turn.cell for turn in members) == Counter(GROUPS[group])
        assert [turn.position for turn in members] == list(range(len(members)))
    numbers = defaultdict(list)
    for (group, number), _ in found:
        numbers[group].append(number)
    assert numbers == {group: list(range(count)) for group, count in BLOCKS.items()}


@given(st.integers())
def test_the_blocks_of_a_group_are_spread_over_the_pass(seed):
    groups = {"a": ["a/eager"], "b": ["b/eager"]}
    turns = order(groups, {"a": 20, "b": 20}, random.Random(seed))
    for group in groups:
        for quarter in range(4):
            here = turns[quarter * 10 : quarter * 10 + 10]
            assert 3 <= sum(turn.cell.startswith(group) for turn in here) <= 7


def test_the_order_within_blocks_is_random():
    turns = order(GROUPS, {"a": 30, "b": 30, "c": 1}, random.Random(1))
    orders = Counter(
        tuple(turn.cell for turn in members)
        for (group, _), members in blocks_of(turns)
        if group == "a"
    )
    assert len(orders) > 12  # of 24
    first = Counter(cells[0] for cells in orders.elements())
    assert set(first) == set(GROUPS["a"])


@pytest.mark.parametrize("seed", [0, 7])
def test_a_seed_gives_the_same_order_again(seed):
    one, again, other = (order(GROUPS, BLOCKS, random.Random(s)) for s in (seed, seed, seed + 1))
    assert one == again != other


@dataclass
class Paced:
    """What `pace` looks at and changes."""

    mode: str
    call_s: float
    iterations: int = 0
    rounds: int = 0


def calibrated(**call_s):
    return calibrate([Paced(mode, seconds) for mode, seconds in call_s.items()])


def test_rounds_last_a_millisecond_and_a_tenth_of_the_slowest():
    eager, function = calibrated(eager=200e-6, function=90e-6)
    assert (eager.iterations, function.iterations) == (5, 12)
    eager, function = calibrated(eager=45e-3, function=1e-3)
    assert (eager.iterations, function.iterations) == (1, 5)


@pytest.mark.parametrize(
    ("eager_s", "rounds"), [(1e-3, ROUNDS), (25e-3, 3), (80e-3, 2), (0.4, 2), (0.6, 1), (30.0, 1)]
)
def test_long_blocks_have_fewer_rounds(eager_s, rounds):
    assert {program.rounds for program in calibrated(eager=eager_s, function=eager_s / 10)} == {
        rounds
    }
