"""Temporary folders that name their process: the next one removes what a killed one left."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

_PREFIX = "eager-vs-graph-"
_NAME = re.compile(rf"{_PREFIX}(\d+)-\w+")

_CLOCK_S = 2.0
"""What the clocks of processes and files may be apart."""


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """A private temporary folder of this process; it goes with the block.

    What killed processes left is removed first.
    """
    sweep()
    folder = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def sweep() -> None:
    """Remove this user's temporary folders whose process is gone."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        match = _NAME.fullmatch(folder.name)
        with suppress(OSError):
            status = folder.lstat()
            mine = status.st_uid == os.getuid() and not folder.is_symlink() and folder.is_dir()
            if match and mine and not _lives(int(match[1]), status.st_mtime):
                shutil.rmtree(folder, ignore_errors=True)


def _lives(pid: int, since: float) -> bool:
    """Whether the process that made a folder lives; another one may have got its number since."""
    try:
        began: float = psutil.Process(pid).create_time()
        return began <= since + _CLOCK_S
    except psutil.AccessDenied:
        return True
    except (psutil.Error, OverflowError):
        return False
