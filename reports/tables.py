"""The tables of a report as text, the same for the page, the pull request and the terminal."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from eager_vs_graph.reports.formatting import (
    added,
    added_interval,
    break_even,
    count,
    error,
    interval,
    known,
    one_line,
    ratio,
    ratio_with_interval,
    seconds,
    seconds_interval,
    significant,
    ulps,
)
from eager_vs_graph.reports.matrix import in_words, matrix, reasons
from eager_vs_graph.reports.training_curves import curves, furthest
from eager_vs_graph.reports.wording import verdict_words
from eager_vs_graph.results.cells import CONTROL, Cell
from eager_vs_graph.results.frames import Frames
from eager_vs_graph.results.mode_kinds import Kinds, by_kind, kinds_of
from eager_vs_graph.results.record import (
    AGREEING,
    CellParity,
    CheckpointParity,
    PassRecord,
    TensorComparison,
)
from eager_vs_graph.results.request import RunRequest
from eager_vs_graph.statistics.summary import BASELINE, GROUP, displayed_status, summary_rows


@dataclass(frozen=True)
class Column:
    """A column's heading and how its fields are set: ``text``, ``number``, ``word``, ``prose``."""

    name: str
    kind: str = "text"


@dataclass(frozen=True)
class Table:
    """Rows of text under headings; the first column names the row."""

    title: str
    columns: tuple[Column, ...]
    rows: Sequence[tuple[str, ...]]
    note: str = ""
    groups: tuple[tuple[str, int], ...] = ()
    """Headings above the columns' own, each with how many columns it spans."""


def results(summary: pd.DataFrame) -> Table:
    """Every cell but the control."""
    cells = summary[summary["mode"] != CONTROL]
    columns = (
        *(Column("scenario"), Column("kind"), Column("mode"), Column("inputs"), Column("device")),
        *(Column("latency", "number"), Column("95 % interval", "number")),
        *(Column("speed-up", "number"), Column("verdict", "word"), Column("answers", "word")),
        *(Column("build", "number"), Column("first call", "number"), Column("pays after")),
        *(Column("traces", "number"), Column("rounds", "number"), Column("passes", "number")),
    )
    note = (
        "Latency: median of one call. Speed-up: against eager in the same blocks. Build and first "
        "call: geometric means over passes. Pays after: the number of calls from which on building "
        "and first call are repaid against eager, with its 95 % interval."
    )
    return _without_idle(
        Table("Every cell", columns, [_result(r) for r in summary_rows(cells)], note)
    )


def _result(row: Any) -> tuple[str, ...]:
    compared = row.mode != BASELINE
    return (
        f"{row.scenario} {row.size}",
        *(row.kind, row.mode, row.inputs, row.device),
        seconds(row.median_s),
        seconds_interval(row.ci_low_s, row.ci_high_s),
        ratio_with_interval(row.speedup, row.speedup_low, row.speedup_high) if compared else "",
        verdict_words(row),
        displayed_status(row),
        *(seconds(row.build_s), seconds(row.first_call_s)),
        break_even(row.break_even_calls, row.break_even_low, row.break_even_high),
        *(_count(row.traces), _count(row.rounds), _count(row.passes)),
    )


def feeding(summary: pd.DataFrame) -> Table:
    """Tabulate what handing over the inputs costs, where both policies were timed."""
    columns = (
        *(Column("scenario"), Column("mode"), Column("device"), Column("fed", "number")),
        *(Column("feeding adds", "number"), Column("95 % interval", "number")),
    )
    rows = [
        (
            f"{row.scenario} {row.size}",
            *(row.mode, row.device, seconds(row.median_s)),
            *(added(row.feeding_s), added_interval(row.feeding_low_s, row.feeding_high_s)),
        )
        for row in summary_rows(summary[summary["feeding_s"].notna()])
    ]
    note = (
        "Seconds that a call with fed inputs takes longer than one with resident inputs, in the "
        "same mode; paired by pass. This compares two ways to call, never two modes."
    )
    return _without_idle(Table("What feeding costs", columns, rows, note))


