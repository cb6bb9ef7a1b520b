"""Reports of a run: from its record to tables, charts and a page. Never imports TensorFlow."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from eager_vs_graph.reports import tables
from eager_vs_graph.reports.charts import draw_all, draw_disagreements
from eager_vs_graph.reports.charts.style import looks_of
from eager_vs_graph.reports.disagreements import DisagreementView, disagreements
from eager_vs_graph.reports.formatting import one_line
from eager_vs_graph.reports.guide_timing import guide_timing
from eager_vs_graph.reports.html import page
from eager_vs_graph.reports.training_curves import curves
from eager_vs_graph.reports.wording import headline
from eager_vs_graph.results.cells import CONTROL
from eager_vs_graph.results.frames import Frames, read
from eager_vs_graph.results.mode_kinds import kinds_of
from eager_vs_graph.statistics.summary import TEXTS, summarise

if __name__ != "eager_vs_graph.reports":
    # One module under two names would be two modules.
    raise ImportError(f"{__name__} is the folder of eager_vs_graph.reports; import that")

__all__ = ["Rendered", "render"]


@dataclass(frozen=True)
class Rendered:
    """A run's report, written."""

    folder: Path
    page: Path
    files: tuple[Path, ...]
    """Everything that was written."""
    summary: pd.DataFrame
    """One row a cell (see ``eager_vs_graph.statistics.summary.COLUMNS``), indexed by cell id."""
    frames: Frames
    disagreements: tuple[DisagreementView, ...]
    """Cells whose answers are apart, explained as far as the run did."""
    headline: tuple[str, ...]
    """The result in a few sentences."""
    notes: tuple[str, ...]
    """What a reader should know: absent devices, damaged files, warnings of the machine."""

    @property
    def warnings(self) -> tuple[str, ...]:
        """Damaged files of the run, one line each."""
        return tuple(self.frames.warnings)


def render(folder: Path) -> Rendered:
    """Write ``summary.csv``, ``summary.md``, ``charts/`` and ``report.html`` into a run's folder.

    Everything is made from the run's record alone, and is the same bytes every time.

    Raises:
        UsageError: ``environment.json`` or ``parity.json`` is missing or damaged.

    """
    folder = folder.resolve()
    frames = read(folder)
    summary = summarise(frames)
    lines, noted = headline(summary), notes(frames)
    trained = curves(frames.parity.values(), kinds_of(frames.request))
    apart = disagreements(frames.explanations, frames.parity, frames.request)
    with looks_of(frames.request):
        drawn = draw_all(summary, trained, folder / "charts")
        shown = draw_disagreements(apart, folder / "charts")
        contents = {
            "summary.csv": _csv(summary),
            "summary.md": _pull_request(lines, noted, summary, frames, apart),
            "report.html": page(folder.name, summary, frames, drawn, noted, shown),
        }
    for name, content in contents.items():
        (folder / name).write_text(content, encoding="utf-8", newline="\n")
    return Rendered(
        folder=folder,
        page=folder / "report.html",
        files=(
            *(folder / name for name in contents),
            *(file for each in drawn for file in (each.png, each.svg)),
            *(file for each in shown for file in (each.png, each.svg) if file),
        ),
        summary=summary,
        frames=frames,
        disagreements=tuple(apart),
        headline=tuple(lines),
        notes=tuple(noted),
    )


def notes(frames: Frames) -> list[str]:
    """List what a reader of the numbers should know, one line each."""
    absent = [f"{device}: not found" for device in frames.request.absent_devices]
    asked = frames.request.passes or 0
    cut = [
        f"pass {record.number}: {record.outcome}"
        for record in frames.passes
        if record.outcome != "complete"
    ]
    if len(frames.passes) < asked:
        cut.append(f"{len(frames.passes)} of {asked} passes were recorded")
    if len(frames.passes) == 1:
        cut.append(f"one pass gives no interval and no verdict: {_remedy(frames)}")
    machine = tables.machine_summary(frames.passes)
    control = (
        [] if any(cell.mode == CONTROL for cell in frames.cells) else ["no A/A control was run"]
    )
    adopted = frames.request.notes
    told: dict[str, list[str]] = {}
    for cell in frames.parity.values():
        name = cell.cell.partition("/")[0]
        if cell.note and name not in told.setdefault(cell.note, []):
            told[cell.note].append(name)
    return [
        *adopted,
        *(f"{', '.join(names)}: {note}" for note, names in told.items()),
        *absent,
        *(f"damaged file: {w}" for w in frames.warnings),
        *cut,
        *machine,
        *control,
    ]


def _remedy(frames: Frames) -> str:
    if frames.request.recorded_by == "pytest":
        return "a test-suite timed one mode after the other; `bench` and `try` take turns"
    return "ask for two or more passes"


def _csv(summary: pd.DataFrame) -> str:
    """``summary.csv``: nine significant digits, empty where there is nothing."""
    flat = summary.assign(**{name: summary[name].map(one_line) for name in TEXTS})
    return flat.to_csv(index=False, float_format="%.9g", lineterminator="\n")


def _pull_request(
    lines: list[str],
    noted: list[str],
    summary: pd.DataFrame,
    frames: Frames,
    apart: list[DisagreementView],
) -> str:
    """``summary.md``: headline, table, reasons, disagreements, notes."""
    parts = ["\n".join(lines) + "\n", tables.markdown(tables.results(summary))]
    if timing := guide_timing(summary, frames.request):
        parts.append("```text\n" + "\n".join(timing) + "\n```\n")
    for table in (
        tables.without_speedup(summary),
        tables.known_differences(frames.parity.values()),
        tables.learned(frames.parity.values()),
        tables.checkpoints(frames.checkpoints),
        tables.checkpoint_reasons(frames.checkpoints),
        tables.feeding(summary),
    ):
        if table.rows:
            parts.append(f"**{table.title}**\n\n{tables.markdown(table)}")
    if apart:
        parts.append(f"**When modes disagree**\n\n{''.join(map(_in_short, apart))}")
    if noted:
        parts.append("".join(f"- {tables.escape(note)}\n" for note in noted))
    return "\n".join(parts)


def _in_short(apart: DisagreementView) -> str:
    """A disagreement as an item of a list: where, why, what to do."""
    told = [f"{apart.where}: {apart.status}", *apart.finding]
    told += [f"remedy: {remedy}" for remedy in apart.remedies]
    return f"- {'; '.join(tables.escape(line) for line in told)}\n"
