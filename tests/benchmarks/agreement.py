"""Do independent runs agree, as their intervals say? And how narrow are these?

    python tests/benchmarks/agreement.py RUN RUN [RUN ...]

Every pair of runs is compared: for each cell that both have, whether the difference of the two log
speed-ups over eager lies inside the joint 95 % interval (Welch 1947). The A/A controls, whose true
ratio is 1, are counted apart. Measures nothing; reads the runs' records.
"""

from __future__ import annotations

import argparse
import sys
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from eager_vs_graph.results.cells import CONTROL
from eager_vs_graph.results.frames import read
from eager_vs_graph.results.run import Run
from eager_vs_graph.statistics.estimates import compare_modes
from eager_vs_graph.statistics.intervals import joint_half_width, quantile_t
from eager_vs_graph.statistics.passes import locate
from eager_vs_graph.statistics.verdicts import calibration, judge

NEAR_ONE = np.log(1.25)


def comparisons(folder: Path) -> pd.DataFrame:
    """Every comparison of a run: log speed-up, its error, and the half-width of its interval."""
    frames = read(folder)
    compared = compare_modes(locate(frames.blocks), "eager", frames.control_of)
    verdicts = judge(compared, margin=0.03)
    error = compared["error"] * calibration(compared)
    half = [quantile_t(0.975, degrees) for degrees in compared["degrees"]] * error
    given = [verdicts[key].verdict for key in compared.index]
    return compared.assign(error=error, half=half, verdict=given)


def inside(one: pd.DataFrame, two: pd.DataFrame) -> tuple[int, int]:
    """How many of the common comparisons agree within their joint interval."""
    first, second = one.align(two, join="inner", axis=0)
    sides = [side[name].to_numpy() for side in (first, second) for name in ("error", "degrees")]
    apart = (first["mean"] - second["mean"]).abs().to_numpy()
    return int((apart <= joint_half_width(*sides)).sum()), len(first)


def describe(folder: Path, table: pd.DataFrame) -> None:
    """Print how narrow a run's intervals are, and what became of its controls."""
    control = table.index.get_level_values("mode") == CONTROL
    modes, twins = table[~control], table[control]
    near = modes[modes["mean"].abs() <= NEAR_ONE]
    called = twins["verdict"].isin(["faster", "slower"]).sum()
    records = [Run(folder).pass_record(number) for number in Run(folder).pass_numbers()]
    clock_s = sum(record.clock_s for record in records)
    after_import_s = sum(record.wall_s - record.startup_s for record in records)
    print(
        f"{folder.name}: {len(records)} passes, {clock_s / after_import_s:.0%} of their time after "
        f"the import inside timed calls\n"
        f"  half-width: median {modes['half'].median():.1%} over {len(modes)} comparisons, "
        f"{near['half'].median():.1%} over {len(near)} with a ratio of 0.8 to 1.25\n"
        f"  A/A: {called} of {len(twins)} called, half-width {twins['half'].median():.1%}"
    )


def main() -> None:
    """Describe every run, then compare each with each."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("runs", nargs="+", type=Path)
    folders = parser.parse_args().runs
    tables = {folder: comparisons(folder) for folder in folders}
    for folder, table in tables.items():
        describe(folder, table)
    for a, b in combinations(folders, 2):
        for name, is_control in (("against eager", False), ("A/A", True)):
            sides = [
                tables[run][(tables[run].index.get_level_values("mode") == CONTROL) == is_control]
                for run in (a, b)
            ]
            agree, total = inside(*sides)
            if total:
                print(
                    f"{a.name} and {b.name}, {name}: {agree} of {total} agree ({agree / total:.0%})"
                )


if __name__ == "__main__":
    main()
