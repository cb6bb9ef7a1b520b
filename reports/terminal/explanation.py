"""Prints explanations on the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from eager_vs_graph.reports.disagreements import DisagreementView, judged
from eager_vs_graph.reports.formatting import one_line
from eager_vs_graph.results.cells import Cell
from eager_vs_graph.results.explanation import TRIED, Cause, Explanation
from eager_vs_graph.results.record import AGREEING, TensorComparison


def print_explanations(explanations: Sequence[Explanation], console: Console | None = None) -> None:
    """Print each cell's disagreement: where and how far, who is right, why, what to do."""
    console = console or Console(highlight=False)
    for explanation in explanations:
        _print(console, explanation)


def print_short(found: Sequence[DisagreementView], console: Console | None = None) -> None:
    """Print why each kind of disagreement is there and what to do, in a few lines each."""
    console = console or Console(highlight=False)
    for each in found:
        console.print(Text.assemble("\n", (each.where, "bold"), ": ", (each.status, "yellow")))
        for line in each.finding:
            _line(console, f"why: {one_line(line)}")
        for place in dict.fromkeys(place for cause in each.causes for place in cause.where[:1]):
            _line(console, f"at {place}", indent=4)
        for line in each.first_ops:
            _line(console, one_line(line), indent=4)
        for line in dict.fromkeys(line for cause in each.causes for line in cause.evidence):
            if line.startswith(TRIED):
                _line(console, line, indent=4)
        for remedy in each.remedies:
            _line(console, f"remedy: {remedy}", "green")
        if each.command:
            _line(console, f"more: {each.command}", "dim")


def _print(console: Console, explanation: Explanation) -> None:
    style = "green" if explanation.status in AGREEING else "yellow"
    console.print(
        Text.assemble((explanation.cell, "bold"), ": ", (explanation.status, style)), soft_wrap=True
    )
    if explanation.tensors:
        console.print(Padding(_tensors(explanation.tensors), (0, 0, 0, 2)))
    for judgement in explanation.judgements:
        _line(console, judged(judgement))
    for cause in explanation.causes:
        _cause(console, cause)
    for origin in explanation.origins:
        _line(console, origin.text(Cell.parse(explanation.cell).mode))
    if explanation.unexplained:
        _line(console, f"no cause found for {', '.join(explanation.unexplained)}", "bold yellow")
    if (explanation.tensors or explanation.status not in AGREEING) and explanation.reason:
        _line(console, f"parity: {explanation.reason}", "dim")
    if explanation.tensors:
        for line in explanation.excluded:
            _line(console, f"excluded: {line}", "dim")
    for line in explanation.not_tried:
        _line(console, f"not tried: {line}", "dim")


def _cause(console: Console, cause: Cause) -> None:
    tensors = f" ({', '.join(cause.tensors)})" if cause.tensors else ""
    _line(console, f"{cause.name}: {cause.what}{tensors}", "bold")
    _line(console, cause.summary, indent=4)
    for line in cause.where:
        _line(console, f"at {line}", indent=4)
    for line in cause.evidence:
        _line(console, line, indent=4)
    _line(console, f"remedy: {cause.remedy}", "green", indent=4)


def _tensors(tensors: Sequence[TensorComparison]) -> Table:
    table = Table(box=None, pad_edge=False)
    columns = ("tensor", "status", "dtype", "shape", "max abs", "max rel", "max ULP", "99 % ULP")
    for name in (*columns, "worst", "value", "eager", "parts at step"):
        table.add_column(name, overflow="fold")
    for tensor in tensors:
        index = "" if tensor.worst_index is None else str(list(tensor.worst_index))
        table.add_row(
            tensor.tensor,
            tensor.status,
            tensor.dtype,
            str(list(tensor.shape)),
            *(
                "" if value is None else f"{value:.3g}"
                for value in (tensor.max_abs, tensor.max_rel, tensor.max_ulp, tensor.p99_ulp)
            ),
            index,
            tensor.value or "",
            tensor.reference or "",
            _parting(tensor),
        )
    return table


def _parting(tensor: TensorComparison) -> str:
    notes = []
    if tensor.misplaced:
        notes.append(f"{tensor.misplaced} NaN or infinity in other places")
    if tensor.signed_zeros:
        notes.append(f"{tensor.signed_zeros} zeros of other sign")
    if tensor.first_step is not None:
        grows = tensor.grows
        growth = "" if grows is None else ", grows" if grows else ", does not grow"
        notes.insert(0, f"{tensor.first_step}{growth}")
    return "; ".join(notes)


def _line(console: Console, text: str, style: str = "", indent: int = 2) -> None:
    console.print(Padding(Text(text, style), (0, 0, 0, indent)), soft_wrap=False)