def memory(summary: pd.DataFrame) -> Table:
    """Tabulate the peak memory of every mode, one column each."""
    cells = summary[summary["mode"] != CONTROL]
    cells = cells[cells["peak_memory_bytes"].notna()]
    modes = list(cells["mode"].unique())
    columns = (
        *(Column("scenario"), Column("inputs"), Column("device")),
        *(Column(mode, "number") for mode in modes),
    )
    rows = []
    for (scenario, size, device, inputs), group in cells.groupby(GROUP, sort=False):
        of_mode = {row.mode: _mebibytes(row.peak_memory_bytes) for row in summary_rows(group)}
        entries = (of_mode.get(mode, "") for mode in modes)
        rows.append((f"{scenario} {size}", str(inputs), str(device), *entries))
    note = (
        "How far the peak of the process's resident memory grew while the parity check built and "
        "ran the cell, apart from timing. An allocator that keeps freed memory makes cells that "
        "come later look smaller."
    )
    return _without_idle(Table("Peak memory", columns, rows, note))


def control(summary: pd.DataFrame) -> Table:
    """Tabulate the A/A control: what the run says of two programs of the same mode."""
    cells = summary[(summary["mode"] == CONTROL) & summary["speedup"].notna()]
    columns = (
        *(Column("scenario"), Column("twin"), Column("inputs"), Column("device")),
        *(Column("ratio", "number"), Column("interval", "number"), Column("verdict", "word")),
    )
    rows = [
        (
            f"{row.scenario} {row.size}",
            *(row.baseline, row.inputs, row.device),
            ratio(row.speedup),
            interval(row.speedup_low, row.speedup_high),
            row.verdict,
        )
        for row in summary_rows(cells)
    ]
    note = (
        "One mode timed twice under two names: every ratio here is truly 1, what is seen is noise."
    )
    return _without_idle(Table("A/A control", columns, rows, note))


def without_speedup(summary: pd.DataFrame) -> Table:
    """Every cell that was not timed, or was timed but not compared, with the reason.

    Cells that were not timed for one reason share a row.
    """
    every = summary[summary["mode"] != CONTROL]
    columns = (
        *(Column("cell", "prose"), Column("status", "word"), Column("latency", "number")),
        Column("reason", "prose"),
    )
    found: dict[tuple[str, ...], list[str]] = {}
    for row in summary_rows(every[every["speedup"].isna()]):
        timed = seconds(row.median_s)
        alone = str(row.Index) if timed else ""
        reason = row.reason or row.known_difference
        key = (displayed_status(row), timed or "not timed", reason, alone)
        found.setdefault(key, []).append(str(row.Index))
    all_cells = list(map(Cell.parse, every.index))
    rows = [
        (ids[0] if len(ids) == 1 else in_words(list(map(Cell.parse, ids)), all_cells), *key[:3])
        for key, ids in found.items()
    ]
    return Table("Not timed, or timed without a speed-up", columns, rows)


def answers(parity: Iterable[CellParity], kinds: Kinds) -> Table:
    """Tabulate the words of parity: a row a scenario and size, a column a mode."""
    found = matrix(parity, kinds)
    columns = (Column("scenario"), *(Column(mode, "word") for mode in found.modes))
    rows = [
        (f"{scenario} {size}", *(words[mode] for mode in found.modes))
        for (scenario, size), words in found.rows.items()
    ]
    note = (
        "The answers of each mode against eager and the reference. A word in brackets says "
        "for which "
        "inputs or device it holds; the others agree. (known): the scenario declares it."
    )
    groups = tuple((kind, len(members)) for kind, members in found.groups.items())
    return Table("Answers", columns, rows, note, groups if len(groups) > 1 else ())


def why(parity: Iterable[CellParity]) -> Table:
    """Tabulate why some cells do not agree, each reason once."""
    columns = (Column("answers", "word"), Column("reason", "prose"), Column("where", "prose"))
    rows = [(each.status, each.text, each.cells) for each in reasons(parity)]
    return Table("Why not every cell agrees", columns, rows)


def about_modes(request: RunRequest) -> Table:
    """Tabulate what the run's modes are, as its record says."""
    columns = (Column("mode"), Column("kind"), Column("what it is", "prose"))
    about = request.about_modes
    rows = [
        (mode, kind, about[mode].summary)
        for kind, members in by_kind(about, kinds_of(request)).items()
        for mode in members
    ]
    return Table("The modes", columns, rows)


def known_differences(parity: Iterable[CellParity]) -> Table:
    """Every difference that a scenario declares, with its reason."""
    columns = (
        *(Column("cell"), Column("tensor"), Column("against"), Column("answer", "word")),
        *(Column("value", "number"), Column("reference", "number"), Column("ULP", "number")),
        Column("reason", "prose"),
    )
    rows = [
        (
            *(cell.cell, tensor.tensor, tensor.against, f"{tensor.status} (known)"),
            *(tensor.value or "", tensor.reference or "", ulps(tensor.max_ulp)),
            tensor.known,
        )
        for cell in parity
        for tensor in cell.tensors
        if tensor.known and tensor.status not in AGREEING
    ]
    return Table("Declared differences", columns, rows)


