"""The page: one self-contained file, without JavaScript, verdict first."""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

import pandas as pd
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from eager_vs_graph.reports import tables
from eager_vs_graph.reports.charts import Drawn, Shown, style
from eager_vs_graph.reports.formatting import count
from eager_vs_graph.reports.guide_timing import guide_timing
from eager_vs_graph.reports.wording import headline, sentences
from eager_vs_graph.results.frames import Frames
from eager_vs_graph.results.mode_kinds import kinds_of

HERE = Path(__file__).parent


def page(
    title: str,
    summary: pd.DataFrame,
    frames: Frames,
    drawn: Sequence[Drawn],
    notes: Sequence[str],
    disagreements: Sequence[Shown] = (),
) -> str:
    """Write the HTML of a run's report; every text in it is escaped."""
    templates = Environment(
        loader=FileSystemLoader(HERE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.filters |= {"data_url": data_url, "breakable": breakable}
    scenarios = frames.request.scenarios
    verdicts = [
        (
            name,
            scenarios[name].summary.replace("``", "") if name in scenarios else "",
            list(of_scenario),
        )
        for name, of_scenario in groupby(sentences(summary), key=lambda each: each.scenario)
    ]
    modes = list(summary["mode"].unique())
    parity = list(frames.parity.values())
    return templates.get_template("page.html.j2").render(
        title=title,
        css=(HERE / "page.css").read_text(encoding="utf-8"),
        headline=headline(summary),
        verdicts=verdicts,
        one_device=summary["device"].nunique() == 1,
        looks={mode: style.look_of(mode, modes).colour for mode in modes},
        facts=facts(frames),
        command=frames.request.command,
        charts=[
            (chart, list(panels)) for chart, panels in groupby(drawn, key=lambda each: each.chart)
        ],
        several_kinds=summary["kind"].nunique() > 1,
        timing=guide_timing(summary, frames.request),
        answers=tables.answers(parity, kinds_of(frames.request)),
        why=tables.why(parity),
        disagreements=disagreements,
        modes=tables.about_modes(frames.request),
        results=tables.results(summary),
        reasons=tables.without_speedup(summary),
        differences=tables.known_differences(parity),
        learned=tables.learned(parity),
        checkpoints=tables.checkpoints(frames.checkpoints),
        checkpoint_reasons=tables.checkpoint_reasons(frames.checkpoints),
        feeding=tables.feeding(summary),
        memory=tables.memory(summary),
        control=tables.control(summary),
        tensors=tables.tensors(parity),
        passes=tables.passes(frames),
        environment=tables.environment(frames),
        notes=notes,
    )


def facts(frames: Frames) -> list[str]:
    """List the few facts of the environment that a reader of any figure needs."""
    known = frames.environment
    cores = f"{known['cores']} cores" if known.get("cores") else ""
    version = {"tensorflow": "TensorFlow", "numpy": "NumPy", "python": "Python"}
    versions = [f"{name} {known[key]}" for key, name in version.items() if known.get(key)]
    machine = [str(known[key]) for key in ("cpu", "platform") if known.get(key)]
    started = [str(known[key]) for key in ("started",) if known.get(key)]
    done = sum(record.outcome == "complete" for record in frames.passes)
    asked = frames.request.passes
    passes = count(done, "pass", "passes") if asked is None else f"{done} of {asked} passes"
    return [fact for fact in (*versions, *machine, cores, passes, *started) if fact]


def breakable(name: str) -> Markup:
    """Escape a name and let it break after an underscore or a slash."""
    return Markup(re.sub(r"([_/])", r"\1<wbr>", str(escape(name))))  # noqa: S704 - escaped here


def data_url(path: Path) -> str:
    """Encode a file as text inside a page."""
    return f"data:image/svg+xml;base64,{base64.b64encode(path.read_bytes()).decode('ascii')}"
