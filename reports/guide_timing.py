"""The guide's own lines of timing, from a run's record: ``CPU: 1.47 secs``, ``GPU: not found``."""

from __future__ import annotations

import re
from typing import Any

import pandas as pd

from eager_vs_graph.reports.formatting import is_number, significant
from eager_vs_graph.results.cells import CONTROL, GUIDE, INPUTS, parameters
from eager_vs_graph.results.request import RunRequest
from eager_vs_graph.statistics.speedup_rule import displayed_status
from eager_vs_graph.statistics.summary import summary_rows

_FIELD = re.compile(r"\{(\w+)\}")


def guide_timing(summary: pd.DataFrame, request: RunRequest) -> list[str]:
    """Give what the guide prints, for every scenario with such a line, a line a mode and device.

    The seconds are those of the size that has the guide's parameters: the median of one call, with
    resident inputs where they were timed, since the guide's matrix is on the device before its
    clock starts. Empty where no such cell was run.
    """
    cells = summary[(summary["size"] == GUIDE) & (summary["mode"] != CONTROL)]
    lines: list[str] = []
    for scenario, of_scenario in cells.groupby("scenario", sort=False):
        declared = request.scenarios.get(str(scenario))
        if declared is None or not declared.timing:
            continue
        policy = next(each for each in INPUTS if each in set(of_scenario["inputs"]))
        of_policy = of_scenario[of_scenario["inputs"] == policy]
        values = parameters(declared.sizes.get(GUIDE, ""))
        # Not str.format: the text is the record's, and could ask for any attribute.
        lines.append(_FIELD.sub(lambda match: values.get(match[1], match[0]), declared.timing))  # noqa: B023
        lines += [
            _line(row, of_policy)
            for row in summary_rows(of_policy.sort_values("device", kind="stable"))
        ]
        lines += [f"{kind}: not found" for kind in request.absent_devices]
    return lines


def _line(row: Any, cells: pd.DataFrame) -> str:
    """``CPU: 1.47 secs (eager)``; the device's number where there are several of its kind."""
    kind = str(row.device).partition(":")[0]
    several = cells.loc[cells["device"].str.startswith(f"{kind}:"), "device"].nunique() > 1
    took = (
        f"{significant(row.latency_s)} secs" if is_number(row.latency_s) else displayed_status(row)
    )
    fed = "" if row.inputs == INPUTS[0] else f", {row.inputs}"
    return f"{row.device if several else kind}: {took} ({row.mode}{fed})"
