"""One mode raises and the other returns: a difference, with both results side by side."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from eager_vs_graph.child.parity.trajectory import Trajectory
from eager_vs_graph.results.record import DIFFERS, CellParity, TensorComparison
from eager_vs_graph.scenario import Array

_SHOWN = 3
_ELEMENTS = 4


def returned_where_eager_raised(cell: str, mode: str, found: Trajectory, error: str) -> CellParity:
    """The parity of a mode that returned what eager raised an error instead of."""
    outputs = found.outputs[0]
    return CellParity(
        cell,
        DIFFERS,
        f"eager raises {error}; {mode} returns {results(outputs)}",
        tensors=tuple(_tensors(outputs, f"eager raises {error}", of_mode=True)),
    )


def raised_where_eager_returned(cell: str, mode: str, eager: Trajectory, error: str) -> CellParity:
    """The parity of a mode that raised an error where eager returned."""
    outputs = eager.outputs[0]
    return CellParity(
        cell,
        DIFFERS,
        f"{mode} raises {error}; eager returns {results(outputs)}",
        tensors=tuple(_tensors(outputs, f"{mode} raises {error}", of_mode=False)),
    )


def results(outputs: Mapping[str, Array]) -> str:
    """Outputs in a line, large ones cut short: ``y = [1. 2. 3. … 9.]``."""
    texts = [f"{name} = {_shown(array)}" for name, array in list(outputs.items())[:_SHOWN]]
    more = [f"{len(outputs) - _SHOWN} more"] if len(outputs) > _SHOWN else []
    return ", ".join([*texts, *more])


def _shown(array: Array) -> str:
    flat = np.ravel(array)
    if array.ndim == 0:
        return str(flat[0])
    texts = [str(each) for each in flat[:_ELEMENTS]]
    dots = [f"… ({flat.size} elements)"] if flat.size > _ELEMENTS else []
    return f"[{' '.join([*texts, *dots])}]"


def _tensors(
    outputs: Mapping[str, Array], detail: str, *, of_mode: bool
) -> Iterator[TensorComparison]:
    for name, array in outputs.items():
        index = (0,) * array.ndim if array.size else None
        text = None if index is None else str(array[index])
        yield TensorComparison(
            name,
            "output",
            "eager",
            DIFFERS,
            detail=detail,
            dtype=str(array.dtype),
            shape=tuple(array.shape),
            worst_step=0,
            worst_index=index,
            value=text if of_mode else "an error",
            reference="an error" if of_mode else text,
            first_step=0,
        )
