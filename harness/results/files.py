"""Files of a run's folder, which may be somebody else's: nothing outside of it is written.

A folder that came from elsewhere can hold links to any file that this user may write, and pipes
that never end. So what is written replaces a link and does not follow it, and what is no ordinary
file is not read.
"""

from __future__ import annotations

import errno
import os
import stat
from contextlib import suppress
from pathlib import Path

from eager_vs_graph.errors import UsageError


def read(path: Path) -> bytes:
    """Read an ordinary file.

    Raises:
        FileNotFoundError: there is none.
        OSError: it is a folder, a pipe or a device, or it cannot be read.
    """
    # Opening a pipe without O_NONBLOCK would wait for somebody to write.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "it is no ordinary file")
    with os.fdopen(descriptor, "rb") as file:
        return file.read()


def write(folder: Path, name: str, content: bytes) -> Path:
    """Write a file whole or not at all: a reader never sees half of it.

    A link in the file's place is replaced; what it leads to stays as it is.

    Args:
        folder: the folder, which may be named by a link.
        name: the file in it, such as ``summary.csv`` or ``charts/latency.png``; folders are made.
        content: the file's bytes.

    Returns:
        The file's path.

    Raises:
        UsageError: it cannot be written, or the way to it leads through a link.
    """
    *between, last = name.split("/")
    path = folder / name
    try:
        place = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            for part in between:
                inner = _folder_in(place, part)
                os.close(place)
                place = inner
            _replace(place, last, content)
        finally:
            os.close(place)
    except OSError as error:
        raise UsageError(f"{path}: cannot be written: {error.strerror}") from None
    return path


def is_own_folder(path: Path) -> bool:
    """Whether a path is a folder, and no link to one."""
    return path.is_dir() and not path.is_symlink()


def _folder_in(place: int, name: str) -> int:
    if name in ("", ".", ".."):
        raise OSError(errno.EINVAL, f"{name!r} is no folder's name")
    with suppress(FileExistsError):
        os.mkdir(name, dir_fd=place)
    try:
        return os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=place)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENOTDIR):
            reason = f"{name} is a link or a file, but should be a folder; remove it"
            raise OSError(error.errno, reason) from None
        raise


def _replace(place: int, name: str, content: bytes) -> None:
    partial = f"{name}.partial"
    with suppress(FileNotFoundError):
        os.unlink(partial, dir_fd=place)  # what a killed process left, or a link
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    with os.fdopen(os.open(partial, flags, 0o666, dir_fd=place), "wb") as file:
        try:
            file.write(content)
            file.flush()
            os.replace(partial, name, src_dir_fd=place, dst_dir_fd=place)
        except OSError:
            with suppress(OSError):
                os.unlink(partial, dir_fd=place)
            raise
