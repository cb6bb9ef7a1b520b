"""Estimates, intervals and verdicts on synthetic passes whose true figures are known."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from synthetic import CALL_S, blocks, cell, group, times

from eager_vs_graph.results.cells import CONTROL
from eager_vs_graph.statistics import estimate_cells, estimate_costs, precision_of_groups
from eager_vs_graph.statistics.estimates import DRIFT, compare_modes
from eager_vs_graph.statistics.intervals import mean_interval
from eager_vs_graph.statistics.moderation import moderate
from eager_vs_graph.statistics.passes import locate, reduce
from eager_vs_graph.statistics.precision import MAX_WEIGHT, GroupPrecision
from eager_vs_graph.statistics.run_changes import compare_runs, machine_factor
from eager_vs_graph.statistics.verdicts import adjust, calibration, judge, noise_floor, what_settles

MARGIN = 0.03
EDGE = math.log1p(MARGIN)


def estimates(frame: pd.DataFrame) -> pd.DataFrame:
    return estimate_cells(frame, control_of="function")


def verdicts(frame: pd.DataFrame, mode: str) -> Counter[str]:
    """How often each verdict was given on a mode."""
    table = estimates(frame)
    return Counter(table.loc[[mode in name.split("/") for name in table.index], "verdict"])


def bound(count: int, rate: float) -> int:
    """What as many as so many cases of this rate exceed in one of 10 000 experiments."""
    return int(stats.binom.ppf(0.9999, count, rate))


# Intervals


@pytest.mark.parametrize("passes", [2, 3, 5, 10])
def test_the_interval_covers_as_often_as_it_says(passes: int) -> None:
    rng = np.random.default_rng(passes)
    runs = 2000
    intervals = [mean_interval(rng.normal(0.3, 0.05, passes)) for _ in range(runs)]
    covered = sum(each.low <= 0.3 <= each.high for each in intervals)
    assert stats.binom.ppf(0.0001, runs, 0.95) <= covered <= bound(runs, 0.95)


@pytest.mark.parametrize("confidence", [0.9, 0.95, 0.99])
def test_the_interval_is_students(confidence: float) -> None:
    values = [0.1, 0.4, 0.2, 0.5, 0.35]
    found = mean_interval(values, confidence)
    expected = stats.t.interval(confidence, 4, np.mean(values), stats.sem(values))
    assert (found.low, found.high) == pytest.approx(expected)
    assert found.half_width == pytest.approx((expected[1] - expected[0]) / 2)
    assert found.exp().high == pytest.approx(math.exp(expected[1]))


def test_one_value_has_no_interval_and_none_has_nothing() -> None:
    one = mean_interval([0.2])
    assert one.value == 0.2
    assert math.isnan(one.low)
    assert math.isnan(one.high)
    assert all(math.isnan(each) for each in vars(mean_interval([])).values())


# Moderation


def scaled_f(
    typical: float, prior_degrees: float, degrees: int, cells: int, seed: int = 1
) -> np.ndarray:
    """Sample variances of cells whose true variances are scaled inverse chi-square."""
    rng = np.random.default_rng(seed)
    true = typical * prior_degrees / rng.chisquare(prior_degrees, cells)
    return true * rng.chisquare(degrees, cells) / degrees


@pytest.mark.parametrize(("prior_degrees", "degrees"), [(4.0, 4), (10.0, 3), (4.0, 1)])
def test_moderation_recovers_the_prior(prior_degrees: float, degrees: int) -> None:
    typical, cells = 0.02**2, 6000
    variance = scaled_f(typical, prior_degrees, degrees, cells)
    found = moderate(variance, np.full(cells, float(degrees)))
    recovered = found.degrees[0] - degrees
    assert recovered == pytest.approx(prior_degrees, rel=0.25)
    # The posterior is a weighted mean of the prior and the cell's own variance.
    prior = (found.variance * (recovered + degrees) - degrees * variance) / recovered
    assert prior == pytest.approx(typical, rel=0.1)


def test_equal_variances_are_pooled() -> None:
    degrees = np.full(40, 4.0)
    # As far apart as chance alone makes the samples of cells that are all alike.
    variance = 1e-4 * stats.chi2.ppf((np.arange(40) + 0.5) / 40, 4) / 4
    found = moderate(variance, degrees)
    assert np.ptp(found.variance) == 0
    assert found.variance[0] == pytest.approx(1e-4, rel=0.1)
    # No more is known than all the cells together say.
    assert (found.degrees == degrees.sum()).all()


def test_of_heterogeneous_variances_little_is_borrowed() -> None:
    rng = np.random.default_rng(5)
    degrees, cells = 4, 500
    true = np.exp(2 * rng.standard_normal(cells)) * 1e-4
    variance = true * rng.chisquare(degrees, cells) / degrees
    found = moderate(variance, np.full(cells, float(degrees)))
    assert degrees < found.degrees[0] < degrees + 2
    largest = variance.argmax()
    assert found.variance[largest] > 0.7 * variance[largest]


def test_a_cell_with_one_pass_gets_what_is_typical() -> None:
    variance = np.append(scaled_f(1e-4, 6.0, 4, 400), np.nan)
    found = moderate(variance, np.append(np.full(400, 4.0), 0.0))
    assert np.isfinite(found.variance).all()
    assert found.variance[-1] == pytest.approx(1e-4, rel=0.3)
    assert found.degrees[-1] == pytest.approx(found.degrees[0] - 4)


@pytest.mark.parametrize("variance", [[], [np.nan, np.nan, np.nan], [1e-4, 2e-4]])
def test_too_few_variances_are_left_alone(variance: list[float]) -> None:
    own = np.array(variance)
    degrees = np.where(np.isnan(own), 0.0, 3.0)
    found = moderate(own, degrees)
    assert found.variance == pytest.approx(own, nan_ok=True)
    assert found.degrees == pytest.approx(degrees)


# The correction for many comparisons


@given(st.lists(st.floats(0, 1) | st.sampled_from([0.0, 0.01, 1.0]), min_size=1, max_size=50))
def test_adjusted_p_values_are_benjamini_hochbergs(p: list[float]) -> None:
    assert adjust(np.array(p)) == pytest.approx(stats.false_discovery_control(p), abs=1e-15)


def test_nothing_adjusted_is_nothing() -> None:
    assert adjust(np.array([])).size == 0


# Pairing


def two_modes(eager: np.ndarray, graph: np.ndarray) -> pd.DataFrame:
    """One pass: the seconds of every block, in two modes."""
    return pd.DataFrame(
        [
            {
                **{"pass": 1, "group": group(0), "mode": mode, "block": block},
                **{"cell": cell(0, mode), "rounds": 2},
                **{"fastest_s": second, "median_s": 1.25 * second},
            }
            for mode, seconds in (("eager", eager), ("graph", graph))
            for block, second in enumerate(seconds)
        ]
    )


def ratio(frame: pd.DataFrame) -> float:
    found = reduce(locate(frame), "eager", None).ratios
    return math.exp(found.loc[(group(0), "graph"), 1])


@pytest.mark.parametrize(
    "moments",
    [
        pytest.param(np.array([1, 1, 30, 1, 1, 1.0]), id="a slow block"),
        pytest.param(np.array([1, 1, 1, 9, 9, 9, 9.0]), id="a machine that becomes slow"),
        pytest.param(np.linspace(1, 4, 12), id="drift"),
    ],
)
def test_what_slows_both_modes_cancels(moments: np.ndarray) -> None:
    eager = CALL_S * moments
    assert ratio(two_modes(eager, eager / 1.5)) == pytest.approx(1.5)


def test_a_block_that_slows_one_mode_only_does_not_count() -> None:
    graph = np.full(7, CALL_S / 1.5)
    graph[3] *= 20
    assert ratio(two_modes(np.full(7, CALL_S), graph)) == pytest.approx(1.5)


def test_a_block_without_its_partner_does_not_count() -> None:
    eager = CALL_S * np.linspace(1, 4, 9)
    # The graph failed after its third block, when the machine was still fast.
    assert ratio(two_modes(eager, eager[:3] / 1.5)) == pytest.approx(1.5)


# Estimates and verdicts


def test_known_ratios_are_found_and_named() -> None:
    true = {"function": 1.5, "session": 0.95, "concrete": 1.0}
    table = estimates(blocks(true, groups=8, passes=6, spread=0.004))
    expected = {"function": "faster", "session": "slower", "concrete": "same"}
    for index in range(8):
        for mode, speedup in true.items():
            row = table.loc[cell(index, mode)]
            assert row["speedup"] == pytest.approx(speedup, rel=0.02)
            assert row["speedup_low"] < row["speedup"] < row["speedup_high"]
            assert row["verdict"] == expected[mode]
            assert row["verdict_detail"] == ""
        # The control's speed-up is over the mode that it repeats.
        assert table.loc[cell(index, CONTROL), "speedup"] == pytest.approx(1.0, rel=0.02)
        eager = table.loc[cell(index, "eager")]
        assert eager["speedup"] == 1.0
        assert eager["verdict"] == ""
        # The machine's state, 10 % from pass to pass and never below its best, is in it.
        assert eager["latency_s"] == pytest.approx(CALL_S, rel=0.2)
        assert eager["latency_low_s"] < eager["latency_s"] < eager["latency_high_s"]
    assert (table["passes"] == 6).all()
    assert (table["rounds"] == 6 * 8 * 5).all()


def test_intervals_of_a_run_cover_the_truth() -> None:
    table = estimates(blocks({"function": 1.3}, groups=300, passes=3, spread=0.04))
    rows = table.loc[[cell(index, "function") for index in range(300)]]
    covered = ((rows["speedup_low"] <= 1.3) & (rows["speedup_high"] >= 1.3)).sum()
    assert stats.binom.ppf(0.0001, 300, 0.95) <= covered <= bound(300, 0.95)


def test_unclear_says_what_would_settle_it() -> None:
    table = estimates(blocks({"function": 1.0}, groups=8, passes=3, spread=0.03))
    rows = table[table["verdict"] == "unclear"]
    assert len(rows) >= 8
    assert rows["verdict_detail"].str.fullmatch(r"needs about \d+ more passes").all()


@pytest.mark.parametrize(
    ("mean", "deviation", "passes", "detail"),
    [
        # Three standard errors of the mean reach from it to zero or to the edge of the margin,
        # whichever is farther.
        (0.0, EDGE * 0.99, 3, "needs about 6 more passes"),
        (0.06, 0.0599, 4, "needs about 5 more passes"),
        (-0.06, 0.0599, 4, "needs about 5 more passes"),
        (EDGE, EDGE * 0.66, 3, "needs about 1 more pass"),
        (0.0, EDGE * 0.01, 3, "needs about 1 more pass"),
        (0.0, 0.5, 3, "needs more than 200 passes"),
    ],
)
def test_how_many_passes_settle_it(mean: float, deviation: float, passes: int, detail: str) -> None:
    assert what_settles(mean, deviation, passes, EDGE) == detail


def test_what_differs_from_run_to_run_is_not_settled_by_passes() -> None:
    detail = what_settles(0.02, 0.001, 4, EDGE, drift=0.02)
    assert detail == "not resolvable: the difference is below the run-to-run drift (6.0%)"
    assert what_settles(0.06, 0.0599, 4, EDGE, drift=0.001) == "needs about 5 more passes"


def test_programs_that_are_the_same_are_seldom_called_different() -> None:
    false = Counter[str]()
    for seed in range(8):
        frame = blocks({"function": 1.0}, groups=25, passes=5, spread=0.02, tails=3, seed=seed)
        false += verdicts(frame, "function") + verdicts(frame, CONTROL)
    assert false.total() == 400
    assert false["faster"] + false["slower"] <= bound(400, 0.01)


def test_a_difference_is_found_in_the_same_noise() -> None:
    found = verdicts(
        blocks({"function": 1.15}, groups=25, passes=5, spread=0.02, tails=3), "function"
    )
    assert found["faster"] >= 23


@pytest.mark.parametrize(("speedup", "right"), [(0.97, "slower"), (1.03, "faster")])
def test_nothing_is_called_the_wrong_way_round(speedup: float, right: str) -> None:
    frame = blocks({"function": speedup}, groups=200, passes=6, spread=0.008, tails=4)
    found = verdicts(frame, "function")
    assert found[right] > 20
    assert found[{"slower": "faster", "faster": "slower"}[right]] == 0


def test_one_pass_gives_no_interval_and_no_verdict() -> None:
    table = estimates(blocks({"function": 1.5}, groups=6, passes=1))
    assert table.loc[cell(0, "function"), "speedup"] == pytest.approx(1.5, rel=0.1)
    for column in ("latency_low_s", "latency_high_s", "speedup_low", "speedup_high"):
        assert table[column].isna().all()
    assert (table["verdict"] == "").all()
    assert (table["passes"] == 1).all()


def test_a_group_with_one_pass_is_not_judged_beside_others() -> None:
    frame = blocks({"function": 1.5}, groups=6, passes=4)
    frame = frame[(frame["group"] != group(2)) | (frame["pass"] == 1)]
    table = estimates(frame)
    verdicts = [table.loc[cell(index, "function"), "verdict"] for index in range(6)]
    assert verdicts == ["faster", "faster", "", "faster", "faster", "faster"]
    assert math.isnan(table.loc[cell(2, "function"), "speedup_low"])


def test_without_a_baseline_there_is_no_speedup() -> None:
    frame = blocks({"function": 1.5}, groups=3)
    table = estimate_cells(frame[frame["mode"] == "function"])
    assert table["speedup"].isna().all()
    assert (table["verdict"] == "").all()
    assert (table["latency_high_s"] > table["latency_low_s"]).all()


def test_eager_alone_has_latencies() -> None:
    table = estimates(blocks({}, groups=2))
    assert (table["speedup"] == 1.0).all()
    assert table["noise_floor"].isna().all()


def test_the_control_needs_the_mode_that_it_repeats() -> None:
    frame = blocks({"function": 1.5}, groups=3)
    table = estimates(frame[frame["mode"] != "function"])
    assert table.loc[[cell(index, CONTROL) for index in range(3)], "speedup"].isna().all()


# The noise that the controls show


def compared(control_means: list[float], error: float = 0.01, degrees: float = 8.0) -> pd.DataFrame:
    """Comparisons with these means of the controls, and a function 4 % faster in every group."""
    means = {(group(i), CONTROL): mean for i, mean in enumerate(control_means)}
    means |= {(group(i), "function"): 0.04 for i in range(len(control_means))}
    frame = pd.DataFrame({"mean": means})
    frame.index.names = ["group", "mode"]
    return frame.assign(error=error, deviation=2 * error, drift=0.0, degrees=degrees, passes=4.0)


def spread_out(rms: float, count: int = 40) -> list[float]:
    """Means with this root mean square."""
    return [rms * (-1) ** i for i in range(count)]


def test_controls_that_lie_wider_than_claimed_widen_every_interval() -> None:
    expected = math.sqrt(8 / 6)  # the standard deviation of t with 8 degrees of freedom
    assert calibration(compared(spread_out(0.03 * expected))) == pytest.approx(3.0)
    narrow = judge(compared(spread_out(0.01)), MARGIN)[group(0), "function"]
    wide = judge(compared(spread_out(0.03 * expected)), MARGIN)[group(0), "function"]
    assert wide.high - wide.low == pytest.approx(3 * (narrow.high - narrow.low))
    assert (narrow.verdict, wide.verdict) == ("faster", "unclear")


def test_controls_that_lie_closer_than_claimed_narrow_nothing() -> None:
    assert calibration(compared(spread_out(0.001))) == 1.0


def test_few_controls_calibrate_nothing() -> None:
    assert calibration(compared(spread_out(0.5, count=4))) == 1.0
    assert calibration(compared(spread_out(0.5, count=5))) > 10


def test_a_run_whose_controls_lie_apart_calls_less() -> None:
    frame = blocks({"function": 1.04}, groups=12, passes=5, spread=0.004)
    assert verdicts(frame, "function") == {"faster": 12}
    odd = frame["group"].isin([group(index) for index in range(0, 12, 2)])
    bias = times(frame, 1.1, odd & (frame["mode"] == CONTROL))
    bias = times(bias, 1 / 1.1, ~odd & (frame["mode"] == CONTROL))
    assert verdicts(bias, "function")["faster"] == 0


def test_the_noise_floor_is_what_controls_differ_by() -> None:
    floor = noise_floor(compared([0.02, -0.02, 0.02, -0.02]))
    assert floor == pytest.approx(stats.t.ppf(0.975, 4) * 0.02)
    assert math.isnan(noise_floor(compared([0.02])))


def test_the_noise_floor_is_in_every_row() -> None:
    frame = blocks({"function": 2.0}, groups=60, passes=4, spread=0.02)
    floors = estimates(frame)["noise_floor"]
    assert floors.nunique() == 1
    # Two programs a comparison, four passes: 0.02 * sqrt(2 / 4).
    assert floors.iloc[0] == pytest.approx(2.0 * 0.0141, rel=0.25)


# Effort


def test_a_group_is_as_wide_as_its_widest_interval() -> None:
    frame = blocks({"function": 1.5, "session": 2.0}, groups=3, passes=4)
    frame = frame[(frame["group"] != group(1)) | (frame["pass"] == 1)]
    precision = precision_of_groups(frame, control_of="function")
    widths = {name: each.half_width for name, each in precision.items()}
    assert {name: each.passes for name, each in precision.items()} == {
        group(0): 4,
        group(1): 1,
        group(2): 4,
    }
    assert widths[group(1)] == math.inf
    halves = []
    for looked in (frame, frame[(frame["group"] == group(1)) | (frame["pass"] < 4)]):
        alone = compare_modes(locate(looked), "eager", "function", drift=0.0).loc[group(0)]
        half = stats.t.ppf(0.975, alone["degrees"]) * alone["error"]
        halves.append(half[alone.index != CONTROL].max())
    assert widths[group(0)] == pytest.approx(max(halves), rel=0.05)


def test_an_interval_that_is_narrow_for_the_first_time_is_not_yet_narrow() -> None:
    # Three passes far from each other, then one that makes the interval narrow.
    frame = blocks({"function": 2.0}, groups=6, passes=12, spread=0.02, seed=4)
    looks = [
        precision_of_groups(frame[frame["pass"] <= n], control_of="function") for n in range(3, 13)
    ]
    own = [
        compare_modes(locate(frame[frame["pass"] <= n]), "eager", "function", drift=0.0)
        for n in range(2, 13)
    ]
    for look, before, now in zip(looks, own, own[1:], strict=False):
        for name, found in look.items():
            halves = [
                stats.t.ppf(0.975, row["degrees"]) * row["error"]
                for row in (before.loc[(name, "function")], now.loc[(name, "function")])
            ]
            assert found.half_width == pytest.approx(max(halves))


def test_runs_drift_apart_the_more_the_further_the_ratio_is_from_one() -> None:
    frame = blocks({"function": 1.0, "session": 10.0}, groups=4, passes=6, spread=0.001)
    table = compare_modes(locate(frame), "eager", "function")
    error = table["error"].groupby(level="mode").max()
    assert error["session"] == pytest.approx(DRIFT * math.log(10), rel=0.01)
    assert error["function"] < 0.001
    assert error[CONTROL] < 0.001
    # No number of passes makes it smaller.
    longer = blocks({"function": 1.0, "session": 10.0}, groups=4, passes=60, spread=0.001)
    still = compare_modes(locate(longer), "eager", "function")["error"].groupby(level="mode").max()
    assert still["session"] == pytest.approx(error["session"], rel=0.01)


def test_nothing_measured_and_nothing_to_compare() -> None:
    assert precision_of_groups(blocks({}).iloc[:0]) == {}
    assert precision_of_groups(blocks({}, passes=2)) == {group(0): GroupPrecision(2, 0.0, 1.0)}


def test_what_is_noisy_gets_more_of_the_next_pass() -> None:
    quiet = blocks({"function": 4.0}, groups=6, passes=6, count=40, scatter=0.01)
    loud = blocks({"function": 4.0}, groups=2, passes=6, count=40, scatter=0.08)
    loud = loud.assign(group="loud/" + loud["group"], cell="loud/" + loud["cell"])
    precision = precision_of_groups(pd.concat([quiet, loud]), control_of="function")
    of_loud = [each.weight for name, each in precision.items() if name.startswith("loud")]
    of_quiet = [each.weight for name, each in precision.items() if not name.startswith("loud")]
    assert min(of_loud) > 2 * max(of_quiet)
    assert max(of_loud) <= MAX_WEIGHT
    assert min(of_quiet) >= 1 / MAX_WEIGHT


def test_what_moves_from_pass_to_pass_gets_no_longer_passes() -> None:
    still = blocks({"function": 4.0}, groups=6, passes=6, count=40, spread=0.001, scatter=0.02)
    moving = blocks({"function": 4.0}, groups=2, passes=6, count=40, spread=0.1, scatter=0.02)
    moving = moving.assign(group="moving/" + moving["group"], cell="moving/" + moving["cell"])
    precision = precision_of_groups(pd.concat([still, moving]), control_of="function")
    widths = {name: each.half_width for name, each in precision.items()}
    assert min(width for name, width in widths.items() if "moving" in name) > 4 * widths[group(0)]
    weights = [each.weight for name, each in precision.items() if "moving" in name]
    assert max(weights) < 2


def test_a_ratio_near_one_gets_more_than_one_far_from_it() -> None:
    far = blocks({"function": 4.0}, groups=4, passes=6, count=40, scatter=0.02)
    near = blocks({"function": 1.1}, groups=1, passes=6, count=40, scatter=0.02)
    near = near.assign(group="near/" + near["group"], cell="near/" + near["cell"])
    precision = precision_of_groups(pd.concat([far, near]), control_of="function")
    (of_near,) = [each.weight for name, each in precision.items() if name.startswith("near")]
    assert of_near > 2 * np.median([each.weight for each in precision.values()])


def test_noise_within_passes_and_movement_between_them_are_told_apart() -> None:
    frame = blocks({"function": 2.0}, groups=20, passes=8, count=400, spread=0.05, scatter=0.1)
    found = compare_modes(locate(frame), "eager", "function").loc[(slice(None), "function"), :]
    # Of a ratio of two modes: each moves, and each scatters.
    assert found["movement"].median() == pytest.approx(0.05 * math.sqrt(2), rel=0.25)
    scatter = 0.1 * math.sqrt(2)
    expected = math.sqrt(math.pi / 2) * scatter / math.sqrt(400)
    assert found["noise"].median() == pytest.approx(expected, rel=0.25)


def test_neighbours_that_are_alike_do_not_count_as_independent() -> None:
    rng = np.random.default_rng(0)
    steady = np.full(200, CALL_S)
    apart = steady * np.exp(0.05 * rng.standard_normal(200))
    alike = steady * np.exp(0.05 * np.repeat(rng.standard_normal(10), 20))
    errors = [
        reduce(locate(two_modes(steady, graph)), "eager", None).errors.loc[(group(0), "graph"), 1]
        for graph in (apart, alike)
    ]
    assert errors[1] > 2.5 * errors[0]


def test_a_first_pass_knows_nothing_of_widths() -> None:
    precision = precision_of_groups(
        blocks({"function": 2.0}, groups=3, passes=1, count=3), control_of="function"
    )
    assert [each.weight for each in precision.values()] == [1.0, 1.0, 1.0]
    assert all(math.isinf(each.half_width) for each in precision.values())


# Cold costs


def costs(build_s: dict[str, list[float]]) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {"pass": number, "cell": name, "build_s": value, "first_call_s": 10 * value}
            for name, values in build_s.items()
            for number, value in enumerate(values, 1)
        ]
    )


def test_cold_costs_are_geometric_means() -> None:
    table = estimate_costs(costs({"a": [0.01, 0.04], "b": [0.02, 0.02]}))
    assert table["build_s"].to_list() == pytest.approx([0.02, 0.02])
    assert table["first_call_s"].to_list() == pytest.approx([0.2, 0.2])
    assert table.loc["a", "build_low_s"] < 0.01
    assert table.loc["a", "build_high_s"] > 0.04


def test_two_passes_that_agree_by_chance_are_not_believed() -> None:
    rng = np.random.default_rng(2)
    noisy = {f"c{i}": (0.02 * np.exp(0.2 * rng.standard_normal(2))).tolist() for i in range(40)}
    table = estimate_costs(costs({**noisy, "lucky": [0.02, 0.020001]}))
    widths = np.log(table["build_high_s"] / table["build_low_s"])
    assert widths["lucky"] > 0.5 * widths.median()
    covered = (table["build_low_s"] <= 0.02) & (table["build_high_s"] >= 0.02)
    assert covered.sum() >= stats.binom.ppf(0.0001, 41, 0.95)


def test_costs_of_one_pass_and_of_none() -> None:
    frame = costs({"once": [0.02], "failed": [math.nan, math.nan], "twice": [0.01, 0.02]})
    table = estimate_costs(frame)
    assert set(table.index) == {"once", "twice"}
    assert table.loc["once", "build_s"] == pytest.approx(0.02)
    assert math.isnan(table.loc["once", "build_low_s"])
    assert math.isfinite(table.loc["twice", "first_call_high_s"])


# Two runs


def changes(after: pd.DataFrame, before: pd.DataFrame | None = None) -> pd.DataFrame:
    return compare_runs(run(seed=1) if before is None else before, after)


def run(**options: object) -> pd.DataFrame:
    defaults = {"groups": 6, "passes": 5, "spread": 0.005, "moments": 0.01, "seed": 2}
    return blocks({"function": 1.5}, **{**defaults, **options})  # type: ignore[arg-type]


def test_a_slower_machine_is_no_slower_tensorflow() -> None:
    before, after = run(seed=1), run(machine=1.3)
    table = changes(after)
    assert set(table["verdict"]) == {"same"}
    assert table["change"].to_numpy() == pytest.approx(1.0, abs=0.02)
    # What was measured is given as it was measured: the machines differ in the mean of their
    # passes' states too, and both are in the factor.
    factor = machine_factor(before, after)
    assert (table["after_s"] / table["before_s"]).to_numpy() == pytest.approx(factor, rel=0.02)
    assert machine_factor(before, before) == 1.0
    assert machine_factor(before, before.assign(probe_s=1.3 * before["probe_s"])) == (
        pytest.approx(1.3)
    )


@pytest.mark.parametrize(("factor", "verdict"), [(1.1, "slower"), (1 / 1.1, "faster")])
@pytest.mark.parametrize("machine", [1.0, 1.3])
def test_one_cell_that_changed_is_found(factor: float, verdict: str, machine: float) -> None:
    after = run(machine=machine)
    changed = cell(3, "function")
    table = changes(times(after, factor, after["cell"] == changed))
    assert table.loc[changed, "verdict"] == verdict
    assert table.loc[changed, "change"] == pytest.approx(factor, abs=0.02)
    assert table.loc[changed, "change_low"] < factor < table.loc[changed, "change_high"]
    assert set(table["verdict"].drop(changed)) == {"same"}


def test_noise_is_no_change() -> None:
    seldom = Counter[str]()
    for seed in range(6):
        noise = {"groups": 12, "spread": 0.03, "tails": 3}
        before, after = run(seed=seed, **noise), run(seed=seed + 100, **noise)
        seldom += Counter(changes(after, before)["verdict"])
    assert seldom.total() == 6 * 12 * 3
    assert seldom["slower"] + seldom["faster"] <= bound(seldom.total(), 0.01)


def test_runs_of_one_pass_have_no_verdict() -> None:
    table = changes(run(passes=1), run(passes=1, seed=5))
    assert set(table["verdict"]) == {""}
    assert table["change"].notna().all()
    assert table[["change_low", "change_high"]].isna().all(axis=None)


def test_a_cell_with_one_pass_does_not_silence_the_others() -> None:
    before, after = run(seed=1), run()
    after = times(after, 1.1, after["cell"] == cell(3, "function"))
    once = after[(after["group"] != group(0)) | (after["pass"] == 1)]
    table = changes(once, before)
    assert table.loc[cell(0, "function"), "verdict"] == ""
    assert table.loc[cell(3, "function"), "verdict"] == "slower"
    assert table.loc[cell(4, "function"), "verdict"] == "same"


def test_only_common_cells_are_compared() -> None:
    table = changes(run(groups=9), run(groups=4))
    assert set(table.index) == {
        cell(index, mode) for index in range(4) for mode in ("eager", "function", CONTROL)
    }
