"""The folders of runs: a new one, the newest one."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import psutil

from eager_vs_graph.errors import UsageError
from eager_vs_graph.results import files
from eager_vs_graph.results.run import Run
from eager_vs_graph.runs import command

_HIDDEN = re.compile(r"\.(\d{1,9})-\w+\.partial")


def require_writable(folder: Path) -> None:
    """Check that files can be made in a folder, before any work is done for it.

    A folder that did not exist is removed again: the work may turn out to be a mistake.

    Raises:
        UsageError: they cannot; in one line that names the folder and the reason.
    """
    missing = [each for each in (folder, *folder.parents) if not os.path.lexists(each)]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"x")
            file.flush()
    except FileExistsError:
        raise UsageError(f"{folder}: is a file, but should be a folder") from None
    except OSError as error:
        raise UsageError(f"{folder}: cannot be written: {error.strerror}") from None
    finally:
        for made in missing:
            with suppress(OSError):
                made.rmdir()


def new_run(results: Path) -> Run:
    """Make the folder of a run that begins now: hidden, until ``publish``.

    What is killed before its check is recorded leaves no run that could not be resumed; the next
    run removes what it left.
    """
    results.mkdir(parents=True, exist_ok=True)
    for left in results.glob(".*.partial"):
        match = _HIDDEN.fullmatch(left.name)
        if match and files.is_own_folder(left) and not psutil.pid_exists(int(match[1])):
            shutil.rmtree(left, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix=f".{os.getpid()}-", suffix=".partial", dir=results))
    (folder / "raw").mkdir()
    return Run(folder)


def publish(run: Run) -> Run:
    """Give a run whose check is recorded its name, at once: the second that it began to be timed.

    Returns:
        The run in its new place.
    """
    results = run.folder.parent
    run.folder.chmod(0o777 & ~_umask())
    stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    for suffix in ("", *(f"-{i}" for i in range(2, 100))):
        folder = results / f"{stamp}{suffix}"
        if not folder.exists():
            with suppress(OSError):  # another run of this second was faster
                run.folder.rename(folder)
                return Run(folder)
    raise UsageError(f"{results / stamp}: a hundred runs of this second exist already")


def _umask() -> int:
    before = os.umask(0)
    os.umask(before)
    return before


def point_latest(run: Run) -> None:
    """Let the link ``latest`` beside the run point to it."""
    latest = run.folder.parent / "latest"
    if latest.is_symlink() or not latest.exists():
        latest.unlink(missing_ok=True)
        latest.symlink_to(run.id, target_is_directory=True)


def newest(results: Path) -> Path:
    """The folder of the newest run.

    Raises:
        UsageError: there is none.
    """
    latest = results / "latest"
    if latest.exists():
        return latest.resolve()
    raise UsageError(f"{latest}: no run yet; make one with `{command.line('bench')}`")
