"""Reads and writes the files of a record: types are checked at the door, and nowhere after it.

What a newer version added to a file is left out. What does not fit names the file and the field.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from eager_vs_graph.errors import UsageError
from eager_vs_graph.results import files

T = TypeVar("T")

SCHEMA = 4
"""1: the first. 2: ``curves`` in a cell's parity, ``about_modes`` in the request. 3: ``status`` and
``reference`` were ``word`` and ``oracle`` before. 4: the rounds are in a file of their own format,
see ``results/rounds.py``."""

_RENAMED = {
    "word": "status",
    "oracle": "reference",
    "against_oracle": "against_reference",
    "no_oracle": "no_reference",
}
"""Names of fields that changed in schema 3."""


class _Head(msgspec.Struct):
    schema: int = 1


def read(path: Path, kind: type[T], *, schema: bool = True) -> T:
    """Read a file of the record.

    Args:
        path: the file.
        kind: a dataclass, or another type that msgspec knows.
        schema: whether the file has a schema of ours; pytest-benchmark's files have none.

    Raises:
        UsageError: the file is missing, is no JSON, has a newer schema, or a field of another type;
            in one line that names the file and the field.
    """
    try:
        content = files.read(path)
    except FileNotFoundError:
        raise UsageError(f"{path}: no such file; is this the folder of a run?") from None
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from None
    try:
        if not schema:
            return msgspec.json.decode(content, type=kind)
        found = msgspec.json.decode(content, type=_Head).schema
        if found < SCHEMA:
            return msgspec.convert(_upgraded(json.loads(content)), kind)
        if found == SCHEMA:
            return msgspec.json.decode(content, type=kind)
    except (msgspec.MsgspecError, RecursionError, ValueError) as error:
        reason = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise UsageError(
            f"{path}: damaged: {reason}; delete the file to report the rest of the run"
        ) from None
    raise UsageError(
        f"{path}: has schema {found}, but this version reads schemas up to {SCHEMA}; use the "
        "version of eager-vs-graph that made the run"
    )


def write_json(path: Path, content: Any, *, within: Path | None = None) -> None:
    """Write a file whole or not at all, and never through a link: see ``files.write``.

    Args:
        path: the file.
        content: dataclasses, dicts, lists, numbers and text; what is not finite becomes null.
        within: the folder whose links are not followed, default: the file's own.

    Raises:
        UsageError: the file cannot be written.
    """
    try:
        encoded = msgspec.json.encode(content, enc_hook=_plain)
    except UnicodeEncodeError:  # a message or the name of a file that is no text
        encoded = msgspec.json.encode(_as_text(msgspec.to_builtins(content, enc_hook=_plain)))
    folder = path.parent if within is None else within
    name = path.relative_to(folder).as_posix()
    files.write(folder, name, msgspec.json.format(encoded, indent=1) + b"\n")


def _plain(value: Any) -> Any:
    """A NumPy number as Python's, a path as text."""
    return value.item() if hasattr(value, "item") else str(value)


def _as_text(value: Any) -> Any:
    """Plain content whose every text is text in UTF-8; a question mark stands for what is none."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, list):
        return [_as_text(each) for each in value]
    if isinstance(value, dict):
        return {_as_text(name): _as_text(each) for name, each in value.items()}
    return value


def _upgraded(content: Any) -> Any:
    """Content of an older schema in the names of this one."""
    if isinstance(content, list):
        return [_upgraded(each) for each in content]
    if not isinstance(content, dict):
        return content
    upgraded = {_RENAMED.get(name, name): _upgraded(value) for name, value in content.items()}
    if upgraded.get("against") == "oracle":
        upgraded["against"] = "reference"
    return upgraded
