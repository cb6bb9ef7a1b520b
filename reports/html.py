"""The page: one self-contained file without JavaScript; the question and its answer first."""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import pandas as pd
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from eager_vs_graph.errors import printable
from eager_vs_graph.reports import reasons, tables
from eager_vs_graph.reports.charts import Drawn, Shown, style
from eager_vs_graph.reports.formatting import count
from eager_vs_graph.reports.guide_timing import guide_timing
from eager_vs_graph.reports.reasons import Reason
from eager_vs_graph.reports.why_section import Section
from eager_vs_graph.reports.wording import headline, question
from eager_vs_graph.results.frames import Frames
from eager_vs_graph.results.mode_kinds import kinds_of

HERE = Path(__file__).parent


def page(
    run_id: str,
    summary: pd.DataFrame,
    frames: Frames,
    drawn: Sequence[Drawn],
    notes: Sequence[str],
    why: Sequence[Reason],
    disagreements: Sequence[Shown] = (),
    time_goes: Sequence[Path] = (),
) -> str:
    """Write the HTML of a run's report; every text in it is escaped."""
    parity, request = list(frames.parity.values()), frames.request
    modes = list(summary["mode"].unique())
    answer, *more = headline(summary)
    written: str = template("page.html.j2").render(
        question=question(summary),
        answer=answer,
        headline=more,
        run_id=run_id,
        css=(HERE / "page.css").read_text(encoding="utf-8"),
        looks={mode: style.look_of(mode, modes).colour for mode in modes},
        facts=facts(frames),
        command=request.command,
        notes=notes,
        problems=reasons.table(why),
        explained=_explained(why, disagreements),
        results=tables.results(summary),
        timing=guide_timing(summary, request),
        charts=[
            (chart, list(panels)) for chart, panels in groupby(drawn, key=lambda each: each.chart)
        ],
        disagreements=disagreements,
        time_goes=Section.of(frames.why, time_goes),
        details={
            "status": tables.statuses(parity, kinds_of(request)),
            "figures": tables.every_figure(summary),
            "differences": tables.known_differences(parity),
            "training": tables.training(parity),
            "checkpoints": tables.checkpoints(frames.checkpoints),
            "feeding": tables.feeding(summary),
            "memory": tables.memory(summary),
            "tensors": tables.tensors(parity),
        },
        run={
            "workloads": tables.workloads(request),
            "modes": tables.modes(request),
            "environment": tables.environment(frames),
            "passes": tables.passes(frames.passes),
            "control": tables.control(summary),
        },
    )
    return written


def template(name: str) -> Any:
    """Load one of the templates of this folder."""
    templates = Environment(
        loader=FileSystemLoader(HERE),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.filters |= {"data_url": data_url, "breakable": breakable}
    return templates.get_template(name)


def _shown(value: Any) -> Any:
    """Every text that a template puts into a page, before it is escaped."""
    return printable(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def facts(frames: Frames) -> list[str]:
    """List the few facts of the environment that a reader of any figure needs."""
    found = frames.environment
    cores = count(found["cores"], "core") if isinstance(found.get("cores"), int) else ""
    version = {"tensorflow": "TensorFlow", "numpy": "NumPy", "python": "Python"}
    versions = [f"{name} {found[key]}" for key, name in version.items() if found.get(key)]
    machine = [str(found[key]) for key in ("cpu", "platform") if found.get(key)]
    started = [str(found["started"])] if found.get("started") else []
    done = sum(record.outcome == "complete" for record in frames.passes)
    asked = frames.request.passes
    passes = count(done, "pass", "passes") if asked is None else f"{done} of {asked} passes"
    return [fact for fact in (*versions, *machine, cores, passes, *started) if fact]


def _explained(why: Sequence[Reason], disagreements: Sequence[Shown]) -> dict[str, int]:
    """By the cells of a reason, in words: the number of the disagreement that explains them."""
    found: dict[str, int] = {}
    for reason in why:
        for number, shown in enumerate(disagreements, start=1):
            if reason.ids & {cell.id for cell in shown.of.cells}:
                found.setdefault(reason.cells, number)
    return found


def breakable(name: str) -> Markup:
    """Escape a name and let it break after an underscore or a slash."""
    return Markup(re.sub(r"([_/])", r"\1<wbr>", str(escape(printable(name)))))  # noqa: S704 - escaped here


def data_url(path: Path) -> str:
    """Encode a file as text inside a page."""
    return f"data:image/svg+xml;base64,{base64.b64encode(path.read_bytes()).decode('ascii')}"
