"""The catalogue's entries for what a user points at. Free of TensorFlow."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from eager_vs_graph.catalog.entry import Entry
from eager_vs_graph.catalog.target import CALL, FIT, FORWARD, PREDICT, TRAIN_STEP, Target
from eager_vs_graph.errors import UsageError

DEFAULT_SIZE = "given"
"""The one size of what is adopted: the arguments that were given."""


def entries_of(
    reference: str,
    *,
    arguments: Sequence[str] = (),
    train: bool = False,
    batch: int = 32,
    label: str = "",
    loss: str = "",
    optimizer: str = "",
    path: Sequence[str] = (),
    imports: Sequence[str] = (),
) -> list[Entry]:
    """One entry for each part of the target that is to be run.

    What the target is, only its module can tell, which imports TensorFlow: a part that a target may
    not have is optional, and left out by the process that finds it missing.

    Args:
        reference: see ``Target``.
        arguments: see ``eager_vs_graph.child.adopt.arguments``.
        train: whether a Keras model is to be trained, too.
        batch: see ``Target``, as for the rest.
        label: the labels.
        loss: the loss.
        optimizer: the optimizer.
        path: folders that modules are found in.
        imports: modules with the classes that a ``.keras`` file refers to.

    Raises:
        UsageError: the reference is neither a file that exists nor MODULE:ATTRIBUTE, or the file of
            FILE.py:ATTRIBUTE does not exist.
    """
    file = Path(reference)
    is_file = file.suffix in (".keras", ".h5") or file.is_dir() or file.is_file()
    if is_file and not file.exists():
        raise UsageError(f"{reference}: no such file")
    module, colon, attribute = reference.rpartition(":")
    if not is_file and not (colon and module and attribute):
        raise UsageError(
            f"{reference!r} should be MODULE:FUNCTION (such as mymodule:train_step), FILE.py:"
            "FUNCTION, or a .keras file"
        )
    if not is_file and module.endswith(".py") and not Path(module).is_file():
        raise UsageError(f"{module}: no such file")
    base = identifier(file.stem if is_file else attribute)
    settled = is_file or train
    parts = [(FORWARD if settled else CALL, f"{base}_forward" if settled else base)]
    parts += [(TRAIN_STEP, f"{base}_train_step")] * train
    parts += [(PREDICT, f"{base}_predict")] + [(FIT, f"{base}_fit")] * train
    where = str(file.resolve()) if is_file else reference
    return [
        Entry(
            name=name,
            summary=f"{part.replace('_', ' ')} of {reference}" if part != CALL else reference,
            sizes={DEFAULT_SIZE: ", ".join(arguments)},
            file=file.resolve() if is_file else _module_file(module, path),
            class_name=attribute or file.name,
            default_sizes=[DEFAULT_SIZE],
            target=Target(
                reference=where,
                part=part,
                optional=not settled and part != CALL,
                path=list(path),
                arguments=list(arguments),
                batch=batch,
                label=label,
                loss=loss,
                optimizer=optimizer,
                imports=list(imports),
            ),
        )
        for part, name in parts
    ]


def _module_file(module: str, path: Sequence[str]) -> Path:
    """The module's file, where it can be told without importing anything; for messages."""
    if module.endswith(".py"):
        return Path(module).resolve()
    relative = Path(*module.split("."))
    for folder in path:
        for file in (relative.with_suffix(".py"), relative / "__init__.py"):
            if (found := Path(folder) / file).is_file():
                return found
    return relative.with_suffix(".py")


def identifier(text: str) -> str:
    """A scenario's name: a-z, 0-9 and _."""
    kept = "abcdefghijklmnopqrstuvwxyz0123456789"
    name = "".join(each if each in kept else "_" for each in text.lower())
    return name.strip("_") or "function"
