"""Where the time of the next pass goes: plans only, nothing is measured."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eager_vs_graph.runs.budget import (
    FIRST_LOOKS,
    LEAST_TIMED_SHARE,
    LONG_GROUP_S,
    MIN_PASSES,
    MIN_PASSES_LONG,
    TIMED_SHARE,
    Need,
    NextPass,
    Stop,
    next_pass,
)

PRECISION = 0.02
STARTUP_S = 5.0
LEAST_TIMED_S = 1.5
"""A pass of very short blocks times for at least so long."""


def need(group: str, **known: float) -> Need:
    first = {"passes": 0, "half_width": math.inf, "fixed_s": 0.3, "block_s": 0.03}
    return Need(group, **{**first, **known})  # type: ignore[arg-type]


def plan(
    needs: Sequence[Need],
    remaining_s: float = 270.0,
    precision: float = PRECISION,
    passes_left: int | None = None,
) -> NextPass | Stop:
    return next_pass(
        needs,
        remaining_s=remaining_s,
        startup_s=STARTUP_S,
        precision=precision,
        passes_left=passes_left,
    )


def a_pass(*arguments: object, **options: object) -> NextPass:
    planned = plan(*arguments, **options)  # type: ignore[arg-type]
    assert isinstance(planned, NextPass)
    return planned


def a_stop(*arguments: object, **options: object) -> Stop:
    planned = plan(*arguments, **options)  # type: ignore[arg-type]
    assert isinstance(planned, Stop)
    return planned


def wall_s(planned: NextPass, needs: Sequence[Need]) -> float:
    """What a pass is planned to take."""
    fixed_s = sum(each.fixed_s for each in needs if each.group in planned.groups)
    return STARTUP_S + fixed_s + planned.timed_s


@st.composite
def groups(draw: st.DrawFn) -> list[Need]:
    """A run in any state: new groups, wide ones, narrow ones, long ones."""
    number = draw(st.integers(1, 12))
    return [
        Need(
            group=f"g{index}",
            passes=(passes := draw(st.integers(0, 6))),
            half_width=draw(st.floats(0.001, 1.0)) if passes > 1 else math.inf,
            fixed_s=draw(st.floats(0.01, 3.0)),
            block_s=draw(st.floats(0.001, 0.5) | st.floats(0.5, 60.0)),
        )
        for index in range(number)
    ]


REMAINING_S = st.floats(-10, 600)


# Whether to go on


def test_nothing_to_time() -> None:
    assert a_stop([]).reached
    assert a_stop([], passes_left=3).reached


def test_every_interval_is_narrow_enough() -> None:
    narrow = [need("a", passes=MIN_PASSES, half_width=0.02), need("b", passes=7, half_width=0.001)]
    assert a_stop(narrow) == Stop("every interval is narrow enough", reached=True)
    assert a_pass([replace(narrow[0], half_width=0.021), narrow[1]]).groups == ["a"]


def test_an_interval_of_too_few_passes_is_not_believed() -> None:
    early = [need("a", passes=MIN_PASSES - 1, half_width=0.0001)]
    assert a_pass(early).groups == ["a"]


def test_precision_of_zero_is_never_reached() -> None:
    assert a_pass([need("a", passes=100, half_width=1e-9)], precision=0.0).groups == ["a"]


@pytest.mark.parametrize("remaining_s", [-5.0, 0.0, STARTUP_S + 0.1])
def test_the_budget_is_spent(remaining_s: float) -> None:
    stop = a_stop([need("a", passes=MIN_PASSES, half_width=0.1)], remaining_s=remaining_s)
    assert stop == Stop("the budget is spent", reached=False)


def test_a_width_that_is_not_known_is_not_narrow() -> None:
    assert a_pass([need("a", passes=MIN_PASSES, half_width=math.nan)]).groups == ["a"]


# Who takes part


def test_the_weights_of_those_who_take_part_go_along() -> None:
    needs = [
        need("a", weight=4.0),
        need("b"),
        need("done", passes=MIN_PASSES, half_width=0.0, weight=2.0),
    ]
    assert a_pass(needs).weights == {"a": 4.0, "b": 1.0}


def test_a_first_pass_takes_every_short_group() -> None:
    new = [need(f"g{index}") for index in range(40)]
    assert a_pass(new).groups == [each.group for each in new]
    # Even when all the budget is for one pass.
    assert a_pass(new, remaining_s=25.0).groups == [each.group for each in new]


def test_narrow_groups_drop_out() -> None:
    needs = [
        need("narrow", passes=MIN_PASSES, half_width=0.01),
        need("wide", passes=MIN_PASSES, half_width=0.2),
        need("young", passes=1),
        need("new"),
    ]
    assert a_pass(needs).groups == ["wide", "young", "new"]


def test_where_not_all_fit_new_ones_come_first_then_the_widest() -> None:
    needs = [
        need("wide", passes=MIN_PASSES, half_width=0.5, block_s=3.0),
        need("wider", passes=MIN_PASSES, half_width=0.9, block_s=3.0),
        need("new", block_s=3.0),
    ]
    assert a_pass(needs, remaining_s=STARTUP_S + 3.4).groups == ["new"]
    assert a_pass(needs, remaining_s=STARTUP_S + 6.7).groups == ["wider", "new"]


@given(groups(), REMAINING_S)
def test_only_groups_that_need_it_take_part_once_and_in_order(
    needs: list[Need], remaining_s: float
) -> None:
    planned = plan(needs, remaining_s)
    if isinstance(planned, NextPass):
        wanted = [e.group for e in needs if e.missing or e.half_width > PRECISION]
        assert planned.groups
        assert planned.groups == [group for group in wanted if group in planned.groups]


@given(groups(), st.floats(60, 3000))
def test_no_open_group_is_forgotten_while_there_is_money(
    needs: list[Need], remaining_s: float
) -> None:
    """Whatever the state: a pass is planned whenever one group can be paid for."""
    open_ = [e for e in needs if e.missing or e.half_width > PRECISION]
    planned = plan(needs, remaining_s)
    if open_ and STARTUP_S + min(e.least_s for e in open_) <= 0.5 * remaining_s:
        assert isinstance(planned, NextPass)


# How long it takes


@given(groups(), REMAINING_S)
def test_a_pass_never_takes_more_than_remains(needs: list[Need], remaining_s: float) -> None:
    planned = plan(needs, remaining_s)
    if isinstance(planned, NextPass):
        assert wall_s(planned, needs) <= remaining_s + LEAST_TIMED_S


@given(groups(), REMAINING_S)
def test_every_group_of_a_pass_has_time_for_a_block(needs: list[Need], remaining_s: float) -> None:
    planned = plan(needs, remaining_s)
    if isinstance(planned, NextPass):
        blocks_s = sum(each.block_s for each in needs if each.group in planned.groups)
        assert planned.timed_s >= max(LEAST_TIMED_S, blocks_s) * (1 - 1e-9)


def test_with_precision_zero_nothing_is_ever_narrow_enough() -> None:
    done = [need("a", passes=MIN_PASSES, half_width=0.0)]
    assert a_stop(done, precision=1e-9).reached
    assert a_pass(done, precision=0.0).groups == ["a"]


@given(st.integers(1, 60), st.floats(100, 1000))
def test_most_of_the_budget_is_spent_in_blocks(count: int, budget_s: float) -> None:
    needs = [need(f"g{index}", passes=FIRST_LOOKS) for index in range(count)]
    planned = a_pass(needs, remaining_s=budget_s)
    share = planned.timed_s / wall_s(planned, needs)
    overhead_s = STARTUP_S + sum(each.fixed_s for each in needs)
    several = budget_s >= MIN_PASSES * overhead_s / (1 - TIMED_SHARE)
    assert share >= (TIMED_SHARE - 0.1 if several else LEAST_TIMED_SHARE - 0.01)


@given(st.integers(1, 60), st.integers(0, FIRST_LOOKS - 1), st.floats(200, 1000))
def test_first_passes_are_short_and_the_next_one_is_not(
    count: int, passes: int, budget_s: float
) -> None:
    early = [need(f"g{index}", passes=passes) for index in range(count)]
    later = [replace(each, passes=FIRST_LOOKS) for each in early]
    first, third = (a_pass(needs, remaining_s=budget_s) for needs in (early, later))
    assert first.groups == third.groups
    assert LEAST_TIMED_S <= first.timed_s < third.timed_s
    fixed_s = sum(each.fixed_s for each in early)
    assert first.timed_s <= max(2.0, fixed_s)
    assert a_pass(early, remaining_s=budget_s, passes_left=2).timed_s > first.timed_s


# Passes that were asked for


@given(groups(), REMAINING_S, st.integers(1, 5))
def test_passes_asked_for_take_everything_and_ignore_the_budget(
    needs: list[Need], remaining_s: float, left: int
) -> None:
    planned = a_pass(needs, remaining_s=remaining_s, passes_left=left)
    assert planned.groups == [each.group for each in needs]
    assert planned.timed_s >= LEAST_TIMED_S


@pytest.mark.parametrize("left", [0, -1])
def test_after_the_passes_asked_for_it_is_over(left: int) -> None:
    stop = a_stop([need("a")], passes_left=left)
    assert stop == Stop("all passes are measured", reached=True)


def test_passes_asked_for_share_the_budget() -> None:
    needs = [need("a")]
    first = a_pass(needs, remaining_s=100.0, passes_left=4)
    assert wall_s(first, needs) == pytest.approx(25.0)


# Whole runs


def simulate(
    needs: list[Need], budget_s: float, width: float = 0.5
) -> tuple[list[NextPass], list[Need], float]:
    """Plan passes until it stops; a group's interval narrows with the passes it took part in."""
    planned: list[NextPass] = []
    left_s = budget_s
    while True:
        step = plan(needs, left_s)
        if isinstance(step, Stop):
            return planned, needs, left_s
        assert len(planned) < 1000
        planned.append(step)
        left_s -= wall_s(step, needs)
        needs = [
            replace(
                each,
                passes=each.passes + 1,
                half_width=width / each.passes if each.passes else math.inf,
            )
            if each.group in step.groups
            else each
            for each in needs
        ]


