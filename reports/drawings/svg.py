"""Pieces of SVG as text, and scales from values to places.

Every text that comes from a record goes through ``text`` or ``title``, which escape it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from eager_vs_graph.errors import printable

MARKS = {
    "o": "M-3 0a3 3 0 1 0 6 0a3 3 0 1 0 -6 0z",
    "s": "M-2.7-2.7h5.4v5.4h-5.4z",
    "D": "M0-3.7L3.7 0L0 3.7L-3.7 0z",
    "^": "M0-3.5L3.4 2.6H-3.4z",
    "v": "M0 3.5L3.4-2.6H-3.4z",
    "<": "M-3.5 0L2.6-3.4V3.4z",
    ">": "M3.5 0L-2.6-3.4V3.4z",
    "P": "M-1.2-3.4h2.4v2.2h2.2v2.4h-2.2v2.2h-2.4v-2.2h-2.2v-2.4h2.2z",
    "X": "M-3.2-2L-2-3.2L0-1.2L2-3.2L3.2-2L1.2 0L3.2 2L2 3.2L0 1.2L-2 3.2L-3.2 2L-1.2 0z",
    "x": "M-3.2-2L-2-3.2L0-1.2L2-3.2L3.2-2L1.2 0L3.2 2L2 3.2L0 1.2L-2 3.2L-3.2 2L-1.2 0z",
    "p": "M0-3.5L3.3-1.1L2 2.8H-2L-3.3-1.1z",
    "h": "M0-3.5L3-1.75V1.75L0 3.5L-3 1.75V-1.75z",
    "d": "M0-3.9L2.4 0L0 3.9L-2.4 0z",
    "*": "M0-3.8L1-1.2H3.7L1.6.6L2.4 3.3L0 1.7L-2.4 3.3L-1.6.6L-3.7-1.2H-1z",
    "8": "M-1.4-3.3h2.8L3.3-1.4v2.8L1.4 3.3h-2.8L-3.3 1.4v-2.8z",
    "H": "M-3.5 0L-1.75-3h3.5L3.5 0L1.75 3h-3.5z",
}
"""By the names that modes have for their markers: outlines around the origin, some 6 units wide."""


@dataclass(frozen=True)
class Scale:
    """A logarithmic scale from values to places."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """Return the place of a value; what is beyond the ends is at the end."""
        value = min(max(value, self.low), self.high)
        part = math.log(value / self.low) / math.log(self.high / self.low)
        return self.start + part * (self.end - self.start)


def log_scale(values: Iterable[float], start: float, end: float, margin: float = 0.04) -> Scale:
    """Make a scale that holds all values, with a margin as a part of its length."""
    usable = [value for value in values if value > 0 and math.isfinite(value)] or [1.0]
    low, high = min(usable), max(usable)
    if high / low < 1.02:
        low, high = low / 1.02, high * 1.02
    room = (high / low) ** margin
    return Scale(low / room, high * room, start, end)


def log_ticks(scale: Scale, most: int) -> list[float]:
    """Return the finest round values on a scale that are not too many."""
    first = math.floor(math.log10(scale.low))
    decades = [10.0**power for power in range(first, math.ceil(math.log10(scale.high)) + 1)]
    for steps in (
        (1, 1.1, 1.25, 1.5, 1.75, 2, 2.5, 3, 4, 5, 6, 8),
        (1, 1.5, 2, 3, 5, 7),
        (1, 2, 5),
        (1, 3),
        (1,),
    ):
        found = [float(f"{d * s:.3g}") for d in decades for s in steps]
        found = [each for each in found if scale.low <= each <= scale.high]
        if len(found) <= most:
            return found
    return found[:: -(-len(found) // most)]


def number(value: float) -> str:
    """Write a coordinate: at most one decimal, nothing that is not needed."""
    return f"{value:.1f}".removesuffix(".0").replace("-0.", "-.")


def text(x: float, y: float, words: str, anchor: str = "start", kind: str = "") -> str:
    """Write some words; ``kind`` is a class of the page's style."""
    where = "" if anchor == "start" else f' text-anchor="{anchor}"'
    look = f' class="{kind}"' if kind else ""
    return f'<text x="{number(x)}" y="{number(y)}"{where}{look}>{safe(words)}</text>'


def title(words: str) -> str:
    """Say what a piece is: shown when a reader points at it, and read aloud."""
    return f"<title>{safe(words)}</title>"


def safe(words: str) -> str:
    """Escape text of a record."""
    return str(escape(printable(words)))


def line(x1: float, y1: float, x2: float, y2: float, kind: str = "") -> str:
    """Draw a straight line."""
    look = f' class="{kind}"' if kind else ""
    return f'<path{look} d="M{number(x1)} {number(y1)}L{number(x2)} {number(y2)}"/>'


def polyline(points: Sequence[tuple[float, float]], colour: str) -> str:
    """Draw a line through points."""
    path = "L".join(f"{number(x)} {number(y)}" for x, y in points)
    return f'<path class="c" style="stroke:{colour}" d="M{path}"/>'


def dots(points: Iterable[tuple[float, float]], colour: str) -> str:
    """Draw many small dots as one path."""
    path = "".join(f"M{round(x)} {number(y)}h0" for x, y in points)
    return f'<path class="dots" style="stroke:{colour}" d="{path}"/>' if path else ""


def mark(x: float, y: float, marker: str, colour: str, fill: float, words: str = "") -> str:
    """Draw the marker of a mode; ``fill`` is the opacity of its inside."""
    inside = title(words) if words else ""
    return (
        f'<path class="m" style="--c:{colour};fill-opacity:{fill:g}" '
        f'transform="translate({number(x)} {number(y)})" d="{MARKS.get(marker, MARKS["o"])}">'
        f"{inside}</path>"
    )


def picture(
    width: float,
    height: float,
    label: str,
    pieces: Iterable[str],
    kind: str = "",
    role: str = "img",
) -> Markup:
    """Put pieces together; ``label`` says what is seen to those who do not see it.

    ``role`` is ``group`` where pieces are links.
    """
    look = f"drawing {kind}".strip()
    return Markup(  # noqa: S704 - every text in it is escaped
        f'<svg class="{look}" viewBox="0 0 {number(width)} {number(height)}" '
        f'style="--w:{number(width)}" role="{role}" aria-label="{safe(label)}">'
        f"{''.join(pieces)}</svg>"
    )


def x_axis(
    scale: Scale, top: float, bottom: float, write: Callable[[float], str], most: int = 6
) -> list[str]:
    """Draw the lines of a grid, with their values below."""
    pieces = []
    for value in log_ticks(scale, most):
        x = scale(value)
        pieces.append(line(x, top, x, bottom, "grid"))
        pieces.append(text(x, bottom + 12, write(value), "middle", "tick"))
    return pieces


def y_axis(
    scale: Scale, left: float, right: float, write: Callable[[float], str], most: int = 5
) -> list[str]:
    """Draw the lines of a grid, with their values on the left."""
    pieces = []
    for value in log_ticks(scale, most):
        y = scale(value)
        pieces.append(line(left, y, right, y, "grid"))
        pieces.append(text(left - 5, y + 4, write(value), "end", "tick"))
    return pieces
