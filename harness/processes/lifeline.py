"""Ends a process with the one that started it, whatever ended that one."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
import time

_PR_SET_PDEATHSIG = 1
_POLL_S = 1.0


def end_with(parent: int) -> None:
    """End this process when its parent ends.

    On Linux the kernel does it, at any moment, even while the interpreter does not run. Elsewhere a
    thread looks once a second.

    Args:
        parent: the id of the process that started this one. It may have ended before this call.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    else:
        threading.Thread(target=_watch, args=(parent,), daemon=True).start()
    if os.getppid() != parent:
        os._exit(1)


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_POLL_S)
    os._exit(1)
