"""Break-even on synthetic passes: true figures, both ends of the line, honest intervals."""

from __future__ import annotations

import math
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eager_vs_graph.statistics import estimate_cells
from eager_vs_graph.statistics.break_even import break_even, crossing, total_s
from eager_vs_graph.statistics.intervals import Interval

EAGER_CALL_S = 1e-3
EAGER_BUILD_S, EAGER_FIRST_S = 0.02, 0.05


def run(
    speedups: list[float],
    starts: list[float],
    passes: int = 4,
    spread: float = 0.02,
    cold_spread: float = 0.1,
    seed: int = 3,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Passes and blocks of one group a comparison: eager, and a graph with build + first call."""
    rng = np.random.default_rng(seed)
    cells, blocks = [], []
    for index, (speedup, start) in enumerate(zip(speedups, starts, strict=True)):
        for number in range(1, passes + 1):
            for mode, call_s, build_s, first_s in (
                ("eager", EAGER_CALL_S, EAGER_BUILD_S, EAGER_FIRST_S),
                ("graph", EAGER_CALL_S / speedup, 0.25 * start, 0.75 * start),
            ):
                cell = f"s{index:03}/small/{mode}/CPU:0/resident"
                cold = np.exp(cold_spread * rng.standard_normal())
                costs = {"build_s": build_s * cold, "first_call_s": first_s * cold}
                cells.append({"pass": number, "cell": cell, **costs})
                seconds = call_s * np.exp(spread * rng.standard_normal())
                of = {"cell": cell, "group": f"s{index:03}", "mode": mode, "pass": number}
                blocks += [
                    {**of, "block": block, "fastest_s": seconds, "median_s": seconds, "rounds": 3}
                    for block in range(3)
                ]
    return pd.DataFrame(cells), pd.DataFrame(blocks)


def true_calls(speedup: float, start: float) -> float:
    later = start - EAGER_BUILD_S - EAGER_FIRST_S
    return 1 + later / (EAGER_CALL_S * (1 - 1 / speedup))


def test_the_crossing_of_the_two_lines() -> None:
    starts = [0.1, 0.2, 0.4, 0.8]
    table = break_even(*run([2.0] * 4, starts, spread=1e-4, cold_spread=1e-4))
    expected = [true_calls(2.0, start) for start in starts]
    assert table["break_even_calls"].to_list() == pytest.approx(expected, rel=0.01)
    assert (table["break_even_low_calls"] < table["break_even_calls"]).all()
    assert (table["break_even_high_calls"] > table["break_even_calls"]).all()
    assert (table["break_even_high_calls"] / table["break_even_low_calls"] < 1.05).all()


def test_ahead_at_once_and_never() -> None:
    table = break_even(*run([2.0, 2.0, 0.5, 0.5], [0.01, 0.4, 0.4, 0.01], spread=0.001))
    assert table.iloc[0].to_list() == [0, 0, 0]
    assert np.isfinite(table.iloc[1]).all()
    assert table.iloc[2].to_list() == [math.inf] * 3
    # It starts sooner, but every call takes longer: it does not stay ahead.
    assert table.iloc[3].to_list() == [math.inf] * 3


def test_the_upper_limit_is_infinite_where_the_speedup_may_be_one() -> None:
    passes, blocks = run([0.97, 1.0, 1.02, 1.05, 1.3, 2.0] * 3, [0.2] * 18, spread=0.04)
    table = break_even(passes, blocks)
    low = estimate_cells(blocks).loc[table.index, "speedup_low"]
    assert (np.isinf(table["break_even_high_calls"]) == (low <= 1)).all()
    assert 0 < (low <= 1).sum() < len(low)
    assert (table["break_even_low_calls"] > 0).all()


@pytest.mark.parametrize("passes", [2, 3, 6])
def test_intervals_cover_the_truth(passes: int) -> None:
    speedups, starts = [1.2, 1.5, 3.0] * 80, [0.1, 0.25, 0.6, 0.3] * 60
    table = break_even(*run(speedups, starts, passes, spread=0.03, cold_spread=0.3))
    truth = np.array([true_calls(*each) for each in zip(speedups, starts, strict=True)])
    covered = (table["break_even_low_calls"] <= truth) & (truth <= table["break_even_high_calls"])
    assert 0.9 <= covered.mean() <= 0.99


def test_one_pass_has_no_interval() -> None:
    table = break_even(*run([2.0], [0.4], passes=1))
    assert np.isfinite(table["break_even_calls"]).all()
    assert table[["break_even_low_calls", "break_even_high_calls"]].isna().all(axis=None)


def test_without_costs_or_eager_there_is_nothing() -> None:
    passes, blocks = run([2.0], [0.4])
    assert break_even(passes[passes["cell"].str.contains("graph")], blocks).empty
    assert break_even(passes, blocks[blocks["mode"] == "graph"]).empty
    assert break_even(passes.iloc[:0], blocks.iloc[:0]).empty


finite = st.floats(-50, 50)
width = st.floats(0.001, 20)


@given(finite, width, width, st.floats(-2, 0.95), width, width)
def test_the_interval_holds_the_value(
    later: float, below: float, above: float, saving: float, down: float, up: float
) -> None:
    extra = Interval(later, later - below, later + above)
    part = Interval(saving, saving - down, min(saving + up, 0.999))
    calls = crossing(extra, part)
    assert 0 <= calls.low <= calls.value <= calls.high
    assert math.isinf(calls.high) == (part.low <= 0)
    assert (calls.value == 0) == (later <= 0 < saving)
    assert calls.low == 0 or extra.low > 0 or part.high <= 0


def test_the_lines_of_total_time_cross_at_the_break_even() -> None:
    starts = [0.3, 0.9]
    cells, blocks = run([1.7, 3.0], starts, spread=0.03)
    repaid = break_even(cells, blocks)
    table = estimate_cells(blocks)
    costs = cells.groupby("cell")[["build_s", "first_call_s"]].agg(
        lambda each: np.exp(np.log(each).mean())
    )
    for index in range(2):
        eager, graph = (
            SimpleNamespace(**table.loc[cell], **costs.loc[cell])
            for cell in (f"s{index:03}/small/{mode}/CPU:0/resident" for mode in ("eager", "graph"))
        )
        at = repaid.loc[f"s{index:03}/small/graph/CPU:0/resident", "break_even_calls"]
        assert total_s(graph, eager.latency_s, at) == pytest.approx(
            float(total_s(eager, eager.latency_s, at)), rel=1e-6
        )
        assert total_s(graph, eager.latency_s, 1) == graph.build_s + graph.first_call_s
