"""Two recorded runs, compared as a continuous integration does it. No TensorFlow."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from record_fixture import Shape, write_run

from eager_vs_graph import cli
from eager_vs_graph.results.run import Run
from eager_vs_graph.results.why import CellWhy, Why
from eager_vs_graph.statistics.run_comparison import compare

SHAPE = Shape(scenarios=("matmul_chain",), trouble=False, spread=0.008)
CELL = "matmul_chain/small/session/CPU:0/resident"
OTHER = "matmul_chain/tiny/function/CPU:0/fed"
CELL_NAME = "matmul_chain small in session (resident)"
OTHER_NAME = "matmul_chain tiny in function (fed)"


class Printed(NamedTuple):
    code: int
    out: str
    err: str

    def line(self, start: str) -> str:
        """The line of a cell in the table, or of what follows it."""
        (line,) = [text for text in self.out.splitlines() if text.strip().startswith(start)]
        return line


Compare = Callable[..., Printed]


@pytest.fixture
def runs(tmp_path: Path) -> tuple[Path, Path]:
    """Two runs with the same figures."""
    return write_run(tmp_path / "yesterday", SHAPE), write_run(tmp_path / "today", SHAPE)


@pytest.fixture
def comparing(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Compare:
    """Run ``compare`` without starting another process."""

    def run(*arguments: str | Path) -> Printed:
        monkeypatch.setattr(sys, "argv", ["harness", "compare", *map(str, arguments)])
        monkeypatch.setenv("COLUMNS", "200")
        with pytest.raises(SystemExit) as stopped:
            cli.main()
        printed = capsys.readouterr()
        return Printed(int(str(stopped.value.code)), printed.out, printed.err)

    return run


def slow_down(run: Path, factor: float, cell: str | None = None, probe: float = 1.0) -> None:
    """Make a cell of a recorded run take so many times as long; every cell, when none is named."""
    record = Run(run)
    for number in record.pass_numbers():
        timed = [
            replace(
                each,
                seconds=each.seconds * (factor if cell in (None, each.cell) else 1.0),
                probe_s=None if each.probe_s is None else each.probe_s * probe,
            )
            for each in record.rounds(number)
        ]
        record.save_rounds(number, timed)


def edit(file: Path, change: Callable[[Any], None]) -> None:
    content = json.loads(file.read_text(encoding="utf-8"))
    change(content)
    file.write_text(json.dumps(content), encoding="utf-8")


def set_environment(run: Path, **values: object) -> None:
    edit(run / "environment.json", lambda content: content["environment"].update(values))


def set_status(run: Path, cell: str, status: str) -> None:
    def change(content: dict[str, Any]) -> None:
        for entry in content["cells"]:
            if entry["cell"] == cell:
                entry["status"] = status

    edit(run / "parity.json", change)


def test_the_same_figures_are_no_regression(runs: tuple[Path, Path], comparing: Compare) -> None:
    done = comparing(*runs)
    assert (done.code, done.err) == (0, "")
    assert "0 of 18 cells became slower by more than 5%, 0 became faster" in done.out
    assert "0 no longer agree with eager" in done.out
    assert "before: yesterday, after: today" in done.out
    assert "control" not in done.out


def test_a_regression_is_named_first_and_fails(runs: tuple[Path, Path], comparing: Compare) -> None:
    slow_down(runs[1], 1.2, CELL)
    result = comparing(*runs)
    assert result.code == 1
    rows = [line for line in result.out.splitlines() if line.startswith("matmul_chain")]
    assert rows[0].startswith(f"{CELL_NAME} ")
    assert "slower" in rows[0]
    assert "1.20" in rows[0]
    assert sum("slower" in row for row in rows) == 1
    assert "1 of 18 cells became slower by more than 5%" in result.out


@pytest.mark.parametrize(
    ("fail_over", "code"), [("5%", 1), ("15%", 1), ("25%", 0), ("300%", 0), ("0.5%", 1)]
)
def test_a_regression_counts_beyond_fail_over(
    runs: tuple[Path, Path], comparing: Compare, fail_over: str, code: int
) -> None:
    slow_down(runs[1], 1.2, CELL)
    result = comparing(*runs, "--fail-over", fail_over)
    assert result.code == code
    # It is called slower all the same.
    assert "slower" in result.line(CELL_NAME)


@pytest.mark.parametrize("fail_over", ["5", "five", "-5%", "0%"])
def test_fail_over_is_a_percentage(
    runs: tuple[Path, Path], comparing: Compare, fail_over: str
) -> None:
    result = comparing(*runs, f"--fail-over={fail_over}")
    assert result.code == 2
    assert result.err.startswith(f"error: {fail_over!r} should be a positive number with a unit")


def test_an_improvement_is_reported_and_passes(runs: tuple[Path, Path], comparing: Compare) -> None:
    slow_down(runs[1], 1 / 1.5, OTHER)
    result = comparing(*runs)
    assert result.code == 0
    assert "faster" in result.line(OTHER_NAME)
    assert "0.667" in result.line(OTHER_NAME)
    assert "1 became faster" in result.out


def test_a_slower_machine_is_no_regression(runs: tuple[Path, Path], comparing: Compare) -> None:
    slow_down(runs[1], 1.3, probe=1.3)
    result = comparing(*runs)
    assert result.code == 0
    assert "0 of 18 cells became slower" in result.out
    assert "took 1.30 times as long in today" in result.out


def test_a_slower_tensorflow_on_the_same_machine_is_one(
    runs: tuple[Path, Path], comparing: Compare
) -> None:
    slow_down(runs[1], 1.3)
    set_environment(runs[1], tensorflow="2.22.0")
    result = comparing(*runs)
    assert result.code == 1
    assert "18 of 18 cells became slower" in result.out
    assert result.line("tensorflow").strip() == "tensorflow: 2.21.0 -> 2.22.0"


@pytest.mark.parametrize(
    ("key", "value"),
    [("cpu", "Another CPU"), ("cores", 64), ("memory_gib", 64.0), ("gpus", ["A100"])],
)
def test_different_machines_are_refused_unless_allowed(
    runs: tuple[Path, Path], comparing: Compare, key: str, value: object
) -> None:
    set_environment(runs[1], **{key: value})
    refused = comparing(*runs)
    assert (refused.code, refused.out) == (2, "")
    assert refused.err.startswith("error: the runs are from different machines")
    assert f"{key}: " in refused.err
    assert f" and {value}" in refused.err
    assert "--across-machines" in refused.err
    assert refused.err.count("\n") == 1
    allowed = comparing(*runs, "--across-machines")
    assert allowed.code == 0
    assert f"and {value}" not in allowed.out
    assert allowed.err == ""


@pytest.mark.parametrize("status", ["differs", "error", "timeout"])
def test_a_cell_that_no_longer_agrees_is_listed_and_fails(
    runs: tuple[Path, Path], comparing: Compare, status: str
) -> None:
    set_status(runs[1], CELL, status)
    result = comparing(*runs)
    assert result.code == 1
    assert result.line("status").strip() == f"status of {CELL_NAME}: close -> {status}"
    assert "1 no longer agrees with eager" in result.out


def test_a_cell_that_agrees_again_is_listed_and_passes(
    runs: tuple[Path, Path], comparing: Compare
) -> None:
    set_status(runs[0], CELL, "differs")
    result = comparing(*runs)
    assert result.code == 0
    assert result.line("status").strip() == f"status of {CELL_NAME}: differs -> close"


def test_the_last_digit_is_no_change(runs: tuple[Path, Path], comparing: Compare) -> None:
    set_status(runs[1], CELL, "identical")
    result = comparing(*runs)
    assert result.code == 0
    assert "status of" not in result.out


def test_runs_that_have_nothing_in_common_are_refused(tmp_path: Path, comparing: Compare) -> None:
    before = write_run(tmp_path / "a", Shape(scenarios=("matmul_chain",)))
    after = write_run(tmp_path / "b", Shape(scenarios=("mnist_step",)))
    result = comparing(before, after)
    assert result.code == 2
    assert result.err == ("error: no cell was timed in both runs, so there is nothing to compare\n")


def test_what_is_in_one_run_only_is_named(tmp_path: Path, comparing: Compare) -> None:
    before = write_run(tmp_path / "a", Shape(scenarios=("mnist_step",), inputs=("resident",)))
    both = ("mnist_step", "custom_gradient")
    after = write_run(tmp_path / "b", Shape(scenarios=both, inputs=("resident",)))
    result = comparing(before, after, "--fail-over", "50%")
    assert result.code == 0
    assert "custom_gradient guide and large in eager, function" in result.line("only after")
    assert "only before" not in result.out


def test_runs_of_one_pass_have_no_verdict(tmp_path: Path, comparing: Compare) -> None:
    shape = Shape(scenarios=("mnist_step",), trouble=False, passes=1)
    before, after = write_run(tmp_path / "a", shape), write_run(tmp_path / "b", shape)
    slow_down(after, 2.0)
    result = comparing(before, after)
    assert result.code == 3
    assert "undecided: one pass in a run gives no interval" in result.out
    assert "nan" not in result.out
    assert "  slower" not in result.out


def test_what_the_runs_cannot_resolve_is_undecided_and_not_passed(
    runs: tuple[Path, Path], comparing: Compare
) -> None:
    result = comparing(*runs, "--fail-over", "0.01%")
    assert result.code == 3
    assert "undecided: of 18 cells, the intervals do not exclude a regression of more" in result.out
    excluded = re.search(r"but one of more than ([0-9.]+)%", result.out)
    assert excluded is not None
    assert comparing(*runs, "--fail-over", f"{float(excluded[1]) * 1.02}%").code == 0


@pytest.mark.parametrize("damaged", ["environment.json", "parity.json"])
def test_a_damaged_run_is_named(runs: tuple[Path, Path], comparing: Compare, damaged: str) -> None:
    (runs[1] / damaged).write_text("{", encoding="utf-8")
    result = comparing(*runs)
    assert result.code == 2
    assert result.err.startswith(f"error: {runs[1] / damaged}: damaged")


def test_no_run(tmp_path: Path, comparing: Compare) -> None:
    result = comparing(tmp_path / "nowhere", tmp_path / "nowhere")
    assert result.code == 2
    assert "no such file" in result.err


def test_the_comparison_says_which_run_is_which(runs: tuple[Path, Path]) -> None:
    slow_down(runs[1], 1.5, CELL)
    forth, back = compare(*runs), compare(*reversed(runs))
    assert (forth.before, forth.after) == ("yesterday", "today")
    assert forth.cells.loc[CELL, "change"] == pytest.approx(1.5)
    assert back.cells.loc[CELL, "change"] == pytest.approx(1 / 1.5)
    assert forth.cells.loc[CELL, "after_s"] == pytest.approx(back.cells.loc[CELL, "before_s"])
    assert list(forth.regressions(0.05).index) == [CELL]
    assert back.regressions(0.05).empty


def count(run: Path, **counters: int) -> None:
    """Give the cell exact counts, as ``try`` records them."""
    Run(run).save_why(Why((CellWhy(CELL, call_s=1e-3, counters=counters),)))


def test_more_work_is_a_regression_without_any_statistics(runs, comparing):
    before, after = runs
    count(before, traces=1, **{"ops from Python": 20, "HLO fusions": 3})
    count(after, traces=2, **{"ops from Python": 32, "HLO fusions": 3})
    printed = comparing(before, after)
    assert printed.code == 1
    assert printed.line(f"{CELL_NAME}: ").endswith("+1 traces, +12 ops from Python")
    assert "1 of 1 that were counted does more work" in printed.out


def test_less_work_and_other_counts_are_said_and_no_regression(runs, comparing):
    before, after = runs
    count(before, traces=2, **{"Python calls": 100})
    count(after, traces=1, **{"Python calls": 120})
    printed = comparing(before, after)
    assert printed.code == 0
    assert printed.line(f"{CELL_NAME}: ").endswith("−1 traces, +20 Python calls")


def test_counts_that_are_the_same_are_said_to_be(runs, comparing):
    for run in runs:
        count(run, traces=1)
    printed = comparing(*runs)
    assert printed.code == 0
    assert "counts of 1 cell: the same" in printed.out


def test_runs_that_nobody_counted_say_nothing_of_it(runs, comparing):
    assert "count" not in comparing(*runs).out.replace("account", "")


def test_another_tensorflow_may_do_more_work(runs, comparing):
    before, after = runs
    count(before, traces=1)
    count(after, traces=2)
    environment = after / "environment.json"
    content = json.loads(environment.read_text())
    content["environment"]["tensorflow"] = "9.9.9"
    environment.write_text(json.dumps(content))
    assert comparing(before, after).code == 0
