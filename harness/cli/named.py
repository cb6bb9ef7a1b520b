"""What ``explain`` and ``why`` are asked about: a scenario, or code of one's own."""

from __future__ import annotations

from pathlib import Path

from eager_vs_graph.catalog.entry import Entry
from eager_vs_graph.errors import UsageError
from eager_vs_graph.results.cells import choose
from eager_vs_graph.runs.options import ScenarioOptions, TargetOptions
from eager_vs_graph.runs.quantities import words

WHAT = (
    "A scenario: its name, its file, or FILE.py:NAME; or what `try` takes: MODULE:FUNCTION, "
    "FILE.py:FUNCTION, or a .keras file."
)


def named(
    what: str, call: TargetOptions, which: ScenarioOptions, part: str
) -> tuple[list[Entry], list[str]]:
    """What is to be explained, and at which sizes.

    Raises:
        UsageError: it names several scenarios, or none.
    """
    file, colon, name = what.rpartition(":")
    if colon and file.endswith(".py") and Path(file).is_file():
        inside = ScenarioOptions(file, which.sizes)
        found = [entry for entry in _of_file(inside) if entry.name == name]
        if found:
            return found, inside.chosen_sizes(found)
    if colon or Path(what).suffix in (".keras", ".h5"):
        entries = call.entries(what)
        if part:
            parts = [entry.target.part for entry in entries if entry.target is not None]
            wanted = choose("part", words(part), parts)
            entries = [e for e in entries if e.target is not None and e.target.part in wanted]
        return entries, which.chosen_sizes(entries) if which.sizes else []
    if call != TargetOptions():
        raise UsageError(
            f"{what!r} is a scenario, which has its own inputs; --arg and its kin are for "
            "MODULE:FUNCTION, FILE.py:FUNCTION or a .keras file"
        )
    entries = which.entries()
    if len(entries) != 1:
        names = ", ".join(f"{what}:{entry.name}" for entry in entries)
        raise UsageError(f"one scenario is asked about, but {what!r} has several: {names}")
    return entries, which.chosen_sizes(entries)


def _of_file(which: ScenarioOptions) -> list[Entry]:
    """The scenarios of a file; none where it has none."""
    try:
        return which.entries()
    except UsageError:
        return []
