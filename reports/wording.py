"""The result in plain words: the question, its answer, and the few sentences below them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import pandas as pd

from eager_vs_graph.reports.formatting import (
    break_even_phrase,
    calls,
    count,
    is_number,
    listed,
    noise,
    ratio,
    ratio_with_interval,
)
from eager_vs_graph.reports.labels import workload
from eager_vs_graph.results.cells import CONTROL
from eager_vs_graph.results.record import (
    CRASHED,
    DIFFERS,
    ERROR,
    NONDETERMINISTIC,
    NOT_CHECKED,
    TIMEOUT,
    UNSUPPORTED,
    VACUOUS,
)
from eager_vs_graph.statistics.speedup_rule import BASELINE, displayed_status
from eager_vs_graph.statistics.summary import summary_rows
from eager_vs_graph.statistics.totals import Comparisons, Totals, totals

FEW = 4
"""Names that are listed one by one; of more, their number is given."""

_BECAME = {
    VACUOUS: ("is vacuous", "are vacuous"),
    NONDETERMINISTIC: ("is nondeterministic", "are nondeterministic"),
    DIFFERS: ("differs", "differ"),
    UNSUPPORTED: ("is unsupported", "are unsupported"),
    ERROR: ("raised an error", "raised errors"),
    CRASHED: ("crashed", "crashed"),
    TIMEOUT: ("timed out", "timed out"),
    NOT_CHECKED: ("was not checked", "were not checked"),
}
"""By status: what became of one cell, and of several."""
_COMPARED = {
    "faster": ("is faster than eager", "are faster than eager"),
    "slower": ("is slower", "are slower"),
    "same": ("is as fast (within 3%)", "are as fast (within 3%)"),
    "unclear": ("is unclear", "are unclear"),
}
"""By verdict: what one comparison found, and several."""

_ONE_GROUP = {
    "faster": "Faster than eager",
    "slower": "Slower than eager",
    "same": "As fast as eager (within 3%)",
    "unclear": "Unclear",
}
"""How a verdict is said before the modes that have it."""
_MORE_PASSES = re.compile(r"needs about (\d+) more")


def question(summary: pd.DataFrame) -> str:
    """Ask what the run answers: ``Which mode is faster for make_step: eager or function?``."""
    cells = summary[summary["mode"] != CONTROL]
    modes = list(cells["mode"].unique())
    named = cells.drop_duplicates(["scenario", "size"])
    workloads = [workload(*each) for each in zip(named["scenario"], named["size"], strict=True)]
    scenarios = list(cells["scenario"].unique())
    names = workloads if len(workloads) == 1 else scenarios
    subject = listed(names) if len(names) <= FEW else count(len(names), "scenario")
    if len(modes) < 2:
        return f"How fast is {subject} in {listed(modes)}?"
    if len(modes) > FEW:
        return f"Which of {len(modes)} modes is fastest for {subject}?"
    degree = "faster" if len(modes) == 2 else "fastest"
    return f"Which mode is {degree} for {subject}: {listed(modes, 'or')}?"


def answer(summary: pd.DataFrame) -> str:
    """Answer it in a sentence or two."""
    of_run = totals(summary)
    if of_run.untimed == of_run.cells:
        return f"Nothing was timed. {_agreement(of_run)}"
    if not of_run.comparisons.count:
        return f"No speed-up can be given. {_agreement(of_run)}"
    if of_run.groups == 1:
        return _of_one_group(summary)
    return _of_groups(of_run.comparisons)


def headline(summary: pd.DataFrame) -> list[str]:
    """Say the run in a few sentences: speed, break-even, agreement, what is missing, noise."""
    of_run = totals(summary)
    lines = [answer(summary)]
    if of_run.comparisons.count:
        if of_run.groups > 1 and len(of_run.by_mode) > 1:
            lines += [f"  {m}: {_mode(of)}" for m, of in of_run.by_mode.items() if of.verdicts]
        if of_run.groups > 1:
            lines += _unclear(of_run)
        lines += _break_even(summary, of_run)
        lines.append(_agreement(of_run))
    if of_run.unequal:
        cells_do = count(of_run.unequal, "cell does", "cells do")
        lines.append(f"{cells_do} not do the work that eager does, so no speed-up is given.")
    if 0 < of_run.untimed < of_run.cells:
        lines.append(f"{count(of_run.untimed, 'cell was', 'cells were')} not timed.")
    if of_run.noise_floor is not None:
        floor = noise(of_run.noise_floor)
        lines.append(f"Noise floor: {floor} (one mode timed twice under two names).")
    return lines


def so_far(summary: pd.DataFrame, passes: int) -> str:
    """Say what is found before a run has ended, such as ``After 1 pass: nothing was timed.``."""
    return f"After {count(passes, 'pass', 'passes')}: {answer(summary)}"


def _of_one_group(summary: pd.DataFrame) -> str:
    """Name every mode of a single comparison, by verdict, the fastest first."""
    cells = summary[~summary["mode"].isin([CONTROL, BASELINE])]
    found: dict[str, list[str]] = {}
    for row in sorted(summary_rows(cells), key=lambda row: (-row.speedup, row.mode)):
        if is_number(row.speedup):
            label = _ONE_GROUP.get(row.verdict, "Without a verdict")
            detail = f" ({row.verdict_detail})" if row.verdict_detail else ""
            figures = ratio_with_interval(row.speedup, row.speedup_low, row.speedup_high)
            found.setdefault(label, []).append(f"{row.mode} {figures}{detail}")
        else:
            found.setdefault("No speed-up", []).append(f"{row.mode} ({displayed_status(row)})")
    return " ".join(f"{label}: {', '.join(modes)}." for label, modes in found.items())


def _of_groups(comparisons: Comparisons) -> str:
    if not comparisons.verdicts:
        return (
            f"{count(comparisons.count, 'comparison')} with eager, without intervals, so without "
            "verdicts."
        )
    found = listed(_became(comparisons.verdicts, _COMPARED))
    return f"Of {count(comparisons.count, 'comparison')}, {found}."


def _mode(of: Comparisons) -> str:
    """Say how one mode compares: ``9 faster (1.20× to 1.59×), 2 slower``."""
    parts = [f"{number} {verdict}" for verdict, number in of.verdicts.items()]
    if "faster" in of.verdicts:
        fastest, slowest = ratio(of.fastest), ratio(of.slowest)
        span = fastest if fastest == slowest else f"{slowest} to {fastest}"
        parts[0] = f"{parts[0]} ({span})"
    return ", ".join(parts)


def _unclear(of_run: Totals) -> list[str]:
    """Say what would settle the comparisons that are unclear."""
    passes = sorted(
        int(match[1])
        for detail, number in of_run.unclear.items()
        if (match := _MORE_PASSES.match(detail))
        for _ in range(number)
    )
    others = [
        f"{count(number, 'comparison')}: {detail}"
        for detail, number in of_run.unclear.items()
        if not _MORE_PASSES.match(detail)
    ]
    if passes:
        middle = passes[(len(passes) - 1) // 2]
        half = f" (half of them at most {middle})" if passes[0] < middle < passes[-1] else ""
        span = f"{passes[0]} to {passes[-1]}" if passes[0] < passes[-1] else f"{passes[0]}"
        need = count(len(passes), "unclear comparison needs", "unclear comparisons need")
        others.insert(0, f"{need} about {span} more {'pass' if span == '1' else 'passes'}{half}")
    return [f"{line}." for line in others]


def _break_even(summary: pd.DataFrame, of_run: Totals) -> list[str]:
    """Say when the faster cells have repaid building and first call."""
    points = of_run.comparisons.break_even_calls
    if not points:
        return []
    if of_run.groups == 1:
        rows = summary[(summary["verdict"] == "faster") & (summary["mode"] != CONTROL)]
        named = [f"{row.mode} {_phrase(row)}" for row in summary_rows(rows)]
        return [f"Break-even: {', '.join(named)}."]
    if points[-1] == 0:
        return ["Break-even: the first call, wherever a mode is faster."]
    if len(points) == 1:
        return [f"Break-even: {break_even_phrase(points[0], None, None)}."]
    middle = float(pd.Series(points).median())
    return [f"Break-even: median {calls(middle)} calls, maximum {calls(points[-1])}."]


def _phrase(row: Any) -> str:
    return break_even_phrase(
        row.break_even_calls, row.break_even_low_calls, row.break_even_high_calls
    )


def _agreement(of_run: Totals) -> str:
    """Say in how many cells the outputs agree, and what became of the others."""
    text = f"Outputs agree with eager in {of_run.agreeing} of {count(of_run.cells, 'cell')}"
    rest = [f"{of_run.declared} {'differs' if of_run.declared == 1 else 'differ'} as declared"]
    rest = [*(rest if of_run.declared else []), *_became(of_run.others, _BECAME)]
    return f"{text}; {', '.join(rest)}." if rest else f"{text}."


def _became(numbers: Mapping[str, int], words: Mapping[str, tuple[str, str]]) -> list[str]:
    """Say of every kind how many there are: ``1 is unsupported``, ``2 crashed``."""
    return [
        f"{number} {words.get(kind, (kind, kind))[number != 1]}" for kind, number in numbers.items()
    ]
