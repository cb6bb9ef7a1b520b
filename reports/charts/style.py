"""The look of every chart: one colour and marker a mode, ink that follows light and dark."""

from __future__ import annotations

import hashlib
import io
import re
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from itertools import cycle, pairwise
from pathlib import Path
from types import MappingProxyType
from typing import Any

import matplotlib as mpl
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from eager_vs_graph.results import files
from eager_vs_graph.results.cells import CONTROL
from eager_vs_graph.results.mode_kinds import EXECUTION
from eager_vs_graph.results.request import RunRequest
from eager_vs_graph.statistics.speedup_rule import BASELINE

WIDTH_IN = 4.8
"""Width of every chart: legible on a phone, two side by side on a laptop."""

LEGEND_COLUMNS = 4
"""At most; fewer where names are long."""
HEADING_IN = 0.36

INK = "#1f2329"
FAINT = "#8b929a"
"""Grid and rules: between the two backgrounds, so that it stays faint on both."""

_NAME_LENGTH = 120

FAINT_TEXT = "#767d86"


@dataclass(frozen=True)
class Look:
    """How a mode is drawn; colours have a contrast of 3:1 or more on white and on near-black."""

    colour: str
    marker: str


_CONTROL = Look("#86878a", "x")
_DEFAULTS = (
    Look("#7d8590", "o"),
    Look("#1f7fc4", "s"),
    Look("#d55e00", "D"),
    Look("#00946c", "^"),
    Look("#c2559a", "v"),
    Look("#8a63d2", "P"),
    Look("#a67c00", "X"),
    Look("#008c95", "<"),
    Look("#a0623a", ">"),
    Look("#6b8500", "p"),
    Look("#d33f5a", "h"),
    Look("#4f74e0", "d"),
    Look("#b86b00", "*"),
    Look("#2f8f2f", "8"),
    Look("#9a5fb0", "H"),
)
"""For modes of which a record does not say how they look, in the order of the modes."""
_COLOUR = re.compile(r"#[0-9a-f]{6}")
_MARKERS = frozenset(look.marker for look in _DEFAULTS)
_of_run: ContextVar[Mapping[str, Look]] = ContextVar("_of_run", default=MappingProxyType({}))

RC: dict[Any, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": FAINT,
    "axes.linewidth": 0.8,
    "axes.labelsize": 9,
    "axes.titlesize": 10,
    "xtick.color": FAINT,
    "ytick.color": FAINT,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.labelsize": 8.5,
    "ytick.labelsize": 8.5,
    "legend.frameon": False,
    "legend.fontsize": 9,
    "legend.handletextpad": 0.4,
    "legend.columnspacing": 1.2,
    "svg.fonttype": "none",
    "svg.hashsalt": "eager-vs-graph",
    "text.parse_math": False,  # a name with dollars is no formula
}

_SVG_THEME = (
    "<style>svg{color:#1f2329}@media(prefers-color-scheme:dark){svg{color:#e6e9ee}}</style>"
)


@contextmanager
def looks_of(request: RunRequest) -> Iterator[None]:
    """Have the modes look as the run's record says, or else by their order in it."""
    looks = {
        mode: Look(about.colour, about.marker)
        for mode, about in request.about_modes.items()
        if _COLOUR.fullmatch(about.colour) and about.marker in _MARKERS
    }
    others = [mode for mode in request.modes if mode not in looks]
    spare = [look for look in _DEFAULTS if look not in looks.values()] or _DEFAULTS
    token = _of_run.set(looks | dict(zip(others, cycle(spare), strict=False)))
    try:
        yield
    finally:
        _of_run.reset(token)


def look_of(mode: str, modes: Iterable[str]) -> Look:
    """Return how a mode looks in the run (``looks_of``); if in none, by its place in ``modes``."""
    if mode == CONTROL:
        return _CONTROL
    if look := _of_run.get().get(mode):
        return look
    recorded = _of_run.get()
    others = sorted({*modes, mode} - recorded.keys() - {CONTROL})
    spare = [look for look in _DEFAULTS if look not in recorded.values()] or _DEFAULTS
    return spare[others.index(mode) % len(spare)]


@contextmanager
def styled() -> Iterator[None]:
    """Draw and save figures in here. A character that the font has not is drawn as a box."""
    with mpl.rc_context(RC), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from", UserWarning)
        yield


def figure(height_in: float, title: str, cells: pd.DataFrame, width_in: float = WIDTH_IN) -> Figure:
    """Make a figure with its heading: what is drawn, on which device, under which inputs policy."""
    drawing = Figure(figsize=(width_in, height_in))
    drawing.text(*_inches(drawing, 0.06, 0.05), title, weight="bold", fontsize=10.5, va="top")
    where = _inches(drawing, width_in - 0.06, 0.065)
    right = drawing.text(*where, ", ".join(_subject(cells)), va="top", ha="right")
    right.set_color(FAINT_TEXT)
    return drawing


def _subject(cells: pd.DataFrame) -> list[str]:
    """Name devices and inputs policy of a figure, and the kind of modes where it is another."""
    devices = list(cells["device"].unique())
    kind = kind_of(cells)
    policies = policy(cells)
    return [*devices, policies.removesuffix(" inputs"), kind] if kind else [*devices, policies]


