"""Reports of a run in ten modes: kinds, matrix, each reason once, training, the guide's timing."""

from __future__ import annotations

import html
import io
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from record_fixture import (
    KNOWN,
    Shape,
    curve_of,
    write_run,
)
from rich.console import Console

from eager_vs_graph.reports import Rendered, reasons, render, tables
from eager_vs_graph.reports import formatting as text
from eager_vs_graph.reports.charts import style, training
from eager_vs_graph.reports.guide_timing import guide_timing
from eager_vs_graph.reports.matrix import matrix
from eager_vs_graph.reports.reasons import of_check
from eager_vs_graph.reports.terminal import run as terminal
from eager_vs_graph.reports.terminal.grid import print_table
from eager_vs_graph.results.cells import CONTROL
from eager_vs_graph.results.frames import read
from eager_vs_graph.results.mode_kinds import by_kind, kinds_of
from eager_vs_graph.results.record import NOT_CHECKED, CellParity, TensorComparison
from eager_vs_graph.results.request import ModeInfo, RunRequest
from eager_vs_graph.results.run import Run
from eager_vs_graph.statistics.summary import summarise
from eager_vs_graph.statistics.training_curves import curves, furthest

KINDS = {
    **dict.fromkeys(("eager", "function", "session", "concrete", "xla"), "execution"),
    **dict.fromkeys(("saved_model", "saved_model_session"), "deployment"),
    **dict.fromkeys(("mirrored", "multi_worker", "session_remote"), "distribution"),
}
TEN = Shape(
    scenarios=("mnist_step", "custom_gradient", "matmul_guide"),
    modes=(*KINDS, CONTROL),
    passes=2,
    blocks=3,
    kinds=KINDS,
    curves=True,
)
NO_XLA = "XLA cannot compile ShuffleDatasetV3"


def write(folder: Path, shape: Shape) -> Path:
    """A run in ten modes; XLA cannot compile mnist_step."""
    run = Run(write_run(folder, shape))
    run.save_parity(
        [
            CellParity(each.cell, "unsupported", NO_XLA)
            if each.cell.startswith("mnist_step/") and "/xla/" in each.cell
            else each
            for each in run.parity()
        ]
    )
    return folder


@pytest.fixture(scope="module")
def parity(tmp_path_factory: pytest.TempPathFactory) -> list[CellParity]:
    """Of both inputs policies."""
    return Run(write(tmp_path_factory.mktemp("parity") / "run", replace(TEN, passes=0))).parity()


@pytest.fixture(scope="module")
def ten(tmp_path_factory: pytest.TempPathFactory) -> Rendered:
    """A report, of resident inputs only."""
    shape = replace(TEN, scenarios=("mnist_step", "matmul_guide"), inputs=("resident",))
    return render(write(tmp_path_factory.mktemp("ten") / "run", shape))


def printed(parity: list[CellParity], width: int, *, is_terminal: bool) -> str:
    console = Console(
        file=io.StringIO(), width=width, force_terminal=is_terminal, color_system=None
    )
    print_table(tables.statuses(parity, KINDS), console)
    return console.file.getvalue()  # type: ignore[attr-defined]


def test_a_mode_looks_as_the_record_says_or_by_its_order(tmp_path: Path) -> None:
    run = Run(write_run(tmp_path / "run", replace(TEN, scenarios=("mnist_step",), passes=1)))
    hostile = "red;background:url(https://example.com)"
    about = {
        **run.request.about_modes,
        "xla": ModeInfo(colour="#123456", marker="s"),
        "concrete": ModeInfo(colour=hostile, marker="s"),
    }
    run.save_environment(run.environment, replace(run.request, about_modes=about))
    with style.looks_of(Run(run.folder).request):
        looks = {mode: style.look_of(mode, []) for mode in KINDS}
    assert looks["xla"] == style.Look("#123456", "s")
    assert len({look.colour for look in looks.values()}) == len(KINDS)
    page = render(run.folder).page.read_text(encoding="utf-8")
    assert "#123456" in page
    assert hostile not in page


