"""The pytest plugin: a test's own functions in each mode, compared with eager.

::

    def test_step(modes):
        run = modes(step)                # step: takes and returns tensors
        loss = run(x)                    # in the mode of this item; NumPy, in step's structure
        np.testing.assert_allclose(loss, 0.25, rtol=1e-6)

``pytest --modes eager,function,session`` makes an item of the test for each mode; without the
option, these three. Each item runs ``step`` in its mode and eagerly, with a copy of ``step`` and of
its variables for either, and fails where outputs or variables disagree. A test that asks for
``modes`` and never runs anything in them fails, too. The marker narrows and loosens::

    @pytest.mark.modes("function", "xla", rtol=1e-5, atol=0.0, unsupported="skip")

With pytest-benchmark, ``benchmark(run, x)`` times the mode's own call, and ``--modes-record
FOLDER`` keeps parity and timings as a run that ``eager-vs-graph report FOLDER`` renders.

Neither TensorFlow nor pandas is imported before a test uses the fixture, and a test-suite that does
not use it is left alone.
"""

from __future__ import annotations

import re
from collections.abc import Generator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from eager_vs_graph.pytest_plugin.modes import Modes, Settings

MARKER = (
    "modes(*names, rtol=None, atol=None, unsupported='fail'): run the test, which uses the fixture "
    "`modes`, in these execution modes of TensorFlow, as far as --modes asks for them; compare "
    "with eager within the tolerance; 'skip' what a mode cannot do, instead of failing."
)
_WORDS = {"rtol", "atol", "unsupported"}
_USED: pytest.StashKey[Modes] = pytest.StashKey()
_CHOSEN: pytest.StashKey[list[str] | None] = pytest.StashKey()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options."""
    group = parser.getgroup("eager-vs-graph", "execution modes of TensorFlow (eager-vs-graph)")
    group.addoption(
        "--modes",
        metavar="NAMES|all",
        help="run tests that use the fixture `modes` in these modes; default: the test's marker, "
        "else eager,function,session",
    )
    group.addoption(
        "--modes-record",
        metavar="FOLDER",
        type=Path,
        help="keep parity and timings there, for `eager-vs-graph report FOLDER`",
    )
    group.addoption(
        "--modes-explain",
        metavar="SECONDS",
        type=float,
        default=20.0,
        help="how long to look for the cause where a mode disagrees; default: 20; 0: not at all",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Check the options; a mistake in them is one line."""
    config.addinivalue_line("markers", MARKER)
    wanted, folder = config.getoption("--modes"), config.getoption("--modes-record")
    config.stash[_CHOSEN] = None if wanted is None else _known(wanted.split(","), "--modes")
    if folder is not None:
        from eager_vs_graph.errors import UsageError
        from eager_vs_graph.pytest_plugin.recording import require_place

        if not hasattr(config, "workerinput"):  # the controller of pytest-xdist writes
            try:
                require_place(folder)
            except UsageError as error:
                raise pytest.UsageError(str(error)) from None
            config.pluginmanager.register(_Record(config, folder), "eager-vs-graph-record")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Make an item of each mode."""
    if not _uses_ours(metafunc):
        return
    chosen = metafunc.config.stash[_CHOSEN]
    marker = metafunc.definition.get_closest_marker("modes")
    named = _known(marker.args, "the marker `modes`") if marker and marker.args else None
    if chosen is None:
        from eager_vs_graph.modes import DEFAULT_MODES

        modes = named or list(DEFAULT_MODES)
    else:
        modes = [mode for mode in chosen if named is None or mode in named]
    metafunc.parametrize("modes", modes, indirect=True)


@pytest.fixture
def modes(request: pytest.FixtureRequest) -> Generator[Modes]:
    """``modes(function)`` is the function in the mode of this item; see ``pytest --help``.

    Calling it gives NumPy arrays in the structure that the function returns, from variables that
    start with the function's values, and fails where the mode disagrees with eager.
    """
    settings = _settings(request)
    from eager_vs_graph.pytest_plugin.modes import Modes

    made = Modes(request.param, *_named(request), settings)
    request.node.stash[_USED] = made
    yield made
    made.close()


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Generator[None, object, object]:
    """Time modes by what they are, and fail a test that asked for a mode and did not use it."""
    if _USED not in pyfuncitem.stash:
        if any(marker.name == "modes" for marker in pyfuncitem.own_markers):
            pytest.fail(
                "the test is marked with `modes` but does not use the fixture `modes`, so that it "
                "would run as it is: take the fixture as an argument and call modes(function)",
                pytrace=False,
            )
        return (yield)
    used, benchmark = pyfuncitem.stash[_USED], pyfuncitem.funcargs.get("benchmark")
    if benchmark is not None:
        from eager_vs_graph.pytest_plugin.timing import Benchmark

        pyfuncitem.funcargs["benchmark"] = Benchmark(benchmark, used)
    try:
        result = yield
    finally:
        if benchmark is not None:
            pyfuncitem.funcargs["benchmark"] = benchmark
    if not used.used:
        pytest.fail(
            f"the test asked for mode {used.mode} and ran nothing in it: call what modes(function) "
            "returns, or leave the fixture out",
            pytrace=False,
        )
    return result


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Give the report what a record needs; pytest-xdist carries it to where that is written."""
    report = yield
    asked = item.config.getoption("--modes-record") is not None
    if call.when == "call" and asked and _USED in item.stash:
        from eager_vs_graph.pytest_plugin.environment import described

        runs = [run.record() for run in item.stash[_USED].runs if run.calls]
        vars(report)["eager_vs_graph"] = {"runs": runs, "environment": described()}
    return report


