"""How many blocks each group gets in a pass, and in which order they are timed."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

MAX_BLOCKS = 120
ITEM_S = 4.0e-3
"""What pytest and the reset of the state cost beside each timed block."""


@dataclass(frozen=True)
class Turn:
    """One program's turn in one block."""

    cell: str
    block: int
    position: int
    """Place of the program within the block, from 0."""


def allocate(
    block_s: Mapping[str, float],
    seconds: float,
    minimum: int = 2,
    weights: Mapping[str, float] = MappingProxyType({}),
) -> dict[str, int]:
    """Share a pass's seconds among groups, by weight.

    Args:
        block_s: seconds of one block of each group, all modes.
        seconds: seconds to fill.
        minimum: blocks that a group gets even when its share does not pay for them, except
            groups whose single block is longer than their share: they get one.
        weights: how much of the time a group should have, relative to the others; 1 by default.

    Returns:
        Blocks by group. Time that cheap groups cannot use goes to the others.
    """
    blocks: dict[str, int] = {}
    left = seconds
    weight = {group: weights.get(group, 1.0) for group in block_s}
    weight_left = sum(weight.values())
    # The cheapest first: what they leave unused raises the share of the rest.
    for group in sorted(block_s, key=lambda group: block_s[group] / weight[group]):
        share = max(0.0, left) * weight[group] / weight_left
        wanted = int(share / block_s[group])
        floor = 1 if block_s[group] > share else minimum
        blocks[group] = min(MAX_BLOCKS, max(floor, wanted))
        left -= blocks[group] * block_s[group]
        weight_left = max(weight_left - weight[group], 1e-9)
    return {group: blocks[group] for group in block_s}


def order(
    groups: Mapping[str, Sequence[str]], blocks: Mapping[str, int], rng: random.Random
) -> list[Turn]:
    """The turns of a pass.

    The blocks of a group are spread over the whole pass, so that no group is measured in one
    state of the machine only; the cells of a block follow each other at once, in random order,
    so that what a slow moment does to one of them it does to all. A pass that runs out of time
    drops the last turns; every group has a block in the first half.
    """
    starts = [
        ((number + rng.random() / 2) / blocks[group], group, number)
        for group in groups
        for number in range(blocks[group])
    ]
    turns: list[Turn] = []
    for _, group, number in sorted(starts):
        cells = list(groups[group])
        rng.shuffle(cells)
        turns += [Turn(cell, number, position) for position, cell in enumerate(cells)]
    return turns
