"""Why a mode takes as long as it does, as data. Free of TensorFlow.

``child/why`` makes it, ``why.json`` keeps it, reports show it.

The seconds of a call are the clock's, taken while nothing is watched. The shares are a profile's
of the same calls, taken in turn with those of the clock, less what the profiler itself costs. Where
the two disagree, the finding says so.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Annotated

from msgspec import Meta

from eager_vs_graph.results.cells import Cell
from eager_vs_graph.results.record import CellId, Seconds, Whole

Positive = Annotated[float, Meta(ge=1e-12, le=1e9)]
"""Seconds of something that was timed."""
Number = Annotated[float, Meta(ge=0, le=1e15)]
"""How many, in the mean of some calls."""

# The shares of a call, in the order in which reports show them.
KERNELS = "kernels"
DISPATCH = "dispatch"
CONVERSION = "conversion"
PYTHON = "Python"
CALLBACK = "Python called from the graph"
PIPELINE = "input pipeline"
FEEDING = "feeding and fetching"
TRACING = "tracing"
WAITING = "waiting"
SHARES = (
    *(KERNELS, DISPATCH, CONVERSION, PYTHON, CALLBACK),
    *(PIPELINE, FEEDING, TRACING, WAITING),
)

# Counts of a call, by their names in the record.
PYTHON_CALLS = "Python calls"
OPS = "ops from Python"
CONVERSIONS = "conversions"
TRACES = "traces"
TRACED_NODES = "nodes traced"
GRAPPLER_NODES = "nodes after Grappler"
CONSTANT_BYTES = "bytes of constants"
KERNELS_OF_GRAPHS = "kernels in graphs"
INSTRUCTIONS = "HLO instructions"
FUSIONS = "HLO fusions"
KEPT = "objects kept per 100 calls"
PEAK = "peak memory"
GROWTH = "memory growth per 100 calls"
GATED = (
    *(OPS, CONVERSIONS, TRACES, TRACED_NODES, GRAPPLER_NODES, CONSTANT_BYTES),
    *(KERNELS_OF_GRAPHS, INSTRUCTIONS, KEPT),
)
"""Counts of which more is worse: a change of the code that adds to them is a regression."""

ADDS_UP = 0.1
"""How far the shares may be from the measured time, as a part of it, before a report says so."""


@dataclass(frozen=True)
class Share:
    """One kind of work in a call."""

    name: str
    """One of ``SHARES``."""
    seconds: Seconds
    """Of a call's time by the clock."""
    count: Number = 0.0
    """How many in a call: ops dispatched, values converted, kernels run; 0 where none are
    counted. Not whole where calls differ."""


@dataclass(frozen=True)
class Kernel:
    """The time of all kernels of one type in a call."""

    op: str
    seconds: Seconds
    count: Number


@dataclass(frozen=True)
class Retrace:
    """A trace of a ``tf.function`` after its first."""

    function: str
    argument: str
    """The argument that was another one; empty where it is not an argument."""
    before: str
    """Its type in the trace that is nearest."""
    after: str
    seconds: Seconds
    """What this trace took: Python of the function, AutoGraph, and the graph's making."""
    call: Whole = 0
    """In which call of the sequence, from 0."""
    line: str = ""
    """The user's line that calls the function, ``file.py:12: the line``."""
    remedy: str = ""


@dataclass(frozen=True)
class Advice:
    """A change that was tried, and what it gained."""

    pattern: str
    """The pattern's name in the catalogue (``child/why/patterns``)."""
    what: str
    """What was seen, in a sentence."""
    remedy: str
    before_s: Positive
    """Seconds as it is…"""
    after_s: Positive
    """… and changed, measured in turn."""
    of: str = "call"
    """What the seconds are of."""
    general: bool = False
    """Whether the change is another way to execute, and not one of the code."""

    @property
    def gain(self) -> float:
        """How many times as fast."""
        return self.before_s / self.after_s


