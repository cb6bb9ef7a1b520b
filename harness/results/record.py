"""A run's folder and its schema: the only source of truth for reports. Free of TensorFlow.

    results/<run-id>/
      environment.json      what was asked for and the machine it ran on
      parity.json           one CellParity a cell
      checkpoints.json      one CheckpointParity a pair of modes, where a scenario has a checkpoint
      explanations.json     one Explanation a cell that disagrees (see ``eager_vs_graph.results.explanation``)
      raw/pass-1.json       pytest-benchmark's own JSON of the first pass
      raw/pass-1.cells.json what pytest-benchmark has no place for: cold costs, failures, machine

Everything else in the folder is made from these files and can be deleted, but for ``files/``: what
the steps of the compared cells wrote, for people and their tools (``tensorboard --logdir``).
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from eager_vs_graph.errors import UsageError

SCHEMA = 2
READABLE = (1, 2)
"""2 added ``curves`` to a cell's parity and ``about_modes`` to the request; 1 reads as without."""

# The words of parity, from best to worst: the word of a cell is the worst of its tensors'.
IDENTICAL = "identical"
CLOSE = "close"
VACUOUS = "vacuous"
NONDETERMINISTIC = "nondeterministic"
DIFFERS = "differs"
UNSUPPORTED = "unsupported"
ERROR = "error"
CRASHED = "crashed"
TIMEOUT = "timeout"
STATUSES = (
    IDENTICAL,
    CLOSE,
    VACUOUS,
    NONDETERMINISTIC,
    DIFFERS,
    UNSUPPORTED,
    ERROR,
    CRASHED,
    TIMEOUT,
)
AGREEING = (IDENTICAL, CLOSE)


@dataclass(frozen=True)
class TensorComparison:
    """One output or variable of a cell against one reference, over all compared steps."""

    tensor: str
    kind: str
    """``output``, ``variable``, or ``written``: read back from the files that the steps wrote."""
    against: str
    """``eager`` or ``reference``; for eager itself, ``eager`` is its own second run."""
    status: str
    known: str | None = None
    """The reason the author declared for the difference, where one was declared."""
    detail: str = ""
    """What is wrong besides values, e.g. ``value.dtype=float64, but should be float32``."""
    dtype: str = ""
    shape: tuple[int, ...] = ()
    max_abs: float | None = None
    """Largest absolute error over elements where both are finite; unit of the tensor."""
    max_rel: float | None = None
    """Largest relative error over elements with a finite, non-zero reference."""
    max_ulp: float | None = None
    """Largest distance in units in the last place of the tensor's dtype; None if not floating."""
    worst_step: int | None = None
    """Step (from 0) of the worst element; None when identical."""
    worst_index: tuple[int, ...] | None = None
    value: str | None = None
    reference: str | None = None
    first_step: int | None = None
    """First step (from 0) at which the values were not bit-identical."""
    p99_ulp: float | None = None
    """99th percentile of the ULP distance over the elements of the worst step."""
    misplaced: int = 0
    """Elements of the worst step that are NaN or infinite on one side only."""
    signed_zeros: int = 0
    """Elements of the worst step that are zeros of different sign."""
    lost: int = 0
    """Elements that have no right digit although the tensor agrees: smaller than the tolerance's
    absolute part. Against the reference; where there is none, against eager."""
    lost_detail: str = ""
    """The element of these that is worst, both values, and which mode is right."""
    by_step: tuple[float | None, ...] = ()
    """Largest absolute error of each compared step, in order; empty when all are identical.
    A variable is compared after the last step only."""

    @property
    def grows(self) -> bool | None:
        """Whether the last step's error is over twice the first's; None with fewer than 3 steps."""
        steps = [error for error in self.by_step if error is not None]
        if len(steps) < 3 or len(steps) < len(self.by_step):
            return None
        return steps[-1] > 2 * steps[0]


@dataclass(frozen=True)
class CellParity:
    """How one cell's outputs and state compare with the reference and with eager."""

    cell: str
    status: str
    reason: str = ""
    known: str | None = None
    """The declared reason, when every difference of the cell was declared."""
    traces: int | None = None
    steps: int | None = None
    tensors: tuple[TensorComparison, ...] = ()
    learned: dict[str, float | None] = field(default_factory=dict)
    """What the scenario measured after its goal's steps; None where it was not finite."""
    curves: dict[str, list[float | None]] = field(default_factory=dict)
    """By output: its values on the way to the goal, in order; None where it was not finite."""
    call_s: float | None = None
    """Seconds of a step, first one included: to plan with, not to report."""
    peak_memory_bytes: int | None = None
    """Growth of the process's peak resident memory while this cell was built and run."""
    note: str = ""
    """What a reader should know of how it was compared: that there is no reference, and why."""
    unequal_work: str = ""
    """Why a speed-up would compare unequal work, though the answers may agree; or nothing.
    Records of older versions do not know it (see ``eager_vs_graph.child.explain.work``)."""

    @property
    def lost(self) -> int:
        """Elements that have no right digit although their tensor agrees."""
        return max((tensor.lost for tensor in self.tensors), default=0)

    @property
    def comparable(self) -> bool:
        """Whether a speed-up of this cell means anything: the same answers from the same work."""
        return self.status in AGREEING and not self.unequal_work

    @property
    def failed(self) -> bool:
        """Whether the cell makes a check fail: a failure, or a difference nobody declared."""
        return not (self.timed or self.status == UNSUPPORTED)

    @property
    def timed(self) -> bool:
        """Whether the cell is worth timing: it agrees, or it differs as declared."""
        return self.status in AGREEING or self.known is not None


