"""What a failing test says: the fact in the first line, then the numbers, the cause and the fix."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from eager_vs_graph.child.parity import check
from eager_vs_graph.child.parity.raised import results
from eager_vs_graph.modes import BASELINE
from eager_vs_graph.pytest_plugin.pair import failures
from eager_vs_graph.results.record import (
    AGREEING,
    NONDETERMINISTIC,
    CellParity,
    TensorComparison,
)
from eager_vs_graph.scenario import Array

SKIP = '@pytest.mark.tf_modes(unsupported="skip") skips the modes that cannot run it'
_LIMITS = "@pytest.mark.tf_modes(rtol=..., atol=...)"
_SHOWN = 3


def differs(mode: str, call: str, eager: CellParity, found: CellParity, cause: list[str]) -> str:
    """A mode's outputs or variables are not eager's.

    Args:
        mode: the mode.
        call: which call, such as ``call 2 of step(x: float32[4])``.
        eager: what parity says of eager itself.
        found: what parity says of the mode.
        cause: lines that name the cause and the fix, or how to find them.
    """
    wrong = failures(found.tensors)
    worst = check.worst(wrong)
    if worst.status == NONDETERMINISTIC:
        return _lines(
            f"{mode} cannot be compared: eager gives another {worst.tensor} each time [{call}]",
            f"Eager called again from the same variables and seeds: {_values(worst)}",
            _distances(worst),
            _others(wrong, worst),
            "Usual cause: random numbers, a clock or a counter that no seed controls",
            "Fix: take it as an argument, or draw from a seeded tf.random.Generator",
        )
    return _lines(
        f"{mode} differs from eager: {_values(worst)} [{call}]",
        _distances(worst),
        _who_is_right(mode, worst, eager, found),
        _others(wrong, worst),
        *cause,
        f"If such a difference is acceptable: {_LIMITS}",
    )


def raises(mode: str, call: str, error: str, outputs: Mapping[str, Array]) -> str:
    """A mode raises where eager returns."""
    return _lines(
        f"{mode} raises, but eager returns [{call}]",
        f"{mode}: {error}",
        f"{BASELINE}: {results(outputs)}",
    )


def returns(mode: str, call: str, error: str, outputs: Mapping[str, Array]) -> str:
    """A mode returns where eager raises."""
    return _lines(
        f"{mode} returns, but eager raises [{call}]",
        f"{BASELINE}: {error}",
        f"{mode}: {results(outputs)}",
    )


def _lines(first: str, *others: str) -> str:
    return "\n  ".join([first, *filter(None, others)])


def _values(tensor: TensorComparison) -> str:
    """``loss[3] = 3.003, but should be 3.0``, or what else is wrong: ``loss.dtype=float64, …``."""
    if tensor.worst_index is None:
        return tensor.detail.replace("value.", f"{tensor.tensor}.")
    place = f"[{', '.join(map(str, tensor.worst_index))}]" if tensor.worst_index else ""
    return f"{tensor.tensor}{place} = {tensor.value}, but should be {tensor.reference}"


def _distances(tensor: TensorComparison) -> str:
    if tensor.worst_index is None:
        return ""
    sizes = (
        (tensor.max_ulp, "ULPs"),
        (tensor.max_abs, "absolute"),
        (tensor.max_rel, "relative"),
    )
    largest = ", ".join(f"{value:.3g} {unit}" for value, unit in sizes if value)
    return f"{tensor.detail}; largest error: {largest}" if largest else tensor.detail


def _who_is_right(mode: str, worst: TensorComparison, eager: CellParity, found: CellParity) -> str:
    """Both errors against float64, where one of the two agrees with it; else it says nothing."""
    key = (worst.kind, worst.tensor, "reference")
    of_mode, of_eager = (
        next((t for t in parity.tensors if (t.kind, t.tensor, t.against) == key), None)
        for parity in (found, eager)
    )
    if of_mode is None or of_eager is None or not {of_mode.status, of_eager.status} & {*AGREEING}:
        return ""
    if of_mode.max_abs is None or of_eager.max_abs is None or of_mode.misplaced:
        return ""
    return (
        f"Against the same computation in float64, {mode} is off by {of_mode.max_abs:.3g} and "
        f"eager by {of_eager.max_abs:.3g}"
    )


def _others(wrong: Iterable[TensorComparison], worst: TensorComparison) -> str:
    others = [f"{tensor.kind} {tensor.tensor!r}" for tensor in wrong if tensor is not worst]
    more = f" and {len(others) - _SHOWN} more" if len(others) > _SHOWN else ""
    return f"Also different: {', '.join(others[:_SHOWN])}{more}" if others else ""
