"""The pytest plugin, as a user's test suite meets it: in a process and a folder of its own."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

import pytest
from commands import harness

from eager_vs_graph.modes import DEFAULT_MODES
from eager_vs_graph.pytest_plugin.recording import require_place, write
from eager_vs_graph.results.run import Run

PLUGIN = Path(__file__).parents[1] / "plugin"
REPORTER = """
import json, sys

def pytest_runtest_logreport(report):
    with open("outcomes.jsonl", "a") as file:
        line = [report.nodeid, report.when, report.outcome, str(report.longrepr or "")]
        print(json.dumps(line), file=file)

def pytest_sessionfinish():
    loaded = [name for name in ("tensorflow", "pandas", "numpy") if name in sys.modules]
    with open("loaded.json", "w") as file:
        json.dump(loaded, file)
"""
ONE = "test_suite.test_differs/given/function/"
QUICK = ("--benchmark-max-time=0.01", "--benchmark-min-rounds=3")
PYTEST = (sys.executable, "-m", "pytest")


@dataclass
class Session:
    """A session of pytest that is over."""

    folder: Path
    code: int
    out: str
    outcomes: dict[str, str]
    """By test: ``passed``, ``failed``, ``skipped``, or ``error`` outside of the call."""
    messages: dict[str, str]
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


def session(
    folder: Path,
    *options: str,
    files: Iterable[tuple[str, str]] = (),
    command: tuple[str, ...] = PYTEST,
    reporter: str = REPORTER,
) -> Session:
    """Run pytest in a folder, with the plugins that are installed, ours among them."""
    if reporter:
        (folder / "conftest.py").write_text(reporter, "utf-8")
    for name, text in files:
        (folder / name).write_text(text, "utf-8")
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST_")}
    done = subprocess.run(
        [*command, "-p", "no:cacheprovider", "-p", "no:hypothesispytest", *options],
        cwd=folder,
        env={**environment, "TF_CPP_MIN_LOG_LEVEL": "3", "COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    outcomes: dict[str, str] = {}
    messages: dict[str, str] = {}
    journal = folder / "outcomes.jsonl"
    for line in journal.read_text("utf-8").splitlines() if journal.exists() else ():
        name, when, outcome, text = json.loads(line)
        name = name.partition("::")[2]
        if when == "call" or outcome != "passed":
            outcomes[name] = outcome if when == "call" or outcome == "skipped" else "error"
            messages[name] = text
    return Session(folder, done.returncode, done.stdout + done.stderr, outcomes, messages)


@pytest.fixture(scope="module")
def suite(tmp_path_factory) -> Session:
    """The whole suite in the default modes, with a record."""
    folder = tmp_path_factory.mktemp("suite")
    shutil.copy(PLUGIN / "suite.py", folder / "test_suite.py")
    # pytest-benchmark warns of a test that failed before it timed anything.
    strict = ("-W", "error", "-W", "ignore::pytest_benchmark.logger.PytestBenchmarkWarning")
    return session(folder, "--evg-record", "record", "--evg-explain", "0", *strict, *QUICK)


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
    "test_counter": GRAPHS_FAIL,
    "test_drawn_while_traced": GRAPHS_FAIL,
    "test_streams_are_those_of_an_eager_call": ALL_PASS,
    "test_eager_is_unsteady": ALL_FAIL,
    "test_drawn_without_seed": ALL_PASS,
    "test_error_in_a_mode": GRAPHS_FAIL,
    "test_error_in_every_mode": ALL_FAIL,
    "test_raises": ALL_PASS,
    "test_raises_another_class": {"function": "passed", "session": "passed"},
    "test_raises_in_eager_only": {"eager": "passed", "xla": "failed"},
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
    "TestMarked::test_names_and_tolerance_of_the_class": {"eager": "passed", "function": "passed"},
    "TestMarked::test_own_name_and_tolerance": {"session": "failed"},
    "test_marker_of_no_mode": {"egaer": "error"},
    "test_marker_of_no_tolerance": {"eager": "error"},
    "TestCase::test_takes_the_fixture": {"": "error"},
    "TestCase::test_uses_the_fixture": {"": "error"},
    "TestCase::test_does_not_care": {"": "passed"},
    "test_asks_late": {"": "failed"},
    "TestFixtures::test_of_ones_own": ALL_PASS,
    "TestFixtures::test_of_class_scope": ALL_PASS,
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


HINT = "`eager-vs-graph explain NAME.py` looks for the cause"
MESSAGES = {
    "test_differs[function]": (
        "function differs from eager: output[3] = 3.003",
        ", but should be 3.0 [call 1 of scaled_in_graphs(x: float32[4])]",
        "3 of 4 elements out of tolerance; largest error: ",
        "ULPs, 0.003 absolute, 0.001 relative",
        "the same computation in float64, function is off by 0.003 and eager by 0",
        HINT,
        "If such a difference is acceptable: @pytest.mark.tf_modes(rtol=..., atol=...)",
    ),
    "test_variable_differs[function]": ("function differs from eager: weight = 2.0, but should",),
    "test_counter[function]": (
        "function differs from eager: output[",
        "[call 2 of counted(x: float32[4])]",
    ),
    "test_drawn_while_traced[session]": (
        "session differs from eager: output",
        "[call 2 of noisy(x: float32[4])]",
    ),
    "test_eager_is_unsteady[eager]": (
        "eager cannot be compared: eager gives another output each time [call 1 of function(",
        "Usual cause: ",
        "Fix: ",
    ),
    "test_eager_is_unsteady[function]": (
        "function differs from eager: output",
        "eager gives another value in every call, the graph repeats that of its first call",
    ),
    "test_error_in_a_mode[function]": (
        "function raises, but eager returns [call 1 of breaks_in_graphs(x: float32[4])]",
        "  function: RuntimeError: boom (test_suite.py:",
        "  eager: output = [0.0 1.0 2.0 3.0]",
    ),
    "test_raises_in_eager_only[xla]": (
        "xla returns, but eager raises [call 1 of checked(x: float32[4])]",
        "  eager: InvalidArgumentError: too large",
        "  xla: output = [3.0 6.0 9.0 12.0]",
    ),
}
LINES = {
    "test_no_tensor[eager]": ("returns object as 'output', but should return tensors",),
    "test_refused_and_skipped[session]": ("session: unsupported: ",),
    "test_unused[session]": ("the test asks for mode session and runs nothing in it",),
    "test_marked_without_the_fixture": ("has the marker tf_modes but does not use the fixture",),
    "test_marker_of_another_kind[eager]": ("has 'tolerance', but should have atol, rtol, unsup",),
    "test_marker_of_another_policy[eager]": ("has unsupported='ignore', but should have 'fail'",),
    "test_marker_of_no_mode[egaer]": ("unknown mode 'egaer'; did you mean eager?",),
    "test_marker_of_no_tolerance[eager]": ("has no valid tolerance: ", "rtol must be in [0, 1)"),
    "TestCase::test_takes_the_fixture": ("tf_modes is not available in TestCase, because it is",),
    "TestCase::test_uses_the_fixture": ("move the test to a function or to a class without",),
    "test_asks_late": ("tf_modes has no mode here",),
    "test_pedantic_with_a_setup[function]": ("benchmark.pedantic was given a setup",),
    "test_timed_inside_a_function[function]": ("called inside what `benchmark` times",),
    "test_timed_by_a_fixture_of_ones_own[function]": ("called inside what `benchmark` times",),
}
"""What is said in one line: mistakes in a test, and why it was skipped."""


@pytest.mark.parametrize("test", MESSAGES | LINES)
def test_a_failure_says_what_and_where(suite, test):
    text = suite.messages[test]
    for part in (MESSAGES | LINES)[test]:
        assert part in text, text
    assert text.startswith(MESSAGES[test][0] if test in MESSAGES else text)
    if test in LINES and suite.outcomes[test] != "skipped":
        assert len(text.splitlines()) == 1, text


def test_an_exception_is_shown_as_the_functions_own(suite):
    for test, says in {
        "test_error_in_every_mode[eager]": 'raise ValueError("mine")',
        "test_error_in_every_mode[session]": "ValueError: mine",
        "test_wrong_arguments[function]": "TypeError: scaled_in_graphs(x) was given 2 arguments",
    }.items():
        text = suite.messages[test]
        assert says in text
        assert "eager_vs_graph" not in text.partition("\n>")[2], text


def test_a_cause_is_found_by_experiment(tmp_path):
    shutil.copy(PLUGIN / "suite.py", tmp_path / "test_suite.py")
    done = session(tmp_path, "-k", "test_grappler and session", "--evg-explain", "600")
    (text,) = done.messages.values()
    assert "output[0] = -inf, but should be -18.4" in text
    assert "\n  Cause: grappler: constant_folding" in text
    assert "\n  Fix: " in text
    assert HINT not in text


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
    statuses = {
        "test_differs": "differs",
        "test_error_in_a_mode": "differs",
        "test_error_in_every_mode": "vacuous",
        "test_refused_and_skipped": "unsupported",
        "test_eager_is_unsteady": "differs",  # a graph repeats what eager draws in every call
        "test_no_tensor": "error",
        "test_drawn_without_seed": "differs",
    }
    found = {test: parity[f"test_suite.{test}/given/function/CPU:0/resident"] for test in statuses}
    assert {test: cell.status for test, cell in found.items()} == statuses
    assert "RandomStandardNormal" in found["test_drawn_without_seed"].known
    steady = parity["test_suite.test_eager_is_unsteady/given/eager/CPU:0/resident"]
    assert steady.status == "nondeterministic"
    against = {tensor.against for tensor in found["test_differs"].tensors}
    assert against == {"eager", "reference"}
    dropped = parity["test_suite.test_raises_in_eager_only/given/xla/CPU:0/resident"]
    assert dropped.status == "differs"
    assert "eager raises InvalidArgumentError: too large" in dropped.reason
    timed = {timed.cell.split("/")[0] for timed in run.rounds(1)}
    assert timed == {"test_suite.test_benchmark", "test_suite.test_pedantic"}
    cold = run.pass_record(1).cells["test_suite.test_benchmark/given/function/CPU:0/resident"]
    assert (cold.status, cold.traces, cold.retraces) == ("measured", 1, 0)
    assert cold.first_call_s > 0
    assert "timed; `eager-vs-graph report record` renders them" in suite.out


def test_the_record_is_rendered_and_says_what_it_lacks(suite):
    done = harness("report", "record", cwd=suite.folder)
    assert done.returncode == 0, done.stderr
    text = " ".join(done.stdout.split())
    assert "one pass gives no interval and no verdict: a test-suite timed one mode after" in text
    page = (suite.folder / "record" / "report.html").read_text("utf-8")
    assert "test_suite.test_benchmark" in page.replace("<wbr>", "")


SMALL = """
import pytest

