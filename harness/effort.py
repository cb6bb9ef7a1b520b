"""Where the time of the next pass goes. Free of TensorFlow; nothing here measures anything.

A pass pays for TensorFlow's import and for building its programs before it times a block, and the
spread between passes is what limits an interval. So passes are kept short and their number is
what the budget decides; groups whose intervals are narrow enough drop out of later passes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

TIMED_SHARE = 0.6
"""Of a pass's wall seconds, the part to spend in blocks; the rest is start-up and building."""
MIN_PASS_S = 12.0
MIN_PASSES = 3
MIN_PASSES_LONG = 2
LONG_GROUP_S = 4.0
"""A group whose one block takes longer is timed in fewer passes."""
_MIN_TIMED_S = 1.5


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

    @property
    def minimum(self) -> int:
        """Passes below which its intervals are not looked at."""
        return MIN_PASSES_LONG if self.block_s > LONG_GROUP_S else MIN_PASSES

    @property
    def least_s(self) -> float:
        """The least that a pass with this group costs."""
        return self.fixed_s + self.block_s


@dataclass(frozen=True)
class NextPass:
    """The groups of a pass and the seconds of its timed blocks."""

    groups: list[str]
    timed_s: float


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
    open_ = list(needs)
    if passes_left is None:
        open_ = [need for need in needs if _is_open(need, precision)]
        if not open_:
            return Stop("every interval is narrow enough", reached=True)
    elif passes_left <= 0:
        return Stop("all passes are measured", reached=True)
    pass_s = max(MIN_PASS_S, (startup_s + sum(n.fixed_s for n in open_)) / (1 - TIMED_SHARE))
    wall_s = remaining_s / (passes_left or max(1, round(remaining_s / pass_s)))
    # Passes that were asked for by number are measured whatever they cost.
    available_s = remaining_s if passes_left is None else math.inf
    chosen = _fill(open_, wall_s - startup_s, available_s - startup_s)
    if not chosen:
        return Stop("the budget is spent", reached=False)
    fixed_s = sum(need.fixed_s for need in chosen)
    least_s = sum(need.block_s for need in chosen)
    timed_s = max(_MIN_TIMED_S, least_s, wall_s - startup_s - fixed_s)
    return NextPass([need.group for need in chosen], timed_s)


def _is_open(need: Need, precision: float) -> bool:
    return need.passes < need.minimum or not need.half_width <= precision


def _fill(needs: list[Need], wanted_s: float, available_s: float) -> list[Need]:
    """The neediest groups that fit; those with the fewest passes first.

    A first pass takes every group even when that is more than its share, as long as it is
    affordable at all: a cell without a number is worse than a wide interval.
    """
    chosen: list[Need] = []
    spent_s = 0.0
    for need in sorted(needs, key=_urgency):
        limit_s = available_s if need.passes == 0 or math.isinf(available_s) else wanted_s
        if spent_s + need.least_s <= limit_s or (not chosen and need.least_s <= available_s):
            chosen.append(need)
            spent_s += need.least_s
    return [need for need in needs if need in chosen]


def _urgency(need: Need) -> tuple[bool, bool, float, float]:
    """Unmeasured groups first, then those short of passes, then the widest interval."""
    width = need.half_width if math.isfinite(need.half_width) else math.inf
    return (need.passes > 0, need.passes >= need.minimum, -width, need.least_s)
