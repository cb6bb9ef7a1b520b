"""Writes a script that shows a disagreement of adopted code: it imports the user's own module.

The code stays where it is, so that nothing of it has to be taken apart: a process of its own for
each mode imports the module, makes the function as the harness did, and takes the steps.
"""

from __future__ import annotations

import base64
import pickle
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from eager_vs_graph.modes import BASELINE
from eager_vs_graph.results.cells import Cell
from eager_vs_graph.results.record import TensorComparison
from eager_vs_graph.scenario import SEED, Array

_MODES = (BASELINE, "function", "xla")
_MOST_BYTES = 2**22
"""Of inputs that are packed into a script."""


class Way(Protocol):
    """See ``child.adopt.way.Way``."""

    module: str
    steps: tuple[str, ...]
    call: str
    is_model: bool


def variables(
    way: Way,
    cell: Cell,
    tensor: TensorComparison,
    feeds: Sequence[Sequence[Array]],
    literals: list[str] | None,
) -> dict[str, Any]:
    """What the template ``adopted.py.j2`` is filled with.

    Args:
        way: how the function is come to and called.
        cell: the cell that disagrees.
        tensor: what to show of it.
        feeds: the inputs of the steps, in the order of the function's tensors.
        literals: the same as Python, where they are few.

    Raises:
        ValueError: no script can show it; the message says why.
    """
    if cell.mode not in _MODES:
        raise ValueError(
            f"{cell.id}: mode {cell.mode} of adopted code cannot be reproduced in a script; "
            f"{', '.join(_MODES)} can"
        )
    if tensor.kind != "output":
        raise ValueError(f"{cell.id}: {tensor.tensor} is no output, which alone a script shows")
    packed = ""
    if literals is None:
        if sum(array.nbytes for feed in feeds for array in feed) > _MOST_BYTES:
            raise ValueError(f"{cell.id}: the inputs are too large for a script")
        packed = base64.b64encode(zlib.compress(pickle.dumps([list(f) for f in feeds]))).decode()
    is_file = way.module.endswith(".py")
    return {
        "seed": SEED,
        "packed": packed,
        "feeds": literals,
        "file": is_file,
        "module": way.module,
        "module_name": Path(way.module).stem if is_file else way.module,
        "way": way.steps,
        "call": way.call,
        "is_model": way.is_model,
        "jit": cell.mode == "xla",
        "mode": "eager again" if cell.mode == BASELINE else cell.mode,
        "tensor": tensor.tensor,
        "step": tensor.worst_step or 0,
        "index": tuple(tensor.worst_index or ()),
    }