def test_the_record_says_what_kind_a_mode_is(ten: Rendered) -> None:
    assert kinds_of(ten.frames.request) == KINDS
    assert dict(zip(ten.summary["mode"], ten.summary["mode_kind"], strict=True)) == {
        **KINDS,
        CONTROL: "execution",
    }
    assert kinds_of(RunRequest(modes=["eager"])) == {}  # a record from before kinds
    assert by_kind(["a", "mirrored", "eager", "saved_model"], {**KINDS, "a": "other"}) == {
        "execution": ["eager"],
        "deployment": ["saved_model"],
        "distribution": ["mirrored"],
        "other": ["a"],
    }


def test_a_record_from_before_kinds_is_reported_as_execution(tmp_path: Path) -> None:
    result = render(write_run(tmp_path / "run", Shape(scenarios=("mnist_step",), passes=1)))
    assert set(result.summary["mode_kind"]) == {"execution"}
    page = result.page.read_text(encoding="utf-8")
    assert "colgroup" not in page
    assert "The modes" not in page
    assert not [path for path in result.files if "training" in path.name]
    assert "Training, update by update" not in page
    assert "As the guide times it" not in page


def test_every_place_of_the_matrix_holds_a_status(parity: list[CellParity]) -> None:
    found = matrix(parity, KINDS)
    assert found.groups == by_kind(KINDS, KINDS)
    assert len(found.rows) == 6
    assert all(list(row) == list(KINDS) and all(row.values()) for row in found.rows.values())
    assert found.rows["matmul_guide", "small"]["session"] == "close"
    assert found.rows["mnist_step", "small"]["xla"] == "unsupported"
    assert found.rows["mnist_step", "large"]["session"] == "unsupported (fed)"
    assert found.rows["custom_gradient", "guide"]["session"] == "differs (known, resident)"
    assert found.rows["custom_gradient", "large"]["function"] == "vacuous (fed)"


def test_a_place_with_several_statuses_says_each_and_where() -> None:
    def cell(device: str, inputs: str, status: str) -> CellParity:
        return CellParity(f"s/a/m/{device}/{inputs}", status, status)

    entries = [
        cell("CPU:0", "resident", "identical"),
        cell("CPU:0", "fed", "differs"),
        cell("GPU:0", "resident", "identical"),
        cell("GPU:0", "fed", "crashed"),
        CellParity("s/b/n/CPU:0/fed", "close"),
    ]
    rows = matrix(entries, {}).rows
    assert rows["s", "a"] == {"m": "differs (CPU:0, fed), crashed (GPU:0, fed)", "n": NOT_CHECKED}
    assert rows["s", "b"] == {"m": NOT_CHECKED, "n": "close"}
    agreeing = matrix([cell("CPU:0", "fed", "close"), cell("CPU:0", "resident", "identical")], {})
    assert agreeing.rows["s", "a"]["m"] == "close"


def test_every_reason_is_said_once_with_its_cells(parity: list[CellParity]) -> None:
    found = [(each.status, each.text, each.cells) for each in of_check(parity)]
    assert found == [
        ("vacuous", "every element is NaN", "custom_gradient large in function (fed)"),
        ("differs (known)", KNOWN, "custom_gradient guide in session (resident)"),
        ("unsupported", NO_XLA, "mnist_step small and large in xla"),
        (
            "unsupported",
            "tf.data iterators need a <session> of their own\nin a v1 graph",
            "mnist_step large in session (fed)",
        ),
    ]


def test_a_cell_with_several_declared_reasons_is_named_with_each() -> None:
    def entry(mode: str, *reasons: str) -> CellParity:
        tensors = tuple(
            TensorComparison("t", "output", "eager", "differs", known=each) for each in reasons
        )
        cell = f"s/a/{mode}/CPU:0/fed"
        return CellParity(cell, "differs", known=" ".join(reasons), tensors=tensors)

    found = of_check([entry("m", "this", "that", "this"), entry("n", "that")])
    assert [(each.text, each.cells) for each in found] == [
        ("this", "s a in m"),
        ("that", "s a in m, n"),
    ]


