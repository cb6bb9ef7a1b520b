"""The causes, one a module.

Most give *toggles*, things that can be taken away from both programs, and say what it means where
that makes a mode agree. The order matters where one toggle covers another: a Python variable comes
before tracing anew for each step, which nothing of Python's survives.
"""

from __future__ import annotations

from collections.abc import Callable

from eager_vs_graph.child.explain.causes import (
    autograph,
    dtypes,
    grappler,
    mode_branch,
    random_streams,
    retrace,
    trace_time,
    unknown_shape,
    work,
    xla,
)
from eager_vs_graph.child.explain.disagreement import Disagreement, Finding
from eager_vs_graph.child.explain.toggles import Hit, Toggle
from eager_vs_graph.results.explanation import (
    AUTOGRAPH,
    MODE_BRANCH,
    RANDOM_STREAMS,
    SHAPE,
    TRACE_TIME,
    Cause,
    Key,
)

TOGGLES: tuple[tuple[str, Callable[[Disagreement], list[Toggle]]], ...] = (
    ("asking for the mode", mode_branch.toggles),
    ("what moves outside", trace_time.outside),
    ("random draws", random_streams.toggles),
    ("Python state", trace_time.toggles),
    ("unknown shapes", unknown_shape.toggles),
    ("AutoGraph", autograph.toggles),
    ("XLA", xla.toggles),
    ("Grappler", grappler.toggles),
)
"""What can be taken away, in the order in which it is tried."""

SIMPLE: dict[str, Callable[[Disagreement, Hit], list[Cause]]] = {
    MODE_BRANCH: mode_branch.causes,
    TRACE_TIME: trace_time.causes,
    RANDOM_STREAMS: random_streams.causes,
    SHAPE: unknown_shape.causes,
    AUTOGRAPH: autograph.causes,
}
"""Causes that the toggle shows by itself; of XLA and Grappler, the part is looked for."""

Find = Callable[[Disagreement, set[Key]], Finding]

OF_TENSORS: tuple[tuple[str, Find], ...] = (("dtypes", dtypes.find),)
"""What is said of tensors whatever explains their values."""

OF_WORK: tuple[tuple[str, Find], ...] = (
    ("retracing", retrace.find),
    ("unequal work", work.find),
)
"""Causes of work that differs, whatever the values."""
