"""The harness measures itself on the machine at hand. Free of TensorFlow.

Every mode of some scenarios is timed against further programs of the same mode: a plain one (an
A/A pair, whose true ratio is 1) and some whose calls are made longer by a known fraction. They are
judged by the same statistics as any run. Every program is called through the same wrapper, which
spins for 0 % where nothing is to be added, so that the pairs differ by nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain, pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from eager_vs_graph.results.cells import CONTROL
from eager_vs_graph.results.frames import read
from eager_vs_graph.results.request import Timed
from eager_vs_graph.results.run import Run
from eager_vs_graph.runs.check import CheckResult
from eager_vs_graph.statistics.estimates import compare_modes
from eager_vs_graph.statistics.intervals import joint_half_width
from eager_vs_graph.statistics.passes import locate
from eager_vs_graph.statistics.verdicts import Judged, judge

BASE = "base"
TARGETS = {0.005: 0.80, 0.01: 0.95, 0.02: 0.99}
"""Share of injected slowdowns that must be called, by slowdown; of one in between, as of the next
smaller one."""
MARGIN = 0.03


class Row(NamedTuple):
    """One line of the self-check's table."""

    what: str
    found: str
    target: str
    passed: bool


def programs(slowdowns: Sequence[float], checked: CheckResult, _control_of: str) -> list[Timed]:
    """Every agreeing cell as a base, its A/A control, and its slowed versions."""
    labels = {BASE: 0.0, CONTROL: 0.0, **{label(slowdown): slowdown for slowdown in slowdowns}}
    timed = []
    for cell in checked.cells:
        if checked.parity[cell.id].comparable:
            group = f"{cell.group}/{cell.mode}"
            for text, slowdown in labels.items():
                name = cell.in_mode(f"{cell.mode}+{text}").id
                timed.append(Timed(name, cell.mode, group, slowdown))
    return timed


def label(slowdown: float) -> str:
    """A slowdown as the names of its programs have it, such as ``0.5%``."""
    return f"{100 * slowdown:g}%"


def judgements(folder: Path, of: str) -> list[Judged]:
    """Every comparison with programs of one label (``control``, ``5%``)."""
    compared = _compared(_located(folder))
    return _of([judge(compared, MARGIN)], of)


def _compared(located: pd.DataFrame) -> pd.DataFrame:
    # All programs of a group are of one mode: nothing drifts between them.
    return compare_modes(located, BASE, BASE, drift=0.0)


def _located(folder: Path) -> pd.DataFrame:
    blocks = read(folder).blocks
    return locate(blocks.assign(mode=[mode.partition("+")[2] for mode in blocks["mode"]]))


def table(folders: Sequence[Path]) -> list[Row]:
    """Judge the records of one or more self-checks, each for itself, and count together.

    A repetition is a record; where there is only one, its odd and its even passes are two.

    Raises:
        UsageError: a record is missing or damaged.
    """
    located = [_located(folder) for folder in folders]
    compared = [_compared(blocks) for blocks in located]
    repetitions = compared if len(compared) > 1 else _halves(located[0])
    return [
        # Not widened by what the very same controls show: a control must not excuse itself.
        *_false_verdicts([judge(each, MARGIN, widening=1.0) for each in compared]),
        *_detections([judge(each, MARGIN) for each in compared]),
        *_agreement(repetitions),
        *_overhead([Run(folder) for folder in folders]),
    ]


def _halves(located: pd.DataFrame) -> list[pd.DataFrame]:
    return [
        _compared(half)
        for _, half in located.groupby(located["pass"] % 2)
        if half["pass"].nunique() > 1
    ]


def _of(judged: list[dict[tuple[str, str], Judged]], label: str) -> list[Judged]:
    return [each for half in judged for (_, mode), each in half.items() if mode == label]


def _false_verdicts(judged: list[dict[tuple[str, str], Judged]]) -> Iterator[Row]:
    pairs = _of(judged, CONTROL)
    false = sum(each.verdict in ("faster", "slower") for each in pairs)
    found = f"{false} of {len(pairs)} ({_share(false, len(pairs)):.1%})"
    yield Row("false verdicts over A/A pairs", found, "at most 1 %", false <= 0.01 * len(pairs))


def _detections(judged: list[dict[tuple[str, str], Judged]]) -> Iterator[Row]:
    wrong = 0
    for slowdown in _slowdowns(judged):
        pairs = _of(judged, label(slowdown))
        called = sum(each.verdict == "slower" for each in pairs)
        wrong += sum(each.verdict == "faster" for each in pairs)
        share = _share(called, len(pairs))
        target = max((aim for least, aim in TARGETS.items() if slowdown >= least), default=0.0)
        yield Row(
            f"injected slowdown of {label(slowdown)} called slower",
            f"{called} of {len(pairs)} ({share:.0%})",
            f"at least {target:.0%}" if target else "-",
            share >= target,
        )
    yield Row("injected slowdowns called faster", str(wrong), "none", wrong == 0)


def _slowdowns(judged: list[dict[tuple[str, str], Judged]]) -> list[float]:
    """Those that the records hold, from small to large."""
    labels = {mode for half in judged for _, mode in half} - {BASE, CONTROL}
    return sorted(float(text.removesuffix("%")) / 100 for text in labels)


def _agreement(repetitions: list[pd.DataFrame]) -> Iterator[Row]:
    """Whether successive repetitions differ by no more than their joint 95 % interval says."""
    inside = total = 0
    for first, second in pairwise(repetitions):
        one, two = first.align(second, join="inner", axis=0)
        sides = [side[name].to_numpy() for side in (one, two) for name in ("error", "degrees")]
        apart = (one["mean"] - two["mean"]).abs().to_numpy()
        inside += int((apart <= joint_half_width(*sides)).sum())
        total += len(one)
    if not total:
        return
    share = _share(inside, total)
    yield Row(
        "two repetitions agree within their joint 95 % interval",
        f"{inside} of {total} ({share:.0%})",
        "at least 95 %",
        share >= 0.95,
    )


def _overhead(runs: Sequence[Run]) -> Iterator[Row]:
    """What pytest-benchmark's timing adds to a call, against a plain loop beside each item."""
    added: dict[str, list[float]] = {}
    relative: dict[str, list[float]] = {}
    for run in runs:
        for timed in chain.from_iterable(run.rounds(number) for number in run.pass_numbers()):
            if timed.bare_s:
                timed_s = float(np.median(timed.seconds.min(axis=1)))
                added.setdefault(timed.cell, []).append(timed_s - timed.bare_s)
                relative.setdefault(timed.cell, []).append(timed_s / timed.bare_s - 1)
    if not added:
        return
    seconds = float(np.median([np.median(values) for values in added.values()]))
    share = float(np.median([np.median(values) for values in relative.values()]))
    yield Row(
        "overhead of the timed call against a plain loop",
        f"{seconds * 1e9:+.0f} ns ({share:+.2%})",
        "below 1 µs or 1 %",
        seconds < 1e-6 or share < 0.01,
    )


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0
