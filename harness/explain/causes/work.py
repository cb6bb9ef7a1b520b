"""Unequal work: what one mode does in every call and the other never, or once.

A graph may compute faster because it computes less: a result that is dropped is pruned, what
depends on constants is folded, what is computed twice is shared, and Python code runs at tracing
only. A speed-up from that is not one of the mode.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

import tensorflow as tf

from harness.explain import graphs
from harness.explain.case import Case, Finding
from harness.explanation import UNEQUAL_WORK, Cause, Key

SHARE = 0.5
"""A mode does unequal work when it leaves out at least this share of what eager computes."""
SHARED = 0.1
"""What is left when work that is neither dropped nor constant counts as unequal all the same:
sharing some repeated work is what a graph is for, sharing nearly all of it is another program."""
FLOOR = 10_000.0
"""Elements computed below which leaving out some is the ordinary folding of small constants."""
FLOOR_BYTES = 64 * 1024
"""Bytes of constants below which copying them in each eager call is of no matter."""
FLOOR_S = 2e-4
"""Seconds of Python a call below which watching it takes as long as it does itself."""
_PROFILED_CALLS = 3
_REMEDY = (
    "compare equal work: return what the step computes, let it depend on inputs or variables, and "
    "move Python's work into build; until then no speed-up can be claimed"
)


@dataclass(frozen=True)
class Work:
    """What one call does in eager and in a graph mode."""

    eager: float
    """Elements computed by the step's ops, as traced."""
    executed: float
    """The same count for the graph that the mode executes."""
    unused: float = 0.0
    """Of eager's: what neither results nor side effects need."""
    constant: float = 0.0
    """Of eager's: what depends on no input or variable."""
    outside: float = 0.0
    """Share of an eager step's time outside of TensorFlow: Python and NumPy of the author."""
    outside_s: float = 0.0
    """The same in seconds a call."""
    side_effects: tuple[str, ...] = ()
    """Python state that eager's steps change and the mode's do not."""
    constant_bytes: int = 0
    """Bytes that eager copies in from Python in each call, and the graph holds."""
    data_bytes: int = 0
    """Bytes of the step's inputs and outputs."""


def unequal_work(work: Work) -> tuple[str, ...]:
    """Why a mode's time must not be compared with eager's; nothing when the work is equal."""
    reasons = []
    if work.side_effects:
        reasons.append(
            f"eager changes {', '.join(work.side_effects)} in every step, the graph once at tracing"
        )
    if work.outside >= SHARE and work.outside_s >= FLOOR_S:
        reasons.append(
            f"{work.outside:.0%} of eager's step is Python outside of TensorFlow, which a graph "
            "runs once, at tracing"
        )
    nothing_left = work.eager > 0 and work.constant >= work.eager
    idle = work.eager >= FLOOR and work.unused + work.constant >= SHARE * work.eager
    shared = work.eager >= FLOOR and work.executed <= SHARED * work.eager
    if (nothing_left or idle or shared) and work.executed < work.eager:
        reasons.append(
            f"of {work.eager:.3g} elements that eager computes in a call the graph computes "
            f"{work.executed:.3g} ({_why(work)})"
        )
    if work.constant_bytes >= max(FLOOR_BYTES, work.data_bytes):
        reasons.append(
            f"eager copies {work.constant_bytes / 1024:.0f} KiB of constants into each call, the "
            "graph holds them"
        )
    return tuple(reasons)


def measure(case: Case) -> Work | None:
    """Count what a call does in eager and in the case's mode; None where it cannot be counted."""
    if case.traced is None or case.found.error or case.eager.error:
        return None
    eager = graphs.traced_cost(case.traced)
    unused = graphs.costs(graphs.unused(case.traced))
    constant = graphs.costs(graphs.constant_only(case.traced))
    executed = graphs.cost(graphs.optimised(case.lab, case.cell))
    compiled = executed == 0 < eager - unused - constant
    if executed is None or compiled:  # what every graph is spared is known from the trace
        executed = max(0.0, eager - unused - constant)
    constants = graphs.constant_bytes(case.traced, str(case.source.file))
    outside = _outside(case)
    return Work(
        eager=eager,
        executed=executed,
        unused=unused,
        constant=constant,
        outside=outside[0],
        outside_s=outside[1],
        side_effects=tuple(
            name for name, text in case.eager.python.items() if case.found.python.get(name) != text
        ),
        constant_bytes=sum(constants.values()),
        data_bytes=sum(
            array.nbytes
            for arrays in (case.lab.subject.feeds[0], case.eager.outputs[0])
            for array in arrays.values()
        ),
    )


