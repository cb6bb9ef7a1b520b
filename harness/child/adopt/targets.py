"""The scenario of a target: the user's code, a SavedModel, or what ``compare`` was given."""

from __future__ import annotations

import pickle
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from eager_vs_graph.catalog.target import Target
from eager_vs_graph.child.adopt import model as models
from eager_vs_graph.child.adopt import saved_model
from eager_vs_graph.child.adopt.arguments import Arguments
from eager_vs_graph.child.adopt.copying import Snapshot
from eager_vs_graph.child.adopt.described import told
from eager_vs_graph.child.adopt.function import scenario_of, scenario_of_source
from eager_vs_graph.child.adopt.making import seed
from eager_vs_graph.child.adopt.resolve import use_path
from eager_vs_graph.child.adopt.source import TargetSource
from eager_vs_graph.errors import ScenarioError
from eager_vs_graph.modes import kerases
from eager_vs_graph.scenario import Scenario


def scenario(target: Target, name: str) -> type[Scenario]:
    """The scenario of a target; see ``eager_vs_graph.child.adopt.adopt``."""
    use_path(target.path)
    if target.payload:
        return _of_payload(target, name)
    if Path(target.reference).is_dir():
        return saved_model.scenario_of_folder(target, name)
    return scenario_of_source(TargetSource(target, name), name)


def _of_payload(target: Target, name: str) -> type[Scenario]:
    """The scenario of live objects that another process has pickled: they are copied again."""
    function, calls = unpacked(Path(target.payload))
    if not kerases.is_model(function):
        (args, kwargs), *others = calls
        return scenario_of(function, args, kwargs, name=name, feeds=others)
    part = models.Part(function, target, [Arguments(list(a), dict(k)) for a, k in calls])
    first, *more = part.calls
    called = part.of(function)
    return scenario_of(
        called,
        first.args,
        name=name,
        feeds=[(each.args, {}) for each in more],
        file=models.file_of_model(function),
    )


def unpacked(file: Path) -> tuple[Any, list[tuple[Sequence[Any], Mapping[str, Any]]]]:
    """The function and its calls' arguments, of which another process took a ``Snapshot``.

    Raises:
        ScenarioError: they cannot be put together here.
    """
    seed()
    try:
        snapshot: Snapshot = pickle.loads(file.read_bytes())  # noqa: S301 - the user's own
        function, calls = snapshot.copy()
    except Exception as error:
        raise ScenarioError(
            f"the function that was given cannot be put together in a process of its own: "
            f"{told(error)}"
        ) from error
    return function, calls
