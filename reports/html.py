"""The page: one self-contained file, complete without scripts; question and answer first."""

from __future__ import annotations

import base64
import gzip
import re
from collections.abc import Sequence
from datetime import datetime
from itertools import groupby
from pathlib import Path
from typing import Any

import msgspec
import pandas as pd
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from eager_vs_graph.errors import printable
from eager_vs_graph.reports import cells, tables
from eager_vs_graph.reports.charts import Drawn, Shown, style
from eager_vs_graph.reports.comparisons import Comparisons
from eager_vs_graph.reports.drawings import overview
from eager_vs_graph.reports.formatting import count
from eager_vs_graph.reports.guide_timing import guide_timing
from eager_vs_graph.reports.reasons import Reason
from eager_vs_graph.reports.table import Table
from eager_vs_graph.reports.why_section import Section
from eager_vs_graph.reports.wording import SURE, headline, question
from eager_vs_graph.results.cells import CONTROL
from eager_vs_graph.results.frames import Frames
from eager_vs_graph.results.mode_kinds import kinds_of
from eager_vs_graph.statistics.summary import compared

HERE = Path(__file__).parent
MOST, OF_MANY = 60, 20
"""Comparisons whose details are markup of the page: so many, or of more, the first ones, those with
a failure before others. The rest are packed, and need scripts."""
MOST_ROWS = 200
"""Rows of a table below the table of cells."""
MOST_DISAGREEMENTS = 60
PICTURE = 3
"""Comparisons with eager of which a picture of all says more than their rows."""


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
    modes = list(dict.fromkeys(summary["mode"]))
    seen = {mode: style.look_of(mode, modes) for mode in modes}
    looks = {mode: (look.colour, look.marker) for mode, look in seen.items()}
    numbers = {mode: number for number, mode in enumerate(modes)}
    answer, *more = headline(summary)
    comparisons = Comparisons(summary, frames, looks, why)
    shown, others = comparisons.divided(MOST if comparisons.count <= MOST else OF_MANY)
    is_many = len(compared(summary[summary["mode"] != CONTROL])) >= PICTURE
    classes = {mode: f"m{number}" for mode, number in numbers.items()}
    written: str = template("page.html.j2").render(
        question=question(summary),
        answer=_sentences(answer)[0],
        more=" ".join(_sentences(answer)[1:]),
        headline=sorted(
            (line for line in more if not line.startswith(" ")),
            key=lambda line: not line.startswith(SURE),
        ),
        by_mode=tables.by_mode(summary),
        run_id=run_id,
        css=(HERE / "page.css").read_text(encoding="utf-8"),
        js=(HERE / "page.js").read_text(encoding="utf-8"),
        colours=[colour for colour, _ in looks.values()],
        looks=classes,
        facts=facts(frames),
        command=request.command,
        notes=notes,
        problems=why,
        explained=_explained(why, disagreements[:MOST_DISAGREEMENTS]),
        overview=overview.draw(summary, looks) if is_many else "",
        results_title=tables.results_title(summary[summary["mode"] != CONTROL]),
        cells=cells.table(summary, numbers),
        shown=map(comparisons.details, shown),
        is_one=len(shown) == 1,
        left_out=len(others),
        packed=_packed({group: comparisons.data(group) for group in others}),
        timing=guide_timing(summary, request),
        charts=[
            (chart, list(panels))
            for chart, panels in groupby(
                (each for each in drawn if each.chart.on_page), key=lambda each: each.chart
            )
        ],
        disagreements=disagreements[:MOST_DISAGREEMENTS],
        unshown=max(0, len(disagreements) - MOST_DISAGREEMENTS),
        time_goes=Section.of(frames.why, time_goes),
        tables=_with_rows(
            status=tables.statuses(parity, kinds_of(request)),
            differences=tables.known_differences(parity),
            training=tables.training(parity),
            checkpoints=tables.checkpoints(frames.checkpoints),
            feeding=tables.feeding(summary),
        ),
        run=_with_rows(
            workloads=tables.workloads(request),
            modes=tables.modes(request),
            environment=tables.environment(frames),
            passes=tables.passes(frames.passes),
            control=tables.control(summary),
        ),
    )
    return written


def _sentences(text: str) -> list[str]:
    return re.split(r"(?<=\.)\s", text)


def _with_rows(**found: Table) -> dict[str, Table]:
    """The tables that have rows, with no more of them than a page can hold; the rest is said."""
    return {name: table.first(MOST_ROWS) for name, table in found.items() if table.rows}


def _packed(content: dict[str, Any]) -> str:
    """The details of comparisons by their ids: JSON, gzip, base64."""
    if not content:
        return ""
    data = gzip.compress(msgspec.json.encode(content), mtime=0)
    return base64.b64encode(data).decode("ascii")


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
    started = [_date(str(found["started"]))] if found.get("started") else []
    done = sum(record.outcome == "complete" for record in frames.passes)
    asked = frames.request.passes
    passes = count(done, "pass", "passes") if asked is None else f"{done} of {asked} passes"
    return [fact for fact in (*versions, *machine, cores, passes, *started) if fact]


def _date(text: str) -> str:
    """``2026-11-27 20:50 UTC`` of a date in ISO's form; other text as it is."""
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        return text
    return f"{when:%Y-%m-%d %H:%M %Z}".strip()


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
