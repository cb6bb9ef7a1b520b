"""Where the time of the next pass goes. Free of TensorFlow; nothing here measures anything.

A pass pays for TensorFlow's import and for building its programs before it times a block. The
budget is cut into passes that spend about three quarters of their time in blocks, so that there
are several passes and yet most of the wall time is measurement; groups whose intervals are narrow
enough drop out of later passes, and of the others those with the widest get the most blocks.
Groups of very long calls are set apart: one block of theirs can cost as much as all the others
together, so they take turns, a few in each pass, until each has its minimum.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

TIMED_SHARE = 0.75
"""Of a pass's wall seconds, the part to spend in blocks; the rest is start-up and building."""
LEAST_TIMED_SHARE = 0.4
"""What that part may shrink to for the sake of another pass."""
MIN_PASS_S = 10.0
MIN_PASSES = 4
MIN_PASSES_LONG = 2
LONG_GROUP_S = 4.0
"""A group whose one block takes longer is timed in fewer passes."""
_MIN_TIMED_S = 1.5
FIRST_LOOKS = 2
"""Passes that time no longer than they build: first figures and a first verdict come soon."""
_FIRST_TIMED_S = 2.0


@dataclass(frozen=True)
class Need:
    """What is known of a group when a pass is planned."""

    group: str
    passes: int
    """Passes that have timed it."""
    half_width: float
    """The widest 95 % interval of its log ratios, as a half-width; inf while there is none."""
    fixed_s: float
    """Seconds to prepare its programs."""
    block_s: float
    """Seconds of one block of all its programs."""
    weight: float = 1.0
    """Its part of a pass's blocks, in seconds, relative to the others' (``statistics.weights``)."""

    @property
    def is_long(self) -> bool:
        """Whether one block takes so long that the group is set apart."""
        return self.block_s > LONG_GROUP_S

    @property
    def minimum(self) -> int:
        """Passes below which its intervals are not looked at."""
        return MIN_PASSES_LONG if self.is_long else MIN_PASSES

    @property
    def missing(self) -> int:
        """Passes that it is short of its minimum."""
        return max(0, self.minimum - self.passes)

    @property
    def least_s(self) -> float:
        """The least that a pass with this group costs."""
        return self.fixed_s + self.block_s


@dataclass(frozen=True)
class NextPass:
    """The groups of a pass and the seconds of its timed blocks."""

    groups: list[str]
    timed_s: float
    weights: dict[str, float] = field(default_factory=dict)
    """By group, as in ``Need``."""


@dataclass(frozen=True)
class Stop:
    """No further pass; why."""

    reason: str
    reached: bool
    """Whether every group has what it needs."""


def next_pass(
    needs: Sequence[Need],
    *,
    remaining_s: float,
    startup_s: float,
    precision: float,
    passes_left: int | None,
) -> NextPass | Stop:
    """Plan a pass, or say why there is none.

    Args:
        needs: every group that is still to be measured.
        remaining_s: wall seconds left.
        startup_s: wall seconds of a pass before it prepares its first program.
        precision: half-width of a log ratio's interval that is narrow enough; 0 means never.
        passes_left: how many more passes were asked for; None means as many as it takes.
    """
    if not needs:
        return Stop("there is nothing to time", reached=True)
    if passes_left is not None:
        if passes_left <= 0:
            return Stop("all passes are measured", reached=True)
        return _plan(list(needs), remaining_s / passes_left, startup_s)
    open_ = [
        need for need in needs if need.missing or not precision or not need.half_width <= precision
    ]
    if not open_:
        return Stop("every interval is narrow enough", reached=True)
    affordable = [need for need in open_ if startup_s + need.least_s <= remaining_s]
    short = [need for need in affordable if not need.is_long]
    long = [need for need in affordable if need.is_long]
    reserve_s = sum(need.missing * need.least_s for need in long)
    passes = _passes(short, remaining_s - reserve_s, startup_s)
    turns = math.ceil(sum(need.missing for need in long) / passes)
    chosen: list[Need] = []
    spent_s = startup_s
    for need in sorted((need for need in long if need.missing), key=_urgency)[:turns]:
        if spent_s + need.least_s <= remaining_s:
            chosen.append(need)
            spent_s += need.least_s
    wall_s = max(0.0, remaining_s - reserve_s) / passes + spent_s - startup_s
    for need in sorted(short or long, key=_urgency):
        # What was never measured, or is alone in the pass, may take all that remains.
        limit_s = wall_s if need.passes and chosen else remaining_s
        if need not in chosen and spent_s + need.least_s <= limit_s:
            chosen.append(need)
            spent_s += need.least_s
    if not chosen:
        return Stop("the budget is spent", reached=False)
    return _first_look(_plan([need for need in needs if need in chosen], wall_s, startup_s), chosen)


def _first_look(planned: NextPass, chosen: Sequence[Need]) -> NextPass:
    """Make the first passes of a run short."""
    if all(need.passes >= FIRST_LOOKS for need in chosen):
        return planned
    fixed_s = sum(need.fixed_s for need in chosen)
    least_s = sum(need.block_s for need in chosen)
    return replace(planned, timed_s=min(planned.timed_s, max(_FIRST_TIMED_S, least_s, fixed_s)))


def _passes(short: Sequence[Need], remaining_s: float, startup_s: float) -> int:
    """How many more passes the budget pays for, when each times for about its share.

    A small budget is rather cut into short passes than into one: one gives no interval.
    """
    overhead_s = startup_s + sum(need.fixed_s for need in short)
    pass_s = max(MIN_PASS_S, overhead_s / (1 - TIMED_SHARE))
    affordable = int(remaining_s * (1 - LEAST_TIMED_SHARE) / overhead_s)
    missing = max((need.missing for need in short), default=0)
    return max(1, round(remaining_s / pass_s), min(missing, affordable))


def _plan(chosen: list[Need], wall_s: float, startup_s: float) -> NextPass:
    fixed_s = sum(need.fixed_s for need in chosen)
    least_s = sum(need.block_s for need in chosen)
    timed_s = max(_MIN_TIMED_S, least_s, wall_s - startup_s - fixed_s)
    weights = {need.group: need.weight for need in chosen}
    return NextPass([need.group for need in chosen], timed_s, weights)


def _urgency(need: Need) -> tuple[bool, bool, float, float]:
    """Unmeasured groups first, then those short of passes, then the widest interval."""
    width = need.half_width if math.isfinite(need.half_width) else math.inf
    return (need.passes > 0, need.passes >= need.minimum, -width, need.least_s)
