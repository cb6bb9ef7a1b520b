"""Finds scenarios: the package, files and folders a user names, and what distributions ship.

``list`` must answer at once, and a scenario's file imports TensorFlow. So the catalogue has two
layers: *entries*, read from the source without executing it, and *classes*, imported in the child
processes that run them (``importing.py``).
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

from eager_vs_graph.catalog import entry_points
from eager_vs_graph.catalog.entry import Entry
from eager_vs_graph.errors import ScenarioError, UsageError
from eager_vs_graph.results.cells import GUIDE, parameters, unknown_name_message

_PACKAGE = find_spec("eager_vs_graph.scenarios")
assert _PACKAGE is not None
BUILT_IN = Path(str(_PACKAGE.origin)).resolve().parent
"""The folder of the built-in scenarios: found, not imported."""
_RESERVED = set("/, \t\n")


def entries(places: Sequence[Path]) -> list[Entry]:
    """Every scenario declared in the files and folders, in the order of file names.

    Raises:
        UsageError: a place does not exist, holds no scenario, or a file is not Python.
        ScenarioError: a declaration is incomplete, or two scenarios have one name.
    """
    found: dict[str, Entry] = {}
    for place in places:
        declared = [entry for file in _files(place) for entry in _declared(file)]
        if not declared:
            raise UsageError(
                f"{place}: no scenario found; a scenario is a class with `name` and `sizes` that "
                "subclasses eager_vs_graph.Scenario"
            )
        for entry in declared:
            if (other := found.get(entry.name)) and other != entry:
                raise _duplicate_name_error(other, entry)
            found[entry.name] = entry
    return list(found.values())


def installed() -> tuple[list[Entry], list[str]]:
    """The scenarios of other distributions, and a line for each entry point that is broken."""
    found: list[Entry] = []
    broken: list[str] = []
    for each in entry_points.shipped():
        try:
            found += [entry for entry in _shipped(each) if entry not in found]
        except (ScenarioError, OSError) as error:
            broken.append(f"{each.where}: {error}")
    return found, broken


def select(wanted: Sequence[str]) -> list[Entry]:
    """The entries for what a user typed: names of scenarios or distributions, files or folders.

    ``FILE.py:NAME`` is one scenario of a file. Nothing means every built-in scenario; ``all``,
    those of installed distributions too.

    Raises:
        UsageError: a name is unknown, or a place holds no scenario.
        ScenarioError: what was asked for is incomplete, or two scenarios have its name.
    """
    built_in = entries([BUILT_IN])
    if not wanted:
        return built_in
    shipped, broken = installed()
    known = {name for entry in [*built_in, *shipped] for name in (entry.name, entry.distribution)}
    places = [
        Path(word)
        for word in wanted
        if word.endswith(".py") or "/" in word or (word not in known and Path(word).is_dir())
    ]
    of_files = [word for word in wanted if word.rpartition(":")[0].endswith(".py")]
    places = [place for place in places if str(place) not in of_files]
    names = [word for word in wanted if Path(word) not in places and word not in of_files]
    chosen = [*entries(places), *map(_of_file, of_files)]
    everything = [*chosen, *built_in, *shipped]
    if names == ["all"]:
        names = [entry.name for entry in everything]
    for name in names:
        found = [entry for entry in everything if entry.name == name]
        found = found or [entry for entry in shipped if entry.distribution == name]
        if not found:
            told = "".join(f"; left out: {line}" for line in broken)
            raise UsageError(
                unknown_name_message("scenario", name, [e.name for e in everything]) + told
            )
        chosen += found
    _require_one_of_a_name(chosen)
    return [entry for entry in everything if entry in chosen]


def _of_file(word: str) -> Entry:
    """The scenario that ``FILE.py:NAME`` names."""
    file, _, name = word.rpartition(":")
    inside = entries([Path(file)])
    for entry in inside:
        if entry.name == name:
            return entry
    raise UsageError(unknown_name_message(f"scenario in {file}", name, [e.name for e in inside]))


def _require_one_of_a_name(chosen: Iterable[Entry]) -> None:
    by_name: dict[str, Entry] = {}
    for entry in chosen:
        if (other := by_name.setdefault(entry.name, entry)) != entry:
            raise _duplicate_name_error(other, entry)


def _duplicate_name_error(one: Entry, other: Entry) -> ScenarioError:
    return ScenarioError(
        f"two scenarios are named {one.name!r}: {_place(one)} and {_place(other)}; rename one"
    )


def _place(entry: Entry) -> str:
    shipped = f" (distribution {entry.distribution})" if entry.distribution else ""
    return f"{entry.class_name} in {entry.file}{shipped}"


def _shipped(shipped: entry_points.Shipped) -> list[Entry]:
    if shipped.broken:
        raise ScenarioError(shipped.broken)
    found = [
        replace(entry, distribution=shipped.distribution, module=module)
        for module, file in shipped.modules.items()
        for entry in _declared(file)
    ]
    if not found:
        raise ScenarioError(
            "no scenario found; a scenario is a class with `name` and `sizes` that subclasses "
            "eager_vs_graph.Scenario"
        )
    return found


def _files(place: Path) -> list[Path]:
    if place.is_dir():
        return sorted(file for file in place.glob("*.py") if not file.name.startswith("_"))
    if place.is_file():
        return [place]
    raise UsageError(f"{place}: no such file or folder of scenarios")


def _declared(file: Path) -> list[Entry]:
    try:
        tree = ast.parse(file.read_text(encoding="utf-8"))
    except SyntaxError as error:
        raise ScenarioError(f"{file}:{error.lineno}: does not parse: {error.msg}") from None
    except ValueError as error:  # not UTF-8, or with NUL bytes
        raise ScenarioError(f"{file}: does not parse: {error}") from None
    return [
        _entry(file, node)
        for node in tree.body
        if isinstance(node, ast.ClassDef) and {"name", "sizes"} <= _assigned(node).keys()
    ]


def _entry(file: Path, node: ast.ClassDef) -> Entry:
    assigned = _assigned(node)
    try:
        name = ast.literal_eval(assigned["name"])
        sizes = assigned["sizes"]
        assert isinstance(name, str)
        assert isinstance(sizes, ast.Dict)
        declared = {
            ast.literal_eval(key): ", ".join(
                f"{keyword.arg}={ast.unparse(keyword.value)}" for keyword in value.keywords
            )
            for key, value in zip(sizes.keys, sizes.values, strict=True)
            if key is not None and isinstance(value, ast.Call)
        }
        assert len(declared) == len(sizes.keys)
        concept = ast.literal_eval(assigned.get("concept", ast.Constant("")))
        timing = ast.literal_eval(assigned.get("timing", ast.Constant("")))
        assert isinstance(timing, str)
        default = list(ast.literal_eval(assigned.get("default_sizes", ast.Tuple([])))) or [
            *declared
        ]
    except (ValueError, AssertionError):
        raise ScenarioError(
            f"{file}:{node.lineno}: {node.name} should give `name` and `concept` as literal text, "
            "`sizes` as a literal dict of Size(...), `default_sizes` as a literal tuple and "
            "`timing` as literal text: they are read without executing the file"
        ) from None
    for size in declared:
        if not isinstance(size, str) or not size or set(size) & _RESERVED:
            raise ScenarioError(
                f"{file}:{node.lineno}: {node.name} has size {size!r}, but a size should be named "
                "by text without space, comma and slash (it is part of a cell's id)"
            )
    if not declared or not name or not set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789_"):
        raise ScenarioError(
            f"{file}:{node.lineno}: {node.name} has name {name!r} and {len(declared)} sizes, but "
            "should have a name of a-z, 0-9 and _ and at least one size"
        )
    for size in default:
        if size not in declared:
            raise ScenarioError(
                f"{file}:{node.lineno}: {node.name} has {size!r} in default_sizes, but should have "
                f"only its sizes there: {', '.join(declared)}"
            )
    _require_parameters(f"{file}:{node.lineno}: {node.name}", timing, declared)
    summary = (ast.get_docstring(node) or "").partition("\n")[0]
    return Entry(name, summary, declared, file.resolve(), node.name, concept, default, timing)


def _require_parameters(where: str, timing: str, sizes: dict[str, str]) -> None:
    """Check that a line of timing has a size to be about, and names that size's parameters.

    Raises:
        ScenarioError: it does not; the message names what is missing.
    """
    if timing and GUIDE not in sizes:
        raise ScenarioError(
            f"{where} has `timing`, which is printed for the size {GUIDE!r}, but its sizes are: "
            f"{', '.join(sizes)}"
        )
    try:
        timing.format_map(parameters(sizes.get(GUIDE, "")))
    except (LookupError, ValueError, AttributeError) as error:
        raise ScenarioError(
            f"{where} has timing={timing!r}, but what it has in braces should be parameters of the "
            f"size {GUIDE!r} ({sizes[GUIDE]}): {type(error).__name__}: {error}"
        ) from None


def _assigned(node: ast.ClassDef) -> dict[str, ast.expr]:
    values: dict[str, ast.expr] = {}
    for statement in node.body:
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                values[name] = value
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                values[name] = value
    return values
