"""The causes, one a module: ``find(case, open_keys)`` experiments and says what it found.

The order matters where one condition covers another: Python's frozen state comes before unknown
shapes, because tracing anew for each step changes both.
"""

from __future__ import annotations

from collections.abc import Callable

from eager_vs_graph.child.explain.causes import (
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
from eager_vs_graph.results.explanation import Key

Find = Callable[[Disagreement, set[Key]], Finding]

OF_VALUES: tuple[Find, ...] = (
    mode_branch.find,
    trace_time.find,
    random_streams.find,
    unknown_shape.find,
    xla.find,
    grappler.find,
    dtypes.find,
)
"""Causes of values that differ; each is asked about the tensors that are still open."""

OF_WORK: tuple[Find, ...] = (retrace.find, work.find)
"""Causes of work that differs, whatever the values."""
