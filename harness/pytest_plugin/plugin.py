"""The pytest plugin: a test's own functions in each execution mode, compared with eager.

::

    def test_step(tf_modes):
        run = tf_modes(step)             # step: takes and returns tensors
        loss = run(x)                    # in the mode of this item; NumPy, in step's structure
        np.testing.assert_allclose(loss, 0.25, rtol=1e-6)

``pytest --evg-modes eager,function,session`` makes an item of the test for each mode; without the
option, these three. Each item runs ``step`` in its mode and eagerly, with a copy of ``step`` and of
its variables for either, and fails where outputs or variables disagree. What ``step`` raises in
both, ``run`` raises. A test that asks for ``tf_modes`` and never runs anything fails, too. The
marker chooses modes and sets tolerances::

    @pytest.mark.tf_modes("function", "xla", rtol=1e-5, atol=0.0, unsupported="skip")

With pytest-benchmark, ``benchmark(run, x)`` times the mode's own call, and ``--evg-record FOLDER``
keeps parity and timings as a run that ``eager-vs-graph report FOLDER`` renders.

Nothing here is active in a test that does not ask for it, and neither TensorFlow nor pandas is
imported before one does.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from eager_vs_graph.pytest_plugin.tf_modes import Settings, TfModes

NAME = "tf_modes"
"""The fixture's and the marker's."""
MARKER = (
    "tf_modes(*names, rtol=None, atol=None, unsupported='fail'): run the test, which uses the "
    "fixture `tf_modes`, in these execution modes of TensorFlow (of those that --evg-modes names, "
    "if given); compare with eager within the tolerance; 'skip' a mode that cannot run the "
    "function instead of failing (eager-vs-graph)."
)
_MODES, _RECORD, _EXPLAIN = (f"--eager-vs-graph-{each}" for each in ("modes", "record", "explain"))
_WORDS = {"rtol", "atol", "unsupported"}
USED: pytest.StashKey[TfModes] = pytest.StashKey()
"""Where an item keeps the fixture's value while the test runs."""
_CHOSEN: pytest.StashKey[list[str] | None] = pytest.StashKey()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options."""
    group = parser.getgroup("eager-vs-graph", "execution modes of TensorFlow (eager-vs-graph)")
    group.addoption(
        _MODES,
        "--evg-modes",
        metavar="NAMES|all",
        help="run tests that use the fixture `tf_modes` in these modes, separated by commas; "
        "default: those of the test's marker, else eager,function,session",
    )
    group.addoption(
        _RECORD,
        "--evg-record",
        metavar="FOLDER",
        type=Path,
        help="write parity and timings to this folder, for `eager-vs-graph report FOLDER`",
    )
    group.addoption(
        _EXPLAIN,
        "--evg-explain",
        metavar="SECONDS",
        type=float,
        default=20.0,
        help="how long to look for the cause where a mode disagrees; default: 20; 0: not at all",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Check the options; a mistake in them is one line."""
    config.addinivalue_line("markers", MARKER)
    wanted, folder = config.getoption(_MODES), config.getoption(_RECORD)
    config.stash[_CHOSEN] = None if wanted is None else _known(wanted.split(","), _MODES)
    if folder is not None:
        from eager_vs_graph.errors import UsageError
        from eager_vs_graph.pytest_plugin.recording import Reports, Writer, require_place

        config.pluginmanager.register(Reports(USED), "eager-vs-graph-reports")
        if not hasattr(config, "workerinput"):  # the controller of pytest-xdist writes
            try:
                require_place(folder)
            except UsageError as error:
                raise pytest.UsageError(f"{_RECORD} {error}") from None
            config.pluginmanager.register(Writer(config, folder), "eager-vs-graph-writer")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Make an item of each mode."""
    if not _uses_ours(metafunc):
        return
    from eager_vs_graph.modes import DEFAULT_MODES

    chosen = metafunc.config.stash[_CHOSEN]
    names, _ = _marked(metafunc.definition)
    try:
        named = _known(names, "") if names else None
    except pytest.UsageError:  # the fixture says so, and costs this test only
        metafunc.parametrize(NAME, names, indirect=True, ids=str)
        return
    if chosen is None:
        modes: list[Any] = named or list(DEFAULT_MODES)
    elif not (modes := [mode for mode in chosen if named is None or mode in named]):
        reason = f"marked for {', '.join(named or ())}, of which {_MODES} names none"
        modes = [pytest.param(None, marks=pytest.mark.skip(reason=reason), id="no-mode")]
    metafunc.parametrize(NAME, modes, indirect=True)


@pytest.fixture
def tf_modes(request: pytest.FixtureRequest) -> Generator[TfModes]:
    """``tf_modes(function)`` is the function in the TensorFlow execution mode of this item.

    Calling it gives NumPy arrays in the structure that the function returns, from variables that
    start with the function's values; it raises what the function raises, and fails the test where
    the mode disagrees with eager.
    """
    if not hasattr(request, "param"):
        pytest.fail(
            f"{NAME} has no mode here, because pytest makes an item for each mode only of tests "
            f"that name the fixture: take {NAME} as an argument of the test or of a fixture of it",
            pytrace=False,
        )
    from eager_vs_graph.modes import MODES
    from eager_vs_graph.results.cells import unknown_name_message

    if request.param not in MODES:
        unknown = unknown_name_message("mode", str(request.param), list(MODES))
        pytest.fail(f"the marker or parameter {NAME}: {unknown}", pytrace=False)
    settings = _settings(request)
    from eager_vs_graph.pytest_plugin.tf_modes import TfModes

    made = TfModes(request.param, *_named(request), settings)
    request.node.stash[USED] = made
    yield made
    del request.node.stash[USED]  # an item lives as long as the session
    made.close()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Answer a ``unittest.TestCase``, whose methods pytest gives no fixtures."""
    unittest, kind = sys.modules.get("unittest"), getattr(item, "cls", None)
    if unittest is None or kind is None or not issubclass(kind, unittest.TestCase):
        return
    code = getattr(getattr(item, "obj", None), "__code__", None)
    takes = code is not None and NAME in code.co_varnames[: code.co_argcount]
    if takes or NAME in getattr(item, "fixturenames", ()) or item.get_closest_marker(NAME):
        pytest.fail(
            f"{NAME} is not available in {kind.__name__}, because it is a unittest.TestCase (as "
            "tf.test.TestCase is), to whose methods pytest passes no fixtures; move the test to a "
            "function or to a class without that base",
            pytrace=False,
        )


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Generator[None, object, object]:
    """Time modes by their own call, and fail a test that asked for a mode and did not use it."""
    if USED not in pyfuncitem.stash:
        if any(marker.name == NAME for marker in pyfuncitem.own_markers):
            pytest.fail(
                f"the test has the marker {NAME} but does not use the fixture {NAME}, so that no "
                f"mode would be run: take {NAME} as an argument and call {NAME}(function)",
                pytrace=False,
            )
        return (yield)
    used, benchmark = pyfuncitem.stash[USED], pyfuncitem.funcargs.get("benchmark")
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
            f"the test asks for mode {used.mode} and runs nothing in it: call what "
            f"{NAME}(function) returns, or leave the fixture out",
            pytrace=False,
        )
    return result


