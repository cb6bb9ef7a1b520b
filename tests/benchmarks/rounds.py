"""How many rounds should a block have?

    python tests/benchmarks/rounds.py RUN [RUN ...]

What a comparison costs is the variance of a block's log ratio times the time that a block takes:
with half of it, the same interval needs half the time. For each comparison of the runs this takes
the first k rounds of every block as if there had been no more, and prints the cost against that of
all rounds: below 1, k rounds a block would have been the better use of the time. Measures nothing;
reads the runs' records.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from eager_vs_graph.child.bench.schedule import ITEM_S
from eager_vs_graph.results.cells import CONTROL
from eager_vs_graph.results.frames import read
from eager_vs_graph.results.run import Run

LONG_S = 0.05
"""A group counts as long when one round of all its programs takes longer."""


def round_seconds(run: Run) -> pd.DataFrame:
    """By group: seconds of one round of all its programs, and their number."""
    rows = [
        (entry["group"], entry["extra_info"]["cell"], entry["stats"]["total"], entry["stats"])
        for number in run.pass_numbers()
        for entry in json.loads(run.pass_file(number).read_text("utf-8"))["benchmarks"]
    ]
    table = pd.DataFrame(rows, columns=["group", "cell", "total", "stats"])
    table["round_s"] = [s["iterations"] * float(np.median(s["data"])) for s in table["stats"]]
    cells = table.groupby(["group", "cell"])["round_s"].median()
    return pd.DataFrame(
        {"round_s": cells.groupby("group").sum(), "programs": cells.groupby("group").size()}
    )


def scatter(blocks: pd.DataFrame, rounds: int) -> pd.Series[float]:
    """By (group, mode): variance within passes of the log ratio, from the first rounds only."""
    best = blocks.assign(log_s=[np.log(np.min(s[:rounds])) for s in blocks["seconds"]])
    table = best.pivot_table(index=["group", "pass", "block"], columns="mode", values="log_s")
    modes = [mode for mode in table.columns if mode not in ("eager", CONTROL)]
    ratios = pd.concat({mode: table["eager"] - table[mode] for mode in modes}, names=["mode"])
    ratios = ratios.dropna()
    centred = ratios - ratios.groupby(["mode", "group", "pass"]).transform("median")
    variance: pd.Series[float] = (centred**2).groupby(["group", "mode"]).mean()
    return variance


def costs(folder: Path) -> pd.DataFrame:
    """By (group, mode) of one run: the cost of k rounds for every k, against all of them."""
    blocks = read(folder).blocks
    known = round_seconds(Run(folder))
    most = int(max(len(seconds) for seconds in blocks["seconds"]))
    table = pd.DataFrame({k: scatter(blocks, k) for k in range(1, most + 1)})
    per_group = known.loc[table.index.get_level_values("group")]
    item_s = per_group["programs"].to_numpy() * ITEM_S
    for k in table.columns:
        table[k] *= item_s + k * per_group["round_s"].to_numpy()
    return table.div(table[most], axis=0).assign(long=per_group["round_s"].to_numpy() > LONG_S)


def main() -> None:
    """Print the median cost over comparisons."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("runs", nargs="+", type=Path)
    table = pd.concat([costs(folder) for folder in parser.parse_args().runs])
    for name, part in (("all", table), ("long groups", table[table["long"]])):
        cost = part.drop(columns="long").median()
        told = "  ".join(f"{k}: {value:.2f}" for k, value in cost.items())
        print(f"{name} ({len(part)} comparisons): cost by rounds  {told}")


if __name__ == "__main__":
    main()
