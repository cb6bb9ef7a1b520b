"""From rounds to estimates, intervals and verdicts; README.md beside this file has the method."""

from eager_vs_graph.statistics.cold_costs import estimate_costs
from eager_vs_graph.statistics.estimates import estimate_cells
from eager_vs_graph.statistics.precision import GroupPrecision, precision_of_groups

__all__ = ["GroupPrecision", "estimate_cells", "estimate_costs", "precision_of_groups"]
