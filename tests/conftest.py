"""What every test has in common, and what keeps the tiers apart. Free of TensorFlow.

``unit`` imports no TensorFlow, ``tensorflow`` runs it in the process of the tests, and only ``e2e``
starts processes. The helper processes that some modes work with are part of those modes: each is
started once in a process of the tests.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

# A first example may pay for a trace; and the same examples in every run make a failure repeatable.
settings.register_profile("eager_vs_graph", deadline=None, derandomize=True)
settings.load_profile("eager_vs_graph")

HERE = Path(__file__).parent
OWN_FOLDER = pytest.StashKey[tempfile.TemporaryDirectory[str]]()
ONLY_UNIT = pytest.StashKey[bool]()
HELPER = "eager_vs_graph.processes.remote"


def pytest_configure(config: pytest.Config) -> None:
    """Give the runs of this process a lock and a key of their own.

    No test looks at a time, so they need not wait for another run on the machine, nor be refused
    because of it; and no test writes into the user's folders.
    """
    folder = tempfile.TemporaryDirectory(prefix="eager-vs-graph-tests-")
    config.stash[OWN_FOLDER] = folder
    os.environ["EAGER_VS_GRAPH_LOCK"] = str(Path(folder.name) / "lock")
    os.environ["XDG_STATE_HOME"] = str(Path(folder.name) / "state")


def pytest_unconfigure(config: pytest.Config) -> None:
    """Remove both."""
    config.stash[OWN_FOLDER].cleanup()


def tier(item: pytest.Item) -> str:
    """The folder of ``tests`` that an item is in."""
    return item.path.relative_to(HERE).parts[0]


def has_tensorflow() -> bool:
    """Whether this process has imported TensorFlow."""
    return not {"tensorflow", "keras"}.isdisjoint(sys.modules)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Refuse a module of tests/unit that imports TensorFlow."""
    config.stash[ONLY_UNIT] = all(tier(item) == "unit" for item in items)
    if config.stash[ONLY_UNIT] and has_tensorflow():
        raise pytest.UsageError("a module of tests/unit imports TensorFlow")


started: list[str] = []
"""Python processes that were started since the last test ended."""


def _note_process(event: str, arguments: Sequence[Any]) -> None:
    if event == "subprocess.Popen":
        command = [os.fspath(part) for part in arguments[1]]
        if "python" in Path(command[0]).name and HELPER not in command:
            started.append(" ".join(map(str, command)))


sys.addaudithook(_note_process)


@pytest.fixture(autouse=True)
def _in_its_tier(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail a test that does what belongs into a slower tier."""
    before = has_tensorflow()
    yield
    of_this_test = started[:]
    started.clear()
    mine = tier(request.node)
    if mine != "e2e" and of_this_test:
        pytest.fail(f"it starts a process, so it belongs into tests/e2e: {of_this_test[0]}")
    if request.config.stash[ONLY_UNIT] and has_tensorflow() and not before:
        pytest.fail("it imports TensorFlow, so it belongs into tests/tensorflow")
