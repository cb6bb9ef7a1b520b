"""Ends a process whose experiment does not end: the parent starts another, without it."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable

EXPERIMENT_S = 10.0
"""Seconds that any experiment may take…"""
_TIMES = 8
"""… or so many times what the longest so far took, where that is more: a busy machine, or a large
model, makes all of them long."""


class Watchdog:
    """Knows when the experiment at hand began.

    Args:
        give_up: is told the seconds after which the process is ended.
    """

    def __init__(self, give_up: Callable[[float], None]) -> None:
        self._give_up = give_up
        self._timer: threading.Timer | None = None
        self._began = time.monotonic()
        self._longest_s = 0.0

    def begin(self, *, least_s: float = EXPERIMENT_S) -> None:
        """Another experiment begins: the one before has ended."""
        self.rest()
        limit_s = max(least_s, _TIMES * self._longest_s)
        self._timer = threading.Timer(limit_s, self._end, [limit_s])
        self._timer.daemon = True
        self._timer.start()

    def rest(self) -> None:
        """No experiment is at hand."""
        now = time.monotonic()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
            self._longest_s = max(self._longest_s, now - self._began)
        self._began = now

    def _end(self, seconds: float) -> None:
        self._give_up(seconds)
        os._exit(75)
