"""The result in plain words: the question, its answer, and the few sentences below them."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from eager_vs_graph.reports.formatting import (
    break_even_phrase,
    calls,
    count,
    is_number,
    listed,
    noise,
    percent,
    ratio,
    ratio_with_interval,
    span,
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
from eager_vs_graph.statistics.choice import (
    NONE,
    TIED,
    UNDECIDED,
    Choice,
    choices,
    compared_with_eager,
    wins,
)
from eager_vs_graph.statistics.speedup_rule import BASELINE, GROUP, displayed_status
from eager_vs_graph.statistics.summary import compared, summary_rows
from eager_vs_graph.statistics.totals import Comparisons, Totals, totals

MANY = 8
"""Comparisons that are named as exceptions; of more, the table has them."""
SURE = "How sure:"
"""How the sentence begins that says how far the figures can be trusted."""
FEWEST_TO_TELL = 2
"""Passes that cannot yet tell the movement of a ratio from noise."""
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
    """Answer it in a sentence or two: which mode to use, and by how much it is faster."""
    of_run = totals(summary)
    if of_run.untimed == of_run.cells:
        return f"Nothing was timed. {_agreement(of_run)}"
    if not of_run.comparisons.count:
        return f"No speed-up can be given. {_agreement(of_run)}"
    if not of_run.comparisons.verdicts:
        return _without_verdicts(summary)
    chosen = choices(summary)
    if of_run.groups == 1:
        return " ".join([_use(chosen[0]), *_others(chosen[0])])
    return _of_groups(chosen)


def headline(summary: pd.DataFrame) -> list[str]:
    """Say the run in a few sentences: speed, break-even, agreement, what is missing, noise."""
    of_run = totals(summary)
    lines = [answer(summary)]
    if of_run.comparisons.count:
        if of_run.groups > 1 and len(of_run.by_mode) > 1:
            lines += [f"  {m}: {_mode(of)}" for m, of in of_run.by_mode.items() if of.verdicts]
        if of_run.groups > 1:
            lines += [*_exceptions(summary), *_unclear(of_run)]
        lines += _break_even(summary, of_run)
        lines.append(_agreement(of_run))
    if of_run.unequal:
        cells_do = count(of_run.unequal, "cell does", "cells do")
        lines.append(f"{cells_do} not do the work that eager does, so no speed-up is given.")
    if 0 < of_run.untimed < of_run.cells:
        lines.append(f"{count(of_run.untimed, 'cell was', 'cells were')} not timed.")
    return [*lines, *how_sure(summary)]


def how_sure(summary: pd.DataFrame) -> list[str]:
    """Say how far the figures can be trusted: passes, widths of intervals, and the noise floor."""
    rows = compared(summary[summary["mode"] != CONTROL]).dropna(subset=["speedup_low"])
    lines = []
    if len(rows):
        half = float(np.median(np.log(rows["speedup_high"] / rows["speedup_low"])) / 2)
        passes = count(int(rows["passes"].max()), "pass", "passes")
        which = "the interval is" if len(rows) == 1 else "half of the intervals are within"
        lines.append(f"95% intervals from {passes}; {which} {noise(math.expm1(half))}.")
        lines += _made_of(rows)
    floors = summary["noise_floor"].dropna()
    if len(floors):
        floor = noise(float(floors.max()))
        lines.append(f"Noise floor: {floor} (one mode timed twice under two names).")
    return [" ".join([SURE, *lines])] if lines else []


def _made_of(rows: pd.DataFrame) -> list[str]:
    """Say what the widths of intervals are made of, where more than two passes can tell."""
    known = rows[rows["passes"] > FEWEST_TO_TELL].dropna(subset=["within_passes", "between_passes"])
    if known.empty:
        return []
    within = float((known["within_passes"] * np.sqrt(known["passes"].astype(float))).median())
    between = float(known["between_passes"].median())
    if between > within:
        moved = "The speed-up itself moved" if len(rows) == 1 else "The speed-ups themselves moved"
        return [
            f"{moved} from pass to pass by {percent(between)} (a standard deviation): more passes "
            "narrow that, longer ones do not."
        ]
    return [f"Most of it is noise within passes ({percent(within)} a pass), which time narrows."]


def so_far(summary: pd.DataFrame, passes: int) -> str:
    """Say what is found before a run has ended, such as ``After 1 pass: nothing was timed.``."""
    return f"After {count(passes, 'pass', 'passes')}: {answer(summary)}"


def _use(choice: Choice) -> str:
    """Say which mode to use in one comparison."""
    if choice.kind == UNDECIDED:
        return "Undecided: no mode is known to be faster than eager."
    if choice.best == BASELINE:
        same = listed(list(choice.modes[1:]))
        if not same:
            return "Use eager: no other mode is as fast."
        verb = "is" if len(choice.modes) == 2 else "are"
        return f"Use eager: no mode is faster, and {same} {verb} as fast (within 3%)."
    figures = listed([_figures(choice.row(mode)) for mode in choice.modes])
    tied = "" if len(choice.modes) == 1 else "; which of them is fastest is not settled"
    return f"Use {listed(list(choice.modes), 'or')}: {figures} the speed of eager{tied}."


def _others(choice: Choice) -> list[str]:
    """Say how the other modes compare with eager, by verdict, the fastest first."""
    found: dict[str, list[str]] = {}
    for row in sorted(choice.rows, key=lambda row: (-row.speedup, row.mode)):
        if row.mode in (BASELINE, *choice.modes):
            continue
        if is_number(row.speedup):
            label = _ONE_GROUP.get(row.verdict, "Without a verdict")
            detail = f" ({row.verdict_detail})" if row.verdict_detail else ""
            found.setdefault(label, []).append(f"{row.mode} {_figures(row)}{detail}")
        else:
            found.setdefault("No speed-up", []).append(f"{row.mode} ({displayed_status(row)})")
    return [f"{label}: {', '.join(modes)}." for label, modes in found.items()]


def _figures(row: Any) -> str:
    return ratio_with_interval(row.speedup, row.speedup_low, row.speedup_high)


def _without_verdicts(summary: pd.DataFrame) -> str:
    """Say which modes are ahead in a run of one pass, which has no intervals."""
    said = "No verdict after one pass: it gives no interval."
    rows = [row for row in summary_rows(compared(summary)) if row.mode != CONTROL]
    if len({tuple(getattr(row, name) for name in GROUP) for row in rows}) == 1:
        named = ", ".join(f"{row.mode} {ratio(row.speedup)}" for row in rows)
        return f"{said} The speed of eager, roughly: {named}."
    first = {tuple(getattr(row, name) for name in GROUP): BASELINE for row in rows}
    for row in sorted(rows, key=lambda row: row.speedup):
        if row.speedup > 1:
            first[tuple(getattr(row, name) for name in GROUP)] = row.mode
    ahead = [f"{mode} in {number}" for mode, number in Counter(first.values()).most_common()]
    return f"{said} Ahead so far, of {count(len(first), 'comparison')}: {listed(ahead)}."


def _of_groups(chosen: Sequence[Choice]) -> str:
    """Say of how many comparisons each mode is the fastest: ``session is fastest in 25 of 31``."""
    there = list(compared_with_eager(chosen))
    modes = dict.fromkeys(row.mode for each in there for row in each.rows)
    found: list[str] = []
    for of_mode in wins(there, list(modes)):
        if not of_mode.clear:
            continue
        ratios = [each.row(of_mode.mode).speedup for each in of_mode.clear]
        by = "" if of_mode.mode == BASELINE else f" ({span(min(ratios), max(ratios))})"
        verb, of = ("", "") if found else (" is fastest", f" of {_counted(there, chosen)}")
        found.append(f"{of_mode.mode}{verb} in {len(of_mode.clear)}{of}{by}")
    rest = [
        f"{number} {words[number != 1]}"
        for kind, words in _LEFT.items()
        if (number := sum(each.kind == kind for each in chosen))
    ]
    if not found:
        return f"Of {_counted(there, chosen)}, {listed(rest)}."
    return " ".join(f"{each}." for each in (listed(found), listed(rest)) if each)


_LEFT = {
    TIED: ("has several fastest modes", "have several fastest modes"),
    UNDECIDED: ("is undecided", "are undecided"),
    NONE: ("could not be compared", "could not be compared"),
}


def _exceptions(summary: pd.DataFrame) -> list[str]:
    """Name the comparisons in which the mode that mostly is fastest is not, where they are few."""
    there = list(compared_with_eager(choices(summary)))
    modes = dict.fromkeys(row.mode for each in there for row in each.rows)
    ordered = [each for each in wins(there, modes) if each.clear]
    lines = [(f"{each.mode} is fastest in", each.clear) for each in ordered[1:]]
    lines += [
        ("Several modes are fastest in", tuple(each for each in there if each.kind == TIED)),
        ("Undecided:", tuple(each for each in there if each.kind == UNDECIDED)),
    ]
    return [
        f"{words} {listed([_name(each) for each in some])}."
        for words, some in lines
        if 0 < len(some) <= MANY
    ]


def _name(choice: Choice) -> str:
    scenario, size, _, inputs = choice.group
    return f"{workload(scenario, size)}{'' if inputs == 'resident' else f' ({inputs})'}"


def _counted(there: Sequence[Choice], chosen: Sequence[Choice]) -> str:
    """Count comparisons, as workloads where each is another one."""
    each_once = len({each.group[:2] for each in chosen}) == len(chosen)
    return count(len(there), "workload" if each_once else "comparison")


def _mode(of: Comparisons) -> str:
    """Say how one mode compares: ``9 faster (1.20× to 1.59×), 2 slower``."""
    parts = [f"{number} {verdict}" for verdict, number in of.verdicts.items()]
    if "faster" in of.verdicts:
        parts[0] = f"{parts[0]} ({span(of.slowest, of.fastest)})"
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
        f"{count(number, 'comparison')} {_plural(detail, number)}"
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


def _plural(detail: str, number: int) -> str:
    """What would settle so many comparisons, as the end of a sentence."""
    if number > 1 and detail.startswith("needs"):
        return detail.replace("needs", "need", 1)
    return detail if detail.startswith("needs") else f"{'is' if number == 1 else 'are'} {detail}"


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
