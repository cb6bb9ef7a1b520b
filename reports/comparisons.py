"""The details of every comparison, for the page: figures, samples, outputs, reasons."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pandas as pd
from markupsafe import Markup

from eager_vs_graph.reports.cells import group_of, name_of
from eager_vs_graph.reports.commands import rerun_command
from eager_vs_graph.reports.drawings import repaid as repaid_drawing
from eager_vs_graph.reports.drawings import samples as samples_drawing
from eager_vs_graph.reports.drawings.samples import samples_of
from eager_vs_graph.reports.formatting import (
    count,
    digits,
    error,
    is_number,
    listed,
    ratio,
    seconds,
    seconds_interval,
    significant,
    ulps,
)
from eager_vs_graph.reports.reasons import Reason
from eager_vs_graph.reports.table import Column, Row, Table
from eager_vs_graph.reports.tables.timing import repaid, speedup, verdict
from eager_vs_graph.results.cells import CONTROL, Cell
from eager_vs_graph.results.frames import Frames
from eager_vs_graph.results.record import IDENTICAL, CellParity, TensorComparison
from eager_vs_graph.statistics.choice import UNDECIDED, Choice, choice_of
from eager_vs_graph.statistics.speedup_rule import (
    BASELINE,
    GROUP,
    count_of,
    displayed_status,
)
from eager_vs_graph.statistics.summary import summary_rows


@dataclass(frozen=True)
class Details:
    """One comparison: the modes at one scenario, size, device and inputs policy."""

    id: str
    """The id of its cells without the mode: where a link leads."""
    name: str
    failed: bool
    """Whether one of its cells failed or differs."""
    parameters: str
    result: str
    """The fastest mode, in short."""
    summary: str
    figures: Table
    outputs: Table
    reasons: Sequence[tuple[int, Reason]]
    """Why its cells failed, differ or need a look, with the number of the reason on the page."""
    command: str
    """The command line that makes this comparison again; empty where it cannot be written."""
    drawings: Sequence[tuple[str, Markup]] = field(default_factory=tuple)
    """Captions and drawings."""


SAMPLES = (
    "Each dot is a block: the seconds per call of its fastest round, one pass (a fresh process) "
    "after the other. Boxes: how they lie."
)
REPAID = (
    "Building and first call included. Where a mode's line crosses eager's, it has repaid its "
    "start; the bar is its 95% interval."
)


class Comparisons:
    """Every comparison of a run, and its details on demand."""

    def __init__(
        self,
        summary: pd.DataFrame,
        frames: Frames,
        looks: Mapping[str, tuple[str, str]],
        reasons: Sequence[Reason],
    ) -> None:
        """Put the cells of each comparison together.

        Args:
            summary: of the run.
            frames: the run.
            looks: colour and marker, by mode.
            reasons: as the page lists them.
        """
        cells = summary[summary["mode"] != CONTROL]
        self._frames, self._looks = frames, looks
        self._samples = samples_of(frames.blocks)
        self._where = [name for name in ("inputs", "device") if cells[name].nunique() > 1]
        self._reasons: dict[str, list[tuple[int, Reason]]] = {}
        for number, reason in enumerate(reasons, start=1):
            for cell in reason.ids:
                self._reasons.setdefault(cell, []).append((number, reason))
        self._rows: dict[str, list[Any]] = {}
        for row in summary_rows(cells):
            self._rows.setdefault(group_of(row), []).append(row)

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self._rows)

    def divided(self, most: int) -> tuple[list[str], list[str]]:
        """The ids of so many comparisons, those with a failure before others, and of the rest."""
        failed = {
            group: any(reason.failed for _, reason in self._why(rows))
            for group, rows in self._rows.items()
        }
        chosen = set(sorted(failed, key=lambda group: not failed[group])[:most])
        return (
            [group for group in self._rows if group in chosen],
            [group for group in self._rows if group not in chosen],
        )

    def details(self, group: str) -> Details:
        """Make the details of a comparison, with its drawings."""
        rows = self._rows[group]
        of = self._plain(group, rows)
        colours = {mode: colour for mode, (colour, _) in self._looks.items()}
        drawings = (
            (SAMPLES, samples_drawing.draw(rows, self._samples, colours, of.name)),
            (REPAID, repaid_drawing.draw(rows, self._looks, of.name)),
        )
        return replace(of, drawings=[each for each in drawings if each[1]])

    def data(self, group: str) -> dict[str, Any]:
        """What the page's script makes the details of a comparison from."""
        rows = self._rows[group]
        of = self._plain(group, rows)
        return {
            **{name: getattr(of, name) for name in ("name", "failed", "parameters", "result")},
            **{"summary": of.summary, "command": of.command},
            "reasons": [[number, reason.status, reason.text] for number, reason in of.reasons],
            "tables": [
                [
                    table.title,
                    [[column.name, column.kind] for column in table.columns],
                    list(table.rows),
                ]
                for table in (of.figures, of.outputs)
            ],
            "samples": samples_drawing.data(rows, self._samples),
            "repaid": repaid_drawing.data(rows),
        }

    def _plain(self, group: str, rows: Sequence[Any]) -> Details:
        first = rows[0]
        request = self._frames.request
        scenario = request.scenarios.get(first.scenario)
        why = dict(self._why(rows))
        parity = [of for row in rows if (of := self._frames.parity.get(row.Index))]
        modes = [row.mode for row in rows]
        return Details(
            id=group,
            name=name_of(first, self._where),
            failed=any(reason.failed for reason in why.values()),
            parameters=first.parameters,
            result=_result(choice_of(tuple(getattr(first, name) for name in GROUP), rows)),
            summary=scenario.summary.replace("``", "") if scenario else "",
            figures=_figures(rows),
            outputs=_outputs(parity),
            reasons=sorted(why.items()),
            command=rerun_command(request, Cell.parse(first.Index), modes),
        )

    def _why(self, rows: Iterable[Any]) -> Iterable[tuple[int, Reason]]:
        return (each for row in rows for each in self._reasons.get(row.Index, []))


