"""What experiments found of a run's disagreements, cells of one kind together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from eager_vs_graph.reports.commands import explain_command
from eager_vs_graph.reports.formatting import digits, is_number, ulps
from eager_vs_graph.reports.labels import in_words
from eager_vs_graph.reports.matrix import status_of
from eager_vs_graph.results.cells import Cell
from eager_vs_graph.results.explanation import Cause, Explanation, Judgement, Profile
from eager_vs_graph.results.record import AGREEING, CellParity, TensorComparison
from eager_vs_graph.results.request import RunRequest

SHOWN = 3
"""Tensors that are named where there are many."""
NOT_TRIED = "not tried: "
ALIKE = "eager repeats itself, but is out of tolerance of the float64 reference in its own dtype"
AS_EAGER = "the same as eager, which is out of tolerance of the float64 reference"


@dataclass(frozen=True)
class DisagreementGroup:
    """Cells of one scenario and size that disagree in the same way for the same reason."""

    explanation: Explanation
    """Of the first cell."""
    cells: tuple[Cell, ...]
    status: str
    """The status of parity, marked where the difference is declared."""
    declared: str
    """The reason that the scenario declares for it."""
    where: str
    """The cells in words: ``custom_gradient guide in function, session``."""
    command: str = ""
    """The command line that explains more; empty where the code cannot be named in one."""

    @property
    def cell(self) -> Cell:
        """The first cell."""
        return self.cells[0]

    @property
    def causes(self) -> tuple[Cause, ...]:
        """The causes of what differs, or of anything where nothing does."""
        of_values = tuple(c for c in self.explanation.causes if c.tensors)
        return of_values or self.explanation.causes

    @property
    def finding(self) -> list[str]:
        """Why, in a line each: the causes, or that none was found."""
        explanation = self.explanation
        found = [
            f"{cause.name}: {cause.what}{_of(cause.tensors)}: {cause.summary}"
            for cause in self.causes
        ]
        if explanation.unexplained:
            found.append(f"no cause found for {', '.join(explanation.unexplained)}")
            found += [f"{NOT_TRIED}{line}" for line in explanation.not_tried]
        if not found and explanation.against_reference and not explanation.tensors:
            found.append(ALIKE if self.cell.mode == "eager" else AS_EAGER)
        if not found:
            found += explanation.not_tried or explanation.excluded or ("no cause was found",)
        return found

    @property
    def first_ops(self) -> list[str]:
        """The first op that differs, and its line, a line for each kind of cause."""
        origins = self.explanation.origins
        return list(dict.fromkeys(each.text(self.cell.mode) for each in origins if each.op))

    @property
    def remedies(self) -> list[str]:
        """What to do, each remedy once."""
        return list(dict.fromkeys(cause.remedy for cause in self.causes))

    @property
    def who_is_right(self) -> list[str]:
        """Each side's own error against the reference, in the worst element of each tensor."""
        return [judged(each) for each in self.explanation.judgements]

    @property
    def distances(self) -> list[str]:
        """How far the tensors are from eager's; where none differs, how far from the reference."""
        differing = self.explanation.tensors or self.explanation.against_reference
        return [distance(tensor) for tensor in differing]

    @property
    def profile(self) -> Profile | None:
        """What there is to draw."""
        profiles = self.explanation.profiles
        return profiles[0] if profiles else None