def find(case: Case, _keys: set[Key]) -> Finding:
    """Compare what a call of the mode does with what an eager call does."""
    if case.eager_itself:
        return Finding()
    work = measure(case)
    if work is None:
        return Finding(not_tried=["unequal work: the step could not be traced"])
    reasons = unequal_work(work)
    if not reasons:
        return Finding(
            excluded=[
                f"unequal work: of {work.eager:.3g} elements computed in eager the graph computes "
                f"{work.executed:.3g}, and Python's state ends the same"
            ]
        )
    return Finding(
        [
            Cause(
                UNEQUAL_WORK,
                _why(work) if not work.side_effects else ", ".join(work.side_effects),
                "one call does not do the same work in both modes",
                _REMEDY,
                where=tuple(dict.fromkeys(_where(case, work))),
                evidence=reasons,
            )
        ]
    )


def _why(work: Work) -> str:
    left_out = max(work.eager - work.executed, 1.0)
    if work.unused >= SHARE * left_out:
        return "a dropped result is pruned"
    if work.constant >= SHARE * left_out:
        return "constant inputs are folded"
    if work.executed < work.eager:
        return "repeated work is shared"
    if work.constant_bytes >= FLOOR_BYTES:
        return "constants are copied in each eager call"
    return "Python's work"


def _where(case: Case, work: Work) -> list[str]:
    file = str(case.source.file)
    lines = [line.place for name in work.side_effects for line in case.source.writing(name)]
    if work.unused >= FLOOR or work.constant >= FLOOR or work.executed == 0:
        heavy: Iterable[Any] = graphs.unused(case.traced) or graphs.constant_only(case.traced)
        numbers = {graphs.line_of(op, file) for op in heavy if graphs.costs([op]) > 0}
        lines += [case.source.place(number) for number in sorted(n for n in numbers if n)]
    if work.constant_bytes >= max(FLOOR_BYTES, work.data_bytes):
        lines += [case.source.place(n) for n in graphs.constant_bytes(case.traced, file)]
    return lines


def _outside(case: Case) -> tuple[float, float]:
    """The time of an eager step outside of TensorFlow: its share, and in seconds a call.

    A profile function watches where calls enter TensorFlow and leave it. It slows TensorFlow's own
    Python down, and the author's arithmetic in C not at all, so that the share is rather too small.
    """
    with case.lab.undisturbed():
        program, scenario = case.lab.program(case.cell.in_mode("eager"))
        feed = case.lab.subject.feeds[0]
        tensors = [tf.constant(feed[name]) for name in program.task.argument_names()]
        scenario.step(*tensors)
        return min(_watched(lambda: scenario.step(*tensors)) for _ in range(_PROFILED_CALLS))


def _watched(call: Callable[[], object]) -> tuple[float, float]:
    watch = _Watch()
    before = sys.getprofile()
    sys.setprofile(watch.see)
    started = time.perf_counter()
    try:
        call()
    finally:
        sys.setprofile(before)
    total = time.perf_counter() - started
    outside = max(0.0, total - watch.inside_s)
    return outside / total, outside


class _Watch:
    """Adds up the time between entering TensorFlow's Python and leaving it."""

    def __init__(self) -> None:
        self.inside_s = 0.0
        self._depth = 0
        self._entered = 0.0
        self._known: dict[str, bool] = {}

    def see(self, frame: FrameType, event: str, _argument: Any) -> None:
        """Take in one event of ``sys.setprofile``."""
        if event == "call":
            if self._depth or self._is_tensorflow(frame.f_code.co_filename):
                if not self._depth:
                    self._entered = time.perf_counter()
                self._depth += 1
        elif event == "return" and self._depth:
            self._depth -= 1
            if not self._depth:
                self.inside_s += time.perf_counter() - self._entered

    def _is_tensorflow(self, file: str) -> bool:
        if file not in self._known:
            parts = set(Path(file).parts)
            self._known[file] = bool(parts & {"tensorflow", "keras"})
        return self._known[file]
