"""Which tensors out of tolerance are no disagreement, or none that a mode is to blame for.

Each rule takes a comparison and returns it, or one with a better word and the reason for it:

* ``by_reference``: the mode is as near to the float64 reference as eager is;
* ``by_sensitivity``: eager itself moves as far under rounding errors, for code whose author has
  said nothing of tolerances;
* ``by_derived_reference``: the reference is the same code in float64, so that eager's own distance
  from it is the code's, in every mode;
* ``by_draws``: the mode draws other random numbers, for code whose author has declared nothing;
* ``mark_nondeterministic``: eager disagrees with itself.
"""

from __future__ import annotations

import re
from collections.abc import Sequence, Set
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from eager_vs_graph.child.parity import random_draws, reference_rule, sensitivity_rule
from eager_vs_graph.child.parity.repetition_rule import REPEATS
from eager_vs_graph.child.parity.trajectory import Trajectory, of_program
from eager_vs_graph.modes import BASELINE
from eager_vs_graph.results.cells import Cell
from eager_vs_graph.results.record import (
    AGREEING,
    CLOSE,
    DIFFERS,
    NONDETERMINISTIC,
    TensorComparison,
)
from eager_vs_graph.scenario import Array

if TYPE_CHECKING:
    from eager_vs_graph.child.parity.subject import Subject

_SENSITIVE = "eager moves as far when its inputs move by their last digit"
_LOSSY = "eager is as far from the same computation in float64"
_STATEFUL = re.compile(
    r"^(Random(?!IndexShuffle)|TruncatedNormal|Parameterized|Multinomial|NonDet)"
)
"""Random ops whose numbers follow from nothing that a program holds."""


def by_reference(subject: Subject, tensor: TensorComparison, found: Trajectory) -> TensorComparison:
    """``close`` instead of ``differs`` where the mode is as right as eager, in every step."""
    if tensor.status != DIFFERS or tensor.known or not tensor.max_ulp or not found.outputs:
        return tensor
    if tensor.kind == "written":  # files have no float64 counterpart of their own
        return tensor
    if subject.eager is None or subject.reference is None:
        return tensor
    if subject.scenario.tolerance_of(tensor.tensor) is not None:
        return tensor  # the author has said what is close
    sides = [found, subject.eager, subject.reference]
    steps = _values(tensor, sides)
    if not all(reference_rule.passes(*map(np.asarray, step)) for step in steps):
        return tensor
    return replace(
        tensor, status=CLOSE, detail=f"{tensor.detail}; as near to the reference as eager"
    )


def by_derived_reference(
    subject: Subject, cell: Cell, tensor: TensorComparison, found: Trajectory
) -> TensorComparison:
    """Judge by eager's own distance to the reference, where the reference is eager in float64."""
    if not subject.scenario.judged_by_eager or subject.eager is None:
        return tensor
    if (tensor.kind, tensor.tensor) in subject.unsteady:
        return tensor  # what moves by itself is as far from any reference
    tensor = by_reference(subject, tensor, found)
    tensor = by_sensitivity(subject, cell, tensor, found)
    if tensor.status != DIFFERS or tensor.known:
        return tensor
    key = (tensor.kind, tensor.tensor)
    if cell.mode == BASELINE:
        subject.lossy.add(key)
    if key not in subject.lossy:
        return tensor
    return replace(tensor, status=CLOSE, detail=f"{tensor.detail}; {_LOSSY}")


def by_sensitivity(
    subject: Subject, cell: Cell, tensor: TensorComparison, found: Trajectory
) -> TensorComparison:
    """``close`` where eager itself moves as far when its inputs move by a rounding error."""
    if tensor.status != DIFFERS or tensor.known or subject.eager is None:
        return tensor
    if tensor.kind == "written" or not tensor.max_ulp:
        return tensor
    if (tensor.kind, tensor.tensor) in subject.unsteady:
        return tensor  # what moves by itself cannot tell what moved it
    right = subject.eager if tensor.against == BASELINE else subject.reference
    if right is None:
        return tensor
    if subject.perturbed is None:
        subject.perturbed = sensitivity_rule.perturbed(subject, cell)
    sides = [found, right, subject.eager, *subject.perturbed]
    if not all(
        sensitivity_rule.passes(value, np.asarray(should), eager, again, moved)
        for value, should, eager, again, *moved in _values(tensor, sides)
    ):
        return tensor
    return replace(tensor, status=CLOSE, detail=f"{tensor.detail}; {_SENSITIVE}")


