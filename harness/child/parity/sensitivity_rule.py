"""Whether a disagreement is no larger than what a rounding error of the inputs does to eager.

For code whose author has said nothing of tolerances. Some results are decided by rounding alone: a
bias in front of a batch normalization has a gradient of zero, of which rounding leaves 1e-9 of
either sign, and Adam makes whole steps of it. There, no two ways to compute agree, and none is
wrong. So eager is run again with every floating-point input and variable moved by one part in its
dtype's last digit; a mode that is no further from eager than a small multiple of what that does is
the exact answer to inputs that nobody could tell from the given ones (Higham, *Accuracy and
Stability of Numerical Algorithms*, 2002, section 1.5: a mixed forward-backward stable result).

The multiple is that of ``second_chance``. What does not depend on rounding moves by rounding errors
only, so that an update left out, another dtype or a part in 10⁴ stays what it is: a difference.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from eager_vs_graph.child.parity.compare import FLOATS, epsilon
from eager_vs_graph.child.parity.reference_rule import MULTIPLIER_NOISY
from eager_vs_graph.child.parity.trajectory import Trajectory, of_program
from eager_vs_graph.modes import BASELINE
from eager_vs_graph.results.cells import Cell
from eager_vs_graph.scenario import Array

if TYPE_CHECKING:
    from eager_vs_graph.child.parity.subject import Subject

_TIMES = 2


def perturbed(subject: Subject, cell: Cell) -> list[Trajectory]:
    """What eager does once more, and from inputs and variables moved by their last digit.

    Each is a program of its own: what Python keeps from call to call begins anew.
    """
    assert subject.initial is not None
    found = [] if subject.again is None else [subject.again]
    for seed in (None, *range(_TIMES))[len(found) :]:
        initial, feeds = subject.initial, list(subject.feeds)
        if seed is not None:
            rng = np.random.default_rng(seed)
            initial = _moved(initial, rng)
            feeds = [_moved(feed, rng) for feed in feeds]
        program = subject.build(cell.in_mode(BASELINE))
        found.append(of_program(program, initial, feeds, subject.scenario.parity_steps))
        program.close()
    return found


def passes(value: Array, right: Array, eager: Array, again: Array, moved: Sequence[Array]) -> bool:
    """Whether a value is about as near to the right one as eager is to itself when inputs move.

    Args:
        value: the mode's, of a floating dtype.
        right: eager's or the reference's, of the same shape.
        eager: eager's, of the value's dtype and shape.
        again: eager's once more; where it is another, eager moves by itself and nothing passes.
        moved: eager's from moved inputs, of the same shape.
    """
    if not np.array_equal(eager, again):
        return False
    arrays = [np.asarray(array) for array in (value, eager, *moved)]
    if len({(array.shape, array.dtype) for array in arrays}) > 1 or right.shape != value.shape:
        return False
    if arrays[0].dtype.name not in FLOATS:
        return False
    target = right.astype(np.float64)
    wide = [array.astype(np.float64) for array in arrays]
    if not all(np.isfinite(array).all() for array in (target, *wide)):
        return False
    response = max(_rms(array - wide[1]) for array in wide[2:])
    return _rms(wide[0] - target) <= MULTIPLIER_NOISY * response


def _moved(arrays: Mapping[str, Array], rng: np.random.Generator) -> dict[str, Array]:
    """Every floating-point value a part in its last digit larger or smaller."""
    moved = {}
    for name, array in arrays.items():
        if array.dtype.name not in FLOATS:
            moved[name] = array
            continue
        signs = rng.choice([-1.0, 1.0], size=array.shape)
        moved[name] = np.asarray(
            array.astype(np.float64) * (1 + epsilon(array.dtype) * signs)
        ).astype(array.dtype)
    return moved


def _rms(array: Array) -> float:
    return float(np.sqrt(np.mean(np.square(array)))) if array.size else 0.0
