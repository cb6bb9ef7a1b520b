"""The same results for the terminal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd
from rich import box
from rich.console import Console
from rich.table import Table as Grid
from rich.text import Text

from eager_vs_graph.reports import Rendered, tables
from eager_vs_graph.reports.formatting import interval, known, one_line, ratio, seconds
from eager_vs_graph.reports.guide_timing import guide_timing
from eager_vs_graph.reports.matrix import Matrix, matrix, reasons
from eager_vs_graph.reports.terminal import explanation
from eager_vs_graph.reports.wording import payoff
from eager_vs_graph.results.cells import CONTROL, Cell
from eager_vs_graph.results.explanation import UNEQUAL_WORK
from eager_vs_graph.results.mode_kinds import Kinds, by_kind, kinds_of
from eager_vs_graph.results.record import AGREEING, CellParity, CheckpointParity
from eager_vs_graph.statistics.summary import BASELINE, GROUP, displayed_status, summary_rows

STYLES = {
    "faster": "bold green",
    "slower": "bold yellow",
    "same": "bold",
    "unclear": "dim",
    "unequal": "bold yellow",
    "identical": "",
    "close": "",
    "unsupported": "dim",
}
"""By the first word of a text; every word that is not here is trouble."""
TROUBLE = "bold red"
_LABEL, _WIDE, _FEWEST = 28, 26, 3
"""Columns of text for the rows' names and for a mode's results, and the fewest modes a table."""


def print_result(rendered: Rendered, console: Console | None = None) -> None:
    """Print the result table, what was not compared, the headline and the notes."""
    console = console or Console(highlight=False)
    kinds = kinds_of(rendered.frames.request)
    modes = list(rendered.summary["mode"].unique())
    for kind, some in _in_turns(modes, kinds, max(_FEWEST, (console.width - _LABEL) // _WIDE)):
        if kind:
            console.print(Text(kind, style="bold underline"))
        console.print(results_grid(rendered.summary[rendered.summary["mode"].isin(some)]))
    if timing := guide_timing(rendered.summary, rendered.frames.request):
        console.print(Text("\n".join([*timing, ""])))
    for cell, status, latency, reason in tables.without_speedup(rendered.summary).rows:
        console.print(_worded(status) + Text(f" {cell} ({latency}): {one_line(reason)}"))
    _print_checkpoint_reasons(rendered.frames.checkpoints, console)
    explanation.print_short(rendered.disagreements, console)
    console.print()
    for line in rendered.headline:
        console.print(Text(line))
    for note in rendered.notes:
        console.print(Text(f"  {one_line(note)}", style="dim"))


def print_parity(
    parity: Iterable[CellParity],
    console: Console | None = None,
    kinds: Kinds | None = None,
    checkpoints: Sequence[CheckpointParity] = (),
    *,
    details: bool = True,
) -> None:
    """Print the tensors, then scenario × mode, then each reason once.

    Args:
        parity: the cells.
        console: where to print.
        kinds: the kind of every mode, to group them by.
        checkpoints: how checkpoints were restored.
        details: whether to print the tensors of cells that agree, too.
    """
    console = console or Console(highlight=False)
    cells = list(parity)
    if told := [
        cell for cell in cells if cell.tensors and (details or cell.status not in AGREEING)
    ]:
        console.print(parity_grid(told))
    print_matrix(matrix(cells, kinds or {}), console)
    for reason in reasons(cells):
        console.print(_worded(reason.status) + Text(f" {one_line(reason.text)}"))
        console.print(Text(f"    {reason.cells}", style="dim"))
    if checkpoints:
        console.print(checkpoint_grid(checkpoints))
        _print_checkpoint_reasons(checkpoints, console)


def _print_checkpoint_reasons(pairs: Iterable[CheckpointParity], console: Console) -> None:
    for scenario, status, names, reason in tables.checkpoint_reasons(pairs).rows:
        console.print(
            _worded(status) + Text(f" {scenario}, checkpoint {names}: {one_line(reason)}")
        )


def print_matrix(found: Matrix, console: Console) -> None:
    """Print a word for every scenario, size and mode; below each other where it is too wide.

    Away from a terminal there is no width to keep to, and every row is one line.
    """
    label = max((len(f"  {size}") for _, size in found.rows), default=0)
    label = max([label, *(len(scenario) for scenario, _ in found.rows)])
    several = len(found.groups) > 1
    widths = {
        mode: max(len(each) for each in (mode, kind * several, *found.column(mode)))
        for kind, members in found.groups.items()
        for mode in members
    }
    label += 2
    whole = sum(widths.values()) + 2 * len(widths) + label
    room = console.width if console.is_terminal else whole
    for groups in _fitting(found.groups, widths, room - label):
        grid = Grid(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 2, 0, 0))
        grid.add_column("", no_wrap=True, min_width=label - 2)
        for kind, members in groups:
            for index, mode in enumerate(members):
                above = f"{kind if index == 0 else ''}\n" if several else ""
                grid.add_column(f"{above}{mode}", no_wrap=True, min_width=widths[mode])
        modes = [mode for _, members in groups for mode in members]
        scenario = ""
        for (name, size), words in found.rows.items():
            if name != scenario:
                grid.add_row(Text(name, style="bold"))
                scenario = name
            grid.add_row(Text(f"  {size}"), *(_worded(words[mode]) for mode in modes))
        console.print(grid, width=max(room, console.width), crop=False)


def _fitting(
    groups: Mapping[str, list[str]], widths: Mapping[str, int], room: int
) -> list[list[tuple[str, list[str]]]]:
    """Cut the modes, kind by kind, into runs that fit into a width; at least one mode each."""
    cut: list[list[tuple[str, list[str]]]] = [[]]
    left = room
    for kind, members in groups.items():
        for mode in members:
            left -= widths[mode] + 2
            if left < 0 and cut[-1]:
                cut.append([])
                left = room - widths[mode] - 2
            if not cut[-1] or cut[-1][-1][0] != kind:
                cut[-1].append((kind, []))
            cut[-1][-1][1].append(mode)
    return cut


def _in_turns(modes: Sequence[str], kinds: Kinds, most: int) -> list[tuple[str, list[str]]]:
    """Cut modes into tables of a few, each of one kind; without a name where one is enough."""
    groups = by_kind((mode for mode in modes if mode != CONTROL), kinds)
    cut = [
        (kind, members[start : start + most])
        for kind, members in groups.items()
        for start in range(0, len(members), most)
    ]
    return cut if len(cut) > 1 else [("", list(modes))]


def print_selfcheck(
    rows: Iterable[tuple[str, str, str, bool]], console: Console | None = None
) -> None:
    """What the harness found of itself, line by line."""
    grid = Grid(box=box.SIMPLE_HEAD)
    for title in ("", "found", "target", ""):
        grid.add_column(title)
    for what, found, target, passed in rows:
        status = Text("pass", "green") if passed else Text("fail", TROUBLE)
        grid.add_row(Text(what), Text(found), Text(target), status)
    (console or Console()).print(grid)


def results_grid(summary: pd.DataFrame) -> Grid:
    """One row a scenario, size, device and inputs policy; one column a mode."""
    cells = summary[summary["mode"] != CONTROL]
    modes = list(cells["mode"].unique())
    devices = cells["device"].nunique() > 1
    layout = Grid(box=box.SIMPLE_HEAD, pad_edge=False)
    layout.add_column("", overflow="fold")
    for mode in modes:
        layout.add_column(mode)
    scenario = ""
    for (name, size, device, inputs), group in cells.groupby(GROUP, sort=False):
        if name != scenario:
            if scenario:
                layout.add_section()
            layout.add_row(Text(str(name), style="bold"))
            scenario = str(name)
        label = f"  {size} {inputs}" + (f" {device}" if devices else "")
        rows = {row.mode: row for row in summary_rows(group)}
        layout.add_row(Text(label), *(_cell(rows.get(mode)) for mode in modes))
    return layout


def _cell(row: Any) -> Text:
    """Latency and parity; speed-up, interval and verdict; break-even or what would settle it."""
    if row is None:
        return Text("")
    status = _worded(displayed_status(row))
    first = Text(f"{seconds(row.median_s)} ") + status if known(row.median_s) else status
    if row.verdict == UNEQUAL_WORK:
        return first + "\n" + _worded(UNEQUAL_WORK)
    if row.mode == BASELINE or not known(row.speedup):
        return first
    bounds = interval(row.speedup_low, row.speedup_high)
    second = Text(f"\n{ratio(row.speedup)} ", style=STYLES.get(row.verdict, ""))
    second += Text(f"{bounds} ", style="dim") + _worded(row.verdict)
    more = [Text(f"\n{line}", style="dim") for line in (row.verdict_detail, payoff(row)) if line]
    return Text.assemble(first, second, *more)


def parity_grid(parity: Iterable[CellParity]) -> Grid:
    """One row a tensor and reference; cells without any tensor have a row of their own."""
    layout = Grid(box=box.SIMPLE_HEAD, pad_edge=False)
    layout.add_column("", no_wrap=True)
    for name in ("tensor", "against", "answer"):
        layout.add_column(name)
    for name in ("absolute", "relative", "ULP"):
        layout.add_column(name, justify="right")
    layout.add_column("detail", overflow="fold")
    heading = ""
    for parity_of_cell in parity:
        cell = Cell.parse(parity_of_cell.cell)
        if heading != (heading := f"{cell.scenario} {cell.size}"):
            layout.add_row(Text(heading, style="bold"))
        label = f"  {cell.mode} {cell.inputs} {cell.device}"
        rows = tables.tensors([parity_of_cell]).rows
        for _, tensor, against, status, *errors, detail in rows:
            numbers = map(Text, errors)
            fields = (Text(tensor), Text(against), _worded(status), *numbers, Text(detail))
            layout.add_row(Text(label), *fields)
            label = ""
        if not rows:
            layout.add_row(Text(label), Text(""), Text(""), _worded(parity_of_cell.status))
    return layout


def checkpoint_grid(pairs: Iterable[CheckpointParity]) -> Grid:
    """One row a mode that wrote a checkpoint, one column a mode that restored it."""
    table = tables.checkpoints(pairs)
    layout = Grid(title=table.title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for column in table.columns:
        layout.add_column(column.name)
    heading = ""
    for scenario, writer, *words in table.rows:
        layout.add_row(
            Text(scenario if scenario != heading else "", style="bold"),
            Text(writer),
            *map(_worded, words),
        )
        heading = scenario
    return layout


def _worded(status: str) -> Text:
    """Set a word of the vocabulary in its colour; a declared difference is no trouble."""
    calm = "(known)" in status or not status
    style = "yellow" if calm else STYLES.get(status.split(" ", maxsplit=1)[0], TROUBLE)
    marked = "(retraced)" in status or f"({UNEQUAL_WORK})" in status
    return Text(status, style=TROUBLE if marked else style)
