"""What the author's source says about lines that a trace runs once: read, never executed.

The source only tells *where*; *whether* a line matters is for experiments to show.
"""

from __future__ import annotations

import ast
import builtins
import inspect
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.explain import python_state
from harness.scenario import Scenario

_MUTATORS = {
    "append", "appendleft", "extend", "insert", "add", "update", "pop", "popleft", "popitem",
    "remove", "discard", "clear", "setdefault", "sort", "reverse", "shuffle",
}  # fmt: skip
_IMPURE_MODULES = {"random", "time", "datetime", "uuid", "secrets", "os"}
_IMPURE_BUILTINS = {"next", "input", "open", "id"}
_MODE_QUESTIONS = {"executing_eagerly", "inside_function", "executing_eagerly_outside_functions"}
_FUNCTION = ast.FunctionDef | ast.Lambda

WRITES = "writes"
IMPURE = "impure"
MODE = "mode"
SHAPE = "shape"
MAKES_FUNCTION = "function"
CALLS = "calls"


@dataclass(frozen=True)
class Line:
    """A line of the author's file that an experiment may turn out to be about."""

    kind: str
    number: int
    subject: str
    """What is written (``self.calls``), called (``time.time``) or asked for its shape (``x``)."""
    function: str
    place: str
    """``file.py:12: the line``."""


class Source:
    """The file of a scenario, and the functions in it that its step reaches."""

    def __init__(self, scenario: type[Scenario]) -> None:
        self.module = python_state.module_of(scenario)
        self.file = Path(inspect.getfile(scenario))
        self._text = self.file.read_text(encoding="utf-8").splitlines()
        self._tree = ast.parse("\n".join(self._text))
        self.lines = [line for function in self._reached() for line in self._lines(function)]

    def of_kind(self, kind: str) -> list[Line]:
        """The lines of a kind, in order."""
        return [line for line in self.lines if line.kind == kind]

    def writing(self, item: str) -> list[Line]:
        """The lines that may change an item of Python state (see ``python_state``)."""
        if item in ("np.random", "random"):
            module = "numpy" if item == "np.random" else "random"
            return [
                line for line in self.of_kind(IMPURE) if self._module_of(line.subject) == module
            ]
        name = item.partition(" (of ")[0]
        bare = name.rpartition(".")[2]
        writing = [*self.of_kind(WRITES), *self.of_kind(IMPURE)]
        exact = [line for line in writing if line.subject == name]
        inside = [line for line in writing if line.subject.startswith((f"{name}.", f"{name}["))]
        return exact or inside or [x for x in writing if x.subject.rpartition(".")[2] == bare]

    def calling(self, function: str) -> list[Line]:
        """The lines of reached functions that call a function of this name."""
        found = []
        for node in ast.walk(self._tree):
            if isinstance(node, ast.Call) and _dotted(node.func).rpartition(".")[2] == function:
                found.append(Line(CALLS, node.lineno, function, "", self.place(node.lineno)))
        return found

    def place(self, number: int) -> str:
        """A line as evidence."""
        return f"{self.file.name}:{number}: {self._text[number - 1].strip()}"

    def _reached(self) -> Iterator[_FUNCTION]:
        """``step`` and every function of the file whose name one of these mentions."""
        by_name: dict[str, list[ast.FunctionDef]] = {}
        for node in ast.walk(self._tree):
            if isinstance(node, ast.FunctionDef):
                by_name.setdefault(node.name, []).append(node)
        waiting, seen = ["step"], set[str]()
        # What build hands to attributes may be a function that step calls.
        lambdas = [
            node
            for build in by_name.get("build", [])
            for node in ast.walk(build)
            if isinstance(node, ast.Lambda)
            or (isinstance(node, ast.FunctionDef) and node is not build)
        ]
        yield from lambdas
        while waiting:
            name = waiting.pop()
            if name in seen:
                continue
            seen.add(name)
            for function in by_name.get(name, []):
                yield function
                for node in ast.walk(function):
                    if isinstance(node, ast.Attribute):
                        waiting.append(node.attr)
                    elif isinstance(node, ast.Name):
                        waiting.append(node.id)

    def _lines(self, function: _FUNCTION) -> Iterator[Line]:
        name = getattr(function, "name", "<lambda>")
        for node in ast.walk(function):
            for kind, subject in self._findings(node):
                number = getattr(node, "lineno", function.lineno)
                yield Line(kind, number, subject, name, self.place(number))
        if isinstance(function, ast.FunctionDef) and name != "step":
            return
        for node in ast.walk(function):
            if isinstance(node, ast.FunctionDef) and any(
                _dotted(each.func if isinstance(each, ast.Call) else each).endswith(".function")
                for each in node.decorator_list
            ):
                yield Line(MAKES_FUNCTION, node.lineno, node.name, name, self.place(node.lineno))

    def _findings(self, node: ast.AST) -> Iterator[tuple[str, str]]:
        match node:
            case ast.AugAssign(target=target):
                yield WRITES, _dotted(target)
            case ast.Assign(targets=targets):
                for each in targets:
                    if isinstance(each, ast.Attribute | ast.Subscript):
                        yield WRITES, _dotted(each)
            case ast.Global(names=names) | ast.Nonlocal(names=names):
                for name in names:
                    yield WRITES, name
            case ast.Call(func=func):
                yield from self._call(node, func)
            case ast.Attribute(attr="shape", value=value):
                yield SHAPE, _dotted(value)

    def _call(self, node: ast.Call, func: ast.expr) -> Iterator[tuple[str, str]]:
        dotted = _dotted(func)
        last = dotted.rpartition(".")[2]
        if isinstance(func, ast.Attribute) and last in _MUTATORS:
            yield WRITES, dotted.rpartition(".")[0]
        if last in _MODE_QUESTIONS:
            yield MODE, dotted
        elif last == "function" and self._module_of(dotted) == "tensorflow":
            yield MAKES_FUNCTION, dotted
        elif dotted in _IMPURE_BUILTINS and hasattr(builtins, dotted):
            yield IMPURE, _dotted(node.args[0]) if node.args else dotted
        elif self._module_of(dotted) in _IMPURE_MODULES or self._is_numpy_random(dotted):
            yield IMPURE, dotted
        elif last == "len" and node.args:
            yield SHAPE, _dotted(node.args[0])
        elif last == "get_shape":
            yield SHAPE, dotted.rpartition(".")[0]
        elif dotted.startswith("self.") and dotted.count(".") > 1:
            # A method of an attribute may change it, as a random generator's do.
            yield WRITES, dotted.rpartition(".")[0]

    def _is_numpy_random(self, dotted: str) -> bool:
        return self._module_of(dotted) == "numpy" and ".random." in f"{dotted}."

    def _module_of(self, dotted: str) -> str:
        """The top package of what a dotted name begins with, as the author imported it."""
        value: Any = getattr(self.module, dotted.partition(".")[0], None)
        name = value.__name__ if inspect.ismodule(value) else getattr(value, "__module__", "")
        return str(name or "").partition(".")[0]


def _dotted(node: ast.AST) -> str:
    """``self.log`` for the expression of that name, with subscripts left out."""
    match node:
        case ast.Name(id=name):
            return name
        case ast.Attribute(value=value, attr=name):
            return f"{_dotted(value)}.{name}"
        case ast.Subscript(value=value) | ast.Starred(value=value):
            return _dotted(value)
        case ast.Call(func=func):
            return _dotted(func)
        case _:
            return ""