def long(group: str, block_s: float = 15.0) -> Need:
    assert block_s > LONG_GROUP_S
    return need(group, block_s=block_s)


def test_long_groups_take_turns_and_get_their_minimum() -> None:
    short = [need(f"s{index}") for index in range(20)]
    passes, after, left_s = simulate([*short, *(long(f"long{i}") for i in range(4))], 270.0)
    turns = Counter(group for each in passes for group in each.groups)
    assert {turns[f"long{i}"] for i in range(4)} == {MIN_PASSES_LONG}
    assert all(len([g for g in each.groups if g.startswith("long")]) <= 3 for each in passes)
    # Meanwhile the short ones have more passes than the long ones.
    assert min(turns[each.group] for each in short) >= MIN_PASSES
    assert left_s >= -LEAST_TIMED_S
    assert all(each.missing == 0 for each in after)


def test_long_groups_go_on_when_the_short_ones_are_narrow() -> None:
    needs = [need("s", passes=9, half_width=0.001), replace(long("l"), passes=2, half_width=0.3)]
    assert a_pass(needs).groups == ["l"]


def test_a_group_beyond_the_budget_costs_the_others_nothing() -> None:
    short = [need(f"s{index}") for index in range(5)]
    passes, after, _ = simulate([*short, long("endless", 1000.0)], 120.0)
    assert len(passes) >= MIN_PASSES
    assert all(each.passes >= MIN_PASSES for each in after if each.group != "endless")


def test_several_long_groups_beyond_the_budget_leave_time_for_what_fits() -> None:
    needs = [need("s"), *(long(f"long{i}", 50.0) for i in range(4))]
    passes, after, _ = simulate(needs, 120.0)
    assert passes
    assert after[0].passes > 0


@given(groups(), st.floats(30, 600))
def test_a_run_stays_within_its_budget_and_ends(needs: list[Need], budget_s: float) -> None:
    passes, _, left_s = simulate(needs, budget_s)
    assert left_s >= -LEAST_TIMED_S
    assert len(passes) <= budget_s / STARTUP_S + 1


@given(st.integers(1, 30))
def test_a_run_ends_when_it_knows_enough(count: int) -> None:
    needs = [need(f"g{index}") for index in range(count)]
    _, after, left_s = simulate(needs, 1e6, width=0.1)
    # 0.1 / (n - 1) is narrow enough after six passes, and no seventh is made.
    assert {each.passes for each in after} == {6}
    assert left_s > 0
