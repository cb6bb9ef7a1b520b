"""How long a process has waited for a CPU: on a busy machine, that is no sign that it hangs."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import psutil


def cpu_wait_s(pid: int) -> dict[str, float]:
    """Seconds that each thread of a process and its descendants was ready to run and did not.

    Returns:
        Seconds since the thread began, by the thread's folder; empty where the system does not
        count them (Linux does).
    """
    pids = [pid]
    with suppress(psutil.Error):
        pids += [child.pid for child in psutil.Process(pid).children(recursive=True)]
    return {thread: waited for each in pids for thread, waited in waits_of_threads(each).items()}


def waits_of_threads(pid: int) -> dict[str, float]:
    """The same for the threads of one process."""
    found = {}
    for file in Path(f"/proc/{pid}/task").glob("*/schedstat"):
        # CPU time, waiting time (both in ns), number of time slices
        with suppress(OSError, ValueError, IndexError):
            found[str(file.parent)] = int(file.read_text("ascii").split()[1]) * 1e-9
    return found


def longest_wait_s(before: dict[str, float], pid: int) -> float:
    """The longest time that one thread has waited since ``before`` was taken."""
    return longest(before, cpu_wait_s(pid))


def longest(before: dict[str, float], now: dict[str, float]) -> float:
    """The longest wait of one thread between two looks, in seconds."""
    return max((waited - before.get(thread, 0.0) for thread, waited in now.items()), default=0.0)
