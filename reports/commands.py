"""Command lines to be pasted where a run was started: to explain a cell, to compare again."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from eager_vs_graph.reports.labels import size_label
from eager_vs_graph.results.cells import Cell
from eager_vs_graph.results.request import RunRequest

_PROGRAM = re.compile(r"^(.+?)\s+(?:try|bench|parity|explain|report|selfcheck)\b")
_MODELS = ("train_step", "fit")
_BUILT_IN = Path(__file__).resolve().parents[1] / "scenarios"


def explain_command(
    cell: Cell, entries: Sequence[Mapping[str, Any]], called: str = "", size: str = ""
) -> str:
    """The command, or nothing where the cell's code cannot be named, as in a notebook.

    Args:
        cell: the cell.
        entries: what the catalogue found, as the record keeps it.
        called: the command line of the run, whose program is named again.
        size: the size, where the scenario has several.
    """
    entry = _entry(cell, entries)
    target = entry.get("target")
    words = _of_target(target) if target else _of_scenario(cell, entry, size)
    if not words:
        return ""
    return _line(called, "explain", [*words, "--modes", cell.mode, *_place(cell)])


def rerun_command(request: RunRequest, cell: Cell, modes: Sequence[str]) -> str:
    """The command that makes one comparison again, or nothing where it cannot be written.

    Args:
        request: of the run.
        cell: one of the comparison's.
        modes: all of its modes.
    """
    if request.recorded_by:
        return ""
    entry = _entry(cell, request.entries)
    target = entry.get("target")
    if target:
        verb, words = "try", _of_target(target)
    else:
        sizes = ["--sizes", cell.size] if size_label(cell.size) else []
        verb, words = "bench", ["--scenarios", _name(cell, entry), *sizes]
    if not words:
        return ""
    return _line(request.command, verb, [*words, "--modes", ",".join(modes), *_place(cell)])


def _line(called: str, verb: str, words: Sequence[str]) -> str:
    match = _PROGRAM.match(called)
    return f"{match[1] if match else 'eager-vs-graph'} {verb} {shlex.join(words)}"


def _entry(cell: Cell, entries: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    return next((each for each in entries if each.get("name") == cell.scenario), {})


def _place(cell: Cell) -> list[str]:
    """Options for inputs and device, where they are not the usual ones."""
    inputs = [] if cell.inputs == "resident" else ["--inputs", cell.inputs]
    return inputs if cell.device.startswith("CPU:0") else [*inputs, "--devices", cell.device]


def _of_scenario(cell: Cell, entry: Mapping[str, Any], size: str) -> list[str]:
    return [_name(cell, entry), "--sizes", size or cell.size]


def _name(cell: Cell, entry: Mapping[str, Any]) -> str:
    """A scenario as verbs take it: one in a file may have others beside it."""
    file = _file(entry)
    return f"{_shown(file)}:{cell.scenario}" if file else cell.scenario


def _file(entry: Mapping[str, Any]) -> Path | None:
    """The file of a scenario; None of those that are found by their name alone."""
    file = Path(entry.get("file") or "")
    # A record may be of another installation, whose folder has another place.
    folder = file.resolve().parent
    built_in = folder == _BUILT_IN or folder.parts[-2:] == ("eager_vs_graph", "scenarios")
    named = entry.get("distribution") or built_in
    return None if named or not file.name else file


def _of_target(target: Mapping[str, Any]) -> list[str]:
    if target.get("payload"):
        return []
    reference = str(target["reference"])
    words = [_shown(Path(reference)) if ":" not in reference else reference]
    words += [word for text in target.get("arguments", ()) for word in ("--arg", text)]
    part = target.get("part", "call")
    if part in _MODELS:
        words.append("--train")
    if part != "call":
        words += ["--part", part]
    if target.get("batch", 32) != 32:
        words += ["--batch", str(target["batch"])]
    for option in ("label", "loss", "optimizer"):
        if target.get(option):
            words += [f"--{option}", target[option]]
    for folder in target.get("path", ())[:-1]:  # the last one is where the run was started
        words += ["--path", _shown(Path(folder))]
    return words


def _shown(path: Path) -> str:
    """A path, relative to the working directory where it is in it."""
    if path.is_absolute() and path.is_relative_to(Path.cwd()):
        return str(path.relative_to(Path.cwd()))
    return str(path)
