"""Runs calls under TensorFlow's profiler and reads what it wrote.

``tf.profiler.experimental`` writes an XSpace for a CPU too, and TensorFlow's own wheel has the
protocol buffer that reads it. Python is not traced: that would slow down what it counts.
"""

from __future__ import annotations

import logging
import tempfile
from bisect import bisect_left
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import tensorflow as tf
from tensorflow.tsl.profiler.protobuf import xplane_pb2

STEP = "eager_vs_graph:call"
"""Name of the event around a call."""
FEED = "eager_vs_graph:feed"
FETCH = "eager_vs_graph:fetch"

_PICOSECONDS_A_NANOSECOND = 1000


@dataclass(slots=True)
class Event:
    """Something that a thread did.

    Attributes:
        name: as the profiler has it.
        thread: whose it is.
        start: in picoseconds; ``end`` likewise.
        children: what the thread did within, in order.
    """

    name: str
    thread: int
    start: int
    end: int
    children: list[Event] = field(default_factory=list)

    def within(self) -> Iterator[Event]:
        """Everything that the thread did within, from the outside inwards."""
        waiting = self.children[::-1]
        while waiting:  # a graph's loop nests its turns, a thousand of them
            event = waiting.pop()
            yield event
            waiting += event.children[::-1]


@dataclass
class Profile:
    """What the threads of the host did.

    Attributes:
        threads: by thread, its outermost events in the order of their start.
        names: the threads' names.
    """

    threads: dict[int, list[Event]] = field(default_factory=dict)
    names: dict[int, str] = field(default_factory=dict)

    def calls(self) -> list[Event]:
        """The events around the calls, in order."""
        found = [each for roots in self.threads.values() for each in roots if each.name == STEP]
        return sorted(found, key=lambda event: event.start)

    def others(self, thread: int, start: int, end: int) -> Iterator[Event]:
        """Outermost events of the other threads that overlap a time."""
        for each, roots in self.threads.items():
            if each != thread:
                yield from overlapping(roots, start, end)

    def events(self) -> Iterator[Event]:
        """Every event."""
        for roots in self.threads.values():
            for root in roots:
                yield root
                yield from root.within()


def overlapping(events: list[Event], start: int, end: int) -> Iterator[Event]:
    """Those of some events, in order and apart from each other, that overlap a time."""
    first = bisect_left(events, start, key=lambda event: event.end)
    for event in events[first:]:
        if event.start >= end:
            return
        yield event


def profiled(call: Callable[[], object], calls: int) -> Profile:
    """What the host does in some calls.

    Args:
        call: what is called.
        calls: how often.

    Raises:
        RuntimeError: the profiler cannot be started, as where it runs already.
    """
    with tempfile.TemporaryDirectory(prefix="eager-vs-graph-profile-") as folder:
        with _quiet():
            try:
                tf.profiler.experimental.start(folder)
            except tf.errors.OpError as error:
                raise RuntimeError(f"TensorFlow's profiler: {error.message}") from error
            try:
                for _ in range(calls):
                    with tf.profiler.experimental.Trace(STEP):
                        call()
            finally:
                tf.profiler.experimental.stop()
        files = list(Path(folder).glob("plugins/profile/*/*.xplane.pb"))
        if not files:
            raise RuntimeError("TensorFlow's profiler wrote no profile")
        space = xplane_pb2.XSpace()
        space.ParseFromString(files[0].read_bytes())
    return _read(space)


@contextmanager
def _quiet() -> Iterator[None]:
    """Without what TensorFlow says of every profile that it begins."""
    logger = logging.getLogger("tensorflow")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(before)


def _read(space: Any) -> Profile:
    profile = Profile()
    for plane in space.planes:
        if not plane.name.startswith("/host:CPU"):
            continue
        names = {number: each.name for number, each in plane.event_metadata.items()}
        for line in plane.lines:
            begin = line.timestamp_ns * _PICOSECONDS_A_NANOSECOND
            events = [
                Event(
                    names[each.metadata_id],
                    line.id,
                    begin + each.offset_ps,
                    begin + each.offset_ps + each.duration_ps,
                )
                for each in line.events
            ]
            profile.threads[line.id] = nested(events)
            profile.names[line.id] = line.name
    return profile


def nested(events: list[Event]) -> list[Event]:
    """The outermost of a thread's events, with the others as their children."""
    roots: list[Event] = []
    open_: list[Event] = []
    for event in sorted(events, key=lambda each: (each.start, -each.end)):
        while open_ and open_[-1].end <= event.start:
            open_.pop()
        (open_[-1].children if open_ else roots).append(event)
        open_.append(event)
    return roots