def disagreements(
    explanations: Iterable[Explanation],
    parity: Mapping[str, CellParity],
    request: RunRequest | None = None,
    entries: Sequence[Mapping[str, Any]] = (),
) -> list[DisagreementGroup]:
    """Put cells together that differ in the same tensors for the same causes, in their order.

    Args:
        explanations: of a run's cells.
        parity: the parity of all cells, by id.
        request: what the run was asked for.
        entries: what the catalogue found, where there is no request.
    """
    called = request.command if request else ""
    named = request.entries if request else entries
    every: dict[str, list[Cell]] = {}
    for cell_id in parity:
        cell = Cell.parse(cell_id)
        every.setdefault(cell.scenario, []).append(cell)
    found: dict[tuple[object, ...], list[Explanation]] = {}
    for explanation in explanations:
        cell = Cell.parse(explanation.cell)
        key = (
            *(cell.scenario, cell.size, _status(explanation, parity)),
            cell.mode == "eager",
            tuple((c.name, c.what, c.tensors) for c in explanation.causes if c.tensors),
            tuple(sorted(tensor.tensor for tensor in explanation.tensors)),
            (explanation.unexplained, explanation.not_tried) if not explanation.causes else (),
        )
        found.setdefault(key, []).append(explanation)
    return [_together(some, parity, every, named, called) for some in found.values()]


def _together(
    some: list[Explanation],
    parity: Mapping[str, CellParity],
    every: Mapping[str, list[Cell]],
    entries: Sequence[Mapping[str, Any]],
    called: str,
) -> DisagreementGroup:
    first = some[0]
    cells = tuple(Cell.parse(each.cell) for each in some)
    entry = parity.get(first.cell)
    return DisagreementGroup(
        first,
        cells,
        _status(first, parity),
        _declared(entry) if entry else "",
        in_words(cells, every.get(cells[0].scenario) or list(cells)),
        explain_command(cells[0], entries, called),
    )


def _declared(entry: CellParity) -> str:
    """What is declared of the difference from eager; else, of that from the reference."""
    bad = [t for t in entry.tensors if t.known and t.status not in AGREEING]
    chosen = [t for t in bad if t.against == "eager"] or bad
    return "; ".join(dict.fromkeys(str(tensor.known) for tensor in chosen)) or entry.known or ""


def _status(explanation: Explanation, parity: Mapping[str, CellParity]) -> str:
    entry = parity.get(explanation.cell)
    if entry is None or entry.status != explanation.status:  # more runs may have shown more
        return explanation.status
    return status_of(entry)


def judged(judgement: Judgement) -> str:
    """Who is right in one element: both values, the reference's, and the verdict."""
    place = f"[{', '.join(map(str, judgement.index))}]" if judgement.index else ""
    values = ", ".join(f"{side.mode} {side.value}" for side in judgement.sides)
    return (
        f"{judgement.tensor}{place}, step {judgement.step}: {values}, reference "
        f"{judgement.reference}: {judgement.verdict}"
    )


def distance(tensor: TensorComparison) -> str:
    """How far a tensor is from its reference, in a line."""
    parts = [f"{tensor.dtype}{list(tensor.shape)}"] if tensor.dtype else []
    for value, unit in (
        (tensor.max_abs, "absolute"),
        (tensor.max_rel, "relative"),
    ):
        if value is not None:
            parts.append(f"{value:.3g} {unit}")
    if is_number(tensor.max_scaled):
        of_scale = f"{tensor.max_scaled:.2g} of its largest value"
        parts.append(f"{of_scale}: right to {digits(tensor.max_scaled)}")
    elif tensor.max_ulp is not None:
        parts.append(f"{ulps(tensor.max_ulp)} ULP")
    notes = [*parts, *([tensor.detail] if tensor.detail else []), *first_difference(tensor)]
    return f"{tensor.tensor} against {tensor.against}: {tensor.status}, {'; '.join(notes)}"


def first_difference(tensor: TensorComparison) -> list[str]:
    """Say from which step on a tensor differs, and whether that grows."""
    if tensor.first_step is None:
        return []
    growth = {None: "", True: ", growing", False: ", not growing"}[tensor.grows]
    return [f"differs from step {tensor.first_step} on{growth}"]


def _of(tensors: tuple[str, ...]) -> str:
    """The tensors in brackets; of many, the first few."""
    if not tensors:
        return ""
    more = f" and {len(tensors) - SHOWN} more" if len(tensors) > SHOWN + 1 else ""
    return f" ({', '.join(tensors[:SHOWN] if more else tensors)}{more})"