def test_parity_ends_with_matrix_and_reasons(parity: list[CellParity]) -> None:
    console = Console(file=io.StringIO(), width=80, highlight=False)
    terminal.print_parity(parity, console, KINDS)
    printed = console.file.getvalue()  # type: ignore[attr-defined]
    parts = ("execution", "deployment", "distribution", "vacuous: custom_gradient large", NO_XLA)
    at = [printed.index(part) for part in parts]
    assert at == sorted(at)
    assert printed.count(NO_XLA) == 1
    assert f"unsupported: mnist_step small and large in xla\n  {NO_XLA}\n" in printed


def test_the_matrix_is_cut_by_kind_to_the_width_of_a_terminal(parity: list[CellParity]) -> None:
    narrow = printed(parity, 80, is_terminal=True)
    assert max(map(len, narrow.splitlines())) <= 80
    assert "…" not in narrow
    assert all(re.search(rf"\b{mode}\b", narrow) for mode in KINDS)
    assert narrow.count("matmul_guide small") > 1
    piped = printed(parity, 80, is_terminal=False)
    assert piped.count("matmul_guide small") == 1  # nobody's screen: a row is a line
    assert "…" not in piped
    last = piped.rstrip().splitlines()[-1]
    assert last.split() == ["matmul_guide", "guide", *["close"] * len(KINDS)]


@pytest.mark.parametrize("width", [40, 60, 80, 100])
def test_nothing_is_wider_than_the_screen(ten: Rendered, width: int) -> None:
    console = Console(
        file=io.StringIO(), width=width, force_terminal=True, color_system=None, highlight=False
    )
    terminal.print_result(ten, console)
    terminal.print_parity(ten.frames.parity.values(), console, KINDS)
    printed = console.file.getvalue()  # type: ignore[attr-defined]
    assert max(map(len, printed.splitlines())) <= width
    assert "…" not in printed
    for mode in KINDS:  # a name is never broken
        assert re.search(rf"^  {mode}\b", printed, re.MULTILINE), mode
    for row in ten.summary[ten.summary["mode"] != CONTROL].itertuples():
        assert text.seconds(row.latency_s) in printed
        if row.mode != "eager" and row.speedup_low > 0:
            assert text.interval(row.speedup_low, row.speedup_high) in printed


def test_the_page_groups_modes_by_kind(ten: Rendered) -> None:
    page = ten.page.read_text(encoding="utf-8")
    spans = re.findall(r'<th scope="colgroup" colspan="(\d+)">(\w+)</th>', page)
    assert spans == [("5", "execution"), ("2", "deployment"), ("3", "distribution")]
    assert page.count("the multi_worker of the fixture") == 1
    statuses = tables.statuses(ten.frames.parity.values(), KINDS)
    assert [len(row) for row in statuses.rows] == [11] * 4


def test_cells_not_timed_for_one_reason_share_a_row(ten: Rendered) -> None:
    summary = ten.summary.assign(
        latency_s=ten.summary["latency_s"].where(ten.summary["mode"] != "xla"),
        speedup=ten.summary["speedup"].where(ten.summary["mode"] != "xla"),
    )
    table = reasons.table(reasons.of_run(summary, ten.frames.parity))
    rows = [row for row in table.rows if NO_XLA in row[-1]]
    assert rows == [("unsupported", "mnist_step small and large in xla", NO_XLA)]


