"""Ends a process whose experiment does not end: the parent starts another, without it."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable

from eager_vs_graph.processes.cpu_wait import longest, waits_of_threads

EXPERIMENT_S = 10.0
"""Seconds that any experiment may take, without those in which it waits for a CPU…"""
_TIMES = 8
"""… or so many times what the longest so far took, where that is more: a large model makes all of
them long."""

_LEAST_S = 0.1
"""Seconds that are not worth another look."""


class Watchdog:
    """Knows when the experiment at hand began.

    Args:
        give_up: is told the seconds after which the process is ended.
    """

    def __init__(self, give_up: Callable[[float], None]) -> None:
        self._give_up = give_up
        self._ended: threading.Event | None = None
        """Of the experiment at hand; None where there is none."""
        self._began = time.monotonic()
        self._longest_s = 0.0

    def begin(self, *, least_s: float = EXPERIMENT_S) -> None:
        """Another experiment begins: the one before has ended."""
        self.rest()
        self._ended = threading.Event()
        limit_s = max(least_s, _TIMES * self._longest_s)
        threading.Thread(target=self._watch, args=[self._ended, limit_s], daemon=True).start()

    def rest(self) -> None:
        """No experiment is at hand."""
        now = time.monotonic()
        if self._ended is not None:
            self._ended.set()
            self._ended = None
            self._longest_s = max(self._longest_s, now - self._began)
        self._began = now

    def _watch(self, ended: threading.Event, limit_s: float) -> None:
        began, waits = time.monotonic(), waits_of_threads(os.getpid())
        left_s = limit_s
        while left_s > _LEAST_S:
            if ended.wait(left_s):
                return
            waited_s = longest(waits, waits_of_threads(os.getpid()))
            left_s = began + limit_s + waited_s - time.monotonic()
        self._give_up(limit_s)
        os._exit(75)
