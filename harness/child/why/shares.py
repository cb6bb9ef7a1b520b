"""What the events of a profile are: the shares of a call's time.

The thread that calls is divided by what it is at: its events are nested, and what is left of one
without those within is its own. While it waits for a graph, the other threads are looked at
(``sweep.py``).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from eager_vs_graph.child.why.calibration import Costs
from eager_vs_graph.child.why.profile import FEED, FETCH, Event, Profile, overlapping
from eager_vs_graph.child.why.sweep import Interval, sweep
from eager_vs_graph.results.why import (
    CALLBACK,
    CONVERSION,
    DISPATCH,
    FEEDING,
    KERNELS,
    PIPELINE,
    PYTHON,
    TRACING,
    WAITING,
)

_OF_GRAPHS = (PIPELINE, CALLBACK, KERNELS, DISPATCH)
"""While several threads work for a graph, the first of these that one is at counts."""
_KERNEL = re.compile(r"(?P<node>[^:]+):(?P<op>\w+)")
"""How the runtime names a kernel's event: the node and its op."""
_LOCAL = "EagerLocalExecute: "
_CALLBACKS = frozenset({"PyFunc", "PyFuncStateless", "EagerPyFunc"})
_WRAPPERS = frozenset(
    {
        *("While", "StatelessWhile", "If", "StatelessIf", "Case", "StatelessCase"),
        *("PartitionedCall", "StatefulPartitionedCall", "RemoteCall", "SymbolicGradient"),
        *("XlaLaunch", "XlaLaunchV2", "_XlaRun", "_XlaCompile", "_XlaMerge"),
    }
)
"""Ops that run other ops: what is left without these is dispatch."""
_ASKS_PIPELINE = ("IteratorGetNext", "ReduceDataset", "MakeIterator", "AnonymousIterator")
"""How ops and events begin that wait for a data set's next element."""
_COMPILED = (
    *("CpuExecutable::Execute", "TfrtCpuExecutable::Execute", "GpuExecutable::Execute"),
    "ThunkExecutor::Execute",
)
"""Events of XLA's executables: what is within are its instructions."""
_NUMBER = re.compile(r"(\.\d+)+$|_\d+(\.\d+)*$")
_NO_INSTRUCTION = ("end: ", "BlockUntilReady", "ThreadpoolListener")
_BUILDING = "tf.function-graph_building"
_NAMED = {
    **{FEED: FEEDING, FETCH: FEEDING},
    **{_BUILDING: TRACING, "tf.constant": CONVERSION},
}
_DISPATCHES = ("TFE_", "Eager", "ValidateInput")
_GRAPH = "graph"
"""Name of the dispatch that is a graph's executor's, in ``Found.time``."""
_WORKS, _RESTS = "ThreadpoolListener::StartRegion", "ThreadpoolListener::StopRegion"
"""Marks of a pool's thread that begins and ends some work."""
_OF_DATA_SETS = "tf_data"
_FIRST_PARTY = ("__inference_", "__forward_", "__backward_")
"""How TensorFlow names the functions that it makes of graphs."""


@dataclass
class Found:
    """Sums over some calls.

    Attributes:
        calls: how many.
        time: picoseconds by kind and name; the name is that of a kernel's op.
        graphs: picoseconds by kernel's op of those that are in graphs.
        conversions: Python and NumPy values that became tensors.
        ops: ops that Python dispatched.
        kernels: by op, how often it was run.
        profiler: picoseconds that the profiler took.
    """

    calls: int = 0
    time: Counter[tuple[str, str]] = field(default_factory=Counter)
    graphs: Counter[str] = field(default_factory=Counter)
    conversions: int = 0
    ops: Counter[str] = field(default_factory=Counter)
    kernels: Counter[str] = field(default_factory=Counter)
    traces: int = 0
    profiler: float = 0.0


def found(profile: Profile, calls: Sequence[Event], costs: Costs) -> Found:
    """The sums of some calls.

    Args:
        profile: of which the calls are.
        calls: the events around them.
        costs: the profiler's.
    """
    reader = _Reader(profile, costs)
    for call in calls:
        reader.call(call)
    return reader.found