def _result(choice: Choice) -> str:
    """Say which mode is fastest: ``session 3.34×``; nothing where nothing is known."""
    if choice.kind == UNDECIDED:
        return "undecided"
    named = [
        mode if mode == BASELINE else f"{mode} {ratio(choice.row(mode).speedup)}"
        for mode in choice.modes
    ]
    return listed(named, "or")


def _figures(rows: Sequence[Any]) -> Table:
    columns = (
        *(Column("mode"), Column("latency", "number"), Column("95% interval", "number")),
        *(Column("median call", "number"), Column("speed-up", "estimate")),
        *(Column("verdict", "status"), Column("outputs", "status"), Column("build", "number")),
        *(Column("first call", "number"), Column("break-even (calls)", "estimate")),
        *(Column("feeding adds", "number"), Column("peak memory", "number")),
        *(Column("traces", "number"), Column("rounds", "number"), Column("passes", "number")),
    )
    fields = [
        (
            row.mode,
            seconds(row.latency_s),
            seconds_interval(row.latency_low_s, row.latency_high_s),
            seconds(row.median_s),
            *(speedup(row), verdict(row), displayed_status(row)),
            *(seconds(row.build_s), seconds(row.first_call_s), repaid(row)),
            seconds(row.feeding_s),
            "" if pd.isna(row.peak_memory_bytes) else _mebibytes(row.peak_memory_bytes),
            *(_number(each) for each in (row.traces, row.rounds, row.passes)),
        )
        for row in rows
    ]
    return Table("Figures", columns, fields).without_idle()


def _number(value: Any) -> str:
    return "" if pd.isna(value) else f"{count_of(value):,}"


def _mebibytes(number: float) -> str:
    return f"{significant(number / 2**20)} MiB"


def _outputs(parity: Sequence[CellParity]) -> Table:
    """Tabulate the tensors that are not bit for bit the same; count the others."""
    columns = (
        *(Column("mode"), Column("tensor"), Column("against"), Column("status", "status")),
        *(Column("right to", "number"), Column("largest error", "number")),
        *(Column("of its scale", "number"), Column("ULP", "number"), Column("where", "prose")),
    )
    rows: list[Row] = []
    same = 0
    for cell in parity:
        mode = cell.cell.split("/")[2]
        for tensor in cell.tensors:
            if tensor.status == IDENTICAL:
                same += 1
            else:
                rows.append((mode, *_tensor(tensor)))
    note = "Of its scale: the largest error as a part of the tensor's largest value."
    counted = f"{count(same, 'comparison')} of a tensor found it bit for bit the same"
    if not rows:
        return Table(counted + ".", (), ())
    return Table(f"Outputs and variables; {counted}", columns, rows, note).without_idle()


def _tensor(tensor: TensorComparison) -> Row:
    place = f" [{', '.join(map(str, tensor.worst_index))}]" if tensor.worst_index else ""
    worst = ""
    if tensor.worst_step is not None and tensor.value is not None:
        worst = (
            f"step {tensor.worst_step}{place}: {tensor.value}, {tensor.against} {tensor.reference}"
        )
    declared = " (known)" if tensor.known and tensor.status not in (IDENTICAL, "close") else ""
    return (
        *(tensor.tensor, tensor.against, f"{tensor.status}{declared}"),
        *(digits(tensor.max_scaled), error(tensor.max_abs)),
        error(tensor.max_scaled) if is_number(tensor.max_scaled) else "",
        ulps(tensor.max_ulp),
        "; ".join(filter(None, [tensor.detail or tensor.lost_detail, worst])),
    )
