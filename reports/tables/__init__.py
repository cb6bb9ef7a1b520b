"""The tables of a report as text, the same for the page, the pull request and the terminal."""

from eager_vs_graph.reports.tables.parity import (
    checkpoints,
    known_differences,
    statuses,
    tensors,
    training,
)
from eager_vs_graph.reports.tables.run import environment, modes, passes, workloads
from eager_vs_graph.reports.tables.timing import control, every_figure, feeding, memory, results

__all__ = [
    "checkpoints",
    "control",
    "environment",
    "every_figure",
    "feeding",
    "known_differences",
    "memory",
    "modes",
    "passes",
    "results",
    "statuses",
    "tensors",
    "training",
    "workloads",
]
