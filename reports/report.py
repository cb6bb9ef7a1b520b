"""Writes the reports of a run: ``summary.csv``, ``summary.md``, ``charts/``, ``report.html``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from eager_vs_graph.reports import reasons, tables
from eager_vs_graph.reports.disagreements import DisagreementGroup, disagreements
from eager_vs_graph.reports.formatting import one_line
from eager_vs_graph.reports.guide_timing import guide_timing
from eager_vs_graph.reports.labels import size_label
from eager_vs_graph.reports.notes import notes
from eager_vs_graph.reports.reasons import Reason
from eager_vs_graph.reports.table import escape, markdown
from eager_vs_graph.reports.wording import headline
from eager_vs_graph.results import files
from eager_vs_graph.results.frames import Frames, read
from eager_vs_graph.results.mode_kinds import kinds_of
from eager_vs_graph.statistics.speedup_rule import BASELINE
from eager_vs_graph.statistics.summary import TEXTS, summarise
from eager_vs_graph.statistics.training_curves import curves

NAMES = ("scenario", "size", "mode", "device", "inputs")
_FORMULA = re.compile(r"[=+\-@]")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")


@dataclass(frozen=True)
class Findings:
    """What a run's record comes to, before anything is drawn or written."""

    folder: Path
    summary: pd.DataFrame
    """One row a cell (see ``eager_vs_graph.statistics.summary.COLUMNS``), indexed by cell id."""
    frames: Frames
    disagreements: tuple[DisagreementGroup, ...]
    """Cells whose outputs differ, explained as far as the run did."""
    reasons: tuple[Reason, ...]
    """Why cells failed, differ, carry no speed-up or need a look; failures first."""
    headline: tuple[str, ...]
    """The result in a few sentences."""
    notes: tuple[str, ...]
    """What a reader should know: absent devices, damaged files, warnings of the machine."""

    @property
    def warnings(self) -> tuple[str, ...]:
        """Damaged files of the run, one line each."""
        return tuple(self.frames.warnings)

    @property
    def is_undecided(self) -> bool:
        """Whether modes were to be compared, and too few passes were made for an interval."""
        request = self.frames.request
        if request.passes is not None or request.recorded_by == "pytest":
            return False
        done = sum(record.outcome == "complete" for record in self.frames.passes)
        return done < 2 and any(timed.mode != BASELINE for timed in request.timed)


@dataclass(frozen=True)
class Rendered(Findings):
    """A run's report, written."""

    page: Path
    files: tuple[Path, ...]
    """Everything that was written."""


def findings(folder: Path) -> Findings:
    """Read a run's record, and judge it; nothing is written.

    Raises:
        UsageError: ``environment.json`` or ``parity.json`` is missing or damaged.
    """
    folder = folder.resolve()
    frames = read(folder)
    summary = summarise(frames)
    return Findings(
        folder=folder,
        summary=summary,
        frames=frames,
        disagreements=tuple(disagreements(frames.explanations, frames.parity, frames.request)),
        reasons=tuple(reasons.of_run(summary, frames.parity, frames.checkpoints)),
        headline=tuple(headline(summary)),
        notes=tuple(notes(frames)),
    )


def render(folder: Path, found: Findings | None = None) -> Rendered:
    """Write ``summary.csv``, ``summary.md``, ``charts/`` and ``report.html`` into a run's folder.

    Everything is made from the run's record alone, and is the same bytes every time.

    Args:
        folder: the run's.
        found: what ``findings`` gave for it, where that is known already.

    Raises:
        UsageError: ``environment.json`` or ``parity.json`` is missing or damaged.
    """
    # matplotlib costs a second, which whoever prints the findings need not wait for.
    from eager_vs_graph.reports.charts import (
        draw_all,
        draw_disagreements,
        draw_shares,
        figures_of,
    )
    from eager_vs_graph.reports.charts.style import looks_of
    from eager_vs_graph.reports.html import page

    found = found or findings(folder)
    folder, frames, summary = found.folder, found.frames, found.summary
    trained = curves(frames.parity.values(), kinds_of(frames.request))
    with looks_of(frames.request):
        drawn = draw_all(summary, trained, folder)
        time_goes = draw_shares(frames.why, folder)
        shown = draw_disagreements(found.disagreements, folder, figures_of(len(summary)))
        contents = {
            "summary.csv": _csv(summary),
            "summary.md": _pull_request(found),
            "report.html": page(
                folder.name, summary, frames, drawn, found.notes, found.reasons, shown, time_goes
            ),
        }
    for name, content in contents.items():
        files.write(folder, name, content.encode("utf-8", "backslashreplace"))
    return Rendered(
        **vars(found),
        page=folder / "report.html",
        files=(
            *(folder / name for name in contents),
            *(file for each in drawn for file in (each.png, each.svg)),
            *(file for each in shown for file in (each.png, each.svg) if file),
            *time_goes,
        ),
    )


def _csv(summary: pd.DataFrame) -> str:
    """``summary.csv``: nine significant digits, empty where there is nothing."""
    flat = summary.assign(size=summary["size"].map(size_label))
    flat = flat.assign(**{name: flat[name].map(_csv_field) for name in (*NAMES, *TEXTS)})
    return flat.to_csv(index=False, float_format="%.9g", lineterminator="\n")


def _csv_field(text: str) -> str:
    """A text as it can be in a spreadsheet: one that would be a formula there has a quote first."""
    shown = one_line(text)
    return f"'{shown}" if _FORMULA.match(shown) and not _NUMBER.fullmatch(shown) else shown


def _pull_request(found: Findings) -> str:
    """``summary.md``: headline, what failed and why, results, disagreements, notes."""
    summary, frames = found.summary, found.frames
    parts = ["".join(f"{_item(line)}\n" for line in found.headline)]
    problems = reasons.table(found.reasons)
    results = tables.results(summary)
    for table in (problems, results):
        if table.rows:
            parts.append(f"**{escape(table.title)}**\n\n{markdown(table)}")
    if timing := guide_timing(summary, frames.request):
        parts.append("```text\n" + "\n".join(map(_fenced, timing)) + "\n```\n")
    for table in (
        tables.known_differences(frames.parity.values()),
        tables.training(frames.parity.values()),
        tables.checkpoints(frames.checkpoints),
        tables.feeding(summary),
    ):
        if table.rows:
            parts.append(f"**{table.title}**\n\n{markdown(table)}")
    if found.disagreements:
        parts.append(f"**Why modes disagree**\n\n{''.join(map(_in_short, found.disagreements))}")
    if found.notes:
        parts.append("**Notes**\n\n" + "".join(f"- {escape(note)}\n" for note in found.notes))
    return "\n".join(parts)


def _fenced(line: str) -> str:
    """A line inside of a code block, which it cannot end."""
    return one_line(line).replace("```", "`` `")


def _item(line: str) -> str:
    """A sentence of the headline as an item of a list; what is indented stays below."""
    return f"{'  ' if line.startswith(' ') else ''}- {escape(line)}"


def _in_short(group: DisagreementGroup) -> str:
    """A disagreement as an item of a list: where, why, what to do."""
    parts = [f"{group.where}: {group.status}", *group.finding]
    parts += [f"remedy: {remedy}" for remedy in group.remedies]
    return f"- {'; '.join(escape(part) for part in parts)}\n"
