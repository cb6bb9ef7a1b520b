"""From rounds to estimates, intervals and verdicts; README.md beside this file has the method."""

from harness.statistics.costs import estimate_costs
from harness.statistics.estimates import estimate_cells, group_widths

__all__ = ["estimate_cells", "estimate_costs", "group_widths"]
