"""One measurement at a time on a machine: two would measure each other."""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from eager_vs_graph.errors import UsageError

LOCK = Path(
    os.environ.get("EAGER_VS_GRAPH_LOCK") or Path(tempfile.gettempdir()) / "eager-vs-graph.lock"
)
"""The same file for every run on the machine, so that one finds the other; the tests, which look at
no time, take one each."""


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
    with _open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            holder = file.read().strip() or "unknown"
            raise UsageError(
                f"Another benchmark (pid {holder}) is running and would disturb the timings. Wait "
                "for it or pass --allow-concurrent."
            ) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


def _open() -> TextIO:
    """The lock's file, which every user of the machine may lock, whoever made it.

    Raises:
        UsageError: something else is in its place, such as a folder or a link.
    """

    def opener(path: str, flags: int) -> int:
        before = os.umask(0)
        try:
            # Never through a link: it could lead to any file that this user may write.
            return os.open(path, flags | os.O_NOFOLLOW, 0o666)
        finally:
            os.umask(before)

    try:
        return open(LOCK, "a+", encoding="utf-8", opener=opener)
    except OSError as error:
        raise UsageError(
            f"{LOCK}: cannot be the lock of benchmarks: {error.strerror}; remove it, or pass "
            "--allow-concurrent"
        ) from None