def learned(parity: Iterable[CellParity]) -> Table:
    """Tabulate what training reached, one column a mode."""
    values: dict[tuple[str, str, str, str], dict[str, str]] = {}
    entries = list(parity)
    for entry in entries:
        cell = Cell.parse(entry.cell)
        for quantity, value in entry.learned.items():
            key = (f"{cell.scenario} {cell.size}", quantity, cell.inputs, cell.device)
            values.setdefault(key, {})[cell.mode] = _finite(value)
    for row in summary_rows(curves(entries, {})):
        said = {"first": _finite(row.values[0]), "last": _finite(row.values[-1])}
        if row.distance is not None:
            said["furthest from eager"] = error(furthest(row.distance).distance)
        for what, text in said.items():
            key = (f"{row.scenario} {row.size}", f"{row.output}: {what}", row.inputs, row.device)
            values.setdefault(key, {})[row.mode] = text
    modes = list(dict.fromkeys(mode for by_mode in values.values() for mode in by_mode))
    columns = (
        *(Column("scenario"), Column("quantity"), Column("inputs"), Column("device")),
        *(Column(mode, "number") for mode in modes),
    )
    rows = [(*key, *(by_mode.get(m, "") for m in modes)) for key, by_mode in values.items()]
    return _without_idle(Table("What training reached", columns, rows))


def _finite(value: float | None) -> str:
    return significant(value) if known(value) else "not finite"


def checkpoints(pairs: Iterable[CheckpointParity]) -> Table:
    """The mode that wrote a checkpoint by the mode that restored it."""
    words: dict[tuple[str, str], dict[str, str]] = {}
    for pair in pairs:
        wrote, read = Cell.parse(pair.wrote), Cell.parse(pair.read)
        row = words.setdefault((f"{wrote.scenario} {wrote.size}", wrote.mode), {})
        row[read.mode] = f"{pair.status} (known)" if pair.known else pair.status
    readers = list(dict.fromkeys(mode for row in words.values() for mode in row))
    columns = (
        *(Column("scenario"), Column("written by")),
        *(Column(mode, "word") for mode in readers),
    )
    rows = [(*key, *(row.get(mode, "") for mode in readers)) for key, row in words.items()]
    note = (
        "A row's mode wrote the checkpoint, a column's mode restored it. Identical: every variable "
        "in it was restored bit for bit, and training on gave the writer's own bits; close: "
        "restored bit for bit, trained on within tolerance."
    )
    return Table("Checkpoints: written by a row, restored by a column", columns, rows, note)


def checkpoint_reasons(pairs: Iterable[CheckpointParity]) -> Table:
    """Why checkpoints were not restored, each reason once with the pairs that it holds for."""
    found: dict[tuple[str, str, str], list[str]] = {}
    for pair in pairs:
        if pair.status not in AGREEING:
            wrote, read = Cell.parse(pair.wrote), Cell.parse(pair.read)
            status = f"{pair.status} (known)" if pair.known else pair.status
            key = (f"{wrote.scenario} {wrote.size}", status, pair.known or pair.reason)
            found.setdefault(key, []).append(f"{wrote.mode} → {read.mode}")
    columns = (
        *(Column("scenario"), Column("answer", "word"), Column("written → restored", "prose")),
        Column("reason", "prose"),
    )
    rows = [
        (scenario, status, ", ".join(names) if len(names) <= 3 else f"{len(names)} pairs", reason)
        for (scenario, status, reason), names in found.items()
    ]
    return Table("Checkpoints that were not restored", columns, rows)


def tensors(parity: Iterable[CellParity]) -> Table:
    """Every tensor of every cell against eager and against the reference."""
    columns = (
        *(Column("cell"), Column("tensor"), Column("against"), Column("answer", "word")),
        *(Column("absolute", "number"), Column("relative", "number"), Column("ULP", "number")),
        Column("detail", "prose"),
    )
    rows = [
        (
            *(cell.cell, tensor.tensor, tensor.against),
            f"{tensor.status} (known)" if _declared(tensor) else tensor.status,
            *(error(tensor.max_abs), error(tensor.max_rel), ulps(tensor.max_ulp)),
            tensor.detail or _where(tensor),
        )
        for cell in parity
        for tensor in cell.tensors
    ]
    note = "Largest absolute and relative error and distance in ULPs over all compared steps."
    return Table("Every tensor", columns, rows, note)


