"""One measurement at a time on a machine: two would measure each other."""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harness.errors import UsageError

LOCK = Path(tempfile.gettempdir()) / "eager-vs-graph.lock"


@contextmanager
def machine(shared: bool = False) -> Iterator[None]:
    """Hold the machine while measuring; the lock goes with the process, however it ends.

    Args:
        shared: measure even though somebody else does.

    Raises:
        UsageError: another run holds it; its process id is in the message.
    """
    if shared:
        yield
        return
    with LOCK.open("a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            holder = file.read().strip() or "unknown"
            raise UsageError(
                f"process {holder} is measuring on this machine; two runs would measure each "
                "other: wait for it, or say --allow-concurrent"
            ) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield
