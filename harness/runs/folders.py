"""The folders of runs: a new one, the newest one."""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime
from pathlib import Path

from eager_vs_graph.errors import UsageError
from eager_vs_graph.results.run import Run
from eager_vs_graph.runs import command


def require_writable(folder: Path) -> None:
    """Check that files can be made in a folder, before any work is done for it.

    Raises:
        UsageError: they cannot; in one line that names the folder and the reason.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"x")
            file.flush()
    except FileExistsError:
        raise UsageError(f"{folder}: is a file, but should be a folder") from None
    except OSError as error:
        raise UsageError(f"{folder}: cannot be written: {error.strerror}") from None


def new_run(results: Path) -> Run:
    """Make the folder of a run that begins now."""
    stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    for suffix in ("", *(f"-{i}" for i in range(2, 100))):
        folder = results / f"{stamp}{suffix}"
        if not folder.exists():
            (folder / "raw").mkdir(parents=True)
            return Run(folder)
    raise UsageError(f"{results / stamp}: a hundred runs of this second exist already")


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
