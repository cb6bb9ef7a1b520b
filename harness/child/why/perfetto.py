"""A profile as a trace file that Perfetto and chrome://tracing open."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

from eager_vs_graph.child.why.profile import Profile

_PICOSECONDS_A_MICROSECOND = 1e6
_MOST = 50_000
"""Events in a file."""


def write(profiles: dict[str, Profile], path: Path) -> None:
    """Write profiles as one file in the Trace Event Format, gzipped JSON: a process each.

    Args:
        profiles: by the name of the process, such as a mode.
        path: of the file.
    """
    events: list[dict[str, object]] = []
    for number, (name, profile) in enumerate(profiles.items(), start=1):
        events.append(_named("process_name", name, number, 0))
        origin = min((event.start for event in profile.events()), default=0)
        for row, (thread, label) in enumerate(profile.names.items()):
            events.append(_named("thread_name", label or str(thread), number, row))
            for root in profile.threads[thread]:
                for event in (root, *root.within()):
                    if len(events) >= _MOST * number:
                        break
                    events.append(
                        {
                            "ph": "X",
                            "name": event.name,
                            "pid": number,
                            "tid": row,
                            "ts": (event.start - origin) / _PICOSECONDS_A_MICROSECOND,
                            "dur": (event.end - event.start) / _PICOSECONDS_A_MICROSECOND,
                        }
                    )
    with gzip.open(path, "wt", encoding="utf-8") as file:
        json.dump({"traceEvents": events, "displayTimeUnit": "ns"}, file)


def _named(kind: str, name: str, process: int, thread: int) -> dict[str, object]:
    return {"ph": "M", "name": kind, "pid": process, "tid": thread, "args": {"name": name}}