def kind_of(cells: pd.DataFrame) -> str:
    """Return the one kind of modes that a figure is about beside eager; empty for execution."""
    kinds = cells.loc[cells["mode"] != BASELINE, "mode_kind"].unique()
    return str(kinds[0]) if len(kinds) == 1 and kinds[0] != EXECUTION else ""


def policy(cells: pd.DataFrame) -> str:
    """Name where the inputs of some cells are: ``fed inputs``, ``resident and fed inputs``."""
    return f"{' and '.join(cells['inputs'].unique())} inputs"


def _inches(drawing: Figure, left: float, top: float) -> tuple[float, float]:
    """Figure coordinates of a point given in inches from the upper left corner."""
    width_in, height_in = drawing.get_size_inches()
    return left / width_in, 1 - top / height_in


def inset(drawing: Figure, *, left: float, right: float, top: float, height: float) -> Axes:
    """Axes placed by margins in inches: ``top`` from the top of the figure, ``height`` tall."""
    width_in, height_in = drawing.get_size_inches()
    return drawing.add_axes(
        (
            left / width_in,
            1 - (top + height) / height_in,
            (width_in - left - right) / width_in,
            height / height_in,
        )
    )


def legend(drawing: Figure, modes: Sequence[str], **line: Any) -> None:
    """Draw the modes' looks in rows across the top of the figure."""
    looks = [look_of(mode, modes) for mode in modes]
    handles = [
        Line2D([], [], color=look.colour, marker=look.marker, markersize=5, lw=1.5, **line)
        for look in looks
    ]
    drawing.legend(
        handles,
        list(modes),
        loc="upper left",
        bbox_to_anchor=_inches(drawing, 0.0, HEADING_IN),
        ncols=_legend_columns(modes),
        borderaxespad=0,
    )


def legend_height_in(modes: Sequence[str]) -> float:
    """Return the room that heading and legend take."""
    return HEADING_IN + 0.1 + 0.2 * -(-len(modes) // _legend_columns(modes))


def _legend_columns(modes: Sequence[str]) -> int:
    """Return how many columns of names fit beside each other; names go down, then right."""
    for columns in range(LEGEND_COLUMNS, 1, -1):
        lines, longer = divmod(len(modes), columns)  # the first columns are longer by one
        starts = [column * lines + min(column, longer) for column in range(columns + 1)]
        longest = [max(map(len, modes[start:end]), default=0) for start, end in pairwise(starts)]
        if sum(0.47 + 0.078 * length for length in longest) <= WIDTH_IN:
            return columns
    return 1


def log_ticks(low: float, high: float, most: int = 6) -> list[float]:
    """Return the finest round values within limits that are not too many."""
    decades = [10.0**power for power in range(-12, 13)]
    for steps in (
        (1, 1.1, 1.25, 1.5, 2, 2.5, 3, 4, 5, 6, 8),
        (1, 1.5, 2, 3, 5, 7),
        (1, 2, 5),
        (1,),
    ):
        ticks = [float(f"{d * s:.3g}") for d in decades for s in steps if low <= d * s <= high]
        if len(ticks) <= most:
            return ticks
    return ticks[:: -(-len(ticks) // most)]


def ticks(axis: Axis, values: Sequence[float], label: Callable[[float], str]) -> None:
    """Put labelled ticks at some values and nowhere else."""
    axis.set_major_locator(FixedLocator(values))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(FuncFormatter(lambda value, _: label(value)))


def plain(axes: Axes) -> None:
    """Reduce the frame to its bottom line."""
    for side in ("left", "right", "top"):
        axes.spines[side].set_visible(False)
    axes.tick_params(axis="y", length=0)


def save(drawing: Figure, folder: Path, name: str) -> tuple[Path, Path]:
    """Write ``charts/name.png`` (light) and ``.svg`` (light or dark); the same bytes every time.

    Args:
        drawing: the figure.
        folder: the run's.
        name: of the files; what a file's name cannot have is replaced.
    """
    stem = f"charts/{file_name(name)}"
    png, svg = io.BytesIO(), io.StringIO()
    with styled():
        drawing.savefig(png, format="png", dpi=160, facecolor="white", metadata={"Software": None})
        drawing.savefig(svg, format="svg", transparent=True, metadata={"Date": None})
    return (
        files.write(folder, f"{stem}.png", png.getvalue()),
        files.write(folder, f"{stem}.svg", themed(svg.getvalue()).encode()),
    )


def file_name(name: str) -> str:
    """A name that any text can have as a file: what had to be replaced is told apart by a digest.

    A record names scenarios, sizes and outputs; none of them may lead to another folder.
    """
    plain = re.sub(r"[^\w.+=-]", "-", name, flags=re.ASCII).lstrip(".")[:_NAME_LENGTH]
    if plain == name.replace(" ", "-"):
        return plain
    return f"{plain}-{hashlib.sha256(name.encode('utf-8', 'replace')).hexdigest()[:8]}"


def themed(svg: str) -> str:
    """Let the ink of an SVG follow the reader's colour scheme."""
    svg = re.sub(r"<metadata>.*?</metadata>\s*", "", svg, count=1, flags=re.DOTALL)
    svg = svg.replace(INK, "currentColor")
    return re.sub(r"(<svg\b[^>]*>)", rf"\1{_SVG_THEME}", svg, count=1)