@dataclass(frozen=True)
class CheckpointParity:
    """What became of a checkpoint that one cell wrote and another restored.

    The restored variables are compared bit for bit with those that were written; then both cells
    train on, and are compared like any two cells.
    """

    wrote: str
    """Id of the cell that wrote."""
    read: str
    """Id of the cell that restored; the same scenario and size."""
    status: str
    """``identical``: restored and trained on bit for bit; ``close``: restored bit for bit, trained
    on within tolerance; otherwise what went wrong, in the words of cells."""
    reason: str = ""
    known: str | None = None
    """The declared reason, when every difference was declared."""

    @property
    def failed(self) -> bool:
        """Whether the pair makes a check fail, as for a cell."""
        return not (self.status in (*AGREEING, UNSUPPORTED) or self.known is not None)


@dataclass(frozen=True)
class PassCell:
    """What one pass has to say of one cell, besides the rounds."""

    status: str
    """``measured``, or the word of the failure: unsupported, error, crashed, timeout."""
    reason: str = ""
    build_s: float | None = None
    """Seconds to build the program: variables, graph, session; no call."""
    first_call_s: float | None = None
    """Seconds of the first call: tracing, Grappler, first execution."""
    traces: int | None = None
    """Traces of the Python body until the last timed call; 0 for eager."""
    prepare_s: float | None = None
    """Seconds to build, warm and calibrate the program: what a pass pays before its blocks."""
    block_s: float | None = None
    """Expected seconds of one block."""
    retraces: int | None = None
    """Traces beyond the first that happened in the timed blocks."""


@dataclass(frozen=True)
class PassRecord:
    """One pass: a fresh process."""

    number: int
    outcome: str
    """``complete``, ``interrupted``, ``crashed`` or ``timeout``."""
    started: str
    ended: str
    startup_s: float
    """Seconds until TensorFlow was imported."""
    blocks_s: float
    """Wall seconds of the timed blocks, from the first to the last."""
    clock_s: float
    """Seconds of these inside timed calls."""
    cells: dict[str, PassCell]
    machine: dict[str, Any] = field(default_factory=dict)
    """Load, steal, swap and frequency around the pass (see ``eager_vs_graph.child.environment``)."""

    @property
    def wall_s(self) -> float:
        """Wall seconds from the start of its process to the end."""
        begin, end = map(datetime.fromisoformat, (self.started, self.ended))
        return (end - begin).total_seconds()


