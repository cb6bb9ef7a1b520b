"""What the author's source says about lines that a trace runs once: read, never executed.

The source only tells *where*; *whether* a line matters is for experiments to show. What a name
stands for is read off the file's imports.
"""

from __future__ import annotations

import ast
import builtins
import inspect
import linecache
import sys
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from eager_vs_graph.scenario import Scenario

_MUTATORS = {
    "append", "appendleft", "extend", "insert", "add", "update", "pop", "popleft", "popitem",
    "remove", "discard", "clear", "setdefault", "sort", "reverse", "shuffle",
}  # fmt: skip
_IMPURE_MODULES = {"random", "time", "datetime", "uuid", "secrets", "os"}
_IMPURE_BUILTINS = {"next", "input", "open", "id"}
_MODE_QUESTIONS = {"executing_eagerly", "inside_function", "executing_eagerly_outside_functions"}
_FUNCTION = ast.FunctionDef | ast.Lambda
_GENERATORS = {"default_rng", "RandomState", "Generator", "Random", "SystemRandom"}
"""What makes a random generator of NumPy's or Python's."""

WRITES = "writes"
DECLARES = "declares"
IMPURE = "impure"
MODE = "mode"
SHAPE = "shape"
MAKES_FUNCTION = "function"
CALLS = "calls"
LOOP = "loop"
KEEPS = "keeps in a loop"


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
        # What was typed into a notebook has no file, but lines that Python keeps.
        self.text = [line.rstrip("\n") for line in linecache.getlines(str(path))]
        self.tree = ast.parse("\n".join(self.text))
        self.imports: dict[str, str] = {}
        """What names that are imported stand for: ``np`` for ``numpy``."""
        self.generators: set[str] = set()
        """Names that are given a random generator."""
        for node in ast.walk(self.tree):
            self._note(node)

    def place(self, number: int) -> str:
        """A line as evidence."""
        return f"{self.path.name}:{number}: {self.text[number - 1].strip()}"

    def full(self, dotted: str) -> str:
        """A dotted name with what its first part was imported as."""
        first, dot, rest = dotted.partition(".")
        return f"{self.imports.get(first, first)}{dot}{rest}"

    def _note(self, node: ast.AST) -> None:
        match node:
            case ast.Import(names=names):
                for each in names:
                    self.imports[each.asname or each.name.partition(".")[0]] = (
                        each.name if each.asname else each.name.partition(".")[0]
                    )
            case ast.ImportFrom(module=module, names=names) if module:
                for each in names:
                    self.imports[each.asname or each.name] = f"{module}.{each.name}"
            case ast.Assign(targets=targets, value=ast.Call(func=func)):
                called = self.full(_dotted(func))
                if called.rpartition(".")[2] in _GENERATORS and called.split(".")[0] in (
                    "numpy",
                    "random",
                ):
                    self.generators.update(map(_dotted, targets))


