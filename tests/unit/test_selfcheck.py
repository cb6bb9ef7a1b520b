"""The self-check's judgement of a record whose truth is known; nothing is measured."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from eager_vs_graph import cli
from eager_vs_graph.results.cells import CONTROL, Cell
from eager_vs_graph.results.record import CellParity, PassCell, PassRecord
from eager_vs_graph.results.rounds import Rounds
from eager_vs_graph.results.run import Run
from eager_vs_graph.runs import selfcheck
from eager_vs_graph.runs.check import CheckResult
from eager_vs_graph.runs.selfcheck import BASE, Row

CALL_S = 300e-6
TRUE = {BASE: 1.0, CONTROL: 1.0, "2%": 1.02, "5%": 1.05, "10%": 1.10}
FALSE = "false verdicts over A/A pairs"
WRONG_WAY = "injected slowdowns called faster"
AGREE = "two repetitions agree within their joint 95 % interval"
OVERHEAD = "overhead of the timed call against a plain loop"


def write_record(
    folder: Path,
    durations: Mapping[str, float] = TRUE,
    *,
    groups: int = 12,
    passes: int = 8,
    spread: float = 0.002,
    overhead_s: float | None = 50e-9,
    late_s: float = 0.0,
) -> Path:
    """The record of a self-check.

    Args:
        folder: where.
        durations: how long a call of each label takes, in calls of the base.
        groups: A/A pairs in each repetition.
        passes: of both repetitions.
        spread: standard deviation of the log duration between passes.
        overhead_s: what the timed call takes longer than the same call in a plain loop.
        late_s: what calls of the slowed programs take longer in the second repetition.
    """
    rng = np.random.default_rng(3)
    run = Run(folder)
    run.raw.mkdir(parents=True)
    cells = [Cell(f"s{i:02}", "tiny", "eager", "CPU:0", "resident") for i in range(groups)]
    programs = [(cell, label) for cell in cells for label in durations]
    ids = [cell.in_mode(f"eager+{label}").id for cell, label in programs]
    run.save_environment({}, {"cells": ids, "control_of": "eager"})
    run.save_parity([CellParity(cell.id, "identical") for cell in cells])
    for number in range(1, passes + 1):
        timed = []
        for (cell, label), name in zip(programs, ids, strict=True):
            call_s = CALL_S * durations[label] * np.exp(spread * rng.standard_normal())
            call_s += late_s if number % 2 == 0 and label not in (BASE, CONTROL) else 0
            seconds = call_s * np.exp(0.0005 * rng.exponential(size=(6, 3)))
            fastest = float(np.median(seconds.min(axis=1)))
            bare_s = None if overhead_s is None else fastest - overhead_s
            timed.append(
                Rounds(name, f"{cell.group}/eager", 0, seconds, probe_s=1e-4, bare_s=bare_s)
            )
        run.save_rounds(number, timed)
        measured = {name: PassCell("measured", build_s=0.01, first_call_s=0.02) for name in ids}
        run.save_pass(PassRecord(number, "complete", "", "", 5.0, 10.0, 8.0, measured))
    return folder


def table(folder: Path) -> dict[str, Row]:
    return {row.what: row for row in selfcheck.table([folder])}


def slowdown(percent: int) -> str:
    return f"injected slowdown of {percent}% called slower"


def test_a_sound_harness_passes(tmp_path: Path) -> None:
    rows = table(write_record(tmp_path / "run"))
    assert rows[FALSE].found == "0 of 12 (0.0%)"
    for percent in (2, 5, 10):
        assert rows[slowdown(percent)].found == "12 of 12 (100%)"
    assert rows[WRONG_WAY].found == "0"
    assert rows[AGREE].found.endswith(("of 48 (96%)", "of 48 (98%)", "of 48 (100%)"))
    assert rows[OVERHEAD].found.startswith("+50 ns")
    assert all(row.passed for row in rows.values())


def test_controls_that_differ_are_false_verdicts(tmp_path: Path) -> None:
    rows = table(write_record(tmp_path / "run", {**TRUE, CONTROL: 1.1}, groups=4))
    assert rows[FALSE].found == "4 of 4 (100.0%)"
    assert not rows[FALSE].passed


def test_one_control_that_differs_among_many_is_a_false_verdict(tmp_path: Path) -> None:
    folder = write_record(tmp_path / "run", groups=40, passes=6)
    run = Run(folder)
    for number in run.pass_numbers():
        timed = run.rounds(number)
        for each in timed:
            if each.cell == f"s07/tiny/eager+{CONTROL}/CPU:0/resident":
                each.seconds[:] *= 1.2
        run.save_rounds(number, timed)
    rows = table(folder)
    assert rows[FALSE].found == "1 of 40 (2.5%)"
    assert not rows[FALSE].passed


def test_controls_that_all_differ_do_not_pass_unseen(tmp_path: Path) -> None:
    rows = table(write_record(tmp_path / "run", {**TRUE, CONTROL: 1.1}))
    assert not rows[FALSE].passed
    # They widen every interval, so that no other verdict is given at all.
    assert not rows[slowdown(5)].passed


def test_records_are_judged_each_for_itself_and_counted_together(tmp_path: Path) -> None:
    folders = [write_record(tmp_path / name) for name in ("a", "b")]
    rows = {row.what: row for row in selfcheck.table(folders)}
    assert rows[FALSE].found == "0 of 24 (0.0%)"
    assert rows[slowdown(2)].found == "24 of 24 (100%)"
    # Both were drawn from one seed, so that they agree to the last bit.
    assert rows[AGREE].found == "48 of 48 (100%)"


def test_slowdowns_that_are_not_there_are_not_found(tmp_path: Path) -> None:
    rows = table(write_record(tmp_path / "run", {**TRUE, "5%": 1.0}))
    assert rows[slowdown(5)].found.startswith("0 of 12")
    assert not rows[slowdown(5)].passed
    assert rows[slowdown(2)].passed
    assert rows[slowdown(10)].passed


def test_a_slowdown_called_faster_is_the_wrong_way_round(tmp_path: Path) -> None:
    rows = table(write_record(tmp_path / "run", {**TRUE, "2%": 0.9}))
    assert rows[WRONG_WAY].found == "12"
    assert not rows[WRONG_WAY].passed


def test_repetitions_that_disagree_are_seen(tmp_path: Path) -> None:
    rows = table(write_record(tmp_path / "run", late_s=0.03 * CALL_S))
    assert not rows[AGREE].passed
    # The controls agree: 12 of 48.
    assert int(rows[AGREE].found.split()[0]) <= 14


@pytest.mark.parametrize(
    ("overhead_s", "passed"),
    [(2e-6, True), (900e-9, True), (0.02 * CALL_S, False)],
    ids=["below 1 %", "below 1 µs", "above both"],
)
def test_overhead_is_below_either_bound(tmp_path: Path, overhead_s: float, passed: bool) -> None:
    row = table(write_record(tmp_path / "run", overhead_s=overhead_s))[OVERHEAD]
    assert row.found.startswith(f"+{overhead_s * 1e9:.0f} ns")
    assert row.passed == passed


def test_only_what_the_record_holds_is_judged(tmp_path: Path) -> None:
    true = {label: TRUE[label] for label in (BASE, CONTROL, "5%")}
    rows = table(write_record(tmp_path / "run", true, overhead_s=None))
    assert rows.keys() == {FALSE, slowdown(5), WRONG_WAY, AGREE}


def test_every_agreeing_cell_is_timed_with_its_versions() -> None:
    cells = [Cell("s", "tiny", mode, "CPU:0", "resident") for mode in ("eager", "session")]
    checked = CheckResult(cells=cells)
    checked.parity = {cells[0].id: CellParity(cells[0].id, "identical")}
    checked.parity[cells[1].id] = CellParity(cells[1].id, "differs", known="declared")
    timed = selfcheck.programs([0.02, 0.1], checked, "function")
    assert {(each.cell.split("/")[2], each.mode, each.slowdown) for each in timed} == {
        ("eager+base", "eager", 0.0),
        ("eager+control", "eager", 0.0),
        ("eager+2%", "eager", 0.02),
        ("eager+10%", "eager", 0.1),
    }
    assert {each.group for each in timed} == {"s/tiny/CPU:0/resident/eager"}


@pytest.mark.parametrize(("control", "code"), [(1.0, 0), (1.1, 1)])
def test_the_command_judges_a_record_and_fails_with_it(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    control: float,
    code: int,
) -> None:
    folder = write_record(tmp_path / "run", {**TRUE, CONTROL: control}, groups=4)
    monkeypatch.setattr(sys, "argv", ["harness", "selfcheck", "--run", str(folder)])
    monkeypatch.setenv("COLUMNS", "200")
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    assert stopped.value.code == code
    printed = capsys.readouterr().out
    assert FALSE in printed
    assert f"record: {folder}" in printed
    assert ("fail" in printed) == bool(code)
