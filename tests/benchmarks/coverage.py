"""Do 95 % intervals hold in 95 of 100 cases, although a run looks after every pass and stops early?

    python tests/benchmarks/coverage.py RUN [RUN ...] [--precision 3%] [--passes 12]

Runs are simulated from recorded ones: each comparison keeps the spread that its passes had, round a
true log ratio of 0. A simulated run adds passes as `bench` does: after the least number of passes,
comparisons whose interval was narrow enough after two passes in a row drop out; it ends when none
is left, or after so many passes. Printed is how many of the final intervals hold the true ratio,
beside runs with exactly so many passes. Reads the runs' records; measures nothing.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from eager_vs_graph.results.frames import read
from eager_vs_graph.runs.budget import MIN_PASSES
from eager_vs_graph.runs.selfcheck import BASE
from eager_vs_graph.statistics.moderation import moderate
from eager_vs_graph.statistics.passes import locate, reduce

Floats = NDArray[Any]
RUNS = 1000
PASSES = (3, 4, 6, 12)


def deviations(folder: Path) -> Floats:
    """Of every comparison of a run that has enough passes: the spread of its passes."""
    frames = read(folder)
    located, baseline, twin = locate(frames.blocks), "eager", frames.control_of
    if located["mode"].str.contains("+", regex=False).all():  # of a self-check
        labels = [mode.partition("+")[2] for mode in located["mode"]]
        located, baseline, twin = located.assign(mode=labels), BASE, BASE
    ratios = reduce(located, baseline, twin).ratios
    return ratios[ratios.count(axis=1) > 2].std(axis=1, ddof=1).to_numpy()


def half_widths(estimates: Floats, alive: NDArray[np.int64]) -> Floats:
    """Of each comparison, from its first so many passes; as ``compare_modes`` and ``judge``."""
    numbers = alive.astype(np.float64)
    used = np.where(np.arange(estimates.shape[1]) < alive[:, None], estimates, np.nan)
    moderated = moderate(np.nanvar(used, axis=1, ddof=1), numbers - 1)
    quantiles = stdtrit(moderated.degrees, 0.975)
    return np.asarray(quantiles * np.sqrt(moderated.variance / numbers))


def held(spreads: Floats, precision: float, most: int, rng: np.random.Generator) -> Floats:
    """Whether each interval of one simulated run holds 0; a precision of 0 never stops early."""
    estimates = spreads[:, None] * rng.standard_normal((len(spreads), most))
    passes = np.full(len(spreads), min(MIN_PASSES, most))
    while True:
        half = half_widths(estimates, passes)
        widest = np.maximum(half, half_widths(estimates, passes - 1))
        wide = (widest > precision) & (passes < most)
        if not wide.any():
            break
        passes[wide] += 1
    means = np.array([row[:n].mean() for row, n in zip(estimates, passes, strict=True)])
    return np.abs(means) <= half


def fraction(text: str) -> float:
    """``3%`` as 0.03."""
    return float(text.rstrip("%")) / 100


def main() -> None:
    """Print a line a rule."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("runs", nargs="+", type=Path)
    parser.add_argument(
        "--precision", type=lambda text: float(text.rstrip("%")) / 100, default=0.03
    )
    parser.add_argument("--passes", type=int, default=12)
    asked = parser.parse_args()
    spreads = np.concatenate([deviations(folder) for folder in asked.runs])
    print(f"{len(spreads)} comparisons, spread of passes {np.median(spreads):.2%} in the median")
    rules = [(0.0, passes) for passes in PASSES] + [(asked.precision, asked.passes)]
    for precision, most in rules:
        rng = np.random.default_rng(0)
        kept = np.array([held(spreads, precision, most, rng) for _ in range(RUNS)])
        share, error = kept.mean(), kept.mean(axis=1).std() / np.sqrt(RUNS)
        rule = f"until ±{precision:.1%}, at most {most} passes" if precision else f"{most} passes"
        print(f"{rule:>40}: {share:.2%} ± {2 * error:.2%} of the intervals hold")


if __name__ == "__main__":
    main()