@dataclass(frozen=True)
class Prediction:
    """What could be gained by a step that another mode takes, said before it was measured."""

    mode: str
    """The other mode."""
    expected_s: Seconds
    """Seconds of a call, if just those shares vanish that the mode does without."""
    measured_s: Seconds | None = None


@dataclass(frozen=True)
class CellWhy:
    """Where the time of one cell's call goes."""

    cell: CellId
    part: str = ""
    """The part of a Keras model that it is, such as ``predict``; empty for other code."""
    call_s: Seconds = 0.0
    """Seconds of a call by the clock."""
    profiled_s: Seconds = 0.0
    """The sum of the profile's shares in a call, less the profiler's own cost, in seconds."""
    first_call_s: Seconds = 0.0
    """Seconds of the first call; that of a mode which traces has its tracing in it."""
    shares: tuple[Share, ...] = ()
    """They sum up to ``call_s``."""
    kernels: tuple[Kernel, ...] = ()
    """The largest first."""
    counters: dict[str, Whole] = field(default_factory=dict)
    """Exact counts, the same in every run of the same code."""
    memory: dict[str, Whole] = field(default_factory=dict)
    """Bytes, which differ from run to run."""
    retraces: tuple[Retrace, ...] = ()
    advice: tuple[Advice, ...] = ()
    predictions: tuple[Prediction, ...] = ()
    error: str = ""
    """Why there is no answer."""

    @property
    def missing(self) -> float:
        """What the shares are short of, as a part of the call's time; negative: they exceed it."""
        return 1.0 - self.profiled_s / self.call_s if self.call_s else 0.0

    @property
    def adds_up(self) -> bool:
        """Whether the profile's shares add up to the measured time."""
        return abs(self.missing) <= ADDS_UP

    def share(self, name: str) -> float:
        """A share as a part of the call's time."""
        return self.seconds(name) / self.call_s if self.call_s else 0.0

    def seconds(self, name: str) -> float:
        """A share's seconds; 0 where there is none of it."""
        return sum(share.seconds for share in self.shares if share.name == name)


@dataclass(frozen=True)
class Why:
    """Why modes of one target take as long as they do."""

    cells: tuple[CellWhy, ...] = ()
    seconds: Seconds = 0.0


def with_measured(cells: tuple[CellWhy, ...]) -> tuple[CellWhy, ...]:
    """The cells, with what was measured beside what was predicted of other modes."""
    measured = {cell.cell: cell.call_s for cell in cells if not cell.error}

    def checked(cell: CellWhy, prediction: Prediction) -> Prediction:
        other = replace(Cell.parse(cell.cell), mode=prediction.mode).id
        return replace(prediction, measured_s=measured.get(other))

    return tuple(
        replace(cell, predictions=tuple(checked(cell, each) for each in cell.predictions))
        for cell in cells
    )


@dataclass(frozen=True)
class Reason:
    """Why a cell is slow, in short."""

    kind: str
    """``traced again``, the name of a pattern whose change gained something, or a share."""
    of: str = ""
    """The argument of a retrace; the gain's seconds of what."""


TRACED_AGAIN = "traced again"


def reasons(cell: CellWhy) -> list[Reason]:
    """Why a cell is slow, what matters most first.

    A trace after the first costs a thousand calls; its argument comes first. A change that gained
    something comes before a share, which is only where the time goes; one of the code before
    another way to execute it.
    """
    named = [each for each in cell.retraces if each.argument or each.remedy]
    found = [Reason(TRACED_AGAIN, each.argument or each.after) for each in named]
    by_gain = sorted(cell.advice, key=lambda each: (each.general, each.after_s / each.before_s))
    found += [Reason(each.pattern, each.of) for each in by_gain]
    found += [Reason(TRACED_AGAIN, each.after) for each in cell.retraces if each not in named]
    shares = sorted(cell.shares, key=lambda share: -share.seconds)
    found += [Reason(share.name) for share in shares[:1]]
    return list(dict.fromkeys(found))
