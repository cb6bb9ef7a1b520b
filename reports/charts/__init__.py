"""The charts of a report: one module each, drawn from the rows of a frame alone."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from eager_vs_graph.reports.charts import (
    break_even,
    disagreement,
    feeding,
    first_call,
    latency,
    parity,
    shares,
    speedup,
    style,
    training,
)
from eager_vs_graph.reports.disagreements import DisagreementGroup
from eager_vs_graph.reports.formatting import listed, one_line
from eager_vs_graph.reports.labels import size_label, workload
from eager_vs_graph.results.cells import CONTROL
from eager_vs_graph.results.mode_kinds import EXECUTION, rank
from eager_vs_graph.results.why import Why
from eager_vs_graph.statistics.speedup_rule import BASELINE


@dataclass(frozen=True)
class Chart:
    """A kind of chart."""

    name: str
    title: str
    caption: str
    draw: Callable[[pd.DataFrame], Figure]
    says_something: Callable[[pd.DataFrame], bool]
    """Whether there is anything to see in a chart of these cells; if not, none is drawn."""
    both_policies: bool = False
    """Whether one figure is about both inputs policies, and so needs a run of both."""
    of_curves: bool = False
    """Whether it is drawn from the curves of training and not from the summary."""
    on_page: bool = False
    """Whether the page shows it; the others, which it draws itself, are for slides."""


@dataclass(frozen=True)
class Drawn:
    """A chart of one device and one kind of modes, written."""

    chart: Chart
    device: str
    policy: str
    """The inputs policy or policies, in words."""
    width_in: float
    png: Path
    svg: Path
    kind: str = ""
    """The kind of modes beside eager; empty for execution, and where the figure has several."""
    subject: str = ""
    """The scenario, size and output of a chart that is about one."""

    @property
    def about(self) -> str:
        """What of the run the figure shows, for those who cannot see it."""
        return ", ".join(filter(None, [self.subject, self.device, self.policy, self.kind]))


@dataclass(frozen=True)
class Shown:
    """A disagreement with its chart, where it has one."""

    of: DisagreementGroup
    caption: str = ""
    width_in: float = 0.0
    png: Path | None = None
    svg: Path | None = None


MOST_CELLS = 300
"""Cells of a chart with a row for each; a picture of more is not looked at, and the page has one of
all comparisons."""
MOST_FIGURES = 12
"""Trainings that have a figure each, and likewise disagreements; few in a run of very many cells,
in which the first ones are as good as any others."""
_NAMES = ("scenario", "size", "mode", "device", "inputs", "output", "mode_kind")

CHARTS = tuple(
    Chart(
        name,
        module.TITLE,
        module.CAPTION,
        module.draw,
        module.says_something,
        both_policies=module is feeding,
        of_curves=module is training,
        on_page=module in (latency, feeding, training),
    )
    for name, module in {
        "speedup": speedup,
        "latency": latency,
        "first-call": first_call,
        "break-even": break_even,
        "feeding": feeding,
        "parity": parity,
        "training": training,
    }.items()
)


def draw_all(summary: pd.DataFrame, curves: pd.DataFrame, folder: Path) -> list[Drawn]:
    """Write every chart that says something, for every device, inputs policy and kind of modes.

    Policies are never mixed in one figure, but for the one that says what feeding costs. Each kind
    of modes has figures of its own, eager among them, so that a figure stays legible however many
    modes there are. The curves of a training are in one figure: it shows that all go one way.

    Args:
        summary: of the run.
        curves: of its trainings.
        folder: the run's; the charts are written into its folder ``charts``.
    """
    summary, curves = _printable(summary), _printable(curves)
    cells = summary[summary["mode"] != CONTROL]
    drawn = []
    for chart in CHARTS:
        if chart.of_curves:
            trainings = curves.groupby(["scenario", "size", "output"], sort=False)
            for what, of in islice(trainings, figures_of(len(summary))):
                scenario, size, output = map(str, what)
                parts = [scenario, size_label(size), output]
                drawn.append(_write(chart, of, folder, parts))
            continue
        for device, of_device in cells.groupby("device", sort=False):
            where = re.sub(r"\W+", "", str(device).lower())
            for inputs, panel in _panels(chart, of_device):
                for kind, of_kind in _kinds(panel):
                    if len(of_kind) <= MOST_CELLS and chart.says_something(of_kind):
                        drawn.append(_write(chart, of_kind, folder, [where, inputs, kind]))
    return drawn


def figures_of(cells: int) -> int:
    """Return how many figures of one kind are drawn for a run of so many cells."""
    return MOST_FIGURES if cells <= 4 * MOST_CELLS else 2


def draw_disagreements(
    groups: Sequence[DisagreementGroup], folder: Path, most: int = MOST_FIGURES
) -> list[Shown]:
    """Write a small chart for every disagreement that has something to draw."""
    shown = []
    for number, each in enumerate(groups, start=1):
        if (profile := each.profile) is None or number > most:
            shown.append(Shown(each))
            continue
        with style.styled():
            figure = disagreement.draw(each, profile)
        name = workload(each.cell.scenario, each.cell.size)
        png, svg = style.save(figure, folder, f"disagreement-{number}-{name}")
        width = figure.get_figwidth()
        shown.append(Shown(each, disagreement.caption(each, profile), width, png, svg))
    return shown


def draw_shares(why: Why, folder: Path) -> list[Path]:
    """Write where the time of calls goes, a bar a mode; nothing where nobody looked."""
    cells = [cell for cell in why.cells if not cell.error and cell.call_s > 0]
    if not cells:
        return []
    with style.styled():
        figure = shares.draw(cells)
    return list(style.save(figure, folder, "shares"))


def _printable(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with names that can be drawn."""
    names = [name for name in _NAMES if name in frame]
    return frame.assign(**{name: frame[name].map(one_line) for name in names})


def _write(chart: Chart, cells: pd.DataFrame, folder: Path, parts: list[str]) -> Drawn:
    with style.styled():
        figure = chart.draw(cells)
    png, svg = style.save(figure, folder, "-".join(filter(None, [chart.name, *parts])))
    device = listed(list(cells["device"].unique()))
    width = figure.get_figwidth()
    kind = style.kind_of(cells)
    subject = " ".join(filter(None, parts)) if chart.of_curves else ""
    return Drawn(chart, device, style.policy(cells), width, png, svg, kind, subject)


def _panels(chart: Chart, of_device: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    """Split a device's cells into the figures of a chart, each with its inputs policy."""
    if chart.both_policies:
        return [("", of_device)] if of_device["inputs"].nunique() > 1 else []
    return [(str(inputs), panel) for inputs, panel in of_device.groupby("inputs", sort=False)]


def _kinds(panel: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    """Split cells by the kind of their modes, eager with each; execution has no suffix."""
    compared = panel[panel["mode"] != BASELINE]
    kinds = sorted(compared["mode_kind"].unique(), key=rank)
    if len(kinds) < 2:
        return [("", panel)]
    eager = panel["mode"] == BASELINE
    return [
        ("" if kind == EXECUTION else kind, panel[eager | (panel["mode_kind"] == kind)])
        for kind in kinds
    ]
