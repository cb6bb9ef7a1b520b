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

from eager_vs_graph.child.explain import python_state
from eager_vs_graph.scenario import Scenario

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


class _File:
    """A file of the author's."""

    def __init__(self, path: Path) -> None:
        self.path = path
        # What was typed into a notebook has no file.
        self.text = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
        self.tree = ast.parse("\n".join(self.text))

    def place(self, number: int) -> str:
        """A line as evidence."""
        return f"{self.path.name}:{number}: {self.text[number - 1].strip()}"


class Source:
    """The file of a scenario, those beside it that it imports, and what its step reaches there."""

    def __init__(self, scenario: type[Scenario]) -> None:
        self.module = python_state.module_of(scenario)
        self.file = Path(scenario.source_file())
        helpers = [each.__file__ for each in python_state.helpers_of(self.module)]
        self._files = [_File(Path(path)) for path in (self.file, *helpers) if path]
        # Of adopted code nobody calls anything `step`: all of the user's file counts as reached.
        self._all = scenario.source_file() != inspect.getfile(scenario)
        self._others = {
            name
            for name, value in vars(self.module).items()
            if inspect.isclass(value)
            and issubclass(value, Scenario)
            and value not in scenario.__mro__
        }
        self.lines = [
            line for file, function in self._reached() for line in self._lines(file, function)
        ]

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
        return [
            Line(CALLS, node.lineno, function, "", file.place(node.lineno))
            for file in self._files
            for node in ast.walk(file.tree)
            if isinstance(node, ast.Call) and _dotted(node.func).rpartition(".")[2] == function
        ]

    def place(self, number: int) -> str:
        """A line of the scenario's file as evidence."""
        return self._files[0].place(number)

    def _reached(self) -> Iterator[tuple[_File, _FUNCTION]]:
        """``step`` and every function of the files whose name one of these mentions.

        A class that build or step mentions is reached with all its methods. Other scenarios of the
        file are not.
        """
        by_name: dict[str, list[tuple[_File, ast.FunctionDef]]] = {}
        classes: dict[str, list[str]] = {}
        for file in self._files:
            for owner, node in _functions(file.tree):
                if owner in self._others and file is self._files[0]:
                    continue
                by_name.setdefault(node.name, []).append((file, node))
                classes.setdefault(owner, []).append(node.name)
        builds = by_name.get("build", [])
        for file, build in builds:
            # What build hands to attributes may be a function that step calls.
            for inner in ast.walk(build):
                if isinstance(inner, _FUNCTION) and inner is not build:
                    yield file, inner
        own = [node.name for _, node in _functions(self._files[0].tree)]
        waiting, seen = own if self._all else ["step"], set[str]()
        waiting += [
            name for _file, build in builds for name in _mentioned(build) if name in classes
        ]
        while waiting:
            name = waiting.pop()
            if name in seen:
                continue
            seen.add(name)
            waiting += [each for each in classes.get(name, []) if each not in ("__init__", "build")]
            for file, function in by_name.get(name, []):
                yield file, function
                waiting += _mentioned(function)

    def _lines(self, file: _File, function: _FUNCTION) -> Iterator[Line]:
        name = getattr(function, "name", "<lambda>")
        for node in ast.walk(function):
            for kind, subject in self._findings(node):
                number = getattr(node, "lineno", function.lineno)
                yield Line(kind, number, subject, name, file.place(number))
        if isinstance(function, ast.FunctionDef) and name != "step":
            return
        for node in ast.walk(function):
            if isinstance(node, ast.FunctionDef) and any(
                _dotted(each.func if isinstance(each, ast.Call) else each).endswith(".function")
                for each in node.decorator_list
            ):
                yield Line(MAKES_FUNCTION, node.lineno, node.name, name, file.place(node.lineno))

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
        elif self._is_generators(dotted) or (dotted.startswith("self.") and dotted.count(".") > 1):
            # A method of an attribute may change it, as a random generator's do.
            yield WRITES, dotted.rpartition(".")[0]

    def _is_generators(self, dotted: str) -> bool:
        """Whether a method of a random generator is called, which the module holds."""
        return isinstance(self._value_of(dotted), python_state.GENERATORS) and "." in dotted

    def _is_numpy_random(self, dotted: str) -> bool:
        return self._module_of(dotted) == "numpy" and ".random." in f"{dotted}."

    def _module_of(self, dotted: str) -> str:
        """The top package of what a dotted name begins with, as the author imported it."""
        value = self._value_of(dotted)
        name = value.__name__ if inspect.ismodule(value) else getattr(value, "__module__", "")
        return str(name or "").partition(".")[0]

    def _value_of(self, dotted: str) -> Any:
        """What the first part of a dotted name stands for in the author's modules."""
        first = dotted.partition(".")[0]
        modules = [self.module, *python_state.helpers_of(self.module)]
        return next((vars(each)[first] for each in modules if first in vars(each)), None)


def _functions(tree: ast.Module) -> Iterator[tuple[str, ast.FunctionDef]]:
    """Every function of a file with the class that it belongs to, if any."""
    of_class = {
        id(node): owner.name
        for owner in ast.walk(tree)
        if isinstance(owner, ast.ClassDef)
        for node in ast.walk(owner)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            yield of_class.get(id(node), ""), node


def _mentioned(function: ast.AST) -> list[str]:
    """The names and attributes that a function mentions."""
    return [
        node.attr if isinstance(node, ast.Attribute) else node.id
        for node in ast.walk(function)
        if isinstance(node, ast.Attribute | ast.Name)
    ]


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
