"""From rounds to estimates, intervals and verdicts; README.md beside this file has the method."""

from harness.statistics.costs import estimate_costs
from harness.statistics.estimates import estimate_cells
from harness.statistics.known import Known, known_of_groups

__all__ = ["Known", "estimate_cells", "estimate_costs", "known_of_groups"]
