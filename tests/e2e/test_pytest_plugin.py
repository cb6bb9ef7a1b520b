"""The pytest plugin, as a user's test-suite meets it: in a process and a folder of its own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

import pytest
from commands import REPOSITORY, harness

from eager_vs_graph.modes import DEFAULT_MODES
from eager_vs_graph.pytest_plugin.recording import require_place, write
from eager_vs_graph.results.run import Run

SUITE = Path(__file__).parents[1] / "plugin" / "suite.py"
REPORTER = """
import json, sys

def pytest_runtest_logreport(report):
    with open("outcomes.jsonl", "a") as file:
        told = [report.nodeid, report.when, report.outcome, str(report.longrepr or "")]
        print(json.dumps(told), file=file)

def pytest_sessionfinish():
    loaded = [name for name in ("tensorflow", "pandas", "numpy") if name in sys.modules]
    with open("loaded.json", "w") as file:
        json.dump(loaded, file)
"""
ONE = "test_suite.test_differs/given/function/"
QUICK = ("--benchmark-max-time=0.01", "--benchmark-min-rounds=3")


@dataclass
class Session:
    """A session of pytest that is over."""

    folder: Path
    code: int
    out: str
    outcomes: dict[str, str]
    """By test: ``passed``, ``failed``, ``skipped``, or ``error`` outside of the call."""
    told: dict[str, str]
    """By test: what pytest printed of it."""

    def of(self, test: str) -> dict[str, str]:
        """The outcomes of a test by its parameters."""
        found = {
            name.partition("[")[2].rstrip("]"): outcome
            for name, outcome in self.outcomes.items()
            if name.partition("[")[0] == test
        }
        assert found, (test, list(self.outcomes))
        return found


def session(folder: Path, *options: str, files: Iterable[tuple[str, str]] = ()) -> Session:
    """Run pytest in a folder, with the plugin as an installed distribution would load it."""
    (folder / "conftest.py").write_text(REPORTER, "utf-8")
    for name, text in files:
        (folder / name).write_text(text, "utf-8")
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST_")}
    # No plugin but these two, whatever else is installed here.
    plugins = ("-p", "pytest_benchmark.plugin", "-p", "eager_vs_graph.pytest_plugin.plugin")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *plugins, "-p", "no:cacheprovider", *options],
        cwd=folder,
        env={
            **environment,
            "PYTHONPATH": str(REPOSITORY),
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
            "TF_CPP_MIN_LOG_LEVEL": "3",
            "COLUMNS": "200",
        },
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    outcomes: dict[str, str] = {}
    told: dict[str, str] = {}
    journal = folder / "outcomes.jsonl"
    for line in journal.read_text("utf-8").splitlines() if journal.exists() else ():
        name, when, outcome, text = json.loads(line)
        name = name.partition("::")[2]
        if when == "call" or outcome != "passed":
            outcomes[name] = outcome if when == "call" or outcome == "skipped" else "error"
            told[name] = text
    return Session(folder, done.returncode, done.stdout + done.stderr, outcomes, told)


@pytest.fixture(scope="module")
def suite(tmp_path_factory) -> Session:
    """The whole suite in the default modes, with a record."""
    folder = tmp_path_factory.mktemp("suite")
    shutil.copy(SUITE, folder / "test_suite.py")
    # pytest-benchmark warns of a test that failed before it timed anything.
    strict = ("-W", "error", "-W", "ignore::pytest_benchmark.logger.PytestBenchmarkWarning")
    return session(folder, "--modes-record", "record", *strict, *QUICK)


ALL_PASS = dict.fromkeys(DEFAULT_MODES, "passed")
GRAPHS_FAIL = {"eager": "passed", "function": "failed", "session": "failed"}
ALL_FAIL = dict.fromkeys(DEFAULT_MODES, "failed")
EXPECTED = {
    "test_structure_and_state": ALL_PASS,
    "test_modes_are_modes": ALL_PASS,
    "test_keras_training_step": ALL_PASS,
    "TestGroup::test_parameters": {
        f"{mode}-{n}": "passed" for n in (2, 3) for mode in DEFAULT_MODES
    },
    "test_differs": GRAPHS_FAIL,
    "test_grappler": GRAPHS_FAIL,
    "test_variable_differs": GRAPHS_FAIL,
    "test_eager_is_unsteady": ALL_FAIL,
    "test_drawn_without_seed": ALL_PASS,
    "test_error_in_a_mode": GRAPHS_FAIL,
    "test_error_in_every_mode": ALL_FAIL,
    "test_wrong_arguments": ALL_FAIL,
    "test_no_tensor": ALL_FAIL,
    "test_refused": GRAPHS_FAIL,
    "test_refused_and_skipped": {"eager": "passed", "function": "skipped", "session": "skipped"},
    "test_tolerance_of_the_marker": ALL_PASS,
    "test_tolerance_of_the_call": GRAPHS_FAIL,
    "test_unused": ALL_FAIL,
    "test_marked_without_the_fixture": {"": "failed"},
    "test_marked": {"concrete": "passed", "xla": "passed"},
    "test_marker_of_another_kind": {"eager": "error"},
    "test_marker_of_another_policy": {"eager": "error"},
    "test_benchmark": ALL_PASS,
    "test_pedantic": ALL_PASS,
    "test_pedantic_with_a_setup": {"function": "failed"},
    "test_timed_inside_a_function": {"function": "failed"},
    "test_timed_by_a_fixture_of_ones_own": {"function": "failed"},
    "test_something_else_is_timed": {"function": "passed"},
    "test_differs_and_is_not_timed": {"function": "failed", "session": "failed"},
}


@pytest.mark.parametrize("test", EXPECTED)
def test_every_mode_of_a_test_ends_as_it_should(suite, test):
    assert suite.of(test) == EXPECTED[test], suite.out


def test_nothing_else_was_run(suite):
    assert {name.partition("[")[0] for name in suite.outcomes} == EXPECTED.keys()


MESSAGES = {
    "test_differs[function]": (
        "function differs from eager in call 1: output 'output' against eager: 3 of 4 elements",
        "the mode is off by 0.003 and eager by 0",
        "output[3] = 3.003",
        "but should be 3.0",
        "ULPs, 0.003 absolute error, 0.001 relative error",
        "eager-vs-graph explain",
    ),
    "test_grappler[session]": (
        "output[0] = -inf, but should be -18.4",
        "Why: grappler: constant_folding",
        "What to do: ",
    ),
    "test_variable_differs[function]": ("variable 'weight' against eager", "weight = 2.0, but"),
    "test_eager_is_unsteady[eager]": ("because eager disagrees with itself",),
    "test_error_in_a_mode[function]": ("function: error: RuntimeError: boom (test_suite.py:",),
    "test_error_in_every_mode[eager]": ("raises(x: float32[4]) raised ValueError: mine",),
    "test_wrong_arguments[eager]": (
        "scaled_in_graphs(x) was given 2 arguments: too many positional arguments",
    ),
    "test_no_tensor[eager]": ("returns object as 'output', but should return tensors",),
    "test_refused[function]": (
        "function: unsupported: ",
        '@pytest.mark.modes(unsupported="skip")',
    ),
    "test_refused_and_skipped[session]": ("session: unsupported: ",),
    "test_tolerance_of_the_call[function]": ("out of tolerance",),
    "test_unused[session]": ("the test asked for mode session and ran nothing in it",),
    "test_marked_without_the_fixture": ("is marked with `modes` but does not use the fixture",),
    "test_marker_of_another_kind[eager]": ("has 'tolerance', but should have atol, rtol, unsup",),
    "test_marker_of_another_policy[eager]": ("has unsupported='ignore', but should have 'fail'",),
    "test_pedantic_with_a_setup[function]": ("benchmark.pedantic has a setup",),
    "test_timed_inside_a_function[function]": ("called inside what `benchmark` times",),
    "test_timed_by_a_fixture_of_ones_own[function]": ("called inside what `benchmark` times",),
    "test_differs_and_is_not_timed[function]": ("function differs from eager in call 1",),
}


@pytest.mark.parametrize("test", MESSAGES)
def test_a_failure_is_one_paragraph_that_says_what_and_where(suite, test):
    text = suite.told[test]
    for part in MESSAGES[test]:
        assert part in text, text
    if suite.outcomes[test] != "skipped":
        assert len(text.splitlines()) == 1, text


def test_the_record_holds_parity_and_timings(suite):
    run = Run(suite.folder / "record")
    request, parity = run.request, {cell.cell: cell for cell in run.parity()}
    assert request.recorded_by == "pytest"
    assert request.command.startswith("pytest -p ")
    assert set(request.cells) == parity.keys()
    first = "test_suite.test_structure_and_state"
    assert request.scenarios[first].summary == "Adds up."
    assert request.scenarios[first].sizes == {"given": "x: float32[4]"}
    assert parity[f"{first}/given/session/CPU:0/resident"].status == "identical"
    assert parity[f"{first}/given/session/CPU:0/resident"].steps == 4
    assert f"{first}-2/given/eager/CPU:0/resident" in parity
    assert (
        parity["test_suite.TestGroup.test_parameters/3/eager/CPU:0/resident"].status == "identical"
    )
    words = {
        test: parity[f"test_suite.{test}/given/function/CPU:0/resident"].status
        for test in (*("test_differs", "test_error_in_a_mode", "test_refused_and_skipped"),)
    }
    assert words == {
        "test_differs": "differs",
        "test_error_in_a_mode": "error",
        "test_refused_and_skipped": "unsupported",
    }
    steady = parity["test_suite.test_eager_is_unsteady/given/eager/CPU:0/resident"]
    assert steady.status == "nondeterministic"
    drawn = parity["test_suite.test_drawn_without_seed/given/function/CPU:0/resident"]
    assert drawn.status == "differs"
    assert "RandomStandardNormal" in drawn.known
    timed = {block.extra_info.cell.split("/")[0] for block in run.blocks(1)}
    assert timed == {"test_suite.test_benchmark", "test_suite.test_pedantic"}
    cold = run.pass_record(1).cells["test_suite.test_benchmark/given/function/CPU:0/resident"]
    assert (cold.status, cold.traces, cold.retraces) == ("measured", 1, 0)
    assert cold.first_call_s > 0
    assert "timed; `eager-vs-graph report record` renders them" in suite.out


def test_the_record_is_rendered_and_says_what_it_lacks(suite):
    done = harness("report", "record", cwd=suite.folder)
    assert done.returncode == 0, done.stderr
    told = " ".join(done.stdout.split())
    assert "one pass gives no interval and no verdict: a test-suite timed one mode after" in told
    page = (suite.folder / "record" / "report.html").read_text("utf-8")
    assert "test_suite.test_benchmark" in page


SMALL = """
import pytest