def by_draws(
    subject: Subject, cell: Cell, tensors: list[TensorComparison]
) -> list[TensorComparison]:
    """Declare what differs by nothing but the random numbers that each mode draws.

    Eager and the mode run once more, with draws that are the same in both. What agrees then is
    explained by the draws; what does not has another reason, whatever is drawn beside it.
    """
    drawing = [op for op in subject.draws if _STATEFUL.match(op)]
    bad = [tensor for tensor in tensors if tensor.status == DIFFERS and not tensor.known]
    if not drawing or not bad:
        return tensors
    try:
        agreeing = _agreeing_with_same_draws(subject, cell)
    except Exception:  # then nothing is known of why it differs
        return tensors
    reason = (
        f"the function draws random numbers with {', '.join(sorted(drawing))}, which are others in "
        "each mode; where every mode is given the same numbers, the outputs agree"
    )
    return [
        replace(tensor, known=reason)
        if tensor in bad and (tensor.kind, tensor.tensor) in agreeing
        else tensor
        for tensor in tensors
    ]


def _agreeing_with_same_draws(subject: Subject, cell: Cell) -> set[tuple[str, str]]:
    from eager_vs_graph.child.parity.comparisons import compare_trajectories

    assert subject.initial is not None
    with random_draws.watched(subject.scenario.source_file(), replaced=True):
        if subject.steady_draws is None:
            subject.steady_draws = _run(subject, cell.in_mode(BASELINE))
        found = _run(subject, cell)
    compared = compare_trajectories(subject, cell, BASELINE, found, subject.steady_draws)
    return {(tensor.kind, tensor.tensor) for tensor in compared if tensor.status in AGREEING}


def _run(subject: Subject, cell: Cell) -> Trajectory:
    program = subject.build(cell)
    assert subject.initial is not None
    found = of_program(program, subject.initial, subject.feeds, subject.scenario.parity_steps)
    program.close()
    return found


def notes(tensors: Sequence[TensorComparison]) -> list[str]:
    """What a reader should know of tensors that agree by a rule and not by their tolerance."""
    found = []
    if sensitive := _named(tensors, _SENSITIVE):
        found.append(f"rounding decides {sensitive}: {_SENSITIVE}")
    if lossy := _named(tensors, _LOSSY):
        found.append(
            f"{lossy} in float32 or less {'is' if ' ' not in lossy else 'are'} far from the same "
            "computation in float64, in eager too: no mode is to blame"
        )
    return found


def _named(tensors: Sequence[TensorComparison], rule: str) -> str:
    names = list(dict.fromkeys(t.tensor for t in tensors if t.detail.endswith(rule)))
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return f"{', '.join(names[:3])}{more}"


def mark_nondeterministic(
    subject: Subject, tensor: TensorComparison, repeating: Set[str] = frozenset()
) -> TensorComparison:
    """No mode is blamed for a tensor in which eager disagrees with itself.

    But for those in ``repeating``, in which a graph does what eager never does: see
    ``repetition_rule``.
    """
    unsteady = (tensor.kind, tensor.tensor) in subject.unsteady
    if unsteady and tensor.kind == "output" and tensor.tensor in repeating:
        if tensor.against != BASELINE or tensor.status != DIFFERS:
            return tensor
        return replace(tensor, detail=f"{tensor.detail}; {REPEATS}", known=None)
    if unsteady and tensor.status == DIFFERS and tensor.known is None:
        return replace(tensor, status=NONDETERMINISTIC)
    return tensor


def _values(tensor: TensorComparison, sides: Sequence[Trajectory]) -> list[list[Array]]:
    """The values of a tensor, step by step: one of each side; of a variable, the last ones."""
    if tensor.kind == "variable":
        return [[side.state[tensor.tensor] for side in sides]]
    return [
        [outputs[tensor.tensor] for outputs in step]
        for step in zip(*(side.outputs for side in sides), strict=True)
    ]
