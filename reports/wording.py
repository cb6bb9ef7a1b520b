"""The result in plain words: a headline for the run and a sentence for every comparison."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np
import pandas as pd

from eager_vs_graph.reports.formatting import (
    calls,
    count,
    interval,
    known,
    listed,
    pays,
    percent,
    ratio,
    seconds,
    ulps,
)
from eager_vs_graph.results.cells import CONTROL
from eager_vs_graph.results.explanation import UNEQUAL_WORK
from eager_vs_graph.results.mode_kinds import EXECUTION, rank
from eager_vs_graph.results.record import AGREEING
from eager_vs_graph.statistics.summary import (
    BASELINE,
    GROUP,
    NO_REFERENCE,
    compared,
    displayed_status,
    summary_rows,
)

VERDICTS = ("faster", "slower", "same", "unclear")


@dataclass(frozen=True)
class Clause:
    """What one mode came to in one comparison."""

    mode: str
    verdict: str
    ratio: str
    interval: str
    words: str
    pays: str = ""
    """From which call on the mode has repaid its start against eager."""
    kind: str = EXECUTION


@dataclass(frozen=True)
class Sentence:
    """The verdict on one scenario at one size, on one device, under one inputs policy."""

    scenario: str
    size: str
    device: str
    inputs: str
    eager: str
    """Eager's latency, or why it has none; empty where eager was not run."""
    clauses: tuple[Clause, ...]
    answers: str

    def by_kind(self) -> list[tuple[str, list[Clause]]]:
        """Return the clauses by kind of mode."""
        return [(kind, list(each)) for kind, each in groupby(self.clauses, lambda c: c.kind)]

    def text(self) -> str:
        """Return the sentence as text."""
        modes = [
            " ".join(filter(None, [c.mode, c.ratio, c.interval, c.words]))
            + (f", {c.pays}" if c.pays else "")
            for c in self.clauses
        ]
        return f"{self.scenario} {self.size}: {'; '.join([*modes, self.answers])}"


def sentences(summary: pd.DataFrame) -> list[Sentence]:
    """Say a sentence per scenario, size, device and inputs policy, in the run's order."""
    cells = summary[summary["mode"] != CONTROL]
    return [_sentence(group) for _, group in cells.groupby(GROUP, sort=False)]


def headline(summary: pd.DataFrame) -> list[str]:
    """Say the run in a few sentences: speed, answers, what was not timed, the noise floor."""
    cells = summary[summary["mode"] != CONTROL]
    rows = compared(cells)
    lines = []
    if len(rows):
        lines.append(f"Of {count(len(rows), 'comparison')} with eager: {_tally(rows)}.")
    else:
        lines.append("Nothing could be compared with eager.")
    lines += _repaid(rows)
    lines.append(_answers_of_run(cells))
    if unequal := int((cells["verdict"] == UNEQUAL_WORK).sum()):
        cells_do = count(unequal, "cell does", "cells do")
        lines.append(f"{cells_do} not do the work that eager does: no speed-up is claimed.")
    untimed = int(cells["median_s"].isna().sum())
    if untimed:
        lines.append(f"{count(untimed, 'cell was', 'cells were')} not timed.")
    floor = noise_floor(summary)
    if known(floor):
        lines.append(
            f"Noise floor of the run (one mode timed twice under two names): {percent(floor)}."
        )
    return lines


def noise_floor(summary: pd.DataFrame) -> float | None:
    """Return the run's noise floor as a log ratio; None where there was no control."""
    floors = summary["noise_floor"].dropna()
    return None if floors.empty else float(floors.max())


def _tally(rows: pd.DataFrame) -> str:
    """How often each verdict was given; without verdicts, where the intervals lie."""
    verdicts = rows["verdict"].value_counts()
    if given := [f"{verdicts[status]} {status}" for status in VERDICTS if status in verdicts]:
        return listed(given)
    above, below = int((rows["speedup_low"] > 1).sum()), int((rows["speedup_high"] < 1).sum())
    around = int(rows["speedup_low"].notna().sum()) - above - below
    if not above + below + around:
        return "no interval, so no verdict"
    places = {"above 1×": above, "below 1×": below, "around 1×": around}
    found = [f"{place} in {number}" for place, number in places.items() if number]
    return f"the interval lies {listed(found)}"


