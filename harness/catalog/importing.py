"""Imports the class of a scenario, in the child processes that run it."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

from eager_vs_graph.catalog.find import BUILT_IN
from eager_vs_graph.errors import ScenarioError
from eager_vs_graph.scenario import Scenario


def scenario_class(file: Path, class_name: str, module: str = "") -> type[Scenario]:
    """Import a scenario's file and return its class.

    Args:
        file: the file.
        class_name: the class in it.
        module: the name that it is imported by, where a distribution ships it.

    Raises:
        ScenarioError: the file does not import, or the class is not a scenario.
    """
    scenario = getattr(_import(file, module), class_name)
    if not (inspect.isclass(scenario) and issubclass(scenario, Scenario)):
        raise ScenarioError(
            f"{file}: {class_name} has `name` and `sizes` but does not subclass "
            "eager_vs_graph.Scenario"
        )
    return scenario


def _import(file: Path, shipped_as: str = "") -> ModuleType:
    """Import a file; what a distribution ships, under its own name, so that it finds its package.

    Raises:
        ScenarioError: the import failed.
    """
    try:
        return importlib.import_module(shipped_as) if shipped_as else _import_file(file)
    except (Exception, SystemExit) as error:
        raise ScenarioError(f"{file}: does not import: {type(error).__name__}: {error}") from error


def _import_file(file: Path) -> ModuleType:
    if file.parent == BUILT_IN:
        return importlib.import_module(f"eager_vs_graph.scenarios.{file.stem}")
    name = f"_scenarios_{file.stem}"
    if name in sys.modules and getattr(sys.modules[name], "__file__", None) == str(file):
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    # Siblings that the file imports (helpers in a user's folder) are found beside it.
    if str(file.parent) not in sys.path:
        sys.path.append(str(file.parent))
    try:
        with _former_name():
            spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


@contextmanager
def _former_name() -> Iterator[None]:
    """Let files written for 0.1, which import Scenario from `harness`, run as they are.

    It is the one module under a second name while the file is executed, and only where nothing else
    is called `harness`.
    """
    if "harness" in sys.modules or _is_found("harness"):
        yield
        return
    sys.modules["harness"] = sys.modules["eager_vs_graph"]
    try:
        yield
    finally:
        sys.modules.pop("harness", None)


def _is_found(name: str) -> bool:
    """Whether there is such a module, other than this package's own folder in a checkout."""
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None:
        return spec is not None
    ours = sys.modules["eager_vs_graph"].__file__
    return Path(spec.origin).resolve() != Path(str(ours)).resolve()
