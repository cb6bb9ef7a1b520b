"""Which estimator makes independent halves of recorded runs agree best?

    python tests/benchmarks/estimators.py results/<run> [results/<run> ...]

Each estimator turns the rounds of one pass into one log ratio for each comparison. A run's passes
are split at random into two halves, many times; an estimator is better when the means of the two
halves are closer. Printed is the root mean square of that difference, as a percentage, in the
median and the worst tenth of the comparisons, for A/A pairs and for real comparisons apart.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import trim_mean

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from eager_vs_graph.results.cells import CONTROL
from eager_vs_graph.results.frames import read
from eager_vs_graph.runs.selfcheck import BASE

Blocks = pd.DataFrame
Estimator = Callable[[Blocks], float]
"""From paired blocks of one pass (columns ``reference``, ``mode``: arrays of seconds; ``probe``:
the slower of the two blocks' probes) to a log ratio."""

SPLITS = 200


def paired(
    of_block: Callable[[np.ndarray], float], of_pass: Callable[[np.ndarray], float]
) -> Estimator:
    def estimate(blocks: Blocks) -> float:
        pairs = zip(blocks["reference"], blocks["mode"], strict=True)
        return of_pass(np.array([np.log(of_block(a) / of_block(b)) for a, b in pairs]))

    return estimate


def pooled(quantile: float) -> Estimator:
    def estimate(blocks: Blocks) -> float:
        a, b = np.concatenate(list(blocks["reference"])), np.concatenate(list(blocks["mode"]))
        return float(np.log(np.quantile(a, quantile) / np.quantile(b, quantile)))

    return estimate


def gated(limit: float) -> Estimator:
    """Only blocks in which the probe found the machine nearly as fast as in its best tenth."""
    inner = paired(np.median, np.median)

    def estimate(blocks: Blocks) -> float:
        quiet = blocks[blocks["probe"] <= limit * np.quantile(blocks["probe"], 0.1)]
        return inner(quiet if len(quiet) >= 3 else blocks)

    return estimate


def trimmed(values: np.ndarray) -> float:
    return float(trim_mean(values, 0.2))


ESTIMATORS: dict[str, Estimator] = {
    "paired median of medians": paired(np.median, np.median),
    "paired trimmed mean of medians": paired(np.median, trimmed),
    "paired mean of medians": paired(np.median, np.mean),
    "paired trimmed mean of trimmed means": paired(trimmed, trimmed),
    "paired median of block minima": paired(np.min, np.median),
    "paired trimmed mean of block minima": paired(np.min, trimmed),
    "median of the blocks the probe calls quiet": gated(1.10),
    "10 % quantile of all rounds": pooled(0.10),
    "25 % quantile of all rounds": pooled(0.25),
    "minimum of all rounds": pooled(0.0),
}


def comparisons(folder: Path) -> dict[tuple[str, str, bool], dict[int, Blocks]]:
    """By (group, mode, whether it is an A/A pair): the paired blocks of every pass."""
    frames = read(folder)
    blocks = frames.blocks
    if blocks["mode"].str.contains("+", regex=False).any():  # a self-check's record
        blocks = blocks.assign(mode=[mode.partition("+")[2] for mode in blocks["mode"]])
        blocks = blocks[blocks["mode"].isin([BASE, CONTROL])]
        baseline, control_of = BASE, BASE
    else:
        baseline, control_of = "eager", frames.control_of
    found: dict[tuple[str, str, bool], dict[int, Blocks]] = {}
    for (group, number), rows in blocks.groupby(["group", "pass"]):
        by_mode = {mode: part.set_index("block") for mode, part in rows.groupby("mode")}
        for mode, part in by_mode.items():
            reference = by_mode.get(control_of if mode == CONTROL else baseline)
            if mode == baseline or reference is None:
                continue
            joined = part.join(reference, rsuffix="_reference", how="inner")
            found.setdefault((group, mode, mode == CONTROL), {})[number] = pd.DataFrame(
                {
                    "mode": joined["seconds"],
                    "reference": joined["seconds_reference"],
                    "probe": joined[["probe_s", "probe_s_reference"]].max(axis=1),
                }
            )
    return found


def disagreement(values: np.ndarray, rng: np.random.Generator) -> float:
    """Root mean square difference of the means of random halves."""
    half = len(values) // 2
    differences = []
    for _ in range(SPLITS):
        order = rng.permutation(len(values))
        first, second = values[order[:half]], values[order[half : 2 * half]]
        differences.append(first.mean() - second.mean())
    return float(np.sqrt(np.mean(np.square(differences))))


def main(folders: list[Path]) -> None:
    everything = [item for folder in folders for item in comparisons(folder).items()]
    everything = [(key, passes) for key, passes in everything if len(passes) >= 4]
    print(f"{len(everything)} comparisons from {len(folders)} runs\n")
    print(f"{'':46}{'A/A pairs':^26}{'against the baseline':^26}")
    print(f"{'estimator':46}" + f"{'median':>12}{'worst tenth':>14}" * 2)
    for name, estimator in ESTIMATORS.items():
        found: dict[bool, list[float]] = {True: [], False: []}
        for (_, _, is_control), passes in everything:
            values = np.array([estimator(blocks) for blocks in passes.values()])
            found[is_control].append(disagreement(values, np.random.default_rng(0)))
        line = f"{name:46}"
        for is_control in (True, False):
            numbers = found[is_control] or [float("nan")]
            line += f"{np.median(numbers):11.2%} {np.quantile(numbers, 0.9):13.2%}"
        print(line)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    main([Path(argument) for argument in sys.argv[1:]])