def test_figures_have_the_modes_of_one_kind(ten: Rendered) -> None:
    names = {path.name for path in ten.files if path.suffix == ".png"}
    for kind in ("", "-deployment", "-distribution"):
        assert f"speedup-cpu0-resident{kind}.png" in names
    assert {name for name in names if name.startswith("training")} == {
        "training-mnist_step-small-loss.png",
        "training-mnist_step-large-loss.png",
    }
    assert len({style.look_of(mode, KINDS) for mode in KINDS}) == len(KINDS)
    assert len({style.look_of(mode, KINDS).colour for mode in KINDS}) == len(KINDS)


@pytest.mark.parametrize("count", [1, 3, 5, 9, 10])
def test_a_legend_keeps_to_the_figure(count: int) -> None:
    modes = list(KINDS)[:count]
    with style.styled():
        drawing = style.figure(2.0, "Title", _cells(modes))
        style.legend(drawing, modes)
        drawing.canvas.draw()
    box = drawing.legends[0].get_window_extent()
    assert box.width / drawing.dpi <= style.WIDTH_IN
    assert box.height / drawing.dpi <= style.legend_height_in(modes) - style.HEADING_IN + 0.05


def _cells(modes: list[str]):
    parity = [CellParity(f"s/a/{mode}/CPU:0/fed", "close", curves={"l": [1.0]}) for mode in modes]
    return curves(parity, {})


def test_curves_and_their_distance_from_eager(ten: Rendered) -> None:
    found = curves(ten.frames.parity.values(), KINDS).set_index(["size", "mode"])
    assert len(found) == 2 * (len(KINDS) - 1)  # none where XLA refuses
    np.testing.assert_array_equal(found.loc[("small", "eager"), "values"], curve_of("eager"))
    assert found.loc[("small", "eager"), "distance"] is None
    assert furthest(found.loc[("small", "mirrored"), "distance"]).distance == 0
    worst = furthest(found.loc[("small", "session"), "distance"])
    assert worst.distance == pytest.approx(1e-6)
    assert worst.at >= 10


def test_a_curve_that_is_finite_in_one_mode_only_is_infinitely_far() -> None:
    def entry(mode: str, values: list[float | None]) -> CellParity:
        return CellParity(f"s/a/{mode}/CPU:0/fed", "close", curves={"loss": values})

    entries = [
        entry("eager", [2.0, 1.0, None]),
        entry("same", [2.0, 1.0, None]),
        entry("off", [2.0, None, None]),
        entry("short", [2.0]),
    ]
    found = curves(entries, {}).set_index("mode")["distance"]
    np.testing.assert_array_equal(found["same"], [0, 0, 0])
    np.testing.assert_array_equal(found["off"], [0, np.inf, 0])
    assert found["short"] is None
    of = curves(entries, {})
    assert training.largest_distance(of) == "off and eager are not both finite from update 1 on"
    assert training.draw(of).axes
    assert training.largest_distance(of[of["mode"] == "eager"]) == ""
    without = curves(entries[1:], {})
    assert training.largest_distance(without) == "eager has no curve to compare with"
    assert len(training.draw(without).axes) == 1


def test_the_training_chart_has_a_line_a_mode_and_the_distance(ten: Rendered) -> None:
    found = curves(ten.frames.parity.values(), KINDS)
    small = found[found["size"] == "small"]
    curve, distance = training.draw(small).axes
    by_colour = {style.look_of(mode, KINDS).colour: mode for mode in KINDS}
    drawn = {by_colour[str(line.get_color())]: line for line in curve.lines}
    assert set(drawn) == set(KINDS) - {"xla"}
    for mode, line in drawn.items():
        np.testing.assert_array_equal(line.get_ydata(), curve_of(mode))
    places = [(line.get_markevery()[0], line.get_markevery()[1]) for line in drawn.values()]
    assert len(set(places)) == len(drawn)  # lines that lie on each other show their markers
    line, points = distance.lines
    np.testing.assert_array_equal(points.get_ydata(), line.get_ydata())
    assert by_colour[str(line.get_color())] == "session"
    assert np.nanmax(np.asarray(line.get_ydata(), float)) == pytest.approx(1e-6)
    words = [each.get_text() for each in curve.texts]
    assert any(
        re.match(r"largest distance from eager: 1e-06 \(session, update \d\d\)", w) for w in words
    )
    alike = training.draw(small[small["mode"] != "session"])
    (only,) = alike.axes
    assert "all modes are identical to eager, bit for bit" in [
        each.get_text() for each in only.texts
    ]


