"""The folder of a run that somebody else made: reading it writes nothing outside, runs nothing."""

from __future__ import annotations

import csv
import io
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib as mpl
import pytest
from damaged_records import CELL, save, sound
from rich.console import Console

from eager_vs_graph.cli import finish
from eager_vs_graph.errors import UsageError, printable
from eager_vs_graph.processes.supervise import Limits
from eager_vs_graph.reports import Rendered, render
from eager_vs_graph.reports.charts.style import file_name
from eager_vs_graph.reports.notebook import html, text
from eager_vs_graph.reports.terminal.run import print_result
from eager_vs_graph.results import files
from eager_vs_graph.results.frames import read
from eager_vs_graph.results.run import Run
from eager_vs_graph.runs import lock, ownership
from eager_vs_graph.runs.bench import resume
from eager_vs_graph.runs.options import TimingOptions
from eager_vs_graph.runs.passes import recover
from eager_vs_graph.runs.progress import Progress
from eager_vs_graph.runs.terminal_progress import TerminalProgress

CLEARS = "\x1b[2J\x1b]0;title\x07"
FORMULA = "=cmd|' /C calc'!A0"
TEMPLATE = "{{ 7 * 7 }}{% raw %}"
TAG = "<script>alert(1)</script>"
HOSTILE = f"{FORMULA}{CLEARS}\u202e{TEMPLATE}{TAG}$\\frac{{$"
UNDRAWABLE = ("\x1b", "\x07", "\u202e")
NAME = f"={CLEARS}..\\..\\{TEMPLATE}"
OUTSIDE = "must stay as it is"


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory.mktemp("record") / "run")


def written(folder: Path, change: Callable[[dict[str, Any]], None] = lambda _: None) -> Path:
    content = sound(folder)
    change(content)
    for name, each in content.items():
        save(folder / name, each)
    return folder


@pytest.fixture
def run(record: Path, tmp_path: Path) -> Path:
    return shutil.copytree(record, tmp_path / "run")


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A file that is not the run's."""
    file = tmp_path / "outside" / "file"
    file.parent.mkdir()
    file.write_text(OUTSIDE, encoding="utf-8")
    return file


def require_untouched(outside: Path) -> None:
    assert [path.name for path in outside.parent.iterdir()] == ["file"]
    assert outside.read_text("utf-8") == OUTSIDE


def renamed(content: Any) -> Any:
    """With another name in the place of the scenario's, wherever it stands."""
    if isinstance(content, str):
        return content.replace("mnist_step", NAME)
    if isinstance(content, list):
        return [renamed(each) for each in content]
    if isinstance(content, dict):
        return {renamed(key): renamed(value) for key, value in content.items()}
    return content


def hostile(content: dict[str, Any]) -> None:
    """Names and texts that a terminal, a spreadsheet, a browser or a template would obey."""
    content.update(renamed(content))
    parity = content["parity.json"]["cells"]
    for cell in parity:
        cell["status"], cell["reason"], cell["note"] = "differs", HOSTILE, HOSTILE
        cell["curves"] = {f"../../{HOSTILE}": [2.0, 1.0]}
        for tensor in cell["tensors"]:
            tensor["tensor"] = f"../{HOSTILE}"
    (explanation,) = content["explanations.json"]["explanations"]
    explanation["profiles"][0]["tensor"] = f"../{HOSTILE}"
    explanation["causes"][0] |= {"what": HOSTILE, "remedy": HOSTILE, "evidence": [HOSTILE]}
    environment = content["environment.json"]
    environment["environment"]["cpu"] = HOSTILE
    request = environment["request"]
    request["command"], request["notes"] = HOSTILE, [HOSTILE]
    for scenario in request["scenarios"].values():
        scenario["summary"] = HOSTILE
        scenario["timing"] = "``` {batch.__class__}" + HOSTILE


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Rendered:
    folder = tmp_path_factory.mktemp("hostile") / "run"
    return render(written(folder, hostile))


def test_a_hostile_record_is_reported_inside_of_its_folder(rendered: Rendered) -> None:
    assert rendered.frames.warnings == []
    parent = rendered.folder.parent
    assert [path.name for path in parent.iterdir()] == ["run"]
    for file in rendered.files:
        assert file.is_relative_to(rendered.folder)
        assert file.is_file()
        assert ".." not in file.parts
    assert any("training" in file.name for file in rendered.files)
    assert any("disagreement" in file.name for file in rendered.files)


@pytest.mark.parametrize("name", ["summary.csv", "summary.md", "report.html"])
def test_no_control_character_reaches_a_file(rendered: Rendered, name: str) -> None:
    text = (rendered.folder / name).read_text("utf-8")
    assert "cmd|" in text.replace("\\|", "|")  # it is there, as text
    assert printable(text) == text
    assert "\\x1b[2J" in text.replace("\\\\", "\\").replace("\\[", "[")