@pytest.mark.parametrize("x", [1])
def test_one(modes, x):
    pass

@pytest.mark.modes("xla", "function")
def test_two(modes):
    pass

def test_three():
    pass
"""


def test_the_command_line_and_the_marker_choose_the_modes(tmp_path):
    options = ("--collect-only", "-q", "--modes", "session,function,eager")
    collected = session(tmp_path, *options, files=[("test_small.py", SMALL)])
    assert [line.partition("::")[2] for line in collected.out.splitlines() if "::" in line] == [
        "test_one[eager-1]",
        "test_one[function-1]",
        "test_one[session-1]",
        "test_two[function]",
        "test_three",
    ]
    assert json.loads((tmp_path / "loaded.json").read_text("utf-8")) == []


FOREIGN = """
import sys
import pytest

@pytest.fixture
def modes():
    return "mine"

def test_own_fixture(modes):
    assert modes == "mine"

class TestOwn:
    pytestmark = pytest.mark.modes("whatever", colour="red")

    def test_own_marker(self):
        assert "tensorflow" not in sys.modules

    @pytest.mark.parametrize("modes", [1, 2])
    def test_own_parameter(self, modes):
        assert modes in (1, 2)

    @pytest.mark.parametrize(("a", "modes"), [(1, 2)])
    def test_own_parameters(self, a, modes):
        assert (a, modes) == (1, 2)

