"""The command line that explains a cell, to be pasted where the run was started."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from eager_vs_graph.results.cells import Cell

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
    match = _PROGRAM.match(called)
    program = match[1] if match else "eager-vs-graph"
    entry = next((each for each in entries if each.get("name") == cell.scenario), {})
    target = entry.get("target")
    words = _of_target(target) if target else _of_scenario(cell, entry, size)
    if not words:
        return ""
    words += ["--modes", cell.mode]
    if cell.inputs != "resident":
        words += ["--inputs", cell.inputs]
    if not cell.device.startswith("CPU:0"):
        words += ["--devices", cell.device]
    return f"{program} explain {shlex.join(words)}"


def _of_scenario(cell: Cell, entry: Mapping[str, Any], size: str) -> list[str]:
    file = Path(entry.get("file") or "")
    name = cell.scenario
    if file.name and not entry.get("distribution") and file.resolve().parent != _BUILT_IN:
        name = f"{_shown(file)}:{cell.scenario}"
    return [name, "--sizes", size or cell.size]


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