def with_kernels(steady: Found, early: Found) -> Found:
    """The sums of calls in which quick kernels are not seen, with those kernels.

    The runtime records a kernel only as long as it does not know it to be quick, for some ninety
    calls. So the time in which threads are at a graph comes from later calls, and how much of it
    is spent in which kernel from the first ones.
    """
    result = Found(**{**vars(steady), "time": Counter(steady.time), "kernels": Counter()})
    busy = sum(steady.graphs.values()) + steady.time[DISPATCH, _GRAPH]
    scale = steady.calls / max(1, early.calls)
    kernels = {
        op: steady.graphs[op]
        if steady.kernels[op] >= scale * early.kernels[op]
        else scale * early.graphs[op]
        for op in early.graphs
    }
    within = min(1.0, busy / total) if (total := sum(kernels.values())) else 0.0
    result.time[DISPATCH, _GRAPH] = busy
    for op, time in kernels.items():
        result.time[KERNELS, op] += round(within * time)
        result.time[DISPATCH, _GRAPH] -= round(within * time)
    for op in early.kernels.keys() | steady.kernels.keys():
        result.kernels[op] = max(round(scale * early.kernels[op]), steady.kernels[op])
    return result


class _Reader:
    """Sums up calls."""

    def __init__(self, profile: Profile, costs: Costs) -> None:
        self._profile = profile
        self._costs = costs
        self._traced = False
        self.found = Found()

    def call(self, event: Event) -> None:
        self.found.calls += 1
        # What a session's call does outside of its run is handing over arrays, both ways.
        of_session = any(child.name == "SessionRun" for child in event.within())
        self._traced = any(child.name == _BUILDING for child in event.within())
        self._walk(event, FEEDING if of_session else PYTHON, "")

    def _walk(self, event: Event, kind: str, op: str) -> None:
        """Add an event's own time to its kind, and go on with those within."""
        own = event.end - event.start
        for child in event.children:
            own -= child.end - child.start
            child_op = child.name[len(_LOCAL) :] if child.name.startswith(_LOCAL) else op
            child_kind = self._kind(child, kind)
            if self._waits(event, child, child_kind):
                self._region(child, child_op)
            else:
                self._count(child, kind, child_kind)
                self._walk(child, child_kind, child_op)
        # Recording an event takes its time before and after it, in the one around.
        marks = sum(1 for child in event.children if child.name in (FEED, FETCH))
        cost = len(event.children) * self._costs.event + marks * self._costs.mark
        own = max(0, own)
        self._add(kind, own - self._profilers(own, cost))

    def _profilers(self, time: int, cost: float) -> int:
        """What of a time is the profiler's."""
        part = min(time, round(cost))
        self.found.profiler += part
        return part

    def _add(self, kind: str, time: int, name: str = "") -> None:
        self.found.time[kind, name] += time

    def _kind(self, event: Event, around: str) -> str:
        """What an event of the calling thread is, within something of the kind ``around``."""
        name = event.name
        if around in (FEEDING, TRACING, CONVERSION) and name != "SessionRun":
            return around
        if name.startswith(_LOCAL) and self._traced and _is_function(name[len(_LOCAL) :]):
            return TRACING  # Grappler, and making kernels of the new graph
        if name in _NAMED:
            return _NAMED[name]
        inside = {child.name for child in event.children}
        if name == "convert_to_tensor":
            return CONVERSION if "tf.constant" in inside else around
        # A tf.function chooses among its traces before it executes one.
        dispatches = name.startswith(_DISPATCHES) or "TFE_Py_ExecuteCancelable" in inside
        return DISPATCH if dispatches else around

    def _waits(self, around: Event, event: Event, kind: str) -> bool:
        """Whether the thread hands over to kernels in this event."""
        if event.name == "SessionRun":
            return True
        in_kernel = event.name == "KernelAndDeviceFunc::Run" or around.name == "EagerKernelExecute"
        return in_kernel and kind in (DISPATCH, TRACING)

    def _count(self, event: Event, around: str, kind: str) -> None:
        if event.name.startswith(_LOCAL) and around in (DISPATCH, PYTHON):
            self.found.ops[event.name[len(_LOCAL) :]] += 1
        if kind == CONVERSION and around != CONVERSION:
            self.found.conversions += 1
        if event.name == _BUILDING:
            self.found.traces += 1

    def _region(self, event: Event, op: str) -> None:
        """An event in which kernels run: one by itself, or those of a graph."""
        if event.name != "SessionRun" and not _is_function(op):
            kind = PIPELINE if op.startswith(_ASKS_PIPELINE) else KERNELS
            kind = CALLBACK if op in _CALLBACKS else kind
            self.found.kernels[op] += kind == KERNELS
            self._add(kind, event.end - event.start, op)
            return
        intervals = list(self._intervals(event.children, event))
        others = self._profile.others(event.thread, event.start, event.end)
        intervals += self._intervals(others, event)
        intervals += self._at_work(event)
        ran = [each for each in intervals if each.kind == KERNELS]
        ran = [each for each in ran if event.start <= each.start < event.end]
        self.found.kernels.update(each.name for each in ran)
        times = sweep(intervals, event.start, event.end, _OF_GRAPHS, WAITING)
        fixed = self._costs.session if event.name == "SessionRun" else self._costs.function
        cost = fixed + self._costs.event * self._others(event)
        for kind in (DISPATCH, WAITING):
            part = self._profilers(times[kind, ""], cost)
            times[kind, ""] -= part
            cost -= part
        for (kind, name), time in times.items():
            if kind == KERNELS:
                self.found.graphs[name] += time
            else:
                self._add(kind, time, _GRAPH if kind == DISPATCH else "")

    def _others(self, region: Event) -> int:
        """Events of the other threads at that time."""
        others = self._profile.others(region.thread, region.start, region.end)
        return sum(1 + sum(1 for _ in event.within()) for event in others)

    def _at_work(self, region: Event) -> Iterator[Interval]:
        """When the runtime's threads were at work, whatever they did."""
        for thread, roots in self._profile.threads.items():
            if thread == region.thread or self._profile.names[thread].startswith(_OF_DATA_SETS):
                continue
            begin = None
            for event in overlapping(roots, region.start, region.end):
                if event.name == _WORKS:
                    begin = event.start
                elif event.name == _RESTS:
                    yield Interval(DISPATCH, "", begin or region.start, event.end)
                    begin = None
            if begin is not None:
                yield Interval(DISPATCH, "", begin, region.end)

    def _intervals(self, events: Iterable[Event], region: Event) -> Iterator[Interval]:
        """What events of a graph are."""
        waiting = list(events)
        while waiting:  # a graph's loop nests its turns, a thousand of them
            event = waiting.pop()
            if event.end <= region.start or event.start >= region.end:
                continue
            kind, name, inside = _in_graph(event)
            if kind:
                yield Interval(kind, name, event.start, event.end)
            if event.name.startswith(_COMPILED):
                yield from _instructions(event)
            elif inside:
                waiting += event.children


def _in_graph(event: Event) -> tuple[str, str, bool]:
    """Kind and name of an event that a graph's execution has, and whether to look inside."""
    name = event.name
    if name.startswith(_ASKS_PIPELINE):
        return PIPELINE, "", False
    if match := _KERNEL.fullmatch(name):
        op = match["op"]
        if op in _CALLBACKS:
            return CALLBACK, "", False
        if op in _WRAPPERS or _is_function(op):
            return DISPATCH, "", True
        return KERNELS, op, False
    # Not FunctionRun: the thread that calls waits in it as well.
    if name.startswith(("ExecutorState::", "ExecutorDone", *_COMPILED)):
        return DISPATCH, "", True
    return "", "", True


def _instructions(event: Event) -> Iterator[Interval]:
    """What XLA made of ops, as it is executed: without the numbers in their names."""
    for each in event.children:
        if each.name.startswith(_NO_INSTRUCTION):
            continue
        if "::" in each.name:  # of the executable's own
            yield from _instructions(each)
        else:
            yield Interval(KERNELS, _NUMBER.sub("", each.name), each.start, each.end)


def _is_function(op: str) -> bool:
    return op.startswith(_FIRST_PARTY)
