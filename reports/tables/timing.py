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
    seconds_interval,
    significant,
    ulps,
)
from eager_vs_graph.reports.labels import workload
from eager_vs_graph.reports.table import Column, Table
from eager_vs_graph.results.cells import CONTROL
from eager_vs_graph.statistics.speedup_rule import BASELINE, GROUP, displayed_status, may_repay
from eager_vs_graph.statistics.summary import summary_rows

NO_LATENCY = "not timed"


def results(summary: pd.DataFrame) -> Table:
    """Tabulate every cell but the controls: how fast, from when on, and whether it agrees.

    What all cells have in common (a scenario, the device, the inputs) is in the title; what they
    differ in, beside the mode, is in the headings of the sections.
    """
    cells = summary[summary["mode"] != CONTROL]
    names = pd.DataFrame(
        {
            "workload": [
                workload(*each) for each in zip(cells["scenario"], cells["size"], strict=True)
            ],
            "inputs": [f"{each} inputs" for each in cells["inputs"]],
            "device": list(cells["device"]),
        }
    )
    varying = [name for name in names if names[name].nunique() > 1]
    alike = {name: str(names[name].iloc[0]) for name in names if name not in varying}
    place = f" on {alike['device']}" if "device" in alike else ""
    inputs = f", {alike['inputs']}" if "inputs" in alike else ""
    workloads = alike.get("workload") or count(names["workload"].nunique(), "workload")
    title = f"{workloads}{place}{inputs}"
    columns = (
        *(Column("scenario"), Column("mode"), Column("latency", "number")),
        *(Column("speed-up", "estimate"), Column("verdict", "status"), Column("status", "status")),
        Column("break-even (calls)", "estimate"),
    )
    rows = [
        (", ".join(named), *_result(row))
        for named, row in zip(names[varying].to_numpy(), summary_rows(cells), strict=True)
    ]
    note = (
        "Latency: the median call. Speed-up: eager's time over the mode's, block by block, "
        "with its 95% interval. Status: of outputs and variables, against eager and the reference. "
        "Break-even: the number of calls after which building and first call are repaid, with its "
        "95% interval; 0 is ahead from the first call."
    )
    return Table(title, columns, rows, note, sectioned=bool(varying)).without_idle()


def _result(row: Any) -> tuple[str, ...]:
    return (
        row.mode,
        seconds(row.latency_s) or NO_LATENCY,
        _speedup(row),
        row.verdict,
        displayed_status(row),
        repaid(row),
    )


def _speedup(row: Any) -> str:
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


def every_figure(summary: pd.DataFrame) -> Table:
    """Tabulate every figure of every cell but the controls."""
    cells = summary[summary["mode"] != CONTROL]
    columns = (
        *(Column("scenario"), Column("mode"), Column("kind"), Column("inputs"), Column("device")),
        *(Column("latency", "number"), Column("95% interval", "number")),
        *(Column("speed-up", "estimate"), Column("verdict", "status"), Column("status", "status")),
        *(Column("ULP from eager", "number"), Column("ULP from the reference", "number")),
        *(Column("build", "number"), Column("first call", "number")),
        Column("break-even (calls)", "estimate"),
        *(Column("traces", "number"), Column("rounds", "number"), Column("passes", "number")),
    )
    note = (
        "ULP: the largest distance over outputs, variables and steps, in units in the last place. "
        "Build and first call: geometric means over passes, in no latency. All columns are in "
        "summary.csv."
    )
    rows = [_figures(row) for row in summary_rows(cells)]
    found = Table("Every figure of every cell", columns, rows, note)
    return found.without_idle("device", "kind", "inputs")


def _figures(row: Any) -> tuple[str, ...]:
    return (
        workload(row.scenario, row.size),
        *(row.mode, row.mode_kind, row.inputs, row.device),
        seconds(row.latency_s),
        seconds_interval(row.latency_low_s, row.latency_high_s),
        *(_speedup(row), verdict(row), displayed_status(row)),
        *(ulps(row.max_ulp_vs_eager), ulps(row.max_ulp_vs_reference)),
        *(seconds(row.build_s), seconds(row.first_call_s), repaid(row)),
        *(_count(row.traces), _count(row.rounds), _count(row.passes)),
    )


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


def memory(summary: pd.DataFrame) -> Table:
    """Tabulate the peak memory of every mode, one column each."""
    cells = summary[(summary["mode"] != CONTROL) & summary["peak_memory_bytes"].notna()]
    modes = list(cells["mode"].unique())
    columns = (
        *(Column("scenario"), Column("inputs"), Column("device")),
        *(Column(mode, "number") for mode in modes),
    )
    rows = []
    for (scenario, size, device, inputs), group in cells.groupby(GROUP, sort=False):
        of_mode = {row.mode: _mebibytes(row.peak_memory_bytes) for row in summary_rows(group)}
        entries = (of_mode.get(mode, "") for mode in modes)
        rows.append((workload(str(scenario), str(size)), str(inputs), str(device), *entries))
    note = (
        "How far the peak of the process's resident memory grew while the parity check built and "
        "ran the cell; nothing was timed meanwhile. An allocator that keeps freed memory makes "
        "cells that come later look smaller."
    )
    return Table("Peak memory", columns, rows, note).without_idle("device", "inputs")


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


def _count(value: Any) -> str:
    return "" if pd.isna(value) else f"{value:,}"


def _mebibytes(value: Any) -> str:
    return "" if pd.isna(value) else f"{significant(value / 2**20)} MiB"
