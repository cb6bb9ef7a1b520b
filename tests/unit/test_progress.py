"""What a run tells while it works: the step it is at, the time that is left, lines of a log."""

from __future__ import annotations

import io
import re

import pytest
from rich.console import Console

from eager_vs_graph.errors import sentences
from eager_vs_graph.runs.progress import Progress, clock
from eager_vs_graph.runs.terminal_progress import TerminalProgress

CELL = "matmul/small/session/CPU:0/resident"
FOUND = "Use session: 4.26× [3.18, 5.69] the speed of eager. Unclear: function 1.16×."


@pytest.fixture
def log(capsys: pytest.CaptureFixture[str]):
    """The lines that a log has after a run told its progress."""

    def lines() -> list[str]:
        return capsys.readouterr().err.splitlines()

    return lines


def test_what_is_being_done_is_named_with_its_cell_and_forgotten_with_its_stage():
    progress = Progress()
    progress.stage("timing", 12, of="pass 2")
    assert progress.doing == "pass 2: timing"
    progress.cell(CELL)
    progress.advance()
    assert progress.doing == "pass 2: timing matmul in session"
    assert (progress.done, progress.total) == (1, 12)
    progress.stage("checking outputs")
    assert progress.doing == "checking outputs"
    assert (progress.done, progress.total) == (0, None)


def test_the_time_left_is_that_of_the_plan():
    progress = Progress()
    assert progress.left == ""
    progress.ends_in(3600)
    assert re.fullmatch(r"about (1:00:00|\d\d:\d\d) left", progress.left)
    progress.ends_in(-3600)
    assert progress.left.endswith(" over time")


@pytest.mark.parametrize(
    ("seconds", "shown"), [(0.2, "0:00"), (59.6, "1:00"), (125, "2:05"), (3725, "1:02:05")]
)
def test_the_clock(seconds: float, shown: str):
    assert clock(seconds) == shown


def test_a_log_has_one_line_for_a_pass_and_one_for_a_sentence(log):
    with TerminalProgress() as progress:
        for part in ("importing TensorFlow", "building", "timing"):
            progress.stage(part, of="pass 1 of 2")
            progress.cell(CELL)
            progress.advance()
            progress.tick()
        progress.so_far(f"After 1 pass: {FOUND}")
        progress.stage("importing TensorFlow", of="pass 2 of 2")
    assert log() == [
        "pass 1 of 2",
        "After 1 pass: Use session: 4.26× [3.18, 5.69] the speed of eager.",
        "Unclear: function 1.16×.",
        "pass 2 of 2",
    ]


def test_a_log_says_how_long_it_takes(log):
    with TerminalProgress() as progress:
        progress.ends_in(7200)
        progress.stage("checking outputs")
    [line] = log()
    assert re.fullmatch(r"checking outputs \(about [\d:]+ left\)", line)


def test_the_bar_counts_down_and_fits_into_80_columns():
    screen = io.StringIO()
    progress = TerminalProgress()
    progress._console = progress._bar.live.console = Console(
        file=screen, force_terminal=True, width=80, height=24, color_system=None
    )
    with progress:
        progress.ends_in(36000)
        progress.stage("timing", 12000, of="pass 12 of 20")
        progress.cell(f"{'a_scenario_with_a_long_name' * 2}/small/session/CPU:0/resident")
        progress.tick()
        progress.so_far(FOUND)
    drawn = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", screen.getvalue()).replace("\r", "\n")
    assert "pass 12 of 20: timing a_scenario" in drawn
    assert re.search(r"0/12000 about \S+ left", drawn)
    assert max(map(len, drawn.splitlines())) <= 80


@pytest.mark.parametrize("text", ["One sentence.", "1.5× as fast. Unclear: 2.0.", "", FOUND])
def test_sentences_are_parts_of_the_text(text: str):
    assert " ".join(sentences(text)) == text