def _uses_ours(metafunc: pytest.Metafunc) -> bool:
    """Whether the test's ``tf_modes`` is our fixture, and has no parameters yet."""
    if NAME not in metafunc.fixturenames:
        return False
    for marker in metafunc.definition.iter_markers("parametrize"):
        names = marker.args[0] if marker.args else marker.kwargs.get("argnames", "")
        if NAME in (re.split(r"\s*,\s*", names) if isinstance(names, str) else names):
            return False
    definitions = metafunc._arg2fixturedefs.get(NAME) or []
    return bool(definitions) and definitions[-1].func.__module__ == __name__


def _marked(node: pytest.Item) -> tuple[Sequence[Any], dict[str, Any]]:
    """The names and settings of the markers of a test, its class and its module; nearest first."""
    names: Sequence[Any] = ()
    settings: dict[str, Any] = {}
    for marker in node.iter_markers(NAME):
        names = names or marker.args
        settings = {**marker.kwargs, **settings}
    return names, settings


def _known(names: Sequence[Any], where: str) -> list[str]:
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
    from eager_vs_graph.pytest_plugin.tf_modes import Settings
    from eager_vs_graph.scenario import Tolerance

    _, given = _marked(request.node)
    policy, problem, tolerance = given.get("unsupported", "fail"), "", None
    if unknown := sorted(given.keys() - _WORDS):
        problem = f"has {unknown[0]!r}, but should have {', '.join(sorted(_WORDS))}"
    elif policy not in ("fail", "skip"):
        problem = f"has unsupported={policy!r}, but should have 'fail' or 'skip'"
    elif given.keys() & {"rtol", "atol"}:
        try:
            tolerance = Tolerance(given.get("rtol") or 0.0, given.get("atol") or 0.0)
        except (TypeError, ValueError) as error:
            problem = f"has no valid tolerance: {error}"
    if problem:
        pytest.fail(f"the marker {NAME} {problem}", pytrace=False)
    return Settings(tolerance, policy == "skip", request.config.getoption(_EXPLAIN))


def _named(request: pytest.FixtureRequest) -> tuple[str, str, str]:
    """What a record calls the test: scenario, size and summary."""
    from eager_vs_graph.catalog.user_code import DEFAULT_SIZE

    node = request.node
    path, *parts = node.nodeid.partition("[")[0].split("::")
    scenario = ".".join([Path(path).stem, *parts])
    # Of the item's parameters, the mode is a part of the cell already.
    others = [part for part in node.callspec.id.split("-") if part != request.param]
    size = re.sub(r"[\s/,]+", "_", "-".join(others)) or DEFAULT_SIZE
    summary = (node.function.__doc__ or "").strip().partition("\n")[0]
    return re.sub(r"[\s/,]+", "_", scenario), size, summary or node.nodeid.partition("[")[0]