@pytest.mark.parametrize("x", [1])
def test_one(tf_modes, x):
    pass

@pytest.mark.tf_modes("xla", "function")
def test_two(tf_modes):
    pass

def test_three():
    pass
"""


def test_the_command_line_and_the_marker_choose_the_modes(tmp_path):
    options = ("--collect-only", "-q", "--evg-modes", "session,eager")
    collected = session(tmp_path, *options, files=[("test_small.py", SMALL)])
    assert [line.partition("::")[2] for line in collected.out.splitlines() if "::" in line] == [
        "test_one[eager-1]",
        "test_one[session-1]",
        "test_two[no-mode]",
        "test_three",
    ]
    assert json.loads((tmp_path / "loaded.json").read_text("utf-8")) == []
    done = session(tmp_path, "--eager-vs-graph-modes=session", "-k", "two", "-rs")
    assert done.of("test_two") == {"no-mode": "skipped"}
    assert "marked for function, xla, of which --eager-vs-graph-modes names none" in done.out


PROJECT = {
    "pytest.ini": """
[pytest]
addopts = --strict-markers --strict-config --continue-on-collection-errors -W error
markers = modes: of the project's own
""",
    "conftest.py": """
import pytest

def pytest_addoption(parser):
    parser.addoption("--modes", default="mine")
    parser.addoption("--record")

