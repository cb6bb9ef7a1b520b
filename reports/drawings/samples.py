"""How the blocks of one comparison lie, and how they moved over the run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from markupsafe import Markup
from numpy.typing import NDArray

from eager_vs_graph.reports.drawings import svg
from eager_vs_graph.reports.formatting import seconds, seconds_tick
from eager_vs_graph.statistics.passes import OF_BLOCK, locate

Floats = NDArray[np.float64]

WIDTH, LEFT, RIGHT = 380.0, 52.0, 376.0
SPLIT = 292.0
"""Where the blocks in time end and the boxes begin."""
TOP, BOTTOM = 8.0, 150.0
HEIGHT = 182.0
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
MOST = 90
"""Dots of a mode that are drawn; of more, every n-th."""


@dataclass(frozen=True)
class Samples:
    """The blocks of one cell, in the order of the run."""

    passes: NDArray[np.int64]
    blocks: NDArray[np.int64]
    seconds: Floats
    """Per call: what stands for the block in every estimate."""


def samples_of(blocks: pd.DataFrame) -> dict[str, Samples]:
    """By cell, its blocks in the order of passes and blocks."""
    if blocks.empty:
        return {}
    located = locate(blocks)
    codes, names = pd.factorize(located["cell"])
    numbers = located["pass"].to_numpy(dtype=np.int64), located["block"].to_numpy(dtype=np.int64)
    order = np.lexsort((numbers[1], numbers[0], codes))
    ends = np.cumsum(np.bincount(codes, minlength=len(names)))[:-1]
    parts = (
        np.split(values[order], ends)
        for values in (*numbers, np.exp(located[OF_BLOCK].to_numpy(dtype=np.float64)))
    )
    return {
        str(name): Samples(*arrays)
        for name, arrays in zip(names, zip(*parts, strict=True), strict=True)
    }


def draw(
    rows: Sequence[Any], samples: Mapping[str, Samples], colours: Mapping[str, str], name: str
) -> Markup:
    """Draw the blocks of a comparison's cells; nothing where fewer than two were timed.

    Args:
        rows: of the summary, those of one comparison.
        samples: by cell.
        colours: by mode.
        name: of the comparison, for those who do not see it.
    """
    timed = [(row, samples[row.Index]) for row in rows if row.Index in samples]
    if not timed or max(len(each.seconds) for _, each in timed) < 2:
        return Markup("")
    shown = np.concatenate([_shown(each.seconds) for _, each in timed])
    scale = svg.log_scale([float(shown.min()), float(shown.max())], BOTTOM, TOP, 0.05)
    pieces = svg.y_axis(scale, LEFT, RIGHT, seconds_tick)
    passes = sorted({int(number) for _, each in timed for number in each.passes})
    starts = {
        number: LEFT + (SPLIT - LEFT) * place / len(passes) for place, number in enumerate(passes)
    }
    width = (SPLIT - LEFT) / len(passes)
    every = max(1, -(-len(passes) // 8))
    for place, number in enumerate(passes):
        if place:
            pieces.append(svg.line(starts[number], TOP, starts[number], BOTTOM, "rule"))
        if place % every == 0:
            pieces.append(
                svg.text(starts[number] + width / 2, BOTTOM + 13, str(number), "middle", "tick")
            )
    for row, each in timed:
        pieces.append(_dots(each, starts, width, scale, colours[row.mode]))
    step = (RIGHT - SPLIT - 10) / len(timed)
    for place, (row, each) in enumerate(timed):
        x = SPLIT + 10 + step * (place + 0.5)
        pieces += _box(each.seconds, x, min(step, 16), scale, colours[row.mode], row.mode)
    pieces.append(svg.text((LEFT + SPLIT) / 2, BOTTOM + 27, "pass, block after block", "middle"))
    pieces.append(svg.text((SPLIT + 10 + RIGHT) / 2, BOTTOM + 13, "middle half,", "middle", "tick"))
    pieces.append(svg.text((SPLIT + 10 + RIGHT) / 2, BOTTOM + 25, "5% to 95%", "middle", "tick"))
    return svg.picture(WIDTH, HEIGHT, f"Seconds per call of every block, {name}", pieces)


LEVELS = "".join(map(chr, range(35, 92))) + "".join(map(chr, range(93, 127)))
"""The heights of the dots that the page's script draws, from the bottom to the top."""
FEW = 40
"""Dots of a mode that the page's script draws."""


def data(rows: Sequence[Any], samples: Mapping[str, Samples]) -> dict[str, Any] | None:
    """What the page's script draws the blocks of a comparison from.

    Returns:
        ``ticks``: height (0 to 1) and label of each line; ``modes``: for each its name, how many of
        its dots are of each pass, the heights of its dots, and the heights of its box.
    """
    timed = [(row, samples[row.Index]) for row in rows if row.Index in samples]
    if not timed or max(len(each.seconds) for _, each in timed) < 2:
        return None
    shown = np.concatenate([_shown(each.seconds) for _, each in timed])
    scale = svg.log_scale([float(shown.min()), float(shown.max())], 0, 1, 0.05)
    return {
        "ticks": [[round(scale(v), 3), seconds_tick(v)] for v in svg.log_ticks(scale, 5)],
        "modes": [[row.mode, *_heights(each, scale)] for row, each in timed],
    }


def _heights(each: Samples, scale: svg.Scale) -> tuple[list[int], str, list[float]]:
    step = -(-len(each.seconds) // FEW)
    places = np.log(each.seconds[::step] / scale.low) / np.log(scale.high / scale.low)
    levels = np.clip(np.round(places * (len(LEVELS) - 1)), 0, len(LEVELS) - 1).astype(int)
    _, counts = np.unique(each.passes[::step], return_counts=True)
    box = np.quantile(each.seconds, QUANTILES)
    return (
        counts.tolist(),
        "".join(LEVELS[level] for level in levels),
        [round(scale(float(value)), 3) for value in box],
    )


def _shown(values: Floats) -> Floats:
    """Leave out of the scale what lies far beyond nearly all others."""
    low, high = np.quantile(values, [0.005, 0.985])
    kept: Floats = values[(values >= low) & (values <= high)]
    return kept if kept.size else values


def _dots(
    each: Samples, starts: Mapping[int, float], width: float, scale: svg.Scale, colour: str
) -> str:
    order = each.blocks.astype(np.float64)
    points = []
    for number in np.unique(each.passes):
        mine = each.passes == number
        first, last = order[mine].min(), order[mine].max()
        part = (order[mine] - first + 0.5) / (last - first + 1)
        points += list(zip(starts[int(number)] + part * width, each.seconds[mine], strict=True))
    step = -(-len(points) // MOST)
    return svg.dots(((x, scale(value)) for x, value in points[::step]), colour)


def _box(
    values: Floats, x: float, width: float, scale: svg.Scale, colour: str, mode: str
) -> list[str]:
    low, first, middle, third, high = np.quantile(values, QUANTILES)
    top, bottom, half = scale(third), scale(first), width / 2 - 1.5
    said = (
        f"{mode}: median block {seconds(middle)}, half of them {seconds(first)} to {seconds(third)}"
    )
    return [
        f'<g style="--c:{colour}" class="box">{svg.title(said)}',
        svg.line(x, scale(low), x, scale(high)),
        f'<rect x="{svg.number(x - half)}" y="{svg.number(top)}" width="{svg.number(2 * half)}" '
        f'height="{svg.number(max(bottom - top, 1))}"/>',
        svg.line(x - half, scale(middle), x + half, scale(middle), "middle"),
        "</g>",
    ]
