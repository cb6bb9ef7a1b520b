"""Tables of what was timed."""

from __future__ import annotations

from typing import Any

import pandas as pd

from eager_vs_graph.reports.formatting import (
    added,
    added_interval,
    break_even,
    count,
    interval,
    ratio,
    ratio_with_interval,
    seconds,
)
from eager_vs_graph.reports.labels import workload
from eager_vs_graph.reports.table import Column, Table
from eager_vs_graph.results.cells import CONTROL
from eager_vs_graph.results.explanation import UNEQUAL_WORK
from eager_vs_graph.statistics.speedup_rule import BASELINE, displayed_status, may_repay
from eager_vs_graph.statistics.summary import summary_rows

NO_LATENCY = "not timed"


def results(summary: pd.DataFrame, *, narrow: bool = False) -> Table:
    """Tabulate every cell but the controls: how fast, from when on, and whether it agrees.

    ``narrow`` leaves the interval of the break-even out, for a terminal of 80 columns.

    What all cells have in common (a scenario, the device, the inputs) is in the title; what they
    differ in, beside the mode, is in the headings of the sections.
    """
    cells = summary[summary["mode"] != CONTROL]
    names = _names(cells)
    varying = [name for name in names if names[name].nunique() > 1]
    columns = (
        *(Column("scenario"), Column("mode"), Column("latency", "number")),
        *(Column("speed-up", "estimate"), Column("verdict", "status"), Column("status", "status")),
        Column("break-even" if narrow else "break-even (calls)", "estimate"),
    )
    rows = [
        (", ".join(named), *_result(row, narrow=narrow))
        for named, row in zip(names[varying].to_numpy(), summary_rows(cells), strict=True)
    ]
    note = (
        "Latency: a call that nothing disturbs; a mode's is eager's over its speed-up. Speed-up: "
        "eager's time over the mode's, block by block, with its 95% interval. Status: of outputs "
        "and variables, against eager and the reference. Break-even: after so many calls building "
        "and first call are repaid, with its 95% interval; 0 is ahead from the first call."
    )
    title = results_title(cells)
    return Table(title, columns, rows, note, sectioned=bool(varying)).without_idle()


def results_title(cells: pd.DataFrame) -> str:
    """Say what all cells have in common: ``31 workloads on CPU:0, resident inputs``."""
    names = _names(cells)
    alike = {name: str(names[name].iloc[0]) for name in names if names[name].nunique() == 1}
    place = f" on {alike['device']}" if "device" in alike else ""
    inputs = f", {alike['inputs']}" if "inputs" in alike else ""
    workloads = alike.get("workload") or count(names["workload"].nunique(), "workload")
    return f"{workloads}{place}{inputs}"


def _names(cells: pd.DataFrame) -> pd.DataFrame:
    """What tells a run's comparisons apart, in words."""
    pairs = zip(cells["scenario"], cells["size"], strict=True)
    return pd.DataFrame(
        {
            "workload": [workload(*each) for each in pairs],
            "inputs": [f"{each} inputs" for each in cells["inputs"]],
            "device": list(cells["device"]),
        }
    )


def _result(row: Any, *, narrow: bool) -> tuple[str, ...]:
    return (
        row.mode,
        seconds(row.latency_s) or NO_LATENCY,
        speedup(row),
        "" if narrow and row.verdict == UNEQUAL_WORK else row.verdict,  # the status says it, too
        displayed_status(row),
        repaid(row).partition(" ")[0] if narrow else repaid(row),
    )


def speedup(row: Any) -> str:
    """Return the speed-up with its interval; nothing for eager."""
    if row.mode == BASELINE:
        return ""
    return ratio_with_interval(row.speedup, row.speedup_low, row.speedup_high)


def verdict(row: Any) -> str:
    """Return the verdict and what would settle it: ``unclear (needs about 3 more passes)``."""
    return f"{row.verdict} ({row.verdict_detail})" if row.verdict_detail else str(row.verdict)


def repaid(row: Any) -> str:
    """Return the break-even in calls; nothing where the mode may be as fast as eager."""
    if not may_repay(row):
        return ""
    return break_even(row.break_even_calls, row.break_even_low_calls, row.break_even_high_calls)


def feeding(summary: pd.DataFrame) -> Table:
    """Tabulate what handing over the inputs costs, where both policies were timed."""
    columns = (
        *(Column("scenario"), Column("mode"), Column("device"), Column("fed", "number")),
        *(Column("feeding adds", "number"), Column("95% interval", "number")),
    )
    rows = [
        (
            workload(row.scenario, row.size),
            *(row.mode, row.device, seconds(row.latency_s)),
            *(added(row.feeding_s), added_interval(row.feeding_low_s, row.feeding_high_s)),
        )
        for row in summary_rows(summary[summary["feeding_s"].notna()])
    ]
    note = (
        "Seconds that a call with fed inputs takes longer than one with resident inputs, in the "
        "same mode; paired by pass. This compares two ways to call, never two modes."
    )
    return Table("What feeding costs", columns, rows, note).without_idle("device")


def control(summary: pd.DataFrame) -> Table:
    """Tabulate the A/A controls: what the run says of two programs of the same mode."""
    cells = summary[(summary["mode"] == CONTROL) & summary["speedup"].notna()]
    columns = (
        *(Column("scenario"), Column("mode"), Column("inputs"), Column("device")),
        *(Column("ratio", "number"), Column("95% interval", "number"), Column("verdict", "status")),
    )
    rows = [
        (
            workload(row.scenario, row.size),
            *(row.baseline, row.inputs, row.device),
            ratio(row.speedup),
            interval(row.speedup_low, row.speedup_high),
            row.verdict,
        )
        for row in summary_rows(cells)
    ]
    note = "One mode timed twice under two names: the true ratio is 1, what is seen here is noise."
    return Table("A/A controls", columns, rows, note).without_idle("device", "inputs")
