"""Commands whose files, output or names cannot be used: one line, exit code 2, nothing left behind.

Each is a process of its own, because what fails is the process's own output, limit or argument.
None of them gets as far as TensorFlow.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from damaged_records import SHAPE
from record_fixture import write_run

LIMITED = (
    "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000));"
    "from eager_vs_graph.cli import main; main()"
)
"""A disk that is full after 20 kB: what is longer cannot be written."""
LONG = "x" * 5000
PATIENCE_S = 900


def command(
    *arguments: str | Path, cwd: Path, run: str = "", **options: object
) -> subprocess.CompletedProcess[bytes]:
    start = ["-c", run] if run else ["-m", "eager_vs_graph"]
    given = {"stdout": subprocess.PIPE, **options}
    environment = {**os.environ, "COLUMNS": "200", "NO_COLOR": "1", **given.pop("env", {})}
    return subprocess.run(
        [sys.executable, *start, *map(str, arguments)],
        cwd=cwd,
        env=environment,
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        timeout=PATIENCE_S,
        check=False,
        **given,
    )


def require_one_line(done: subprocess.CompletedProcess[bytes], *told: str) -> None:
    text = done.stderr.decode()
    assert done.returncode == 2, text
    assert text.startswith("error: ")
    assert text.count("\n") == 1, text
    for each in told:
        assert each in text
    assert "\x1b" not in text


def everything(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


def test_results_in_the_place_of_a_file_are_refused_before_any_work(tmp_path: Path) -> None:
    (tmp_path / "results").write_text("mine", encoding="utf-8")
    done = command("bench", "--quick", "--allow-concurrent", cwd=tmp_path)
    require_one_line(done, "results: is a file, but should be a folder")
    assert everything(tmp_path) == {"results"}


def test_results_where_nothing_can_be_written_are_refused_before_any_work(tmp_path: Path) -> None:
    done = command(
        *("bench", "--quick", "--allow-concurrent", "--results", "/proc/results"), cwd=tmp_path
    )
    require_one_line(done, "/proc/results: cannot be written: ")
    assert everything(tmp_path) == set()


def test_a_full_disk_at_the_report_is_one_line_and_leaves_no_half_file(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", SHAPE)
    before = everything(tmp_path)
    done = command("report", run, cwd=tmp_path, run=LIMITED)
    require_one_line(done, "cannot be written: File too large")
    left = everything(tmp_path) - before
    assert not [name for name in left if name.endswith(".partial")]
    for name in left - {"run/charts"}:
        assert (tmp_path / name).stat().st_size <= 20_000
    again = command("report", run, cwd=tmp_path)
    assert again.returncode == 0, again.stderr
    assert (run / "report.html").stat().st_size > 20_000


def test_output_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    with Path("/dev/full").open("wb") as full:
        done = command("list", cwd=tmp_path, stdout=full)
    require_one_line(done, "standard output: No space left on device")


def test_a_reader_that_has_ended_is_no_error(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = command("list", cwd=tmp_path, stdout=writer)
    finally:
        os.close(writer)
    assert (done.returncode, done.stderr) == (141, b"")


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_a_terminal_without_the_characters_has_a_result(tmp_path: Path, encoding: str) -> None:
    run = write_run(tmp_path / "run", SHAPE)
    done = command("report", run, cwd=tmp_path, env={"PYTHONIOENCODING": encoding})
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"mnist_step" in done.stdout
    assert "×" in (run / "report.html").read_text("utf-8")


@pytest.mark.parametrize(
    "arguments",
    [
        ("report", LONG),
        ("compare", LONG, LONG),
        ("bench", "--resume", LONG, "--allow-concurrent"),
        ("parity", "--scenarios", f"./{LONG}"),
        ("parity", "--scenarios", LONG),
        ("try", f"{LONG}.py:f", "--allow-concurrent"),
        ("explain", f"{LONG}.py:f"),
        ("new", LONG),
        ("list", "--scenarios", f"{LONG}.py"),
    ],
    ids=lambda arguments: arguments[0],
)
def test_a_name_of_5000_characters_is_one_line(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    require_one_line(command(*arguments, cwd=tmp_path), "xxx")
    assert everything(tmp_path) == set()


@pytest.mark.parametrize(
    "arguments",
    [
        ("report", "\x1b[2J"),
        ("parity", "--scenarios", "./\x1b[2J.py"),
        ("parity", "--modes", "\x1b[2J"),
        ("try", "\x1b[2J.py:f", "--allow-concurrent"),
    ],
    ids=lambda arguments: arguments[0],
)
def test_an_escape_sequence_in_a_name_is_shown_and_not_obeyed(
    tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    require_one_line(command(*arguments, cwd=tmp_path), "x1b[2J")


def test_a_name_that_is_no_text_is_one_line(tmp_path: Path) -> None:
    done = command("parity", "--scenarios", os.fsdecode(b"\xff.py"), cwd=tmp_path)
    require_one_line(done, "udcff.py' is not in utf-8")


def test_the_name_of_a_scenario_is_no_path_and_no_escape_sequence(tmp_path: Path) -> None:
    for number, name in enumerate(["../../x", "\\x1b[2J", "=1+1", "a b", "x/y"]):
        file = tmp_path / f"s{number}.py"
        file.write_text(f"class A:\n    name = '{name}'\n    sizes = {{'tiny': 1}}\n", "utf-8")
        done = command("parity", "--scenarios", file, cwd=tmp_path)
        require_one_line(done, f"s{number}.py:1: A ")
    assert len(everything(tmp_path)) == 5


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--memory-limit", "0GiB"), "'0GiB' should be a positive number"),
        (("--cell-timeout", "0"), "--cell-timeout"),
        (("--logical-cpus", "1000000"), "--logical-cpus"),
        (("--precision", "nan"), "--precision"),
        (("--budget", "1e400s"), "'1e400s' should be a positive number"),
        (("--devices", "CPU"), "device 'CPU'"),
        (("--devices", "CPU:x,GPU:0"), "device 'CPU:x'"),
        (("--devices", "CPU:5"), "device 'CPU:5'"),
    ],
    ids=lambda part: part[0][2:] if isinstance(part, tuple) else None,
)
def test_an_option_beyond_its_bounds_is_refused_before_the_import(
    tmp_path: Path, options: tuple[str, ...], told: str
) -> None:
    selected = ("bench", "--scenarios", "hello_matmul", "--allow-concurrent")
    require_one_line(command(*selected, *options, cwd=tmp_path), told)
    assert everything(tmp_path) <= {"results"}
