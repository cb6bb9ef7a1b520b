"""Which calls of a turn should count, and what should stand for a pass?

    python tests/benchmarks/turns.py RUN [RUN ...]

Reads records with every round in them, of `selfcheck` or `bench`; measures nothing. Each estimator
turns the turns of one pass into one log ratio for each comparison. An A/A pair is estimated well
when the estimates of its passes are near 0; another comparison when those of its passes agree with
each other. Printed is the root mean square of either, in per cent, in the median and in the worst
tenth of the comparisons.
"""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import trim_mean

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from eager_vs_graph.results.cells import CONTROL, Cell
from eager_vs_graph.results.run import Run
from eager_vs_graph.runs.selfcheck import BASE

Floats = NDArray[Any]
Pairs = dict[int, tuple[Floats, Floats]]
"""By pass: the turns of both programs, blocks × rounds each."""
OF_TURN: dict[str, Callable[[Floats], Floats]] = {
    "first call": lambda turns: turns[:, 0],
    "last call": lambda turns: turns[:, -1],
    "fastest call": lambda turns: turns.min(axis=1),
    "fastest but the first": lambda turns: turns[:, min(1, turns.shape[1] - 1) :].min(axis=1),
    "mean but the first": lambda turns: turns[:, min(1, turns.shape[1] - 1) :].mean(axis=1),
}
OF_PASS: dict[str, Callable[[Floats], float]] = {
    "median": lambda ratios: float(np.median(ratios)),
    "trimmed mean": lambda ratios: float(trim_mean(ratios, 0.2)),
}


def comparisons(folder: Path) -> dict[tuple[str, str, bool], Pairs]:
    """By group, mode and whether it is an A/A pair."""
    run = Run(folder)
    control_of = run.request.control_of
    turns: dict[tuple[str, str, int], list[Floats]] = defaultdict(list)
    for number in run.pass_numbers():
        for timed in run.rounds(number):
            turns[timed.group, Cell.parse(timed.cell).mode, number].append(timed.seconds)
    found: dict[tuple[str, str, bool], Pairs] = defaultdict(dict)
    for (group, mode, number), parts in turns.items():
        label = mode.partition("+")[2]
        twin = control_of if mode == CONTROL else "eager"
        reference = f"{mode.partition('+')[0]}+{BASE}" if label else twin
        if mode == reference or (group, reference, number) not in turns:
            continue
        pair = (np.concatenate(turns[group, reference, number]), np.concatenate(parts))
        found[group, mode, CONTROL in (mode, label)][number] = pair
    return {key: pairs for key, pairs in found.items() if len(pairs) > 1}


def deviation(pairs: Pairs, is_control: bool, estimate: Callable[[Floats, Floats], float]) -> float:
    """Root mean square of the passes' estimates about 0, or about their mean."""
    estimates = np.array([estimate(*pair) for pair in pairs.values()])
    if is_control:
        return float(np.sqrt(np.mean(estimates**2)))
    return float(np.std(estimates, ddof=1))


def main() -> None:
    """Print a line an estimator."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("runs", nargs="+", type=Path)
    found = [item for folder in parser.parse_args().runs for item in comparisons(folder).items()]
    line = "{:>22} {:>13}   {:>12} {:>6}   {:>7} {:>6}".format
    print(line("turn", "pass", "A/A: median", "worst", "others", "worst"))
    for of_turn, turn in OF_TURN.items():
        for of_pass, whole in OF_PASS.items():

            def estimate(one: Floats, other: Floats, turn: Any = turn, whole: Any = whole) -> float:
                return float(whole(np.log(turn(one)) - np.log(turn(other))))

            figures = []
            for control in (True, False):
                own = [
                    deviation(pairs, control, estimate) for key, pairs in found if key[2] is control
                ]
                quantiles = np.quantile(own, [0.5, 0.9]) if own else [np.nan, np.nan]
                figures += [f"{quantile:.2%}" for quantile in quantiles]
            print(line(of_turn, of_pass, *figures))


if __name__ == "__main__":
    main()
