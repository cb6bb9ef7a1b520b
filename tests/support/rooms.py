"""Count the rooms of the code, the imports between them, its floors and its circles.

    python tests/support/rooms.py [--folder FOLDER] [PACKAGE ...]

A room is a folder with everything in it, or a module that lies loose; the folders of ``child`` are
rooms of their own. An arrow is one room that imports another, at the top of a file or inside a
function, but not for types only. A floor is a step of the longest way from room to room along the
arrows, without those that close a circle; of these the fewest are left out. The package's own
``__init__`` is no room: it imports nothing before it is asked for a name.

Version 0.1 was three packages; in a checkout of it::

    python .../rooms.py --folder . harness reports scenarios
"""

from __future__ import annotations

import argparse
import itertools
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import grimp

Arrows = Mapping[str, set[str]]


def main() -> None:
    """Print the floors, the circles and their numbers."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--folder", type=Path, help="where the packages are, if not installed")
    parser.add_argument("packages", nargs="*", default=["eager_vs_graph"])
    options = parser.parse_args()
    if options.folder:
        sys.path.insert(0, str(options.folder.resolve()))
    modules = imports(options.packages)
    print("\n".join(report(between_rooms(modules), modules)))
    print(f"{sum(map(lines_of, options.packages))} lines of Python")


def imports(roots: list[str]) -> Arrows:
    """Which modules every module imports, by their names without the package."""
    graph = grimp.build_graph(*roots, exclude_type_checking_imports=True, cache_dir=None)
    # Of several packages, the first one is the harness, and the others are rooms of it.
    prefix = f"{roots[0]}."
    names = {module: module.removeprefix(prefix) for module in graph.modules if module != roots[0]}
    return {
        name: {names[i] for i in graph.find_modules_directly_imported_by(module) if i in names}
        for module, name in names.items()
    }


def room_of(module: str) -> str:
    """The room that a module is in."""
    first, _, rest = module.partition(".")
    return f"child.{rest.partition('.')[0]}" if first == "child" and rest else first


def between_rooms(modules: Arrows) -> Arrows:
    """Which rooms every room imports."""
    arrows: dict[str, set[str]] = {room_of(module): set() for module in modules}
    for module, imported in modules.items():
        arrows[room_of(module)] |= {*map(room_of, imported)} - {room_of(module)}
    if any(room.startswith("child.") for room in arrows):
        del arrows["child"]  # a house of rooms, with an empty __init__
    return {room: imported & arrows.keys() for room, imported in arrows.items()}


def circles(arrows: Arrows) -> list[set[str]]:
    """The sets of rooms that import each other, directly or by way of others."""
    reach = {room: reachable(arrows, room) for room in arrows}
    found: list[set[str]] = []
    for room in arrows:
        mine = {other for other in reach[room] if room in reach[other]}
        if mine and mine not in found:
            found.append(mine)
    return found


def reachable(arrows: Arrows, room: str) -> set[str]:
    """The rooms that a room imports, directly or by way of others."""
    seen: set[str] = set()
    open_ = [room]
    while open_:
        new = arrows[open_.pop()] - seen
        seen |= new
        open_ += new
    return seen


def without_circles(arrows: Arrows) -> Arrows:
    """The arrows without the fewest that close circles."""
    for circle in circles(arrows):
        inner = [(a, b) for a in sorted(circle) for b in sorted(arrows[a] & circle)]
        sizes = range(1, len(inner) + 1)
        for cut in itertools.chain.from_iterable(itertools.combinations(inner, n) for n in sizes):
            left = {room: {b for b in arrows[room] if (room, b) not in cut} for room in arrows}
            if not any(other <= circle for other in circles(left)):
                arrows = left
                break
    return arrows


def floors(arrows: Arrows) -> list[list[str]]:
    """The rooms by floor, the lowest first."""
    straight = without_circles(arrows)
    floor: dict[str, int] = {}

    def of(room: str) -> int:
        if room not in floor:
            floor[room] = 1 + max(map(of, straight[room]), default=0)
        return floor[room]

    height = max(map(of, straight))
    return [sorted(room for room in floor if floor[room] == n) for n in range(1, height + 1)]


def report(rooms: Arrows, modules: Arrows) -> Iterator[str]:
    """The lines to print."""
    levels = floors(rooms)
    for number, names in reversed([*enumerate(levels, start=1)]):
        yield f"{number:3}  {'  '.join(names)}"
    for circle in circles(rooms):
        yield f"circle of rooms: {', '.join(sorted(circle))}"
    for circle in circles(modules):
        yield f"circle of modules: {', '.join(sorted(circle))}"
    yield (
        f"{len(rooms)} rooms, {len(levels)} floors, {sum(map(len, rooms.values()))} arrows, "
        f"{len(circles(rooms))} circles of rooms, {len(circles(modules))} of modules"
    )


def lines_of(root: str) -> int:
    """Lines of Python below a package's folder."""
    return sum(
        len(file.read_text(encoding="utf-8").splitlines())
        for folder in __import__(root).__path__
        for file in Path(folder).rglob("*.py")
    )


if __name__ == "__main__":
    main()
