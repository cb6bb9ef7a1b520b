"""From the words of a target to the object they mean, as often as it is asked for."""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import inspect
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import keras
import tensorflow as tf

from eager_vs_graph.child.adopt import modules
from eager_vs_graph.child.adopt.described import told
from eager_vs_graph.child.adopt.tracing import plain
from eager_vs_graph.errors import ScenarioError
from eager_vs_graph.modes import kerases
from eager_vs_graph.results.cells import unknown_name_message

_CALL = ""
"""A step on the way to an object: what is there is called without arguments."""


@dataclass
class Found:
    """An object, and the way to it.

    Attributes:
        value: the object.
        module: the module it begins in; the path of a ``.keras`` file.
        steps: names of attributes, and calls.
        owners: what attributes were taken of: a traced method holds its instance by a weak
            reference only.
        imports: the modules with the classes of a ``.keras`` file.
    """

    value: Any
    module: str
    steps: tuple[str, ...] = ()
    owners: tuple[Any, ...] = ()
    imports: tuple[str, ...] = ()

    @property
    def calls_factory(self) -> bool:
        """Whether it takes a call of the user's to come to the object."""
        return _CALL in self.steps or not self.steps

    def again(self) -> Any:
        """The object, by the same way, in the modules of the moment.

        Raises:
            ScenarioError: something on the way raises.
        """
        if not self.steps:
            return loaded(Path(self.module), self.imports)
        value: Any = imported(self.module)
        walked, owners = value.__name__, []
        for step in self.steps:
            if step == _CALL:
                value = called(value, walked)
            else:
                if not isinstance(value, ModuleType):
                    owners.append(value)
                value, walked = getattr(value, step), f"{walked}.{step}"
        self.owners = tuple(owners)
        return value


def found(reference: str, *, given: int = 0, imports: Sequence[str] = ()) -> Found:
    """The object of a reference, or what the factory makes that it names.

    Args:
        reference: see ``Target``.
        given: how many arguments it is to be called with.
        imports: modules with the classes that a ``.keras`` file refers to.

    Raises:
        ScenarioError: there is no such module, file or attribute, or the factory raises.
    """
    path = Path(reference)
    if path.suffix == ".keras":
        return Found(loaded(path, imports), reference, imports=tuple(imports))
    module_name, colon, attribute = reference.rpartition(":")
    if not colon or not module_name or not attribute:
        raise ScenarioError(
            f"{reference!r} should be MODULE:FUNCTION (such as mymodule:train_step), FILE.py:"
            "FUNCTION, a .keras file or the folder of a SavedModel"
        )
    value: Any = imported(module_name)
    walked = value.__name__
    steps: list[str] = []
    owners: list[Any] = []
    for part in attribute.split("."):
        if inspect.isfunction(value) or (inspect.isclass(value) and _needs_nothing(value)):
            value = called(value, walked)
            steps.append(_CALL)
        if not isinstance(value, ModuleType):
            owners.append(value)
        if not hasattr(value, part):
            names = [each for each in dir(value) if not each.startswith("_")]
            raise ScenarioError(
                unknown_name_message(f"attribute of {walked}", part, names).replace(
                    "choose from", "it has"
                )
            )
        value, walked = getattr(value, part), f"{walked}.{part}"
        steps.append(part)
    if _may_be_factory(value):
        with (
            contextlib.suppress(ScenarioError)
            if given and not _takes_nothing(value)
            else (contextlib.nullcontext())
        ):
            product = called(value, walked)
            if callable(product) and not isinstance(product, tf.Tensor | tf.Variable):
                return Found(product, module_name, (*steps, _CALL), tuple(owners))
            if given and _takes_nothing(value):
                raise ScenarioError(
                    f"{walked} takes no arguments but was given {given}, and what it returns "
                    f"(a {type(product).__name__}) is no function either"
                )
    return Found(value, module_name, tuple(steps), tuple(owners))


