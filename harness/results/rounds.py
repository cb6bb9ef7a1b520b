"""The rounds of a pass: what pytest-benchmark timed, four bytes a round.

A pass has one file, MessagePack: the names of its cells and groups once, then one entry for each
program and pytest item. Records of schemas 1 to 3 hold pytest-benchmark's JSON in its place, with
one entry a block; both are read into the same ``Rounds``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import msgspec
import numpy as np
from msgspec import Meta, Struct
from numpy.typing import NDArray

from eager_vs_graph.errors import UsageError
from eager_vs_graph.results import codec, files
from eager_vs_graph.results.record import CellId, Whole

Time = Annotated[float, Meta(ge=1e-12, le=1e9)]
"""Seconds of something that was timed."""
Turn = Annotated[int, Meta(ge=1, le=1_000_000)]
"""Rounds of a turn."""
_BYTES = np.dtype("<f4")
"""A round at rest: its relative error of 6e-8 is below the clock's own, 1e-7 s, for calls that
take up to a second, and for longer ones below whatever else disturbs them."""


@dataclass(frozen=True)
class Rounds:
    """Successive blocks of one program: what one pytest item timed of it."""

    cell: CellId
    group: str
    block: Whole
    """Number of the first block, counted over the pass; programs of a group share it."""
    seconds: NDArray[np.float32]
    """Seconds per call, blocks × rounds of a turn, above 0."""
    probe_s: Time | None = None
    """Seconds of the probe before the first block; None where none was taken."""
    bare_s: Time | None = None
    """Seconds per call by a clock that is written by hand around the same calls, where that was
    asked for: of every turn the fastest, of these the median."""


class _Entry(Struct, array_like=True, frozen=True):
    cell: Whole
    group: Whole
    block: Whole
    turn: Turn
    probe_s: Time | None
    bare_s: Time | None
    data: bytes


class _Told(Struct, frozen=True):
    cell: CellId
    group: str
    block: Whole
    turn: Turn
    data: bytes
    probe_s: Time | None = None
    bare_s: Time | None = None


class _File(Struct, frozen=True):
    cells: list[CellId]
    groups: list[str]
    rounds: list[_Entry]


def encode(rounds: Sequence[Rounds]) -> bytes:
    """A pass's rounds as the bytes of their file."""
    cells, groups = (
        list(dict.fromkeys(getattr(each, name) for each in rounds)) for name in ("cell", "group")
    )
    cell_of, group_of = ({name: at for at, name in enumerate(names)} for names in (cells, groups))
    entries = [
        _Entry(
            cell_of[each.cell],
            group_of[each.group],
            each.block,
            each.seconds.shape[1],
            each.probe_s,
            each.bare_s,
            _packed(each.seconds),
        )
        for each in rounds
    ]
    return msgspec.msgpack.encode(_File(cells, groups, entries))


def decode(path: Path) -> list[Rounds]:
    """Read a pass's rounds.

    Raises:
        UsageError: the file is missing or damaged; in one line that names it.
    """
    try:
        file = msgspec.msgpack.decode(_content(path), type=_File)
        return [
            Rounds(
                file.cells[entry.cell],
                file.groups[entry.group],
                entry.block,
                _seconds(entry.data, entry.turn),
                entry.probe_s,
                entry.bare_s,
            )
            for entry in file.rounds
        ]
    except (msgspec.MsgspecError, ValueError, IndexError, RecursionError) as error:
        raise _damaged(path, str(error)) from None


def to_journal(timed: Rounds) -> dict[str, Any]:
    """Rounds as a child's journal carries them: bytes are to be written in base64."""
    told = _Told(
        timed.cell,
        timed.group,
        timed.block,
        timed.seconds.shape[1],
        _packed(timed.seconds),
        timed.probe_s,
        timed.bare_s,
    )
    return {name: getattr(told, name) for name in told.__struct_fields__}


def of_journal(content: Any) -> Rounds:
    """The inverse.

    Raises:
        ValueError: the line is damaged.
    """
    told = msgspec.convert(content, _Told)
    return Rounds(
        told.cell,
        told.group,
        told.block,
        _seconds(told.data, told.turn),
        told.probe_s,
        told.bare_s,
    )


def _packed(seconds: NDArray[Any]) -> bytes:
    return seconds.astype(_BYTES).tobytes()


def _seconds(data: bytes, turn: int) -> NDArray[np.float32]:
    """Blocks × rounds of a turn.

    Raises:
        ValueError: there is no block, a turn is not whole, or a round is no positive time.
    """
    if not data or len(data) % (turn * _BYTES.itemsize):
        raise ValueError(f"{len(data)} bytes are no turns of {turn} rounds")
    seconds = np.frombuffer(data, _BYTES).astype(np.float32).reshape(-1, turn)
    if not (np.isfinite(seconds) & (seconds > 0)).all():
        raise ValueError("it has a round that is no positive time")
    return seconds


def _content(path: Path) -> bytes:
    try:
        return files.read(path)
    except FileNotFoundError:
        raise UsageError(f"{path}: no such file; is this the folder of a run?") from None
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from None


def _damaged(path: Path, reason: str) -> UsageError:
    return UsageError(f"{path}: damaged: {reason}; delete the file to report the rest of the run")


# Schemas 1 to 3


@dataclass(frozen=True)
class _Info:
    cell: CellId
    block: Whole
    probe_s: Time | None = None


@dataclass(frozen=True)
class _Stats:
    data: Annotated[list[Time], Meta(min_length=1)]


@dataclass(frozen=True)
class _Block:
    extra_info: _Info
    stats: _Stats
    group: str | None = None


@dataclass(frozen=True)
class _Benchmarks:
    benchmarks: list[_Block]


def decode_json(path: Path) -> list[Rounds]:
    """Read the blocks of a pass that an older version recorded, as pytest-benchmark wrote them.

    A round was about a millisecond of calls then, and none of them was left out.

    Raises:
        UsageError: the file is missing or damaged.
    """
    return [
        Rounds(
            cell=block.extra_info.cell,
            group=block.group or "",
            block=block.extra_info.block,
            seconds=np.array([block.stats.data], dtype=np.float32),
            probe_s=block.extra_info.probe_s,
        )
        for block in codec.read(path, _Benchmarks, schema=False).benchmarks
    ]