def test_benchmark(benchmark):
    assert benchmark(sum, [1, 2]) == 3
"""


def test_a_suite_that_does_not_use_it_is_left_alone(tmp_path):
    done = session(tmp_path, *QUICK, files=[("test_foreign.py", FOREIGN)])
    assert done.code == 0, done.out
    assert list(done.outcomes) == [
        "test_own_fixture",
        "TestOwn::test_own_marker",
        "TestOwn::test_own_parameter[1]",
        "TestOwn::test_own_parameter[2]",
        "TestOwn::test_own_parameters[1-2]",
        "test_benchmark",
    ]
    assert json.loads((tmp_path / "loaded.json").read_text("utf-8")) == []
    assert "modes:" not in done.out


MISTAKES = {
    "a mode": (("--modes", "egaer"), "--modes: unknown mode 'egaer'; did you mean eager?"),
    "no mode": (("--modes", ","), "--modes names no mode; choose from: eager, "),
    "a file": (("--modes-record", "test_small.py"), "is a file, but should be a folder"),
    "a full folder": (("--modes-record", "."), "is not empty and holds no record"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_one_line(tmp_path, mistake):
    options, message = MISTAKES[mistake]
    done = session(tmp_path, *options, files=[("test_small.py", SMALL)])
    assert done.code == 4, done.out
    (line,) = [line for line in done.out.splitlines() if line.strip()]
    assert line.startswith("ERROR: ")
    assert message in line


def test_a_run_of_the_command_line_is_not_overwritten(tmp_path):
    run = Run(tmp_path / "run")
    run.raw.mkdir(parents=True)
    run.save_environment({}, {"command": "bench"})
    done = session(tmp_path, "--modes-record", "run", files=[("test_small.py", SMALL)])
    assert done.code == 4
    assert "run: is a run of the command line; name another folder" in done.out


def test_workers_of_xdist_tell_the_controller(tmp_path):
    shutil.copy(SUITE, tmp_path / "test_suite.py")
    chosen = ("-k", "test_structure_and_state or test_benchmark", "--modes-record", "record")
    done = session(tmp_path, "-p", "xdist", "-n", "2", *chosen, "--modes", "eager,function")
    assert done.of("test_structure_and_state") == {"eager": "passed", "function": "passed"}
    parity = {cell.cell for cell in Run(tmp_path / "record").parity()}
    assert parity == {
        f"test_suite.{name}/given/{mode}/CPU:0/resident"
        for name in ("test_structure_and_state", "test_structure_and_state-2", "test_benchmark")
        for mode in ("eager", "function")
    }
    # pytest-benchmark measures nothing beside other workers.
    assert not Run(tmp_path / "record").pass_numbers()
    assert "0 timed" in done.out
    assert harness("report", "record", cwd=tmp_path).returncode == 0


def test_a_former_record_makes_way(suite, tmp_path):
    folder = shutil.copytree(suite.folder / "record", tmp_path / "record")
    require_place(folder)
    before = {cell.cell for cell in Run(folder).parity()}
    (cell,) = [cell for cell in Run(folder).parity() if cell.cell.startswith(ONE)]
    told = {"cell": cell.cell, "summary": "", "arguments": "", "parity": asdict(cell)}
    write(folder, [{**told, "timing": None, "cold": None}] * 2, {}, "pytest", "", "")
    assert [each.cell for each in Run(folder).parity()] == [cell.cell]
    assert len(before) > 1
    assert not Run(folder).pass_numbers()
