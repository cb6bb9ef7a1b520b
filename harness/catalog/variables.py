"""Environment variables that a module sets before it imports TensorFlow. Free of TensorFlow.

``TF_USE_LEGACY_KERAS``, ``XLA_FLAGS``, ``TF_ENABLE_ONEDNN_OPTS`` and their like are read when
TensorFlow or Keras is imported. A script sets them in its first lines; a process of the harness has
imported TensorFlow before it comes to the script, so it gets them when it starts.
"""

from __future__ import annotations

import ast
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from eager_vs_graph.catalog.entry import Entry

_FRAMEWORKS = {"tensorflow", "keras", "tf_keras"}


def variables_of(entries: Iterable[Entry]) -> dict[str, str]:
    """What the modules of some entries set at their top, by name."""
    files = dict.fromkeys(entry.file for entry in entries if entry.file.suffix == ".py")
    found: dict[str, str] = {}
    for file in files:
        found |= variables_in(file, {**os.environ, **found})
    return found


def variables_in(file: Path, before: dict[str, str]) -> dict[str, str]:
    """What a module sets at its top, before anything of TensorFlow is imported.

    Only constant texts are seen, in statements such as ``os.environ["NAME"] = "text"`` and
    ``os.environ.setdefault("NAME", "text")``.

    Args:
        file: the module; nothing is found in one that cannot be read.
        before: the variables that are set already.
    """
    try:
        tree = ast.parse(file.read_bytes())
    except (OSError, SyntaxError, ValueError):
        return {}
    found: dict[str, str] = {}
    for statement in tree.body:
        if not _FRAMEWORKS.isdisjoint(_imported(statement)):
            break
        for name, text, is_default in _set_by(statement):
            if not (is_default and name in {**before, **found}):
                found[name] = text
    return found


def _imported(statement: ast.stmt) -> set[str]:
    """The packages that a statement imports."""
    if isinstance(statement, ast.Import):
        return {each.name.partition(".")[0] for each in statement.names}
    if isinstance(statement, ast.ImportFrom) and statement.module:
        return {statement.module.partition(".")[0]}
    return set()


def _set_by(statement: ast.stmt) -> Iterator[tuple[str, str, bool]]:
    """Name and text that a statement sets, and whether only where there is none."""
    match statement:
        case ast.Assign(
            targets=[ast.Subscript(value=place, slice=ast.Constant(value=str(name)))],
            value=ast.Constant(value=str(text)),
        ) if _is_environment(place):
            yield name, text, False
        case ast.Expr(
            value=ast.Call(
                func=ast.Attribute(value=place, attr="setdefault"),
                args=[ast.Constant(value=str(name)), ast.Constant(value=str(text))],
            )
        ) if _is_environment(place):
            yield name, text, True


def _is_environment(place: ast.expr) -> bool:
    """Whether an expression is ``os.environ``, or ``environ``."""
    return ast.unparse(place) in ("os.environ", "environ")