class Run:
    """A run's folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def id(self) -> str:
        """The folder's name."""
        return self.folder.name

    @property
    def raw(self) -> Path:
        """The folder of the passes."""
        return self.folder / "raw"

    @property
    def work(self) -> Path:
        """What an unfinished run needs: plans and journals; gone when it is finished."""
        return self.folder / "work"

    @property
    def files(self) -> Path:
        """What the steps of the compared cells wrote; one folder a cell."""
        return self.folder / "files"

    @property
    def payload(self) -> Path:
        """The user's function and arguments, pickled, where they are no module's."""
        return self.folder / "adopted.pkl"

    @property
    def owner(self) -> Path:
        """The id of the process that measures the run."""
        return self.work / "pid"

    def pass_file(self, number: int) -> Path:
        """pytest-benchmark's JSON of a pass."""
        return self.raw / f"pass-{number}.json"

    def pass_cells_file(self, number: int) -> Path:
        """Cold costs, failures and machine state of a pass."""
        return self.raw / f"pass-{number}.cells.json"

    def save_environment(self, environment: dict[str, Any], request: dict[str, Any]) -> None:
        """Write what was asked for and where it ran."""
        content = {"schema": SCHEMA, "environment": environment, "request": request}
        write_json(self.folder / "environment.json", content)

    def environment(self) -> dict[str, Any]:
        """What the run ran on."""
        return dict(self._environment_file()["environment"])

    def request(self) -> dict[str, Any]:
        """What was asked for: scenarios with summaries and sizes, cells, options."""
        return dict(self._environment_file()["request"])

    def _environment_file(self) -> dict[str, Any]:
        content = read_json(self.folder / "environment.json")
        seen = content.get("schema") if isinstance(content, dict) else None
        if seen not in READABLE:
            raise UsageError(
                f"{self.folder / 'environment.json'}: schema is {seen}, but should be one of "
                f"{', '.join(map(str, READABLE))}; render the run with the version of the harness "
                "that made it"
            )
        return dict(content)

    def save_parity(self, cells: list[CellParity]) -> None:
        """Write the parity of all cells."""
        content = {"schema": SCHEMA, "cells": [asdict(cell) for cell in cells]}
        write_json(self.folder / "parity.json", content)

    def parity(self) -> list[CellParity]:
        """Read the parity of all cells.

        Raises:
            UsageError: the file is missing or damaged.
        """
        path = self.folder / "parity.json"
        with reading(path):
            return [_cell_parity(entry) for entry in read_json(path)["cells"]]
        raise AssertionError

    def save_checkpoints(self, pairs: list[CheckpointParity]) -> None:
        """Write what became of every checkpoint; no file where there was none."""
        if pairs:
            content = {"schema": SCHEMA, "pairs": [asdict(pair) for pair in pairs]}
            write_json(self.folder / "checkpoints.json", content)

    def checkpoints(self) -> list[CheckpointParity]:
        """Read what became of every checkpoint; nothing where the run has no such file.

        Raises:
            UsageError: the file is damaged.
        """
        path = self.folder / "checkpoints.json"
        if not path.exists():
            return []
        with reading(path):
            return [CheckpointParity(**entry) for entry in read_json(path)["pairs"]]
        raise AssertionError

    def save_pass(self, record: PassRecord) -> None:
        """Write what a pass says besides its rounds."""
        content = {"schema": SCHEMA, **asdict(record)}
        write_json(self.pass_cells_file(record.number), content)

    def pass_numbers(self) -> list[int]:
        """Numbers of the passes that have a file, in order."""
        names = (path.name.split(".")[0] for path in self.raw.glob("pass-*.cells.json"))
        return sorted(int(name.removeprefix("pass-")) for name in names)

    def spent_s(self) -> float:
        """Wall seconds of the passes, of those that ended as they should and of the others."""
        records = [self.pass_record(number) for number in self.pass_numbers()]
        return sum(record.wall_s for record in records)

    def pass_record(self, number: int) -> PassRecord:
        """Read what a pass says besides its rounds.

        Raises:
            UsageError: the file is missing or damaged.
        """
        path = self.pass_cells_file(number)
        with reading(path):
            content = dict(read_json(path))
            content.pop("schema")
            content["cells"] = {k: PassCell(**v) for k, v in content["cells"].items()}
            return PassRecord(**content)
        raise AssertionError

    def benchmarks(self, number: int) -> Iterator[dict[str, Any]]:
        """The blocks of a pass as pytest-benchmark wrote them.

        Each has ``extra_info`` (``cell``, ``block``, ``position``, ``probe_s``) and ``stats``
        (``data``: seconds per call of every round).

        Raises:
            UsageError: the file is missing or damaged.
        """
        path = self.pass_file(number)
        with reading(path):
            yield from read_json(path)["benchmarks"]


class reading:  # noqa: N801 - reads as a statement: with reading(path)
    """Turn whatever a damaged file raises into one line that names the file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: object) -> None:
        if kind is not None and issubclass(kind, (KeyError, TypeError, ValueError, IndexError)):
            raise UsageError(
                f"{self.path}: damaged ({kind.__name__}: {error}); delete it to report the rest"
            ) from None


def _cell_parity(entry: dict[str, Any]) -> CellParity:
    tensors = tuple(
        TensorComparison(
            **{
                **tensor,
                "shape": tuple(tensor["shape"]),
                "worst_index": None
                if tensor["worst_index"] is None
                else tuple(tensor["worst_index"]),
                "by_step": tuple(tensor.get("by_step", ())),
            }
        )
        for tensor in entry["tensors"]
    )
    return CellParity(**{**entry, "tensors": tensors})


def read_json(path: Path) -> Any:
    """Read a JSON file.

    Raises:
        UsageError: it is missing or is not JSON; the message names it.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UsageError(f"{path}: no such file; is this the folder of a run?") from None
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise UsageError(
            f"{path}: damaged ({error}); delete it to report the rest of the run"
        ) from None


def write_json(path: Path, content: Any) -> None:
    """Write a JSON file whole or not at all: a reader never sees half of it."""
    partial = path.with_name(path.name + ".partial")
    partial.write_text(json.dumps(content, indent=1, allow_nan=False) + "\n", encoding="utf-8")
    os.replace(partial, path)  # noqa: PTH105 - atomic on every platform