def test_the_page_shows_the_curves_and_their_numbers(ten: Rendered) -> None:
    page = ten.page.read_text(encoding="utf-8")
    assert page.count('alt="Training, update by update, mnist_step small loss, CPU:0') == 1
    assert training.CAPTION in html.unescape(page)
    rows = {row[:2]: row for row in tables.training(ten.frames.parity.values()).rows}
    columns = [c.name for c in tables.training(ten.frames.parity.values()).columns]
    far = rows["mnist_step small", "loss: furthest from eager"]
    assert far[columns.index("session")] == "1e-06"
    assert far[columns.index("mirrored")] == "0"
    assert far[columns.index("eager")] == ""
    assert rows["mnist_step small", "loss: last"][columns.index("eager")] == text.significant(
        curve_of("eager")[-1]
    )


def test_what_was_not_finite_is_said_so() -> None:
    entry = CellParity(
        "s/a/eager/CPU:0/fed", "differs", learned={"W": None}, curves={"loss": [2.0, None]}
    )
    assert tables.training([entry]).rows == [
        ("s a", "W", "not finite"),
        ("s a", "loss: first", "2.00"),
        ("s a", "loss: last", "not finite"),
    ]


def test_timing_is_printed_the_way_the_guide_prints_it(ten: Rendered) -> None:
    lines = guide_timing(ten.summary, ten.frames.request)
    assert lines[0] == "Time to multiply a (1000, 1000) matrix by itself 200 times:"
    assert lines[-1] == "GPU: not found"
    cell = "matmul_guide/guide/{}/CPU:0/resident"
    for mode, line in zip(KINDS, lines[1:-1], strict=True):
        seconds, said = re.fullmatch(r"CPU: ([0-9.]+) secs \((\w+)\)", line).groups()  # type: ignore[union-attr]
        assert said == mode
        assert float(seconds) == pytest.approx(
            ten.summary.loc[cell.format(mode), "latency_s"], rel=0.01
        )
    console = Console(file=io.StringIO(), width=120, highlight=False)
    terminal.print_result(ten, console)
    page = ten.page.read_text(encoding="utf-8")
    markdown = (ten.folder / "summary.md").read_text(encoding="utf-8")
    for surface in (page, markdown, console.file.getvalue()):  # type: ignore[attr-defined]
        assert "\n".join(lines) in surface


def test_timing_on_several_devices_without_resident_inputs(tmp_path: Path) -> None:
    shape = replace(TEN, scenarios=("matmul_guide",), modes=("eager", "session"), inputs=("fed",))
    folder = write_run(tmp_path / "run", shape)
    summary = summarise(read(folder))
    other = summary.assign(device="CPU:1", latency_s=np.nan, status="crashed")
    both = np.concatenate([summary.to_records(), other.to_records()])
    both = type(summary)(both, columns=["cell", *summary.columns])
    request = replace(Run(folder).request, absent_devices=[])
    assert [re.sub(r"[0-9.]+ secs", "# secs", line) for line in guide_timing(both, request)][
        1:
    ] == [
        "CPU:0: # secs (eager, fed)",
        "CPU:0: # secs (session, fed)",
        "CPU:1: crashed (eager, fed)",
        "CPU:1: crashed (session, fed)",
    ]


def test_a_run_without_the_guides_size_prints_no_timing(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run", replace(TEN, scenarios=("custom_gradient",), passes=1))
    frames = read(folder)
    summary = summarise(frames)
    assert (summary["size"] == "guide").any()  # a guide's size, but no line of timing
    assert guide_timing(summary, frames.request) == []
    assert guide_timing(summary, RunRequest()) == []
