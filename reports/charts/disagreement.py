"""One disagreement: error by step, error by element, or a histogram of distances."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from eager_vs_graph.reports.charts import style
from eager_vs_graph.reports.disagreements import DisagreementGroup
from eager_vs_graph.reports.formatting import one_line, ulps
from eager_vs_graph.reports.labels import workload
from eager_vs_graph.results.explanation import Profile
from eager_vs_graph.results.mode_kinds import EXECUTION

TITLE = "Disagreement"
PLOT_IN = 1.35
HEADING_IN = 0.26
BELOW_IN = 0.42
LEFT_IN, RIGHT_IN = 0.85, 0.2
FEW = 200
"""Elements that are drawn one by one; of more, the distances are counted."""
LABELS = 9
"""Bins of the histogram that are labelled."""


def draw(disagreement: DisagreementGroup, profile: Profile) -> Figure:
    """Draw the profile of a disagreement's worst tensor."""
    cells = pd.DataFrame(
        [{**vars(cell), "mode_kind": EXECUTION} for cell in disagreement.cells[:1]]
    )
    if by_step(profile):
        modes = list(profile.errors)
        axes = _axes(disagreement, profile, cells, "Error by step", modes)
        _steps(axes, profile, modes)
    elif profile.elements <= FEW:
        modes = [profile.mode, *(["eager"] if profile.reference else [])]
        modes = ["eager"] if disagreement.cell.mode == "eager" and not _differs(profile) else modes
        axes = _axes(disagreement, profile, cells, "Error by element", modes)
        _elements(axes, profile, modes)
    else:
        axes = _axes(disagreement, profile, cells, "Elements by distance", [])
        _histogram(axes, profile)
    figure = axes.get_figure()
    assert isinstance(figure, Figure)
    return figure


def caption(disagreement: DisagreementGroup, profile: Profile) -> str:
    """Say what the chart shows, also for those who cannot see it."""
    tensor = f"{profile.tensor} of {workload(disagreement.cell.scenario, disagreement.cell.size)}"
    if by_step(profile):
        return f"Largest absolute error of {tensor} against the reference, step by step."
    if profile.elements <= FEW and profile.reference:
        return f"Absolute error of every element of {tensor} against the reference."
    if profile.elements <= FEW:
        return f"Absolute difference of every element of {tensor} from eager's."
    return f"Distance of the {profile.elements:,} elements of {tensor} from eager's."


def by_step(profile: Profile) -> bool:
    """Whether the error changes from step to step."""
    return any(len(each) > 1 and len(set(each)) > 1 for each in profile.errors.values())


def _differs(profile: Profile) -> bool:
    return any(distance != 0 for distance in profile.ulp)


def _axes(
    disagreement: DisagreementGroup,
    profile: Profile,
    cells: pd.DataFrame,
    title: str,
    modes: Sequence[str],
) -> Axes:
    top = (style.legend_height_in(modes) if modes else style.HEADING_IN) + HEADING_IN
    drawing = style.figure(top + PLOT_IN + BELOW_IN, title, cells)
    if modes:
        style.legend(drawing, modes, linestyle="none")
    axes = style.inset(drawing, left=LEFT_IN, right=RIGHT_IN, top=top, height=PLOT_IN)
    style.plain(axes)
    axes.grid(axis="y", color=style.FAINT, lw=0.5, alpha=0.35)
    axes.set_axisbelow(True)
    left = (0.06 - LEFT_IN) / (style.WIDTH_IN - LEFT_IN - RIGHT_IN)
    step = "" if by_step(profile) else f", step {profile.step}"
    name = workload(disagreement.cell.scenario, disagreement.cell.size)
    named = one_line(f"{name}: {profile.tensor}{step}")
    axes.set_title(named, loc="left", x=left, weight="bold", fontsize=9, pad=8)
    return axes