def loaded(path: Path, imports: Sequence[str] = ()) -> Any:
    """The model of a ``.keras`` file, with the classes and functions of some modules.

    Raises:
        ScenarioError: it does not load; in a line.
    """
    if not path.exists():
        raise ScenarioError(f"{path}: no such file")
    names = {
        name: value
        for module in map(imported, imports)
        for name, value in vars(module).items()
        if inspect.isclass(value) or inspect.isfunction(value)
    }
    try:
        return keras.models.load_model(path, custom_objects=names)
    except Exception as error:
        raise ScenarioError(
            f"{path}: does not load: {told(error)}; where it has classes or functions of your own, "
            "name their module with --import MODULE, or give the function that makes the model "
            "(MODULE:make_model)"
        ) from error


def made_by(reference: str) -> Any:
    """What the factory of a reference returns."""
    module_name, _, attribute = reference.rpartition(":")
    value: Any = imported(module_name)
    walked = module_name
    for part in attribute.split("."):
        if not hasattr(value, part):
            names = [each for each in dir(value) if not each.startswith("_")]
            raise ScenarioError(unknown_name_message(f"attribute of {walked}", part, names))
        value, walked = getattr(value, part), f"{walked}.{part}"
    return called(value, walked) if callable(value) else value


def called(factory: Callable[[], Any], name: str) -> Any:
    """What a function without arguments returns; raises ``ScenarioError`` where it raises."""
    try:
        return factory()
    except Exception as error:
        raise ScenarioError(f"{name}() raised {told(error)}") from error


def imported(name: str) -> ModuleType:
    """A module, by name or by file.

    Raises:
        ScenarioError: it does not import; its own error, in a line, with its file and line.
    """
    path = Path(name)
    if path.suffix == ".py":
        if not path.is_file():
            raise ScenarioError(f"{name}: no such file")
        name, folder = _name_of_file(path.resolve())
        use_path([str(folder)])
    modules.ADOPTED.add(name.partition(".")[0])
    try:
        if path.suffix == ".py":
            return _import_file(name, path.resolve())
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is not None and (name == error.name or name.startswith(f"{error.name}.")):
            looked = ", ".join(folder for folder in sys.path[:2] if Path(folder).is_dir())
            raise ScenarioError(
                f"there is no module {error.name!r} in {looked} or among the "
                "installed packages; run in its folder, or give the folder with --path"
            ) from None
        raise ScenarioError(f"{name}: does not import: {told(error)}") from error
    except (Exception, SystemExit) as error:
        raise ScenarioError(f"{name}: does not import: {told(error)}") from error


def _name_of_file(file: Path) -> tuple[str, Path]:
    """What a file is called as a module, with its packages, and the folder it is found in."""
    name, folder = file.stem, file.parent
    while (folder / "__init__.py").is_file():
        name, folder = f"{folder.name}.{name}", folder.parent
    return name, folder


def _import_file(name: str, file: Path) -> ModuleType:
    """The module of a file, whatever else has its name."""
    known = sys.modules.get(name)
    if known is None or Path(getattr(known, "__file__", None) or "/").resolve() == file:
        module = importlib.import_module(name)
        if Path(getattr(module, "__file__", None) or "/").resolve() == file:
            return module
    # Something else is found by this name first: a module of Python's, say.
    spec = importlib.util.spec_from_file_location(f"_{name}", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    modules.ADOPTED.add(spec.name)
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[spec.name]
        raise
    return module


def use_path(folders: Sequence[str]) -> None:
    """Find modules in these folders before all others, as Python does in a script's."""
    for folder in reversed(folders):
        if folder not in sys.path:
            sys.path.insert(0, folder)
    importlib.invalidate_caches()


def parameters_of(function: Any) -> list[str]:
    """Names of a callable's parameters; none where nobody can tell."""
    python = plain(function)
    called_ = python.call if kerases.is_layer(python) else python
    try:
        return list(inspect.signature(called_).parameters)
    except (TypeError, ValueError):
        return []


def _may_be_factory(value: Any) -> bool:
    """Whether the attribute can be called without arguments, and is not what it would make."""
    if isinstance(value, tf.Module) or kerases.is_layer(value) or not callable(value):
        return False
    if isinstance(value, tf.types.experimental.PolymorphicFunction):
        return False
    return _needs_nothing(value)


def _takes_nothing(value: Any) -> bool:
    try:
        return not inspect.signature(value).parameters
    except (TypeError, ValueError):
        return False


def _needs_nothing(value: Any) -> bool:
    try:
        inspect.signature(value).bind()
    except (TypeError, ValueError):
        return False
    return True
