"""The charts of a report: one module each, drawn from the rows of the summary alone."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from harness.grid import CONTROL
from reports.charts import first_call, latency, parity, speedup, style


@dataclass(frozen=True)
class Chart:
    """A kind of chart."""

    name: str
    title: str
    caption: str
    draw: Callable[[pd.DataFrame], Figure]


@dataclass(frozen=True)
class Drawn:
    """A chart of one device and one inputs policy, written."""

    chart: Chart
    device: str
    inputs: str
    width_in: float
    png: Path
    svg: Path


CHARTS = tuple(
    Chart(name, module.TITLE, module.CAPTION, module.draw)
    for name, module in {
        "speedup": speedup,
        "latency": latency,
        "first-call": first_call,
        "parity": parity,
    }.items()
)


def draw_all(summary: pd.DataFrame, folder: Path) -> list[Drawn]:
    """Write every chart for every device and inputs policy: these are never mixed in one figure."""
    folder.mkdir(exist_ok=True)
    cells = summary[summary["mode"] != CONTROL]
    drawn = []
    for chart in CHARTS:
        for (device, inputs), panel in cells.groupby(["device", "inputs"], sort=False):
            where = re.sub(r"\W+", "", str(device).lower())
            with style.styled():
                figure = chart.draw(panel)
            png, svg = style.save(figure, folder / f"{chart.name}-{where}-{inputs}")
            drawn.append(Drawn(chart, str(device), str(inputs), figure.get_figwidth(), png, svg))
    return drawn
