"""The schema of a run's folder, the only source of truth for reports. Free of TensorFlow.

    results/<run-id>/
      environment.json      what was asked for and the machine it ran on
      parity.json           one CellParity a cell
      checkpoints.json      one CheckpointParity a pair of modes, where a scenario has a checkpoint
      explanations.json     one Explanation a cell that disagrees (``explanation.py``)
      why.json              where the time of calls goes (``why.py``), where that was looked at
      raw/pass-1.json       pytest-benchmark's own JSON of the first pass
      raw/pass-1.cells.json what pytest-benchmark has no place for: cold costs, failures, machine

Everything else in the folder is made from these files and can be deleted, but for ``files/``: what
the steps of the compared cells wrote, for people and their tools (``tensorboard --logdir``).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any

from msgspec import Meta

# The statuses of parity, from best to worst: a cell has the worst status of its tensors.
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
NO_DIGIT = "no right digit"
"""Stands beside the status of a cell that agrees, where an element has no right digit."""

NOT_CHECKED = "not checked"
"""Shown for a cell without a status: the run ended before its outputs were compared."""

Status = Annotated[str, Meta(pattern=f"^({'|'.join(STATUSES)})$")]
"""One of ``STATUSES``."""
PassStatus = Annotated[str, Meta(pattern=f"^(measured|{'|'.join(STATUSES)})$")]
"""``measured``, or one of ``STATUSES``."""
CellId = Annotated[str, Meta(pattern="^[^/]+(/[^/]+){4}$")]
"""The id of a cell: five parts with slashes between them; see ``Cell``."""
Whole = Annotated[int, Meta(ge=-(2**53), le=2**53)]
"""A number of things, bytes or steps: small enough for every table."""
Seconds = Annotated[float, Meta(ge=0, le=1e9)]


@dataclass(frozen=True)
class TensorComparison:
    """One output or variable of a cell against one reference, over all compared steps."""

    tensor: str
    kind: str
    """``output``, ``variable``, or ``written``: read back from the files that the steps wrote."""
    against: str
    """``eager`` or ``reference``; for eager itself, ``eager`` is its own second run."""
    status: Status
    known: str | None = None
    """The reason the author declared for the difference, where one was declared."""
    detail: str = ""
    """What is wrong besides values, e.g. ``value.dtype=float64, but should be float32``."""
    dtype: str = ""
    shape: tuple[Whole, ...] = ()
    max_abs: float | None = None
    """Largest absolute error over elements where both are finite; unit of the tensor."""
    max_rel: float | None = None
    """Largest relative error over elements with a finite, non-zero reference."""
    max_ulp: float | None = None
    """Largest distance in units in the last place of the tensor's dtype; None if not floating."""
    max_scaled: float | None = None
    """Largest absolute error, divided by the largest element of the reference at the same step;
    None if not floating, where every element is zero, and in records of older versions."""
    worst_step: Whole | None = None
    """Step (from 0) of the worst element; None when identical."""
    worst_index: tuple[Whole, ...] | None = None
    value: str | None = None
    reference: str | None = None
    first_step: Whole | None = None
    """First step (from 0) at which the values were not bit-identical."""
    p99_ulp: float | None = None
    """99th percentile of the ULP distance over the elements of the worst step."""
    misplaced: Whole = 0
    """Elements of the worst step that are NaN or infinite on one side only."""
    signed_zeros: Whole = 0
    """Elements of the worst step that are zeros of different sign."""
    lost: Whole = 0
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

    cell: CellId
    status: Status
    reason: str = ""
    known: str | None = None
    """The declared reason, when every difference of the cell was declared."""
    traces: Whole | None = None
    steps: Whole | None = None
    inner_traces: dict[str, Whole] = field(default_factory=dict)
    """Traces of the user's own tf.functions, by name, in a mode that keeps them."""
    tensors: tuple[TensorComparison, ...] = ()
    learned: dict[str, float | None] = field(default_factory=dict)
    """What the scenario measured after its goal's steps; None where it was not finite."""
    curves: dict[str, list[float | None]] = field(default_factory=dict)
    """By output: its values on the way to the goal, in order; None where it was not finite."""
    call_s: Seconds | None = None
    """Seconds of a step, first one included: to plan with, not to report."""
    peak_memory_bytes: Whole | None = None
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

    wrote: CellId
    """Id of the cell that wrote."""
    read: CellId
    """Id of the cell that restored; the same scenario and size."""
    status: Status
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

    status: PassStatus
    """``measured``, or the status of a failure: unsupported, error, crashed, timeout."""
    reason: str = ""
    build_s: Seconds | None = None
    """Seconds to build the program: variables, graph, session; no call."""
    first_call_s: Seconds | None = None
    """Seconds of the first call: tracing, Grappler, first execution."""
    traces: Whole | None = None
    """Traces of the Python body until the last timed call; 0 for eager."""
    prepare_s: Seconds | None = None
    """Seconds to build, warm and calibrate the program: what a pass pays before its blocks."""
    block_s: Seconds | None = None
    """Expected seconds of one block."""
    retraces: Whole | None = None
    """Traces beyond the first that happened in the timed blocks."""


@dataclass(frozen=True)
class PassRecord:
    """One pass: a fresh process."""

    number: Whole
    outcome: str
    """``complete``, ``interrupted``, ``crashed`` or ``timeout``."""
    started: str
    ended: str
    startup_s: Seconds
    """Seconds until TensorFlow was imported."""
    blocks_s: Seconds
    """Wall seconds of the timed blocks, from the first to the last."""
    clock_s: Seconds
    """Seconds of these inside timed calls."""
    cells: dict[CellId, PassCell]
    seconds: Seconds | None = None
    """Wall seconds from the start of the pass's process to its end, by a clock that never jumps."""
    machine: dict[str, Any] = field(default_factory=dict)
    """Load, steal, swap and frequency around the pass (``child/machine.py``)."""

    @property
    def wall_s(self) -> float:
        """Wall seconds from the start of its process to the end."""
        if self.seconds is not None:
            return self.seconds
        try:  # until 0.1, there were only the two dates
            begin, end = map(datetime.fromisoformat, (self.started, self.ended))
            return max(0.0, (end - begin).total_seconds())
        except (ValueError, TypeError):
            return 0.0