@pytest.fixture
def modes(request):
    return request.config.getoption("--modes")

@pytest.fixture
def tf_modes():
    return "mine, too"
""",
    "test_project.py": """
import sys
import harness.core, reports, scenarios.one
import pytest

def test_packages():
    assert (harness.core.NAME, reports.NAME, scenarios.one.NAME) == ("core", "reports", "one")

def test_own_fixture(modes, tf_modes):
    assert (modes, tf_modes) == ("theirs", "mine, too")

class TestOwn:
    pytestmark = pytest.mark.modes("whatever", colour="red")

    def test_own_marker(self):
        assert "tensorflow" not in sys.modules

    @pytest.mark.parametrize("modes", [1, 2])
    def test_own_parameter(self, modes):
        assert modes in (1, 2)

    @pytest.mark.parametrize(("a", "tf_modes"), [(1, 2)])
    def test_own_parameters(self, a, tf_modes):
        assert (a, tf_modes) == (1, 2)

def test_fails(modes):
    assert modes == "mine"

def test_benchmark(benchmark):
    assert type(benchmark).__module__ == "pytest_benchmark.fixture"
    assert benchmark(sum, [1, 2]) == 3
""",
    "test_strict.py": """
import pytest

@pytest.mark.not_registered
def test_never_collected():
    pass
