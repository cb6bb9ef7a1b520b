"""What a reproduction script shows, and the comment that it begins with."""

from __future__ import annotations

import textwrap

from eager_vs_graph.results.cells import Cell
from eager_vs_graph.results.explanation import Explanation
from eager_vs_graph.results.record import TensorComparison


def shown(explanation: Explanation) -> TensorComparison:
    """The tensor that a script shows: the worst output, or the worst variable without one."""
    outputs = [tensor for tensor in explanation.tensors if tensor.kind == "output"]
    return (outputs or list(explanation.tensors))[0]


def head(explanation: Explanation) -> str:
    """The comment that a script begins with: what differs, why, and what to do."""
    tensor = shown(explanation)
    mode = Cell.parse(explanation.cell).mode
    sides = "eager and its own second run" if mode == "eager" else f"eager and {mode}"
    causes = [cause for cause in explanation.causes if tensor.tensor in cause.tensors]
    told = [f"Cause: {cause.name} ({cause.what}). {cause.summary}." for cause in causes]
    told += [f"Remedy: {cause.remedy}." for cause in causes]
    lines = [
        f"TensorFlow: {sides} disagree in {tensor.tensor!r} ({tensor.dtype}{list(tensor.shape)}).",
        *(told or ["No cause was found."]),
    ]
    wrapped = [part for line in lines for part in textwrap.wrap(line, 96)]
    return "\n".join(f"# {line}" for line in wrapped) + "\n"