def _repaid(rows: pd.DataFrame) -> list[str]:
    """Say when the faster cells have repaid their start: half of them, and the last one."""
    points = rows.loc[rows["verdict"] == "faster", "break_even_calls"].dropna()
    paid = sorted(points[np.isfinite(points)])
    if not paid:
        return []
    half, last = paid[(len(paid) - 1) // 2], paid[-1]
    if last == 0:
        return ["Where a mode is faster, it is ahead from the first call."]
    if len(paid) == 1:
        return [f"The faster one has repaid building and first call after ~{calls(last)} calls."]
    first = f"half have repaid building and first call after ~{calls(half)} calls"
    first = first if half > 0 else "half are ahead from the first call"
    return [f"Of the {len(paid)} faster ones, {first}, all after ~{calls(last)}."]


def _answers_of_run(cells: pd.DataFrame) -> str:
    agree = int(cells["parity"].isin(AGREEING).sum())
    declared = int(((cells["known_difference"] != "") & ~cells["parity"].isin(AGREEING)).sum())
    others = cells[~cells["parity"].isin(AGREEING) & (cells["known_difference"] == "")]
    tally = others["parity"].replace("", "not checked").value_counts(sort=False)
    parts = [f"{agree} of {count(len(cells), 'cell')} give the same answers"]
    if declared:
        parts.append(f"{declared} {'differs' if declared == 1 else 'differ'} as declared")
    parts += [f"{number} {status}" for status, number in tally.items()]
    return "; ".join(parts) + "."


def _sentence(group: pd.DataFrame) -> Sentence:
    rows = list(summary_rows(group))
    eager = next((row for row in rows if row.mode == BASELINE), None)
    first = rows[0]
    others = [row for row in rows if row.mode != BASELINE]
    others.sort(
        key=lambda row: (rank(row.kind), -row.speedup if known(row.speedup) else float("inf"))
    )
    return Sentence(
        scenario=str(first.scenario),
        size=str(first.size),
        device=str(first.device),
        inputs=str(first.inputs),
        eager="" if eager is None else seconds(eager.median_s) or displayed_status(eager),
        clauses=tuple(_clause(row) for row in others),
        answers=_answers(rows),
    )


def _clause(row: Any) -> Clause:
    if not known(row.speedup):
        status = displayed_status(row)
        timed = f", {seconds(row.median_s)}" if known(row.median_s) else ""
        words = row.reason if row.status in AGREEING else f"{status}{timed}"
        if row.verdict == UNEQUAL_WORK:
            words = f"{seconds(row.median_s)}, {row.reason}".removeprefix(", ")
        return Clause(row.mode, "", "", "", words, kind=row.kind)
    bounds = interval(row.speedup_low, row.speedup_high)
    return Clause(
        row.mode, row.verdict, ratio(row.speedup), bounds, verdict_words(row), payoff(row), row.kind
    )


def payoff(row: Any) -> str:
    """Say when a mode pays; nothing where its speed may be eager's, so that nothing pays."""
    if row.verdict in ("same", "unclear"):
        return ""
    return pays(row.break_even_calls, row.break_even_low, row.break_even_high)


def verdict_words(row: Any) -> str:
    """Return the verdict and what would settle it."""
    return f"{row.verdict} ({row.verdict_detail})" if row.verdict_detail else str(row.verdict)


def _answers(rows: list[Any]) -> str:
    """How far the agreeing answers of a group are apart; what does not agree has its own clause."""
    agreeing = [row for row in rows if row.parity in AGREEING]
    if not any(row.mode != BASELINE for row in agreeing):
        return "" if len(rows) > 1 else _against("the reference", rows)
    scope = "same answers" if len(agreeing) == len(rows) else "otherwise the same answers"
    return f"{scope} ({_against('eager', agreeing)}, {_against('the reference', agreeing)})"


def _against(reference: str, rows: list[Any]) -> str:
    """Say the distance of some rows from a reference: ``at most 3 ULP from eager``."""
    suffix = reference.removeprefix("the ")
    distances = [getattr(row, f"max_ulp_{suffix}") for row in rows]
    words = {getattr(row, f"status_vs_{suffix}") for row in rows} - {""}
    if words == {NO_REFERENCE}:
        return "held against eager alone"
    if words == {"identical"}:
        return f"bit for bit those of {reference}"
    worst = max((distance for distance in distances if known(distance)), default=None)
    return (
        f"at most {ulps(worst)} ULP from {reference}" if known(worst) else f"close to {reference}"
    )
