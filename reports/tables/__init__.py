"""The tables of a report as text, the same for the page, the pull request and the terminal."""

from eager_vs_graph.reports.tables.choice import by_mode
from eager_vs_graph.reports.tables.parity import (
    checkpoints,
    known_differences,
    statuses,
    tensors,
    training,
)
from eager_vs_graph.reports.tables.run import environment, modes, passes, workloads
from eager_vs_graph.reports.tables.timing import control, feeding, results, results_title

__all__ = [
    "by_mode",
    "checkpoints",
    "control",
    "environment",
    "feeding",
    "known_differences",
    "modes",
    "passes",
    "results",
    "results_title",
    "statuses",
    "tensors",
    "training",
    "workloads",
]