class Source:
    """The file of a scenario, those beside it that it imports, and what its step reaches there.

    Args:
        scenario: its class.
        reached: of adopted code, file and first line of the functions in reach of the step; with
            none, all of the user's file counts as reached.
    """

    def __init__(self, scenario: type[Scenario], reached: Collection[tuple[str, int]] = ()) -> None:
        self._functions = reached
        self.file = Path(scenario.source_file())
        first = _File(self.file)
        self._files = [first, *map(_File, _beside(first))]
        # Of adopted code nobody calls anything `step`.
        self._all = scenario.source_file() != inspect.getfile(scenario)
        self._others = {
            node.name
            for node in ast.walk(first.tree)
            if isinstance(node, ast.ClassDef)
            and node.name not in {klass.__name__ for klass in scenario.__mro__}
            and _is_scenario(node)
        }
        self.lines = [
            line for file, function in self._reached() for line in self._lines(file, function)
        ]

    @property
    def text(self) -> list[str]:
        """The lines of the scenario's file."""
        return self._files[0].text

    def of_kind(self, kind: str) -> list[Line]:
        """The lines of a kind, in order."""
        return [line for line in self.lines if line.kind == kind]

    def writing(self, item: str) -> list[Line]:
        """The lines that may change an item of Python state (see ``python_state``)."""
        if item in ("np.random", "random"):
            module = "numpy" if item == "np.random" else "random"
            return [
                line
                for line in self.of_kind(IMPURE)
                if any(file.full(line.subject).startswith(module) for file in self._files)
            ]
        if item == "os.environ":
            return [line for line in self.lines if "environ" in line.subject]
        name = item.partition(" (of ")[0]
        bare = name.rpartition(".")[2]
        writing = [*self.of_kind(WRITES), *self.of_kind(IMPURE)]
        # What begins an object is no change of it, unless nothing else is.
        writing = [each for each in writing if each.function != "__init__"] or writing
        writing += self.of_kind(DECLARES)
        exact = [line for line in writing if line.subject == name]
        exact = [line for line in exact if line.kind != DECLARES] or exact
        inside = [line for line in writing if line.subject.startswith((f"{name}.", f"{name}["))]
        found = exact or inside or [x for x in writing if x.subject.rpartition(".")[2] == bare]
        return found or self._written_anywhere(bare)

    def _written_anywhere(self, bare: str) -> list[Line]:
        """Lines that write an attribute of this name, in a function that was not seen in reach."""
        return [
            line
            for file in self._files
            for _owner, function in _functions(file.tree)
            if function.name != "__init__"
            for line in self._lines(file, function)
            if line.kind == WRITES and line.subject.rpartition(".")[2] == bare
        ]

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
        if self._all and self._functions:
            yield from self._known()
            return
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

    def _known(self) -> Iterator[tuple[_File, _FUNCTION]]:
        """The functions that are known to be in reach."""
        for file in self._files:
            for node in ast.walk(file.tree):
                if not isinstance(node, _FUNCTION):
                    continue
                decorators = getattr(node, "decorator_list", [])
                first = min([node.lineno, *(each.lineno for each in decorators)])
                if (str(file.path), first) in self._functions:
                    yield file, node

    def _lines(self, file: _File, function: _FUNCTION) -> Iterator[Line]:
        name = getattr(function, "name", "<lambda>")
        for node in ast.walk(function):
            for kind, subject in self._findings(file, node):
                number = getattr(node, "lineno", function.lineno)
                yield Line(kind, number, subject, name, file.place(number))
            if isinstance(node, ast.For | ast.While):
                for inner in ast.walk(node):
                    if isinstance(inner, _FUNCTION):
                        place = file.place(inner.lineno)
                        yield Line(LOOP, inner.lineno, "lambda", name, place)
                    elif isinstance(inner, ast.Call) and _last(inner.func) in _MUTATORS:
                        place = file.place(inner.lineno)
                        yield Line(KEEPS, inner.lineno, _dotted(inner.func), name, place)
        if isinstance(function, ast.FunctionDef) and name != "step":
            return
        for node in ast.walk(function):
            if isinstance(node, ast.FunctionDef) and any(
                _dotted(each.func if isinstance(each, ast.Call) else each).endswith(".function")
                for each in node.decorator_list
            ):
                yield Line(MAKES_FUNCTION, node.lineno, node.name, name, file.place(node.lineno))

    def _findings(self, file: _File, node: ast.AST) -> Iterator[tuple[str, str]]:
        match node:
            case ast.For() | ast.While():
                made = any(isinstance(each, _FUNCTION) for each in ast.walk(node))
                yield LOOP, "lambda" if made else ""
            case ast.AugAssign(target=target):
                yield WRITES, _dotted(target)
            case ast.Global(names=names) | ast.Nonlocal(names=names):
                for name in names:
                    yield DECLARES, name
            case ast.Assign(targets=targets):
                for each in targets:
                    yield WRITES, _dotted(each)
            case ast.Call(func=func):
                yield from self._call(file, node, func)
            case ast.Attribute(attr="shape", value=value):
                yield SHAPE, _dotted(value)

    def _call(self, file: _File, node: ast.Call, func: ast.expr) -> Iterator[tuple[str, str]]:
        dotted = _dotted(func)
        full = file.full(dotted)
        top, last = full.partition(".")[0], dotted.rpartition(".")[2]
        if isinstance(func, ast.Attribute) and last in _MUTATORS:
            yield WRITES, dotted.rpartition(".")[0]
        if last in _MODE_QUESTIONS:
            yield MODE, dotted
        elif last == "function" and top == "tensorflow":
            yield MAKES_FUNCTION, dotted
        elif dotted in _IMPURE_BUILTINS and hasattr(builtins, dotted):
            yield IMPURE, _dotted(node.args[0]) if node.args else dotted
        elif top in _IMPURE_MODULES or full.startswith("numpy.random"):
            yield IMPURE, dotted
        elif last == "len" and node.args:
            yield SHAPE, _dotted(node.args[0])
        elif last == "get_shape":
            yield SHAPE, dotted.rpartition(".")[0]
        elif dotted.rpartition(".")[0] in file.generators or (
            dotted.startswith("self.") and dotted.count(".") > 1
        ):
            # A method of an attribute may change it, as a random generator's do.
            yield WRITES, dotted.rpartition(".")[0]


def _beside(file: _File) -> list[Path]:
    """The files of modules that a file imports from its own folder."""
    found: dict[Path, None] = {}
    for name in file.imports.values():
        parts = name.split(".")
        for count in (len(parts), len(parts) - 1):
            module = sys.modules.get(".".join(parts[:count])) if count else None
            known = getattr(module, "__file__", None)
            path = Path(known) if known else file.path.parent.joinpath(*parts[:count])
            path = path if known else path.with_suffix(".py")
            if path.parent == file.path.parent and path.is_file() and path != file.path:
                found[path] = None
    return list(found)


def helpers_of(module: ModuleType) -> list[ModuleType]:
    """The modules beside the author's file that it imports, or imports functions from."""
    if (file := getattr(module, "__file__", None)) is None:
        return []
    folder = Path(file).parent
    found: dict[str, ModuleType] = {}
    for value in list(vars(module).values()):
        name = value.__name__ if isinstance(value, ModuleType) else None
        name = name or getattr(value, "__module__", None)
        helper = sys.modules.get(name) if isinstance(name, str) else None
        beside = helper is not None and Path(getattr(helper, "__file__", None) or "/").parent
        if helper is not None and helper is not module and beside == folder:
            found[helper.__name__] = helper
    return list(found.values())


def _is_scenario(node: ast.ClassDef) -> bool:
    """Whether a class declares a scenario's sizes or name."""
    named = [
        target.id
        for each in node.body
        if isinstance(each, ast.Assign)
        for target in each.targets
        if isinstance(target, ast.Name)
    ]
    return "name" in named and "sizes" in named


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


def _last(node: ast.AST) -> str:
    return node.attr if isinstance(node, ast.Attribute) else ""


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
