"""What a reader of a run's figures should know beside them."""

from __future__ import annotations

import re
from collections.abc import Sequence

from eager_vs_graph.reports.formatting import count
from eager_vs_graph.reports.tables.run import machine_warnings
from eager_vs_graph.results.cells import CONTROL, Cell
from eager_vs_graph.results.frames import Frames
from eager_vs_graph.results.record import PassRecord

_NUMBER = re.compile(r"\d+(?:\.\d+)?")


def notes(frames: Frames) -> list[str]:
    """List what a reader of the numbers should know, one line each."""
    noted: dict[str, list[str]] = {}
    for parity in frames.parity.values():
        name = Cell.parse(parity.cell).scenario
        said = {each.lost_detail for each in parity.tensors}  # as a reason, with its cells
        note = "; ".join(part for part in parity.note.split("; ") if part not in said)
        if note and name not in noted.setdefault(note, []):
            noted[note].append(name)
    return [
        *frames.request.notes,
        *(f"{', '.join(names)}: {note}" for note, names in noted.items()),
        *(f"{device}: not found" for device in frames.request.absent_devices),
        *(f"damaged file: {warning}" for warning in frames.warnings),
        *_of_passes(frames),
        *machine_summary(frames.passes),
        *_of_control(frames),
    ]


def _of_passes(frames: Frames) -> list[str]:
    """What became of the passes, where it was not what was asked for."""
    asked = frames.request.passes or 0
    found = [
        f"pass {record.number}: {record.outcome}"
        for record in frames.passes
        if record.outcome != "complete"
    ]
    if len(frames.passes) < asked:
        found.append(f"{len(frames.passes)} of {asked} passes were recorded")
    if not frames.passes and frames.request.timed:
        found.append(
            f"no verdict: the budget of {frames.request.budget_s:g} s ended before anything was "
            "timed; give a larger budget"
        )
    if len(frames.passes) == 1:
        found.append(f"one pass gives no interval and no verdict: {_remedy(frames)}")
    return found


def _remedy(frames: Frames) -> str:
    if frames.request.recorded_by == "pytest":
        return "a test-suite timed one mode after the other; `bench` and `try` take turns"
    return "run two or more passes, or give a larger budget"


def _of_control(frames: Frames) -> list[str]:
    if not frames.passes or any(cell.mode == CONTROL for cell in frames.cells):
        return []
    return ["no A/A control was run, so the noise floor is not known"]


def machine_summary(records: Sequence[PassRecord]) -> list[str]:
    """Say the warnings of all passes once each, with the range of their numbers."""
    kinds: dict[str, list[list[str]]] = {}
    for record in records:
        for warning in dict.fromkeys(machine_warnings(record)):
            kinds.setdefault(_NUMBER.sub("#", warning), []).append(_NUMBER.findall(warning))
    return [
        f"in {len(seen)} of {count(len(records), 'pass', 'passes')} {_ranged(kind, seen)}"
        for kind, seen in kinds.items()
    ]


def _ranged(kind: str, seen: list[list[str]]) -> str:
    """Put the range of every number where the number was."""
    ends = [(min(each, key=float), max(each, key=float)) for each in zip(*seen, strict=True)]
    ranges = iter(low if low == high else f"{low}–{high}" for low, high in ends)
    return re.sub("#", lambda _: next(ranges, "#"), kind)
