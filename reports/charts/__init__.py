"""The charts of a report: one module each, drawn from the rows of the summary alone."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from harness.grid import CONTROL
from reports.charts import break_even, feeding, first_call, latency, parity, speedup, style


@dataclass(frozen=True)
class Chart:
    """A kind of chart."""

    name: str
    title: str
    caption: str
    draw: Callable[[pd.DataFrame], Figure]
    both_policies: bool = False
    """Whether one figure is about both inputs policies, and so needs a run of both."""


@dataclass(frozen=True)
class Drawn:
    """A chart of one device, written."""

    chart: Chart
    device: str
    policy: str
    """The inputs policy or policies, in words."""
    width_in: float
    png: Path
    svg: Path


CHARTS = tuple(
    Chart(name, module.TITLE, module.CAPTION, module.draw, both_policies=module is feeding)
    for name, module in {
        "speedup": speedup,
        "latency": latency,
        "first-call": first_call,
        "break-even": break_even,
        "feeding": feeding,
        "parity": parity,
    }.items()
)


def draw_all(summary: pd.DataFrame, folder: Path) -> list[Drawn]:
    """Write every chart for every device and inputs policy.

    Policies are never mixed in one figure, but for the one that says what feeding costs.
    """
    folder.mkdir(exist_ok=True)
    cells = summary[summary["mode"] != CONTROL]
    drawn = []
    for chart in CHARTS:
        for device, of_device in cells.groupby("device", sort=False):
            where = re.sub(r"\W+", "", str(device).lower())
            for inputs, panel in _panels(chart, of_device):
                with style.styled():
                    figure = chart.draw(panel)
                stem = "-".join(filter(None, [chart.name, where, inputs]))
                png, svg = style.save(figure, folder / stem)
                policy = style.policy(panel)
                drawn.append(Drawn(chart, str(device), policy, figure.get_figwidth(), png, svg))
    return drawn


def _panels(chart: Chart, of_device: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    """Split a device's cells into the figures of a chart, each with its inputs policy."""
    if chart.both_policies:
        return [("", of_device)] if of_device["inputs"].nunique() > 1 else []
    return [(str(inputs), panel) for inputs, panel in of_device.groupby("inputs", sort=False)]