def _steps(axes: Axes, profile: Profile, modes: Sequence[str]) -> None:
    series = [[math.nan if e is None else e for e in profile.errors[mode]] for mode in modes]
    places = _rails(axes, [e for each in series for e in each])
    for mode, errors in zip(modes, series, strict=True):
        look = style.look_of(mode, modes)
        shown = [places(error) for error in errors]
        axes.plot(shown, marker=look.marker, ms=4.5, lw=1.2, color=look.colour)
    axes.set_xlabel("step", labelpad=1)
    axes.set_ylabel("error", fontsize=8, labelpad=2)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))


def _elements(axes: Axes, profile: Profile, modes: Sequence[str]) -> None:
    reference = profile.reference or profile.eager
    sides = {profile.mode: profile.value, "eager": profile.eager}
    series = [[_error(a, b) for a, b in zip(sides[m], reference, strict=True)] for m in modes]
    places = _rails(axes, [error for each in series for error in each])
    width = 0.0 if profile.elements > 40 else 0.12
    for number, (mode, errors) in enumerate(zip(modes, series, strict=True)):
        look = style.look_of(mode, modes)
        x = np.array(profile.index) + width * (2 * number - len(modes) + 1)
        axes.plot(
            x, [places(e) for e in errors], look.marker, ms=5, mew=0.8, color=look.colour, alpha=0.9
        )
    axes.set_xlim(-0.6, profile.elements - 0.4)
    axes.set_xlabel("element", labelpad=1)
    axes.set_ylabel("error" if profile.reference else "difference", fontsize=8, labelpad=2)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))


def _error(value: str, reference: str) -> float:
    """Absolute error of an element; infinite where only one side is finite."""
    a, b = complex(value), complex(reference)
    if a == b or (np.isnan(a) and np.isnan(b)):
        return 0.0
    error = abs(a - b)
    return float(error) if np.isfinite(error) else math.inf


def _rails(axes: Axes, errors: Sequence[float]) -> Any:
    """A log axis with a line of its own for zero below and one for what is not finite above.

    Returns:
        The place of an error on the axis.
    """
    positive = [error for error in errors if error > 0 and math.isfinite(error)] or [1.0]
    low, high = 10 ** (math.floor(math.log10(min(positive))) - 0.2), max(positive) * 2
    high = max(high, low * 30)
    zero, infinite = low / 3, high * 3
    has_zero = any(error == 0 for error in errors)
    has_infinite = any(not math.isfinite(error) for error in errors)
    axes.set_yscale("log")
    axes.set_ylim(zero / 2 if has_zero else low, infinite * 2 if has_infinite else high)
    ticks = {tick: f"{tick:g}" for tick in _decades(low, high)}
    if has_zero:
        ticks[zero] = "0"
    if has_infinite:
        ticks[infinite] = "not finite"
    style.ticks(axes.yaxis, sorted(ticks), lambda value: ticks[_nearest(ticks, value)])

    def place(error: float) -> float:
        if error == 0:
            return zero
        return error if math.isfinite(error) else infinite

    return place


def _decades(low: float, high: float) -> list[float]:
    """At most five powers of ten within limits."""
    first, last = math.ceil(math.log10(low)), math.floor(math.log10(high))
    return [10.0**power for power in range(first, last + 1, max(1, -(-(last - first) // 4)))]


def _nearest(ticks: dict[float, str], value: float) -> float:
    return min(ticks, key=lambda tick: abs(math.log(tick / value)))


def _histogram(axes: Axes, profile: Profile) -> None:
    counts = np.array(profile.histogram, dtype=float)
    bins = np.arange(len(counts))
    look = style.look_of(profile.mode, [profile.mode])
    axes.bar(bins, counts, color=look.colour, width=0.8)
    axes.set_yscale("log")
    axes.set_ylim(0.6, counts.max() * 2)
    style.ticks(axes.yaxis, style.log_ticks(1, float(counts.max()), most=4), "{:,.0f}".format)
    every = max(1, -(-len(counts) // LABELS))
    style.ticks(axes.xaxis, [float(b) for b in bins[::every]], lambda b: _bin(round(b)))
    axes.set_xlabel("ULP from eager (at least)", labelpad=1)
    axes.set_ylabel("elements", fontsize=8, labelpad=2)


def _bin(number: int) -> str:
    return ulps(0.0 if number == 0 else 2.0 ** (number - 1))