def passes(frames: Frames) -> Table:
    """Tabulate the passes with the share of their time inside timed calls."""
    columns = (
        *(Column("pass"), Column("outcome", "word"), Column("start-up", "number")),
        *(Column("blocks", "number"), Column("inside timed calls", "number")),
        Column("warnings", "prose"),
    )
    return Table("Passes", columns, [_pass(record) for record in frames.passes])


def _pass(record: PassRecord) -> tuple[str, ...]:
    share = f"{100 * record.clock_s / record.blocks_s:.0f} %" if record.blocks_s else ""
    warnings = "; ".join(machine_warnings(record))
    startup, blocks = seconds(record.startup_s), seconds(record.blocks_s)
    return (str(record.number), record.outcome, startup, blocks, share, warnings)


def machine_warnings(record: PassRecord) -> list[str]:
    """List what the machine's state during a pass gave reason to warn of."""
    return [str(warning) for warning in record.machine.get("warnings", [])]


_SHOWN_ELSEWHERE = ("scenarios", "entries", "cells", "command", "absent_devices", "about_modes")
_NUMBER = re.compile(r"\d+(?:\.\d+)?")


def machine_summary(records: Sequence[PassRecord]) -> list[str]:
    """Say the warnings of all passes once each, with the range of their numbers."""
    kinds: dict[str, list[list[str]]] = {}
    for record in records:
        for warning in dict.fromkeys(machine_warnings(record)):
            kinds.setdefault(_NUMBER.sub("#", warning), []).append(_NUMBER.findall(warning))
    return [
        f"in {len(seen)} of {count(len(records), 'pass', 'passes')} {_ranged(kind, seen)}"
        for kind, seen in kinds.items()
    ]


def _ranged(kind: str, seen: list[list[str]]) -> str:
    """Put the range of every number where the number was."""
    ends = [(min(each, key=float), max(each, key=float)) for each in zip(*seen, strict=True)]
    ranges = iter(low if low == high else f"{low}–{high}" for low, high in ends)
    return re.sub("#", lambda _: next(ranges, "#"), kind)


def environment(frames: Frames) -> Table:
    """Tabulate what the run ran on and what was asked for; keys that nobody knows too."""
    request = {
        key: value for key, value in vars(frames.request).items() if key not in _SHOWN_ELSEWHERE
    }
    rows = [(key, _value(value)) for key, value in {**frames.environment, **request}.items()]
    return Table("Environment", (Column("what"), Column("value", "prose")), rows)


def _value(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key}={_value(each)}" for key, each in value.items())
    if isinstance(value, list):
        return ", ".join(map(_value, value))
    return {None: "none", True: "yes", False: "no", "": "not set"}.get(value, str(value))


def _declared(tensor: TensorComparison) -> bool:
    return bool(tensor.known) and tensor.status not in AGREEING


def _where(tensor: TensorComparison) -> str:
    """Locate the worst element: ``step 0 [2]: 2.06e-09, reference 0.0``."""
    if tensor.worst_step is None or tensor.value is None:
        return ""
    index = f" {list(tensor.worst_index)}" if tensor.worst_index else ""
    return f"step {tensor.worst_step}{index}: {tensor.value}, reference {tensor.reference}"


def _count(value: Any) -> str:
    return "" if pd.isna(value) else f"{value:,}"


def _mebibytes(value: Any) -> str:
    return "" if pd.isna(value) else f"{significant(value / 2**20)} MiB"


_IDLE_IF_ONE = ("device", "kind")


def _without_idle(table: Table) -> Table:
    """Drop columns without a single entry, and device and kind where there is only one."""
    entries = [{row[index] for row in table.rows} for index in range(len(table.columns))]
    kept = [
        index
        for index, column in enumerate(table.columns)
        if entries[index] - {""} and (column.name not in _IDLE_IF_ONE or len(entries[index]) > 1)
    ]
    columns = tuple(table.columns[index] for index in kept)
    rows = [tuple(row[index] for index in kept) for row in table.rows]
    return Table(table.title, columns, rows, table.note)


def markdown(table: Table) -> str:
    """Write a table for a pull request."""
    rules = ["--:" if column.kind == "number" else "---" for column in table.columns]
    lines: Sequence[Sequence[str]] = [[c.name for c in table.columns], rules, *table.rows]
    return "\n".join(f"| {' | '.join(map(escape, line))} |" for line in lines) + "\n"


def escape(text: str) -> str:
    """Text that stays text in Markdown, on one line."""
    return re.sub(r"([\\`*|\[\]<>])", r"\\\1", one_line(text))