def test_no_control_character_reaches_a_chart(rendered: Rendered) -> None:
    charts = [file for file in rendered.files if file.suffix == ".svg"]
    assert charts
    for chart in charts:
        text = chart.read_text("utf-8")
        assert printable(text) == text
        assert "<script" not in text


def test_no_control_character_reaches_the_terminal(rendered: Rendered) -> None:
    for terminal in (True, False):
        out = io.StringIO()
        console = Console(file=out, force_terminal=terminal, color_system=None, width=100)
        print_result(rendered, console)
        shown = out.getvalue()
        assert "cmd|" in shown
        assert not [each for each in UNDRAWABLE if each in shown]
    assert not [each for each in UNDRAWABLE if each in text(rendered) + html(rendered)]


def test_no_text_of_a_record_is_markup_or_a_template(rendered: Rendered) -> None:
    page = rendered.page.read_text("utf-8")
    assert TAG not in page
    assert TAG not in html(rendered)
    assert "&lt;script&gt;" in page
    assert "{{ 7 * 7 }}" in page
    assert "{batch.__class__}" in page or "&#39;" in page
    assert "<class" not in page


def test_no_cell_of_the_csv_is_a_formula(rendered: Rendered) -> None:
    with (rendered.folder / "summary.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    fields = [field for row in rows for field in row if field]
    assert any(field.startswith("'=") for field in fields)
    formulas = [field for field in fields if field[0] in "=+-@\t\r" and not is_number(field)]
    assert formulas == []


def is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


@pytest.mark.parametrize(
    "name", ["summary.csv", "summary.md", "report.html", "report.html.partial"]
)
def test_a_link_in_the_place_of_a_report_is_replaced_and_not_followed(
    run: Path, outside: Path, name: str
) -> None:
    (run / name).symlink_to(outside)
    render(run)
    require_untouched(outside)
    assert not (run / name).is_symlink()
    assert (run / "report.html").is_file()


def test_a_link_in_the_place_of_a_chart_is_replaced_and_not_followed(
    run: Path, outside: Path
) -> None:
    charts = render(run).files
    for chart in charts:
        chart.unlink()
        chart.symlink_to(outside)
    render(run)
    require_untouched(outside)
    assert not [chart for chart in charts if chart.is_symlink()]


def test_a_link_in_the_place_of_the_charts_folder_is_refused(run: Path, outside: Path) -> None:
    (run / "charts").symlink_to(outside.parent)
    with pytest.raises(UsageError, match=r"charts/.*: cannot be written: charts is a link or a"):
        render(run)
    require_untouched(outside)


@pytest.mark.parametrize("linked", ["raw", "work", "raw and work"])
def test_an_open_pass_is_not_closed_through_a_link(run: Path, outside: Path, linked: str) -> None:
    (run / "work").mkdir()
    (run / "work" / "pass-9.jsonl").write_text("", encoding="utf-8")
    for name in linked.split(" and "):
        shutil.move(run / name, run / f"moved-{name}")
        (run / name).symlink_to(outside.parent)
    assert recover(Run(run)) == []
    require_untouched(outside)


def test_the_partial_file_of_a_pass_is_not_written_through_a_link(run: Path, outside: Path) -> None:
    (run / "work").mkdir()
    (run / "work" / "pass-9.jsonl").write_text('{"event": 1}\n[]\n{}\n', encoding="utf-8")
    for name in ("pass-9.rounds", "pass-9.rounds.partial", "pass-9.cells.json.partial"):
        (run / "raw" / name).symlink_to(outside)
    assert recover(Run(run)) == [9]
    require_untouched(outside)
    assert read(run).passes[-1].number == 9


def test_a_journal_that_is_no_journal_costs_nothing(run: Path, outside: Path) -> None:
    (run / "work").mkdir()
    (run / "work" / "pass-x.jsonl").write_text("{}", encoding="utf-8")
    (run / "work" / "pass-8.jsonl").symlink_to(outside)
    nested = "[" * 100_000
    lines = [nested, '{"event": "built"}', '{"event": "failed", "cell": [], "status": 7}', "7"]
    (run / "work" / "pass-9.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    assert recover(Run(run)) == [8, 9]
    require_untouched(outside)


@pytest.mark.parametrize("name", ["environment.json", "raw/pass-1.json", "raw/pass-2.rounds"])
def test_a_pipe_in_the_place_of_a_record_does_not_stop_the_report(run: Path, name: str) -> None:
    (run / name).unlink()
    os.mkfifo(run / name)
    if name.startswith("raw"):
        assert f"{name}: cannot be read: it is no ordinary file" in read(run).warnings[0]
    else:
        with pytest.raises(UsageError, match=r"environment\.json: cannot be read: it is no ord"):
            read(run)


@pytest.mark.parametrize("pid", ["", "x", "9" * 30, "-1", "9" * 5000, None])
def test_an_owner_that_is_no_process_owns_nothing(run: Path, pid: str | None) -> None:
    (run / "work").mkdir()
    (run / "work" / "pass-9.jsonl").touch()
    if pid is None:
        os.mkfifo(run / "work" / "pid")
    else:
        (run / "work" / "pid").write_text(pid, encoding="utf-8")
    assert recover(Run(run)) == [9]


def test_a_pipe_in_the_place_of_a_mark_is_no_mark(run: Path) -> None:
    os.mkfifo(run / "mark")
    with pytest.raises(UsageError, match="was not made by this user"):
        ownership.require_own(Run(run))


def test_a_folder_in_the_place_of_a_report_is_one_line(run: Path) -> None:
    (run / "report.html").mkdir()
    with pytest.raises(UsageError, match=r"report\.html: cannot be written: "):
        render(run)
    assert not list(run.rglob("*.partial"))


@pytest.mark.parametrize("name", ["../file", "a/../../file", "/file"])
def test_no_name_leads_out_of_a_folder(run: Path, outside: Path, name: str) -> None:
    with pytest.raises(UsageError, match="cannot be written"):
        files.write(run, name, b"")
    require_untouched(outside)


@pytest.mark.parametrize(
    "name", ["../../x", "a/b", "..", ".hidden", "x" * 5000, "\0", "ü \x1b", ""]
)
def test_any_text_can_name_a_chart(tmp_path: Path, name: str) -> None:
    written = files.write(tmp_path, f"charts/{file_name(f'training-{name}')}.svg", b"")
    assert written.parent == tmp_path / "charts"
    assert [written] == list((tmp_path / "charts").iterdir())


def test_names_of_charts_stay_apart() -> None:
    assert file_name("speedup-cpu0-resident") == "speedup-cpu0-resident"
    assert file_name("training-mnist step-loss") == "training-mnist-step-loss"
    assert len({file_name(name) for name in ("a/b", "a-b", "a:b", "a" * 200, "a" * 201)}) == 5


def test_a_run_of_somebody_else_is_not_resumed(run: Path) -> None:
    with pytest.raises(UsageError, match="was not made by this user on this machine") as raised:
        resume(run, Progress(), Limits(), TimingOptions())
    assert "--trust" in str(raised.value)


def test_a_run_that_was_changed_since_is_not_resumed(run: Path) -> None:
    ownership.mark(Run(run))
    ownership.require_own(Run(run))
    (run / "environment.json").write_text(
        (run / "environment.json").read_text("utf-8").replace("a:f", "b:g"), encoding="utf-8"
    )
    with pytest.raises(UsageError, match="or was changed since"):
        ownership.require_own(Run(run))


def test_a_mark_is_not_written_through_a_link(run: Path, outside: Path) -> None:
    (run / "mark").symlink_to(outside)
    ownership.mark(Run(run))
    require_untouched(outside)
    ownership.require_own(Run(run))


def test_the_lock_is_no_link(
    tmp_path: Path, outside: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lock, "LOCK", tmp_path / "lock")
    (tmp_path / "lock").symlink_to(outside)
    with (
        pytest.raises(UsageError, match=r"lock: cannot be the lock of benchmarks: .*--allow-con"),
        lock.machine(),
    ):
        pass
    require_untouched(outside)


def test_the_lock_is_no_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock, "LOCK", tmp_path)
    with pytest.raises(UsageError, match="cannot be the lock of benchmarks"), lock.machine():
        pass


def test_progress_obeys_no_text(capsys: pytest.CaptureFixture[str]) -> None:
    progress = TerminalProgress()
    progress.note(f"{CLEARS}[bold]note")
    progress.stage(f"{CLEARS}[bold]stage")
    shown = capsys.readouterr().err
    assert "\\x1b[2J" in shown
    assert "[bold]note" in shown
    assert "[bold]stage" in shown
    assert "\x1b" not in shown


def test_a_run_of_an_unreadable_name_is_shown(
    record: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = shutil.copytree(record, tmp_path / "run\x1b[2J\u202e")
    finish.show_report(folder)
    shown = capsys.readouterr().out
    assert "run\\x1b[2J\\u202e/report.html" in shown
    assert "\x1b" not in shown


def test_text_that_can_be_shown_stays_as_it_is() -> None:
    text = "× ± µs — “quotes” é 日本語 🙂\n\ttab"
    assert printable(text) == text
    assert printable("\x1b[2J\x9b\x00\ud800") == "\\x1b[2J\\x9b\\x00\\ud800"
    assert printable(printable(CLEARS)) == printable(CLEARS)


def test_a_name_with_dollars_is_drawn_as_it_is() -> None:
    from eager_vs_graph.reports.charts.style import styled

    with styled():
        assert not mpl.rcParams["text.parse_math"]
    assert CELL.count("/") == 4
