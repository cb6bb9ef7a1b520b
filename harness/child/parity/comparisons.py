"""What a cell did, held against what it should have done: tensor by tensor, over all steps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from eager_vs_graph.child.parity.compare import Difference, compare
from eager_vs_graph.child.parity.subject import Subject
from eager_vs_graph.child.parity.trajectory import Trajectory
from eager_vs_graph.results.cells import Cell
from eager_vs_graph.results.record import DIFFERS, IDENTICAL, STATUSES, TensorComparison
from eager_vs_graph.scenario import Array, Scenario


def compare_trajectories(
    subject: Subject, cell: Cell, against: str, found: Trajectory, reference: Trajectory
) -> Iterator[TensorComparison]:
    """Compare what a cell did with a reference, tensor by tensor.

    Args:
        subject: the cell's scenario and size.
        cell: whose trajectory was found.
        against: whose the reference is: ``reference`` or a mode's name.
        found: what the cell did.
        reference: what it should have done.
    """
    exact = against != "reference"
    for name in found.outputs[0]:
        if name not in reference.outputs[0]:
            yield TensorComparison(
                name, "output", against, DIFFERS, detail=f"{against} has no output {name!r}"
            )
            continue
        values = [outputs[name] for outputs in found.outputs]
        references = [outputs[name] for outputs in reference.outputs]
        yield _compare_steps(subject, cell, against, "output", name, values, references, exact)
    for name, value in found.state.items():
        yield _compare_steps(
            subject, cell, against, "variable", name, [value], [reference.state[name]], exact
        )
    for name in {**found.written, **reference.written}:
        if name not in found.written or name not in reference.written:
            who = "it wrote none" if name in reference.written else f"{against} wrote none"
            yield TensorComparison(name, "written", against, DIFFERS, detail=who)
            continue
        values, references = [found.written[name]], [reference.written[name]]
        yield _compare_steps(subject, cell, against, "written", name, values, references, exact)


def _compare_steps(
    subject: Subject,
    cell: Cell,
    against: str,
    kind: str,
    name: str,
    values: Sequence[Array],
    references: Sequence[Array],
    exact_dtype: bool,
) -> TensorComparison:
    tolerance = subject.scenario.tolerance_of(name)
    steps = [
        compare(value, reference, tolerance, exact_dtype=exact_dtype)
        for value, reference in zip(values, references, strict=True)
    ]
    worst = max(range(len(steps)), key=lambda i: badness(steps[i]))
    parted = [i for i, step in enumerate(steps) if step.status != IDENTICAL]
    last = subject.scenario.parity_steps - 1
    difference = steps[worst]
    known = (
        declared_reason(subject.scenario, name, against, cell)
        if difference.status == DIFFERS
        else None
    )
    return TensorComparison(
        tensor=name,
        kind=kind,
        against=against,
        status=difference.status,
        known=known,
        detail=difference.detail,
        dtype=str(values[0].dtype),
        shape=tuple(values[0].shape),
        max_abs=_largest([step.max_abs for step in steps]),
        max_rel=_largest([step.max_rel for step in steps]),
        max_ulp=_largest([step.max_ulp for step in steps]),
        max_scaled=_largest([step.max_scaled for step in steps]),
        worst_step=(worst if kind == "output" else last) if parted else None,
        worst_index=difference.worst_index,
        value=difference.value,
        reference=difference.reference,
        first_step=parted[0] if parted and kind == "output" else None,
        p99_ulp=difference.p99_ulp,
        misplaced=difference.misplaced,
        signed_zeros=difference.signed_zeros,
        by_step=tuple(step.max_abs for step in steps) if parted else (),
    )


def declared_reason(scenario: type[Scenario], tensor: str, against: str, cell: Cell) -> str | None:
    """The reason that the scenario declares for a difference; None where it declares none."""
    for known in scenario.known_differences:
        if known.covers(
            tensor, against=against, mode=cell.mode, size=cell.size, inputs=cell.inputs
        ):
            return known.reason
    return None


def badness(difference: Difference | TensorComparison) -> tuple[int, float]:
    """How bad a comparison is, to be ordered by: its status, then its distance."""
    return STATUSES.index(difference.status), difference.max_ulp or difference.max_abs or 0.0


def _largest(values: Sequence[float | None]) -> float | None:
    present = [value for value in values if value is not None]
    return max(present) if present else None