class _Record:
    """Gathers what the tests found, and writes it at the end."""

    def __init__(self, config: pytest.Config, folder: Path) -> None:
        self._config, self._folder = config, folder
        self._runs: list[dict[str, Any]] = []
        self._environment: dict[str, Any] = {}
        self._started = _now()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take in a test's."""
        if told := getattr(report, "eager_vs_graph", None):
            self._runs += told["runs"]
            self._environment = self._environment or told["environment"]

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Write, and say where."""
        if not self._runs:
            terminalreporter.write_line(
                f"modes: nothing to record: no test ran anything in a mode; {self._folder} is as "
                "it was"
            )
            return
        from eager_vs_graph.pytest_plugin.recording import write

        command = " ".join(["pytest", *map(str, self._config.invocation_params.args)])
        write(self._folder, self._runs, self._environment, command, self._started, _now())
        timed = sum(run["timing"] is not None for run in self._runs)
        terminalreporter.write_line(
            f"modes: {len(self._runs)} cells, {timed} timed; "
            f"`eager-vs-graph report {self._folder}` renders them"
        )


def _uses_ours(metafunc: pytest.Metafunc) -> bool:
    """Whether the test's ``modes`` is our fixture, and nobody else's of that name."""
    if "modes" not in metafunc.fixturenames:
        return False
    for marker in metafunc.definition.iter_markers("parametrize"):
        names = marker.args[0] if marker.args else marker.kwargs.get("argnames", "")
        if "modes" in (re.split(r"\s*,\s*", names) if isinstance(names, str) else names):
            return False
    definitions = metafunc._arg2fixturedefs.get("modes") or []
    return bool(definitions) and definitions[-1].func.__module__ == __name__


def _known(names: Any, where: str) -> list[str]:
    """The modes of these names; raises ``pytest.UsageError`` where there is none."""
    from eager_vs_graph.errors import UsageError
    from eager_vs_graph.modes import MODES
    from eager_vs_graph.results.cells import choose

    words = [str(name).strip() for name in names if str(name).strip()]
    if not words:
        raise pytest.UsageError(f"{where} names no mode; choose from: {', '.join(MODES)}")
    try:
        return choose("mode", words, list(MODES))
    except UsageError as error:
        raise pytest.UsageError(f"{where}: {error}") from None


def _settings(request: pytest.FixtureRequest) -> Settings:
    marker = request.node.get_closest_marker("modes")
    said = dict(marker.kwargs) if marker else {}
    if unknown := sorted(said.keys() - _WORDS):
        pytest.fail(
            f"the marker `modes` has {unknown[0]!r}, but should have {', '.join(sorted(_WORDS))}",
            pytrace=False,
        )
    if (policy := said.get("unsupported", "fail")) not in ("fail", "skip"):
        pytest.fail(
            f"the marker `modes` has unsupported={policy!r}, but should have 'fail' or 'skip'",
            pytrace=False,
        )
    from eager_vs_graph.pytest_plugin.modes import Settings
    from eager_vs_graph.scenario import Tolerance

    given = said.get("rtol"), said.get("atol")
    tolerance = None if given == (None, None) else Tolerance(given[0] or 0.0, given[1] or 0.0)
    seconds = request.config.getoption("--modes-explain")
    return Settings(tolerance, policy == "skip", seconds)


def _named(request: pytest.FixtureRequest) -> tuple[str, str, str]:
    """How a record calls the test: scenario, size and summary."""
    node = request.node
    path, *parts = node.nodeid.partition("[")[0].split("::")
    scenario = ".".join([Path(path).stem, *parts])
    # Of the item's parameters, the mode is told by the cell.
    others = [part for part in node.callspec.id.split("-") if part != request.param]
    size = re.sub(r"[\s/,]+", "_", "-".join(others)) or "given"
    summary = (node.function.__doc__ or "").strip().partition("\n")[0]
    return re.sub(r"[\s/,]+", "_", scenario), size, summary or node.nodeid.partition("[")[0]


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