""",
    "harness/core.py": "NAME = 'core'",
    "reports/__init__.py": "NAME = 'reports'",
    "scenarios/one.py": "NAME = 'one'",
}
SCRIPT = (str(Path(sys.executable).parent / "pytest"),)


@pytest.mark.parametrize(
    ("command", "options"),
    [(SCRIPT, ()), (PYTEST, ("-n", "2", "--benchmark-skip"))],
    ids=["pytest", "python -m pytest -n 2"],
)
def test_a_project_that_does_not_use_it_is_left_alone(command, options, tmp_path):
    """The same outcomes, output and exit code as without the plugin."""
    for name, text in PROJECT.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, "utf-8")

    def run(*more: str) -> tuple[int, list[str], list[str]]:
        chosen = ("--modes", "theirs", "-rA", *QUICK, *options, *more)
        done = session(tmp_path, *chosen, "--junitxml", "junit.xml", command=command, reporter="")
        junit = (tmp_path / "junit.xml").read_text("utf-8")
        outcomes = re.findall(
            r'<testcase classname="(.*?)" name="(.*?)" time=".*?"( />|><\w+)', junit
        )
        lines = re.findall(r"^(?:PASSED|FAILED|ERROR|E  ).*", done.out, re.MULTILINE)
        return done.code, sorted(map("".join, outcomes)), sorted(lines)

    found, without = run(), run("-p", "no:eager_vs_graph")
    assert found == without
    code, outcomes, lines = found
    assert code == 1
    assert len(outcomes) >= 8, outcomes
    assert any("not_registered" in line for line in lines)


MISTAKES = {
    "a mode": (("--evg-modes", "egaer"), "modes: unknown mode 'egaer'; did you mean eager?"),
    "no mode": (("--evg-modes", ","), "modes names no mode; choose from: eager, "),
    "a file": (("--evg-record", "test_small.py"), "is a file, but should be a folder"),
    "a full folder": (("--evg-record", "."), "is not empty and holds no record"),
    "a run": (("--evg-record", "run"), "run: is a run of the command line; name another folder"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_one_line(tmp_path, mistake):
    options, message = MISTAKES[mistake]
    run = Run(tmp_path / "run")
    run.raw.mkdir(parents=True)
    run.save_environment({}, {"command": "bench"})
    done = session(tmp_path, *options, files=[("test_small.py", SMALL)])
    assert done.code == 4, done.out
    (line,) = [line for line in done.out.splitlines() if line.strip()]
    assert line.startswith("ERROR: --eager-vs-graph-")
    assert message in line


def test_workers_of_xdist_tell_the_controller(tmp_path):
    shutil.copy(PLUGIN / "suite.py", tmp_path / "test_suite.py")
    chosen = ("-k", "test_structure_and_state or test_benchmark", "--evg-record", "record")
    done = session(tmp_path, "-n", "2", *chosen, "--evg-modes", "eager,function")
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
    kept = {"cell": cell.cell, "summary": "", "arguments": "", "parity": asdict(cell)}
    write(folder, [{**kept, "timing": None, "cold": None}] * 2, {}, "pytest", "", "")
    assert [each.cell for each in Run(folder).parity()] == [cell.cell]
    assert len(before) > 1
    assert not Run(folder).pass_numbers()
