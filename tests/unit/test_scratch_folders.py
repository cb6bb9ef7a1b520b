"""Temporary folders that a killed process left."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import psutil
import pytest

from eager_vs_graph.processes.scratch import scratch_folder, sweep


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()
    return tmp_path / "tmp"


def gone() -> int:
    """The id of no process."""
    return next(pid for pid in range(4_000_000, 4_100_000) if not psutil.pid_exists(pid))


def test_folders_of_processes_that_are_gone_are_removed(temporary: Path) -> None:
    left = temporary / f"eager-vs-graph-{gone()}-abc"
    (left / "inside").mkdir(parents=True)
    (left / "inside" / "file").touch()
    with scratch_folder() as mine:
        sweep()
        assert not left.exists()
        assert mine.is_dir()
    assert list(temporary.iterdir()) == []


def test_a_folder_that_is_older_than_the_process_of_its_number_is_removed(temporary: Path) -> None:
    left = temporary / f"eager-vs-graph-{os.getpid()}-abc"
    left.mkdir()
    os.utime(left, (1e9, 1e9))
    with scratch_folder() as mine:
        assert [path.name for path in temporary.iterdir()] == [mine.name]


def test_nothing_else_is_removed(temporary: Path, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.mkdir()
    (kept / "file").touch()
    names = [
        f"eager-vs-graph-{os.getpid()}-abc",
        "eager-vs-graph-tests-x",
        "eager-vs-graph-x1-abc",
        f"other-{gone()}-abc",
    ]
    for name in names:
        (temporary / name).mkdir()
    link = temporary / f"eager-vs-graph-{gone()}-link"
    link.symlink_to(kept)
    (temporary / f"eager-vs-graph-{gone()}-file").touch()
    sweep()
    assert (kept / "file").exists()
    assert link.is_symlink()
    assert {path.name for path in temporary.iterdir()} >= set(names)


def test_a_temporary_folder_is_this_users_alone(temporary: Path) -> None:
    with scratch_folder() as folder:
        assert folder.stat().st_mode & 0o077 == 0
