"""Which tensors out of tolerance are no disagreement, or none that a mode is to blame for.

Each rule takes a comparison and returns it, or one with a better word and the reason for it:

* ``by_reference``: the mode is as near to the float64 reference as eager is;
* ``by_sensitivity``: eager itself moves as far under rounding errors, for code whose author has
  said nothing of tolerances;
* ``by_derived_reference``: the reference is the same code in float64, so that eager's own distance
  from it is the code's, in every mode;
* ``mark_nondeterministic``: eager disagrees with itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from eager_vs_graph.child.parity import reference_rule, sensitivity_rule
from eager_vs_graph.child.parity.trajectory import Trajectory
from eager_vs_graph.modes import BASELINE
from eager_vs_graph.results.cells import Cell
from eager_vs_graph.results.record import CLOSE, DIFFERS, NONDETERMINISTIC, TensorComparison
from eager_vs_graph.scenario import Array

if TYPE_CHECKING:
    from eager_vs_graph.child.parity.check import Subject

_SENSITIVE = "eager moves as far when its inputs move by their last digit"
_LOSSY = (
    "eager itself is as far from the same computation in float64: the function loses more than "
    "half of its digits in its own dtype, in every mode"
)


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
    if tensor.status != DIFFERS or tensor.known:
        return tensor
    key = (tensor.kind, tensor.tensor)
    if cell.mode == BASELINE:
        subject.lossy.add(key)
    return replace(tensor, known=_LOSSY) if key in subject.lossy else tensor


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
    if subject.perturbed is None:
        subject.perturbed = sensitivity_rule.perturbed(subject, cell)
    sides = [found, subject.eager, *subject.perturbed]
    steps = _values(tensor, sides)
    if not all(
        sensitivity_rule.passes(value, eager, again, moved) for value, eager, again, *moved in steps
    ):
        return tensor
    return replace(tensor, status=CLOSE, detail=f"{tensor.detail}; {_SENSITIVE}")


def decided_by_rounding(tensors: Sequence[TensorComparison]) -> str:
    """Names the tensors whose agreement says little, because rounding decides their values."""
    names = list(dict.fromkeys(t.tensor for t in tensors if t.detail.endswith(_SENSITIVE)))
    if not names:
        return ""
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return f"rounding decides {', '.join(names[:3])}{more}: {_SENSITIVE}"


def mark_nondeterministic(subject: Subject, tensor: TensorComparison) -> TensorComparison:
    """No mode is blamed for a tensor in which eager disagrees with itself."""
    unsteady = (tensor.kind, tensor.tensor) in subject.unsteady
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
