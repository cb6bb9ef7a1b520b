"""How much of a call's time passes outside of TensorFlow's Python."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

_CALLS = 20
"""Calls that are watched: the best of them is one that nothing else on the machine interrupted…"""
_SECONDS = 0.3
"""… or as many as fit into this time, but three at least."""
_FEWEST = 3


def outside(call: Callable[[], object], of_interest: float = 0.0) -> tuple[float, float]:
    """The time of a call outside of TensorFlow: its share, and in seconds; of the best of a few.

    A profile function watches where calls enter TensorFlow and leave it. It slows TensorFlow's own
    Python down, and the author's arithmetic in C not at all, so that the share is rather too small.

    Args:
        call: what is called, and watched: several times as long as a call takes by itself.
        of_interest: a share; after a call with a smaller one, there is no further call.
    """
    began = time.perf_counter()
    found = [_watched(call)]
    while min(found)[0] >= of_interest and (
        len(found) < _FEWEST or (len(found) < _CALLS and time.perf_counter() - began < _SECONDS)
    ):
        found.append(_watched(call))
    return min(found)


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
