"""Explanations of disagreements, for the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from eager_vs_graph.reports.disagreements import (
    NOT_TRIED,
    DisagreementGroup,
    first_difference,
    judged,
)
from eager_vs_graph.reports.formatting import count, error, ulps
from eager_vs_graph.reports.labels import cell_label
from eager_vs_graph.reports.table import Column, Table
from eager_vs_graph.reports.terminal.grid import print_line, print_table, status_text
from eager_vs_graph.results.cells import Cell
from eager_vs_graph.results.explanation import TRIED, Cause, Explanation
from eager_vs_graph.results.record import AGREEING, TensorComparison


def print_explanations(explanations: Sequence[Explanation], console: Console | None = None) -> None:
    """Print each cell's disagreement: where and how far, who is right, why, what to do."""
    console = console or Console(highlight=False)
    for explanation in explanations:
        _print(console, explanation)


def print_short(groups: Sequence[DisagreementGroup], console: Console | None = None) -> None:
    """Print why each kind of disagreement is there and what to do, in a few lines each."""
    console = console or Console(highlight=False)
    for group in groups:
        _print_heading(console, group.status, group.where)
        if group.declared:
            print_line(console, f"declared: {group.declared}", indent=2)
        for line in group.finding:
            print_line(console, line if line.startswith(NOT_TRIED) else f"why: {line}", indent=2)
        for place in dict.fromkeys(place for cause in group.causes for place in cause.where[:1]):
            print_line(console, f"at {place}", indent=4)
        for line in group.first_ops:
            print_line(console, line, indent=4)
        for line in dict.fromkeys(line for cause in group.causes for line in cause.evidence):
            if line.startswith(TRIED):
                print_line(console, line, indent=4)
        for remedy in group.remedies:
            print_line(console, f"remedy: {remedy}", "green", indent=2)
        if group.command:
            print_line(console, f"more: {group.command}", "dim", indent=2, wrap=False)
    if groups:
        console.print()


def _print_heading(console: Console, status: str, cells: str) -> None:
    print_line(console, Text.assemble(status_text(status), ": ", (cells, "bold")))


def _print(console: Console, explanation: Explanation) -> None:
    _print_heading(console, explanation.status, cell_label(Cell.parse(explanation.cell)))
    if explanation.tensors:
        print_table(_tensors(explanation.tensors), console)
    for judgement in explanation.judgements:
        print_line(console, judged(judgement), indent=2)
    for cause in explanation.causes:
        _print_cause(console, cause)
    for origin in explanation.origins:
        print_line(console, origin.text(Cell.parse(explanation.cell).mode), indent=2)
    if explanation.unexplained:
        names = ", ".join(explanation.unexplained)
        print_line(console, f"no cause found for {names}", "bold yellow", indent=2)
    if (explanation.tensors or explanation.status not in AGREEING) and explanation.reason:
        print_line(console, f"parity: {explanation.reason}", "dim", indent=2)
    if explanation.tensors:
        for line in explanation.excluded:
            print_line(console, f"excluded: {line}", "dim", indent=2)
    for line in explanation.not_tried:
        print_line(console, f"{NOT_TRIED}{line}", "dim", indent=2)
    console.print()


def _print_cause(console: Console, cause: Cause) -> None:
    tensors = f" ({', '.join(cause.tensors)})" if cause.tensors else ""
    print_line(console, f"{cause.name}: {cause.what}{tensors}", "bold", indent=2)
    print_line(console, cause.summary, indent=4)
    for line in cause.where:
        print_line(console, f"at {line}", indent=4)
    for line in cause.evidence:
        print_line(console, line, indent=4)
    print_line(console, f"remedy: {cause.remedy}", "green", indent=4)


def _tensors(tensors: Sequence[TensorComparison]) -> Table:
    """Tabulate how far tensors are from eager's."""
    columns = (
        *(Column("tensor"), Column("status", "status"), Column("max abs", "number")),
        *(Column("max rel", "number"), Column("max ULP", "number"), Column("where", "prose")),
    )
    return Table("", columns, [_tensor(tensor) for tensor in tensors])


def _tensor(tensor: TensorComparison) -> tuple[str, ...]:
    shape = list(tensor.shape) if tensor.dtype else ""
    return (
        f"{tensor.tensor} {tensor.dtype}{shape}".rstrip(),
        *(tensor.status, error(tensor.max_abs), error(tensor.max_rel), ulps(tensor.max_ulp)),
        "; ".join(_remarks(tensor)),
    )


def _remarks(tensor: TensorComparison) -> list[str]:
    """Say where a tensor differs from eager's, and how the elements do."""
    found = []
    if tensor.value is not None:
        place = list(tensor.worst_index) if tensor.worst_index else ""
        found.append(f"worst element {place}: {tensor.value}, eager {tensor.reference}")
    if tensor.p99_ulp is not None and tensor.p99_ulp != tensor.max_ulp:
        found.append(f"99% of the elements within {ulps(tensor.p99_ulp)} ULP")
    if tensor.misplaced:
        found.append(f"{tensor.misplaced} NaN or infinity in other places")
    if tensor.signed_zeros:
        zeros = count(tensor.signed_zeros, "zero", "zeros")
        found.append(f"{zeros} of the other sign")
    return [*found, *first_difference(tensor)]
