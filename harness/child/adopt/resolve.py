"""From the words of a target to the object they mean, and to a scenario of it."""

from __future__ import annotations

import contextlib
import importlib
import inspect
import pickle
import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import keras
import tensorflow as tf

from eager_vs_graph.catalog.target import MODEL_PARTS, Target
from eager_vs_graph.child.adopt import copying, model, saved_model
from eager_vs_graph.child.adopt.arguments import Arguments, calls
from eager_vs_graph.child.adopt.function import Adopted, scenario_of
from eager_vs_graph.errors import PartNotFound, ScenarioError, one_line
from eager_vs_graph.results.cells import unknown_name_message
from eager_vs_graph.scenario import SEED


def scenario(target: Target, name: str) -> type[Adopted]:
    """The scenario of a target; see ``eager_vs_graph.child.adopt.adopt``."""
    use_path(target.path)
    # A factory's random initial values are the same in every process.
    tf.keras.utils.set_random_seed(SEED)
    if target.payload:
        function, args, kwargs = unpacked(Path(target.payload))
        given = [Arguments(list(args), dict(kwargs))]
    elif Path(target.reference).is_dir():
        return saved_model.scenario_of_folder(target, name)
    else:
        function = found(target.reference, given=len(target.arguments))
        given = calls(target.arguments, made_by, parameters_of(function))
    is_model = isinstance(function, keras.Model)
    if target.part in MODEL_PARTS and not is_model:
        if target.optional:
            raise PartNotFound(target.part)
        raise ScenarioError(
            f"{target.reference} gives {_kind(function)}, but --train and {target.part} need a "
            "Keras model"
        )
    if is_model:
        adopted = model.scenario_of_part(function, target, name, given)
    else:
        first, *more = given
        adopted = scenario_of(
            function,
            first.args,
            first.kwargs,
            name=name,
            feeds=[(each.args, each.kwargs) for each in more],
        )
    return adopted


def found(reference: str, *, given: int = 0) -> Any:
    """The object of a reference, or what the factory makes that it names.

    Args:
        reference: see ``Target``.
        given: how many arguments it is to be called with.

    Raises:
        ScenarioError: there is no such module, file or attribute, or the factory raises.
    """
    path = Path(reference)
    if path.suffix == ".keras":
        return model.loaded(path)
    module_name, colon, attribute = reference.rpartition(":")
    if not colon or not module_name or not attribute:
        raise ScenarioError(
            f"{reference!r} should be MODULE:FUNCTION (such as mymodule:train_step), FILE.py:"
            "FUNCTION, a .keras file or the folder of a SavedModel"
        )
    module = imported(module_name)
    value: Any = module
    walked = module.__name__
    for part in attribute.split("."):
        if inspect.isfunction(value) or (inspect.isclass(value) and _needs_nothing(value)):
            value = called(value, walked)
        _owners.append(value)
        if not hasattr(value, part):
            names = [each for each in dir(value) if not each.startswith("_")]
            raise ScenarioError(
                unknown_name_message(f"attribute of {walked}", part, names).replace(
                    "choose from", "it has"
                )
            )
        value, walked = getattr(value, part), f"{walked}.{part}"
    if _may_be_factory(value):
        with (
            contextlib.suppress(ScenarioError)
            if given and not _takes_nothing(value)
            else (contextlib.nullcontext())
        ):
            product = called(value, walked)
            if callable(product) and not isinstance(product, tf.Tensor | tf.Variable):
                return product
            if given and _takes_nothing(value):
                raise ScenarioError(
                    f"{walked} takes no arguments but was given {given}, and what it returns "
                    f"({_kind(product)}) is no function either"
                )
    return value


_owners: list[Any] = []
"""What attributes were taken of: a traced method holds its instance by a weak reference only."""


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
        use_path([str(path.resolve().parent)])
        name = path.stem
    copying.ADOPTED.add(name.partition(".")[0])
    try:
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


def use_path(folders: Sequence[str]) -> None:
    """Find modules in these folders before all others, as Python does in a script's."""
    for folder in reversed(folders):
        if folder not in sys.path:
            sys.path.insert(0, folder)
    importlib.invalidate_caches()


def unpacked(file: Path) -> tuple[Any, Sequence[Any], dict[str, Any]]:
    """The function and arguments of which another process took a ``Snapshot``.

    Raises:
        ScenarioError: they cannot be put together here.
    """
    try:
        snapshot: copying.Snapshot = pickle.loads(file.read_bytes())  # noqa: S301 - the user's own
        content: tuple[Any, Sequence[Any], dict[str, Any]] = snapshot.copy().value
    except Exception as error:
        raise ScenarioError(
            f"the function that was given cannot be put together in a process of its own: "
            f"{told(error)}"
        ) from error
    return content


def parameters_of(function: Any) -> list[str]:
    """Names of a callable's parameters; none where nobody can tell."""
    python = copying.plain(function)
    called_ = python.call if isinstance(python, keras.Layer) else python
    try:
        return list(inspect.signature(called_).parameters)
    except (TypeError, ValueError):
        return []


def told(error: BaseException) -> str:
    """An exception in a line, with the place of the user's that raised it."""
    line = one_line(error)
    if isinstance(error, SyntaxError):
        return f"SyntaxError: {error.msg} ({error.filename}:{error.lineno})"
    frames = traceback.extract_tb(error.__traceback__)
    own = [f for f in frames if "site-packages" not in f.filename and not _is_ours(f.filename)]
    place = f" ({own[-1].filename}:{own[-1].lineno})" if own else ""
    return f"{type(error).__name__}: {line}{place}"


def _is_ours(file: str) -> bool:
    return Path(file).is_relative_to(Path(__file__).parents[2]) or file.startswith("<frozen")


def _may_be_factory(value: Any) -> bool:
    """Whether the attribute can be called without arguments, and is not what it would make."""
    if isinstance(value, keras.Layer | tf.Module) or not callable(value):
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


def _kind(value: Any) -> str:
    return f"a {type(value).__name__}"
