"""The folder of a run: hidden until it can be resumed, and there at once."""

from __future__ import annotations

import os
from pathlib import Path

import psutil
import pytest

from eager_vs_graph.errors import UsageError
from eager_vs_graph.runs.folders import new_run, publish, require_writable


def test_a_run_is_hidden_until_it_is_published(tmp_path: Path) -> None:
    run = new_run(tmp_path)
    assert run.raw.is_dir()
    assert run.folder.name.startswith(".")
    (run.folder / "environment.json").write_text("{}", encoding="utf-8")
    published = publish(run)
    assert [path.name for path in tmp_path.iterdir()] == [published.id]
    assert published.id[0].isdecimal()
    assert (published.folder / "environment.json").read_text("utf-8") == "{}"


def test_runs_of_one_second_have_names_of_their_own(tmp_path: Path) -> None:
    runs = [publish(new_run(tmp_path)) for _ in range(5)]
    assert len({run.id for run in runs}) == 5
    assert len(list(tmp_path.iterdir())) == 5


def test_a_published_run_can_be_read_by_whom_the_user_lets(tmp_path: Path) -> None:
    (tmp_path / "like").mkdir()
    run = publish(new_run(tmp_path))
    assert run.folder.stat().st_mode == (tmp_path / "like").stat().st_mode


def test_what_a_killed_check_left_is_removed_by_the_next_run(tmp_path: Path) -> None:
    gone = next(pid for pid in range(4_000_000, 4_100_000) if not psutil.pid_exists(pid))
    left = tmp_path / f".{gone}-abc.partial"
    left.mkdir()
    kept = [
        tmp_path / f".{os.getpid()}-abc.partial",
        tmp_path / ".mine.partial",
        tmp_path / f".{gone}-abc",
    ]
    for folder in kept:
        folder.mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / f".{gone}-link.partial").symlink_to(tmp_path / "elsewhere")
    new_run(tmp_path)
    assert not left.exists()
    assert all(folder.is_dir() for folder in [*kept, tmp_path / "elsewhere"])


@pytest.mark.parametrize("name", ["file", "file/inside", "x" * 300])
def test_a_folder_that_cannot_be_written_is_one_line(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_text("mine", encoding="utf-8")
    with pytest.raises(UsageError, match=r"is a file, but should be|cannot be written") as raised:
        require_writable(tmp_path / name)
    assert "\n" not in str(raised.value)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
