"""What of an author's file a script needs to run the scenario by itself."""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Iterator
from pathlib import Path

from eager_vs_graph.child.explain.source import helpers_of
from eager_vs_graph.scenario import Scenario

_METHODS = ("inputs", "build", "step")


class AuthorSource:
    """The scenario's class, and what its methods ``build`` and ``step`` reach in its file."""

    def __init__(self, scenario: type[Scenario], *, with_inputs: bool) -> None:
        """Read the file.

        Args:
            scenario: a scenario of the author's.
            with_inputs: whether its method ``inputs`` is needed too.

        Raises:
            ValueError: it is adopted code, which is no class in the author's file.
        """
        if scenario.source_file() != inspect.getfile(scenario):
            raise ValueError("adopted code needs the harness to run")
        self.name = scenario.__name__
        self._module = sys.modules[scenario.__module__]
        self._text = Path(inspect.getfile(scenario)).read_text(encoding="utf-8")
        self._tree = ast.parse(self._text)
        self._top = dict(_by_name(self._tree))
        self._unwanted = {"reference", "measure", *(() if with_inputs else ("inputs",))}
        self._needed = self._reach(self.name)

    def imports(self) -> list[str]:
        """The import statements of what the code needs."""
        return list(dict.fromkeys(ast.unparse(node) for node in self._imports()))

    def modules(self) -> list[tuple[str, str]]:
        """Names and texts of the modules beside the author's file that it imports."""
        imported = {name for node in self._imports() for name in _modules(node)}
        return [
            (module.__name__, Path(str(module.__file__)).read_text(encoding="utf-8"))
            for module in helpers_of(self._module)
            if module.__name__ in imported
        ]

    def _imports(self) -> Iterator[ast.Import | ast.ImportFrom]:
        for node in self._tree.body:
            if isinstance(node, ast.Import | ast.ImportFrom) and not _of_harness(node):
                bound = {(alias.asname or alias.name).partition(".")[0] for alias in node.names}
                if bound & self._needed:
                    yield node

    def definitions(self) -> Iterator[str]:
        """The functions, values and classes, in the file's order."""
        for node in self._tree.body:
            if self._needed.isdisjoint(bound_names(node)):
                continue
            yield self._class(node) if isinstance(node, ast.ClassDef) else self._segment(node)

    def _reach(self, start: str) -> set[str]:
        waiting, seen = [start], set[str]()
        while waiting:
            name = waiting.pop()
            if name in seen:
                continue
            seen.add(name)
            for node in self._top.get(name, ()):
                kept = self._kept(node) if isinstance(node, ast.ClassDef) else [node]
                bases = node.bases if isinstance(node, ast.ClassDef) else []
                for part in [*kept, *bases]:
                    waiting += [
                        each.id
                        for each in ast.walk(unannotated(part))
                        if isinstance(each, ast.Name)
                    ]
        return seen

    def _kept(self, node: ast.ClassDef) -> list[ast.stmt]:
        """A class without its docstring, and a scenario without what only the harness reads."""
        if not issubclass(getattr(self._module, node.name), Scenario):
            return list(node.body)
        contract = set(vars(Scenario)) - set(_METHODS)
        kept = []
        for statement in node.body:
            names = set(bound_names(statement))
            docstring = isinstance(statement, ast.Expr) and isinstance(
                statement.value, ast.Constant
            )
            if docstring or names & (self._unwanted | contract | {"sizes", "name"}):
                continue
            kept.append(statement)
        return kept

    def _class(self, node: ast.ClassDef) -> str:
        bases = ", ".join(ast.unparse(base) for base in node.bases)
        body = "\n\n".join(self._segment(each) for each in self._kept(node)) or "    pass"
        return f"class {node.name}({bases}):\n{body}" if bases else f"class {node.name}:\n{body}"

    def _segment(self, node: ast.AST) -> str:
        lines = self._text.splitlines()
        first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))])  # type: ignore[attr-defined]
        return "\n".join(lines[first - 1 : node.end_lineno])  # type: ignore[attr-defined]


def _by_name(tree: ast.Module) -> Iterator[tuple[str, list[ast.stmt]]]:
    found: dict[str, list[ast.stmt]] = {}
    for node in tree.body:
        for name in bound_names(node):
            found.setdefault(name, []).append(node)
    yield from found.items()


def bound_names(node: ast.AST) -> Iterator[str]:
    """The names that a statement binds; none for an import."""
    match node:
        case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
            yield name
        case ast.Assign(targets=targets):
            for target in targets:
                yield from (each.id for each in ast.walk(target) if isinstance(each, ast.Name))
        case ast.AnnAssign(target=ast.Name(id=name)):
            yield name


def unannotated(node: ast.AST) -> ast.AST:
    """The code without annotations, which name types that a script does not have."""
    copy = ast.parse(ast.unparse(node))
    for each in ast.walk(copy):
        if isinstance(each, ast.FunctionDef):
            each.returns = None
        elif isinstance(each, ast.arg):
            each.annotation = None
        elif isinstance(each, ast.AnnAssign):
            each.annotation = ast.Constant(None)
    return copy


def _of_harness(node: ast.Import | ast.ImportFrom) -> bool:
    return any(
        name.partition(".")[0] in ("eager_vs_graph", "harness", "__future__")
        for name in _modules(node)
    )


def _modules(node: ast.Import | ast.ImportFrom) -> list[str]:
    if isinstance(node, ast.ImportFrom):
        return [node.module or ""]
    return [alias.name for alias in node.names]
