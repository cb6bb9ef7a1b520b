"""Which files are the user's, and lines of them as text."""

from __future__ import annotations

import functools
import linecache
import sysconfig
from pathlib import Path
from types import FrameType

_OURS = Path(__file__).resolve().parents[1]
_INSTALLED = tuple(
    Path(sysconfig.get_path(kind)) for kind in ("stdlib", "platstdlib", "purelib", "platlib")
)
_PACKAGES = frozenset({"site-packages", "dist-packages"})


@functools.lru_cache(maxsize=10_000)
def is_users_file(file: str, own: str = "") -> bool:
    """Whether a file is of the user's project: neither installed nor Python's nor ours.

    Args:
        file: the file's path, as a code object has it.
        own: the file that the user pointed at. It and those in its folder are the user's, wherever
            they are installed.
    """
    if own and file == own:
        return True
    if not file or file.startswith("<frozen") or "__autograph_generated" in file:
        return False
    if file.startswith("<"):  # typed into a notebook or a prompt, which keeps the lines
        return file in linecache.cache
    path = Path(file)
    if own and path.is_relative_to(Path(own).parent) and path.suffix == ".py":
        return True
    if not _PACKAGES.isdisjoint(path.parts) or path.resolve().is_relative_to(_OURS):
        return False
    return not any(path.is_relative_to(place) for place in _INSTALLED)


@functools.lru_cache(maxsize=10_000)
def is_of_python(file: str) -> bool:
    """Whether a file is of Python's own library."""
    path = Path(file)
    return _PACKAGES.isdisjoint(path.parts) and any(map(path.is_relative_to, _INSTALLED[:2]))


def place(file: str, number: int) -> str:
    """A line as a report shows it: ``file.py:12: the line``."""
    line = linecache.getline(file, number).strip()
    return f"{Path(file).name}:{number}: {line}" if line else f"{Path(file).name}:{number}"


def users_frame(frame: FrameType | None, own: str = "") -> tuple[str, int] | None:
    """File and line of the innermost frame that is the user's; None where there is none."""
    while frame is not None:
        if is_users_file(frame.f_code.co_filename, own):
            return frame.f_code.co_filename, frame.f_lineno
        frame = frame.f_back
    return None
