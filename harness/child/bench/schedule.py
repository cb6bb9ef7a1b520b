"""How many items each group gets in a pass, and in which order they are timed."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

ITEM_S = 4.0e-3
"""What pytest, the reset of the state and the journal cost beside each item."""
LONG_ITEM_S = 0.04
"""Seconds of the blocks of an item: ten times what it costs beside them, and short enough that the
groups of a pass take turns too."""
MAX_BLOCKS = 100
"""Blocks of an item at most. Variables move on with every call: their values shall stay near those
that a user's program has."""
MAX_ITEMS = 400


@dataclass(frozen=True)
class Item:
    """Some blocks of one group."""

    group: str
    cells: tuple[str, ...]
    block: int
    """Number of the first block, counted over the pass."""
    blocks: int


def blocks_of_item(block_s: float) -> int:
    """Blocks of an item, by the seconds of one block of all programs of its group."""
    return max(1, min(MAX_BLOCKS, round(LONG_ITEM_S / block_s)))


def allocate(
    item_s: Mapping[str, float],
    seconds: float,
    minimum: int = 2,
    weights: Mapping[str, float] = MappingProxyType({}),
) -> dict[str, int]:
    """Share a pass's seconds among groups, by weight.

    Args:
        item_s: seconds of one item of each group.
        seconds: seconds to fill.
        minimum: items that a group gets even when its share does not pay for them, except
            groups whose single item is longer than their share: they get one.
        weights: how much of the time a group should have, relative to the others; 1 by default.

    Returns:
        Items by group. Time that cheap groups cannot use goes to the others.
    """
    items: dict[str, int] = {}
    left = seconds
    weight = {group: weights.get(group, 1.0) for group in item_s}
    weight_left = sum(weight.values())
    # The cheapest first: what they leave unused raises the share of the rest.
    for group in sorted(item_s, key=lambda group: item_s[group] / weight[group]):
        share = max(0.0, left) * weight[group] / weight_left
        wanted = int(share / item_s[group])
        floor = 1 if item_s[group] > share else minimum
        items[group] = min(MAX_ITEMS, max(floor, wanted))
        left -= items[group] * item_s[group]
        weight_left = max(weight_left - weight[group], 1e-9)
    return {group: items[group] for group in item_s}


def order(
    groups: Mapping[str, Sequence[str]],
    items: Mapping[str, int],
    blocks: Mapping[str, int],
    rng: random.Random,
) -> list[Item]:
    """The items of a pass.

    Those of a group are spread over the whole pass, so that no group is measured in one state of
    the machine only. A pass that runs out of time drops the last ones; every group has an item in
    the first half.

    Args:
        groups: the cells of each group.
        items: how many items each group has.
        blocks: how many blocks each item of a group has.
        rng: for the order of groups.
    """
    starts = [
        ((number + rng.random() / 2) / items[group], group, number)
        for group in groups
        for number in range(items[group])
    ]
    return [
        Item(group, tuple(groups[group]), number * blocks[group], blocks[group])
        for _, group, number in sorted(starts)
    ]
