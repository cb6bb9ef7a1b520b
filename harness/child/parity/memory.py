"""Peak memory of a piece of work inside this process, apart from any timing.

Linux keeps a high-water mark of a process's resident memory and lets it be reset. Free memory
that the allocator still holds would hide what the work needs, so it is given back first. Where
the system has none of this, the answer is None.
"""

from __future__ import annotations

import ctypes
from pathlib import Path
from types import TracebackType

_STATUS = Path("/proc/self/status")
_CLEAR = Path("/proc/self/clear_refs")


class PeakMemory:
    """Growth of peak resident memory between entering and leaving, in ``bytes``."""

    bytes: int | None = None

    def __enter__(self) -> PeakMemory:
        self._before: int | None = None
        try:
            ctypes.CDLL("libc.so.6").malloc_trim(0)
            _CLEAR.write_text("5")  # resets VmHWM (proc(5))
            self._before = _status_bytes("VmRSS")
        except (OSError, AttributeError, KeyError):
            self._before = None
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._before is not None:
            self.bytes = max(0, _status_bytes("VmHWM") - self._before)


def _status_bytes(key: str) -> int:
    fields = dict(
        line.split(":", 1)
        for line in _STATUS.read_text(encoding="utf-8").splitlines()
        if ":" in line
    )
    return int(fields[key].split()[0]) * 1024
