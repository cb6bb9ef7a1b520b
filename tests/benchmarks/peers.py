"""pytest-benchmark's defaults, pyperf and the harness on the same pairs, in turn.

    python tests/benchmarks/peers.py [--pyperf-pairs N]

Twelve pairs of programs (see `peer_pairs.py`): six A/A pairs, whose calls are the same, and six
whose second call is 5 % longer by a spin. For each tool: how many A/A pairs it calls different, how
many slowed pairs it calls slower, how far its ratios are from the truth, and what a pair costs.

* pytest-benchmark: its defaults, one after the other, in a fresh process a pair; `different` is a
  Mann-Whitney test at p < 0.01 on its rounds, as is usual.
* pyperf: `--fast`, 10 worker processes; `different` is its own `is_significant`.
* the harness: one run over all pairs; `different` is its verdict.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from scipy.stats import mannwhitneyu

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(ROOT), str(HERE)]

from peer_pairs import PAIR, PAIRS


@dataclass
class Tally:
    """What a tool said of the pairs."""

    name: str
    ratios: list[float] = field(default_factory=list)
    truths: list[float] = field(default_factory=list)
    different: list[bool] = field(default_factory=list)
    seconds: float = 0.0

    def add(self, ratio: float, slowdown: float, different: bool) -> None:
        """Note one pair: second over first, its injected slowdown, and the tool's word."""
        self.ratios.append(ratio)
        self.truths.append(1 + slowdown)
        self.different.append(different)

    def row(self) -> str:
        """The tool's line of the table."""
        ratios, truths = np.array(self.ratios), np.array(self.truths)
        different, same = np.array(self.different), truths == 1
        called = different & (ratios > 1) & ~same
        errors = np.abs(np.log(ratios / truths))
        return (
            f"{self.name:28}{int((different & same).sum()):4} of {int(same.sum()):<4}"
            f"{int(called.sum()):7} of {int((~same).sum()):<4}"
            f"{np.median(errors):9.1%}{errors.max():9.1%}{self.seconds / len(ratios):10.1f} s"
        )


def environment(index: int) -> dict[str, str]:
    return {**os.environ, PAIR: str(index), "TF_CPP_MIN_LOG_LEVEL": "3"}


def pytest_benchmark(tally: Tally, index: int, folder: Path) -> None:
    result = folder / f"{index}.json"
    subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-c", os.devnull, "--rootdir", str(HERE)]
        + [str(HERE / "peer_pairs.py"), f"--benchmark-json={result}", "-p", "no:cacheprovider"],
        env=environment(index),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=True,
    )
    first, second = json.loads(result.read_text())["benchmarks"]
    different = mannwhitneyu(first["stats"]["data"], second["stats"]["data"]).pvalue < 0.01
    ratio = second["stats"]["median"] / first["stats"]["median"]
    tally.add(ratio, PAIRS[index][3], bool(different))


def pyperf(tally: Tally, index: int, folder: Path) -> None:
    import pyperf as perf

    result = folder / f"pyperf-{index}.json"
    subprocess.run(
        [sys.executable, str(HERE / "peer_pairs.py"), "--fast", "--quiet", "-o", str(result)]
        + [f"--inherit-environ={PAIR},TF_CPP_MIN_LOG_LEVEL"],
        env=environment(index),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=True,
    )
    suite = perf.BenchmarkSuite.load(str(result))
    first, second = suite.get_benchmark("first"), suite.get_benchmark("second")
    different, _ = perf._utils.is_significant(first.get_values(), second.get_values())
    tally.add(second.median() / first.median(), PAIRS[index][3], bool(different))


def harness(tally: Tally, folder: Path, budget_s: float) -> None:
    subprocess.run(
        [sys.executable, "-m", "harness", "selfcheck", "--scenarios"]
        + ["matmul_chain,regression_training", "--sizes", "tiny", "--results", str(folder)]
        + ["--budget", f"{budget_s:.0f}s", "--slowdowns", "5%"],
        cwd=ROOT,
        env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"},
        stdout=subprocess.DEVNULL,
        check=False,
    )
    from eager_vs_graph.runs.selfcheck import judgements

    for label, slowdown in (("control", 0.0), ("5%", 0.05)):
        for judged in judgements(folder / "selfcheck" / "latest", label):
            different = judged.verdict in ("faster", "slower")
            tally.add(float(np.exp(-judged.mean)), slowdown, different)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--pyperf-pairs", type=int, default=4, help="pyperf takes minutes a pair")
    parser.add_argument("--budget", type=float, default=240.0, help="seconds for the harness")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        tallies = [Tally("pytest-benchmark, defaults"), Tally("pyperf --fast"), Tally("harness")]
        jobs = [(tallies[0], pytest_benchmark, index) for index in range(len(PAIRS))]
        step = max(1, len(PAIRS) // max(1, options.pyperf_pairs))
        chosen = range(0, len(PAIRS), step) if options.pyperf_pairs else []
        jobs += [(tallies[1], pyperf, index) for index in chosen]
        for tally, tool, index in sorted(jobs, key=lambda job: job[2]):
            began = time.monotonic()
            tool(tally, index, folder)
            tally.seconds += time.monotonic() - began
            print(f"{tally.name}: {PAIRS[index]}: {tally.ratios[-1]:.3f}", flush=True)
        began = time.monotonic()
        harness(tallies[2], folder, options.budget)
        tallies[2].seconds = time.monotonic() - began
    print(f"\n{'':28}{'A/A called':12}{'+5 % called':14}{'error of ratio':>16}{'cost':>10}")
    print(f"{'':28}{'different':12}{'slower':14}{'median':>9}{'worst':>9}{'a pair':>11}")
    for tally in tallies:
        if tally.ratios:
            print(tally.row())


if __name__ == "__main__":
    main()
