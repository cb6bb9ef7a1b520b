"""Writes a minimal script that shows a disagreement by itself: TensorFlow and NumPy only.

The script (``templates/script.py.j2``) has the scenario's own ``build`` and ``step`` with what they
need of their file, the inputs as numbers (or the scenario's ``inputs`` and the seed, where they are
many), the mode's ``run_mode`` and the reference's value. It prints both values of the worst element
and ends with code 0 when they differ.
"""

from __future__ import annotations

import ast
import inspect
import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from types import FunctionType
from typing import TYPE_CHECKING, Any

import jinja2
import numpy as np

from eager_vs_graph.child.explain import reproduce_adopted
from eager_vs_graph.child.explain.author_source import AuthorSource, bound_names, unannotated
from eager_vs_graph.modes import BASELINE, MODES
from eager_vs_graph.modes.script_parts import take_steps
from eager_vs_graph.modes.variables import code_of_variables
from eager_vs_graph.results.cells import Cell
from eager_vs_graph.results.explanation import GRAPPLER, TRACE_TIME, Explanation
from eager_vs_graph.results.record import TensorComparison
from eager_vs_graph.results.scripts import shown
from eager_vs_graph.scenario import SEED, Feed

if TYPE_CHECKING:
    from eager_vs_graph.child.parity.check import Subject

_IMPORTS = ("import numpy as np", "import tensorflow as tf")
"""Imports that every script has."""
_MODES = "eager_vs_graph.modes."
_FEW = 200
"""Elements of inputs that are written as numbers."""


def script(subject: Subject, explanation: Explanation) -> str:
    """The script, without its head, for the worst tensor of an explanation.

    Raises:
        ValueError: nothing differs that a script can show, or the mode is not one that a script can
            run, or the author's code cannot stand in a script.
    """
    cell = Cell.parse(explanation.cell)
    run_mode = getattr(MODES[cell.mode].module(), "run_mode", None)
    if run_mode is None:
        able = [mode.name for mode in MODES.values() if hasattr(mode.module(), "run_mode")]
        raise ValueError(
            f"{explanation.cell}: mode {cell.mode} cannot be reproduced in a script; "
            f"{', '.join(able)} can"
        )
    if not explanation.tensors:
        raise ValueError(f"{explanation.cell}: nothing differs, so there is nothing to reproduce")
    tensor = shown(explanation)
    if tensor.kind not in ("output", "variable"):
        raise ValueError(f"{explanation.cell}: {tensor.tensor} is in a file, not in the script")
    few = sum(array.size for feed in subject.feeds for array in feed.values()) <= _FEW
    judged = [each.reference for each in explanation.judgements if each.tensor == tensor.tensor]
    reference = judged[0] if judged else None
    without = _grappler_pass(explanation, tensor) if cell.mode != BASELINE else ""
    if (way := getattr(subject.scenario, "way", None)) is not None:
        feeds = [list(feed.values()) for feed in subject.feeds]
        literals = [f"[{', '.join(map(_literal, feed))}]" for feed in feeds] if few else None
        return _template("adopted").render(
            reproduce_adopted.variables(way(), cell, tensor, feeds, literals),
            steps=subject.scenario.parity_steps,
            reference=reference,
            without=without,
        )
    source = AuthorSource(subject.scenario, with_inputs=not few)
    definitions = list(source.definitions())
    size = subject.scenario.sizes[subject.size]
    text = _template("script").render(
        imports=[line for line in source.imports() if line not in _IMPORTS],
        modules=source.modules(),
        definitions=definitions,
        scenario=source.name,
        seed=SEED,
        size=", ".join(f"{key}={value!r}" for key, value in size.items()),
        steps=subject.scenario.parity_steps,
        feeds=_literals(subject.feeds) if few else None,
        variables=_variables(subject, cell),
        functions=_texts(take_steps, run_mode),
        python_state=_changes_python_state(explanation, tensor),
        mode="eager again" if cell.mode == BASELINE else cell.mode,
        tensor=tensor.tensor,
        kind=tensor.kind,
        step=tensor.worst_step or 0,
        index=tuple(tensor.worst_index or ()),
        reference=reference,
        without=without,
    )
    _require_no_clash(text, definitions)
    return text


def _template(name: str) -> jinja2.Template:
    environment = jinja2.Environment(  # noqa: S701 - Python, not HTML
        loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["code"] = partial(json.dumps, ensure_ascii=False)
    return environment.get_template(f"{name}.py.j2")


def _literals(feeds: Sequence[Feed]) -> list[str]:
    """Feeds as Python."""
    rows = []
    for feed in feeds:
        items = (f"{name!r}: {_literal(array)}" for name, array in feed.items())
        rows.append(f"{{{', '.join(items)}}}")
    return rows


def _literal(array: Any) -> str:
    array = np.asarray(array)
    if array.dtype.kind in "OSU":
        return f"np.array({array.tolist()!r})"
    values = repr(array.tolist()).replace("nan", "np.nan").replace("inf", "np.inf")
    return f"np.array({values}, np.dtype({array.dtype.name!r}))"


def _variables(subject: Subject, cell: Cell) -> dict[str, str]:
    program = subject.build(cell.in_mode(BASELINE))
    assert program.scenario is not None
    code = code_of_variables(program.scenario)
    program.close()
    return code


def _texts(*functions: Callable[..., Any]) -> list[str]:
    """The texts of functions of ``modes``, each after those of the functions that it calls."""
    texts: list[str] = []
    seen: set[object] = set()

    def add(function: Any) -> None:
        if function in seen:
            return
        seen.add(function)
        tree = unannotated(ast.parse(inspect.getsource(function)))
        for node in ast.walk(tree):
            if not isinstance(node, ast.Name) or node.id in function.__code__.co_varnames:
                continue
            called = function.__globals__.get(node.id)
            if isinstance(called, FunctionType) and called.__module__.startswith(_MODES):
                add(called)
        texts.append(ast.unparse(tree))

    for function in functions:
        add(function)
    return texts


def _changes_python_state(explanation: Explanation, tensor: TensorComparison) -> bool:
    """Whether a cause of the tensor is Python's state outside of the scenario's instance."""
    items = [
        item
        for cause in explanation.causes
        if cause.name == TRACE_TIME and tensor.tensor in cause.tensors
        for item in cause.what.split(", ")
    ]
    return any(not item.startswith(("self.", "np.random", "random")) for item in items)


def _grappler_pass(explanation: Explanation, tensor: TensorComparison) -> str:
    """The pass of Grappler's without which the tensor agrees; empty where there is not one."""
    for cause in explanation.causes:
        if cause.name == GRAPPLER and tensor.tensor in cause.tensors:
            name = cause.what.partition(",")[0]
            return "" if " " in name else name
    return ""


def _require_no_clash(text: str, definitions: Sequence[str]) -> None:
    """Check that the script defines nothing that the author's code has defined.

    Raises:
        ValueError: a name has both meanings.
    """
    authors = Counter(_names("\n".join(definitions)))
    others = Counter(_names(text)) - authors
    if clash := sorted(authors.keys() & others.keys()):
        raise ValueError(f"{clash[0]} of the author's file has the name of a part of the script")


def _names(text: str) -> Iterator[str]:
    for node in ast.parse(text).body:
        yield from bound_names(node)
