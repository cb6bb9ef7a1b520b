"""Reports on a fixed record: values, empties, escaping, damage, determinism, no TensorFlow."""

from __future__ import annotations

import io
import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex, to_rgba
from record_fixture import (
    BUILD_S,
    CRASHED_CELL,
    ENVIRONMENT,
    FED_S,
    FIRST_CALL_S,
    HOSTILE,
    KNOWN,
    KNOWN_CELL,
    RETRACED_CELL,
    TIMED_CELL,
    UNSUPPORTED_CELL,
    VACUOUS_CELL,
    Shape,
    write_run,
)
from rich.console import Console

from eager_vs_graph.errors import UsageError
from eager_vs_graph.reports import Rendered, render, tables
from eager_vs_graph.reports import formatting as text
from eager_vs_graph.reports.charts import CHARTS, break_even, latency, speedup, style
from eager_vs_graph.reports.terminal import run as terminal
from eager_vs_graph.reports.wording import sentences
from eager_vs_graph.results.codec import write_json
from eager_vs_graph.results.run import Run
from eager_vs_graph.statistics.summary import BREAK_EVEN

SMALL = Shape(scenarios=("mnist_step",), inputs=("resident",))
RECORD = ("raw", "parity.json", "checkpoints.json", "environment.json")


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Rendered:
    return render(write_run(tmp_path_factory.mktemp("results") / "run"))


@pytest.fixture(scope="module")
def csv(rendered: Rendered) -> pd.DataFrame:
    text = (rendered.folder / "summary.csv").read_text(encoding="utf-8")
    frame = pd.read_csv(io.StringIO(text), dtype=str, keep_default_na=False)
    return frame.set_index(rendered.summary.index)


def test_columns_and_rows_of_the_csv(csv: pd.DataFrame, rendered: Rendered) -> None:
    first = (
        "scenario,size,mode,device,inputs,status,median_s,ci_low_s,ci_high_s,speedup,speedup_low,"
        "speedup_high,verdict,noise_floor,build_s,first_call_s,traces,rounds,passes,parity,"
        "known_difference,max_ulp_eager,max_ulp_reference,reason,verdict_detail"
    )
    assert ",".join(csv.columns).startswith(first)
    assert list(csv.index) == Run(rendered.folder).request.cells


def test_a_timed_cell_has_its_known_ratio(csv: pd.DataFrame) -> None:
    row = csv.loc[TIMED_CELL]
    assert row["status"] == "close"
    assert float(row["speedup_low"]) < 2.5 < float(row["speedup_high"])
    assert float(row["speedup"]) == pytest.approx(2.5, rel=0.1)
    assert float(row["median_s"]) == pytest.approx(420e-6 / 2.5, rel=0.1)
    assert (row["rounds"], row["passes"], row["traces"]) == ("120", "4", "1")
    assert (row["max_ulp_eager"], row["max_ulp_reference"]) == ("0", "3")
    assert row["baseline"] == "eager"


def test_eager_is_one_without_an_interval(csv: pd.DataFrame) -> None:
    row = csv.loc[TIMED_CELL.replace("session", "eager")]
    assert (row["speedup"], row["speedup_low"], row["verdict"], row["traces"]) == ("1", "", "", "0")


def test_the_control_is_compared_with_its_twin(csv: pd.DataFrame) -> None:
    row = csv.loc[TIMED_CELL.replace("session", "control")]
    assert (row["baseline"], row["parity"]) == ("function", "close")
    assert float(row["speedup"]) == pytest.approx(1, rel=0.1)


@pytest.mark.parametrize(
    ("cell", "status", "timed", "reason"),
    [
        (KNOWN_CELL, "differs", True, ""),
        (CRASHED_CELL, "crashed", False, "in pass 1: exit code 134 Fatal: <abort> in op Reader"),
        (UNSUPPORTED_CELL, "unsupported", False, "tf.data iterators need a <session> of their own"),
        (VACUOUS_CELL, "vacuous", False, "every element is NaN"),
        (RETRACED_CELL, "close", True, "no speed-up: 2 retraces in the timed blocks"),
    ],
)
def test_a_cell_that_is_not_comparable_is_empty_not_zero(
    csv: pd.DataFrame, cell: str, status: str, timed: bool, reason: str
) -> None:
    row = csv.loc[cell]
    assert row["status"] == status
    assert bool(row["median_s"]) is timed
    assert row["reason"].startswith(reason)
    comparison = ["speedup", "speedup_low", "speedup_high", "verdict", "verdict_detail", "baseline"]
    assert set(row[comparison]) == {""}


def test_no_speedup_in_a_group_whose_eager_differs(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run", SMALL)
    parity = json.loads((folder / "parity.json").read_text())
    eager = TIMED_CELL.replace("session", "eager")
    entry = next(entry for entry in parity["cells"] if entry["cell"] == eager)
    entry |= {"status": "differs", "known": "the reference keeps more digits"}
    write_json(folder / "parity.json", parity)
    summary = render(folder).summary
    row = summary.loc[TIMED_CELL]
    assert row["status"] == "close"
    assert np.isnan(row["speedup"])
    assert row["reason"] == "no speed-up: eager differs (known)"
    assert summary.loc[TIMED_CELL.replace("small", "large"), "speedup"] > 1


def test_the_same_bytes_from_the_record_alone(rendered: Rendered, tmp_path: Path) -> None:
    again = tmp_path / rendered.folder.name
    again.mkdir()
    for name in RECORD:
        source = rendered.folder / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, again / name)
    render(again)
    for path in rendered.files:
        copy = again / path.relative_to(rendered.folder)
        assert copy.read_bytes() == path.read_bytes(), path.name


def test_text_of_authors_is_escaped_everywhere(rendered: Rendered) -> None:
    page = rendered.page.read_text(encoding="utf-8")
    assert "<script" not in page
    assert "&lt;script&gt;alert(&#39;summary&#39;)&lt;/script&gt;" in page
    assert "&lt;abort&gt;" in page
    assert "<abort>" not in page
    markdown = (rendered.folder / "summary.md").read_text(encoding="utf-8")
    assert "\\<abort\\>" in markdown
    console = Console(file=io.StringIO(), width=400)
    terminal.print_result(rendered, console)
    assert "<abort>" in console.file.getvalue()  # type: ignore[attr-defined]
    assert HOSTILE not in markdown


def test_the_page_is_self_contained(rendered: Rendered) -> None:
    page = rendered.page.read_text(encoding="utf-8")
    addresses = re.findall(r"""(?:src|href)=["']([^"']*)|url\(([^)]*)\)""", page)
    assert addresses
    assert all("".join(each).startswith("data:image/svg+xml;base64,") for each in addresses)
    assert "<link" not in page


def test_the_page_says_what_a_reader_needs(rendered: Rendered) -> None:
    page = rendered.page.read_text(encoding="utf-8")
    said = [
        "GPU: not found",
        "in 1 of 4 passes the machine swapped 12 MB",
        "held_out_accuracy",
        "0.913",
        KNOWN,
        CRASHED_CELL,
    ]
    said += [str(value) for key, value in ENVIRONMENT.items() if isinstance(value, str) and value]
    page = page.replace("<wbr>", "")
    for words in [*said, "a_new_key", "every element is NaN"]:
        assert words in page, words


MATRIX = {
    "eager": ["identical", "differs", "unsupported"],
    "session": ["identical", "identical", "unsupported"],
    "remote": ["unsupported", "unsupported", "unsupported"],
}


def test_the_matrix_of_checkpoints_is_in_every_report(rendered: Rendered) -> None:
    pairs = rendered.frames.checkpoints
    matrix = tables.checkpoints(pairs)
    assert [column.name for column in matrix.columns][1:] == ["written by", *MATRIX]
    rows = {row[1]: list(row[2:]) for row in matrix.rows if row[0] == "mnist_step small"}
    assert rows == MATRIX

    page = rendered.page.read_text(encoding="utf-8")
    section = page[page.index('<section id="checkpoints">') :].partition("</section>")[0]
    for writer, words in MATRIX.items():
        row = re.search(rf"<tr[^>]*>(?:(?!</tr>).)*>{writer}</td>(.*?)</tr>", section, re.DOTALL)
        assert row is not None
        assert re.findall(r'class="word (\w+)"', row[1]) == words
    reasons = page[page.index('<section id="checkpoint-reasons">') :].partition("</section>")[0]
    assert "eager → session" in reasons
    assert "5 pairs" in reasons
    assert "remote: its variables cannot be reached" in reasons
    assert "restored, &lt;script&gt;" in reasons

    markdown = (rendered.folder / "summary.md").read_text(encoding="utf-8")
    assert "| mnist_step small | eager | identical | differs | unsupported |" in markdown

    console = Console(file=io.StringIO(), width=140)
    terminal.print_parity([], console, checkpoints=pairs)
    printed = console.file.getvalue()
    for writer, words in MATRIX.items():
        assert re.search(rf"{writer} +{' +'.join(words)}", printed)
    assert "unsupported mnist_step small, checkpoint 5 pairs: remote: its variables" in printed


def test_a_run_without_checkpoints_says_nothing_of_them(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run", SMALL)
    (folder / "checkpoints.json").unlink()  # as in a run of before they were kept
    result = render(folder)
    assert (result.frames.checkpoints, result.warnings) == ([], ())
    assert 'id="checkpoints"' not in result.page.read_text(encoding="utf-8")


@pytest.mark.parametrize("damage", ["{", "[]", '{"schema": 1, "pairs": [{"wrote": "x"}]}'])
def test_damaged_checkpoints_are_named_and_the_rest_is_reported(
    tmp_path: Path, damage: str
) -> None:
    folder = write_run(tmp_path / "run", SMALL)
    (folder / "checkpoints.json").write_text(damage)
    result = render(folder)
    assert [Path(line.split(": ")[0]).name for line in result.warnings] == ["checkpoints.json"]
    assert result.summary.loc[TIMED_CELL, "passes"] == 4


def test_markdown_rows_have_as_many_fields_as_headings(rendered: Rendered) -> None:
    markdown = (rendered.folder / "summary.md").read_text(encoding="utf-8")
    for table in re.findall(r"(?:^\|.*\n)+", markdown, flags=re.MULTILINE):
        assert len({len(re.findall(r"(?<!\\)\|", line)) for line in table.splitlines()}) == 1


def test_a_sentence_in_plain_words(rendered: Rendered) -> None:
    by_cell = {(s.scenario, s.size, s.inputs): s for s in sentences(rendered.summary)}
    sentence = by_cell["mnist_step", "small", "resident"].text()
    assert re.match(r"mnist_step small: session 2\.\d\d× \[2\.\d\d, 2\.\d\d\]", sentence)
    assert sentence.endswith("(bit for bit those of eager, at most 3 ULP from the reference)")
    assert "session unsupported" in by_cell["mnist_step", "large", "fed"].text()
    assert "session differs (known), 1" in by_cell["custom_gradient", "guide", "resident"].text()


@pytest.mark.parametrize("damage", ["{", '{"benchmarks": [{"stats": {}}]}', "[]"])
def test_a_damaged_pass_is_named_and_the_rest_is_reported(tmp_path: Path, damage: str) -> None:
    folder = write_run(tmp_path / "run", SMALL)
    (folder / "raw" / "pass-3.json").write_text(damage)
    (folder / "raw" / "pass-4.cells.json").write_text(damage)
    result = render(folder)
    assert [Path(line.split(": ")[0]).name for line in result.warnings] == [
        "pass-3.json",
        "pass-4.cells.json",
    ]
    assert result.summary.loc[TIMED_CELL, "passes"] == 3
    page = result.page.read_text(encoding="utf-8")
    assert "pass-3.json" in page
    assert "3 of 4 passes were recorded" in page


@pytest.mark.parametrize("seconds", [float("inf"), -1.0, 0.0, "x"])
def test_an_impossible_round_damages_its_pass(tmp_path: Path, seconds: object) -> None:
    folder = write_run(tmp_path / "run", replace(SMALL, passes=2))
    path = folder / "raw" / "pass-2.json"
    content = json.loads(path.read_text())
    content["benchmarks"][0]["stats"]["data"][0] = seconds
    path.write_text(json.dumps(content))
    result = render(folder)
    assert len(result.warnings) == 1
    assert result.summary.loc[TIMED_CELL, "passes"] == 1


@pytest.mark.parametrize("name", ["environment.json", "parity.json"])
@pytest.mark.parametrize("content", [None, "{", "[]", '{"schema": 1}'])
def test_without_environment_or_parity_nothing_is_written(
    tmp_path: Path, name: str, content: str | None
) -> None:
    folder = write_run(tmp_path / "run", SMALL)
    if content is None:
        (folder / name).unlink()
    else:
        (folder / name).write_text(content)
    with pytest.raises(UsageError, match=re.escape(name)):
        render(folder)
    assert {path.name for path in folder.iterdir()} <= set(RECORD)


SHAPES = {
    "one pass": replace(SMALL, passes=1),
    "no pass": replace(SMALL, passes=0),
    "nothing timed": replace(SMALL, timed=False),
    "only eager": replace(SMALL, modes=("eager",)),
    "no eager": replace(SMALL, modes=("session",)),
    "one cell": Shape(("matmul_chain",), ("session",), ("fed",), passes=1, trouble=False),
    "many modes": Shape(modes=("eager", "function", "session", *(f"mode_{i}" for i in range(7)))),
}


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES.keys())
def test_any_shape_of_run_is_reported(tmp_path: Path, shape: Shape) -> None:
    result = render(write_run(tmp_path / "run", shape))
    console = Console(file=io.StringIO(), width=100)
    terminal.print_result(result, console)
    terminal.print_parity(result.frames.parity.values(), console)
    charts = {path for path in result.files if path.suffix == ".svg"}
    policies = len(shape.inputs)
    of_cells = [chart for chart in CHARTS if not chart.of_curves]
    assert len(charts) == sum(policies > 1 if c.both_policies else policies for c in of_cells)
    if shape.passes < 2 or "eager" not in shape.modes or len(shape.modes) == 1:
        assert result.summary[["speedup_low", "break_even_low"]].isna().all(axis=None)
    for page in (result.page.read_text(), (result.folder / "summary.csv").read_text()):
        assert not re.search(r"\bnan\b|\bNone\b|<NA>", page)


def test_a_run_without_any_distance_is_drawn(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run", SMALL)
    parity = json.loads((folder / "parity.json").read_text())
    for entry in parity["cells"]:
        entry["tensors"] = []
    write_json(folder / "parity.json", parity)
    assert render(folder).summary[["max_ulp_eager", "max_ulp_reference"]].isna().all(axis=None)


def test_every_mode_has_one_look_and_svgs_follow_the_colour_scheme(rendered: Rendered) -> None:
    modes = ["eager", "function", "session", "control", "concrete", *"abcde"]
    looks = [style.look_of(mode, modes) for mode in modes]
    assert (
        len({look.colour for look in looks}) == len({look.marker for look in looks}) == len(modes)
    )
    svg = next(path for path in rendered.files if path.suffix == ".svg").read_text()
    assert "prefers-color-scheme:dark" in svg
    assert "currentColor" in svg
    assert style.INK not in svg.replace(f"color:{style.INK}", "")


def _sizes(*parameters: str) -> pd.DataFrame:
    return pd.DataFrame(
        {"size": [f"s{i}" for i in range(len(parameters))], "parameters": parameters}
    )


def test_sizes_are_spaced_by_the_parameter_that_alone_grows() -> None:
    positions, labels, name = latency.size_axis(_sizes("n=8, k=2", "n=64, k=2", "n=1000, k=2"))
    assert (name, list(positions.values())) == ("n", [8, 64, 1000])
    assert labels[-1] == "s2\n1,000"


@pytest.mark.parametrize(
    "parameters",
    [("n=8, k=2", "n=64, k=3"), ("n=64", "n=8"), ("kind=a", "kind=b"), ("", ""), ("n=8",)],
)
def test_other_sizes_are_spaced_evenly(parameters: tuple[str, ...]) -> None:
    positions, _, name = latency.size_axis(_sizes(*parameters))
    assert (name, list(positions.values())) == ("", list(range(len(parameters))))


@pytest.mark.parametrize(
    ("function", "value", "expected"),
    [
        (text.seconds, 72.345e-6, "72.3 µs"),
        (text.seconds, 999.7e-6, "1.00 ms"),
        (text.seconds, 12.3456, "12.3 s"),
        (text.seconds, float("nan"), ""),
        (text.ratio, 2.305, "2.31×"),
        (text.ratio, 1234.0, "1,230×"),
        (text.ratio, 0.0996, "0.0996×"),
        (text.ulps, 3.0, "3"),
        (text.ulps, 12345.0, "12,345"),
        (text.ulps, 8.2e8, "8.2e+08"),
        (text.ulps, None, ""),
    ],
)
def test_numbers_read_for_people(function: object, value: float | None, expected: str) -> None:
    assert function(value) == expected  # type: ignore[operator]


KNOWN_RATIOS = {
    "eager": 1.0,
    "function": 1.5,
    "session": 0.95,
    "twin": 1.0,
    "restless": 1.03,
    "control": 1.5,
}
EXPECTED = {"function": "faster", "session": "slower", "twin": "same", "restless": "unclear"}


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Rendered:
    """A run whose true ratios are known."""
    shape = Shape(
        modes=tuple(KNOWN_RATIOS),
        inputs=("resident",),
        passes=6,
        trouble=False,
        speedups=KNOWN_RATIOS,
        spread=0.003,
        spreads={"restless": 0.08},
    )
    return render(write_run(tmp_path_factory.mktemp("judged") / "run", shape))


def test_known_ratios_get_their_words(judged: Rendered) -> None:
    for mode, status in EXPECTED.items():
        rows = judged.summary[judged.summary["mode"] == mode]
        assert set(rows["verdict"]) == {status}, mode
        assert (rows["verdict_detail"].str.contains("more passes") == (status == "unclear")).all()
        assert rows["speedup"].to_list() == pytest.approx([KNOWN_RATIOS[mode]] * 7, rel=0.1)
    control = judged.summary[judged.summary["mode"] == "control"]
    assert set(control["verdict"]) == {"same"}
    assert (control["baseline"] == "function").all()
    assert control["speedup"].to_list() == pytest.approx([1.0] * 7, abs=0.01)
    assert 0 < judged.summary["noise_floor"].max() < 0.02


def test_every_surface_uses_the_same_words(judged: Rendered) -> None:
    floor = text.percent(judged.summary["noise_floor"].max())
    console = Console(file=io.StringIO(), width=250)
    terminal.print_result(judged, console)
    surfaces = {
        "terminal": console.file.getvalue(),  # type: ignore[attr-defined]
        "page": judged.page.read_text(encoding="utf-8"),
        "summary.md": (judged.folder / "summary.md").read_text(encoding="utf-8"),
    }
    settles = judged.summary["verdict_detail"].max()
    for name, content in surfaces.items():
        assert "7 faster, 7 slower, 7 same and 7 unclear" in content, name
        assert f"Noise floor of the run (one mode timed twice under two names): {floor}" in content
        assert settles in content, name
        assert all(status in content for status in EXPECTED.values()), name


def test_nothing_pays_where_the_speed_may_be_the_same(judged: Rendered) -> None:
    for sentence in sentences(judged.summary):
        paid = {clause.verdict: clause.pays for clause in sentence.clauses}
        assert paid["faster"].startswith("pays after ~")
        assert paid["slower"] == "never pays"
        assert paid["same"] == paid["unclear"] == ""


def test_markers_tell_the_verdicts_apart_over_the_noise_floor(judged: Rendered) -> None:
    cells = judged.summary[~judged.summary["mode"].isin(["control"])]
    axes = speedup.draw(cells).axes[0]
    marks = [line for line in axes.lines if line.get_marker() not in ("None", "", None)]
    fills: dict[str, list[float]] = {}
    for mark in marks:
        if mark.get_markeredgewidth() == 0:
            face = to_rgba(mark.get_markerfacecolor())
            fills.setdefault(to_hex(face), []).append(face[3])
    edges = [to_hex(mark.get_markeredgecolor()) for mark in marks if mark.get_markeredgewidth()]
    assert sorted(edges) == sorted(7 * list(fills))
    by_colour = {style.look_of(mode, EXPECTED).colour: mode for mode in EXPECTED}
    wanted = {"faster": 1.0, "slower": 1.0, "same": 0.4, "unclear": 0.0}
    assert {by_colour[colour]: set(found) for colour, found in fills.items()} == {
        mode: {wanted[status]} for mode, status in EXPECTED.items()
    }
    bands = {round(bar.get_width(), 6) for bar in axes.patches}
    floor = judged.summary["noise_floor"].max()
    assert bands == {round(float(np.exp(floor) - np.exp(-floor)), 6)}
    words = [each.get_text() for each in axes.texts]
    assert all(any(each.endswith(status) for each in words) for status in EXPECTED.values())


def test_break_even_in_every_surface(rendered: Rendered, csv: pd.DataFrame) -> None:
    later = 2 * BUILD_S + 3 * FIRST_CALL_S - BUILD_S - FIRST_CALL_S
    truth = 1 + later / (420e-6 * (1 - 1 / 2.5))
    row = csv.loc[TIMED_CELL]
    assert float(row["break_even_calls"]) == pytest.approx(truth, rel=0.1)
    assert float(row["break_even_low"]) < truth < float(row["break_even_high"])
    slower = csv.loc["custom_gradient/guide/function/CPU:0/resident"]
    assert set(slower[["break_even_calls", "break_even_low", "break_even_high"]]) == {"inf"}
    for cell in (RETRACED_CELL, KNOWN_CELL, TIMED_CELL.replace("session", "eager")):
        assert csv.loc[cell, "break_even_calls"] == ""
    values = [rendered.summary.loc[TIMED_CELL, name] for name in BREAK_EVEN]
    console = Console(file=io.StringIO(), width=250)
    terminal.print_result(rendered, console)
    printed = console.file.getvalue()  # type: ignore[attr-defined]
    page = rendered.page.read_text(encoding="utf-8")
    for content in (printed, page):
        assert text.pays(*values) in content
        assert "never pays" in content
    for content in (page, (rendered.folder / "summary.md").read_text(encoding="utf-8")):
        assert text.break_even(*values) in content.replace("\\", "")
        assert "half have repaid building and first call after" in content


def test_break_even_draws_the_crossing_where_the_lines_cross(rendered: Rendered) -> None:
    cells = rendered.summary[rendered.summary["inputs"] == "resident"]
    cells = cells[(cells["scenario"] == "mnist_step") & (cells["size"] == "small")]
    axes = break_even.draw(cells[cells["mode"].isin(["eager", "session"])]).axes[0]
    eager, session, *_, mark = axes.lines
    at = float(np.asarray(mark.get_xdata())[0])
    assert at == pytest.approx(rendered.summary.loc[TIMED_CELL, "break_even_calls"])
    level = [np.interp(at, each.get_xdata(), each.get_ydata()) for each in (eager, session)]
    assert level[0] == pytest.approx(level[1], rel=0.01)
    assert float(np.asarray(mark.get_ydata())[0]) == pytest.approx(level[0], rel=0.01)


def test_more_panels_than_are_legible_are_left_to_the_table(rendered: Rendered) -> None:
    cells = rendered.summary[rendered.summary["inputs"] == "resident"]
    many = pd.concat([cells.assign(scenario=cells["scenario"] + str(i)) for i in range(4)])
    figure = break_even.draw(many)
    assert len(figure.axes) == break_even.MOST
    assert any("4 more are in the table" in each.get_text() for each in figure.texts)


def test_feeding_costs_what_it_costs(rendered: Rendered, csv: pd.DataFrame) -> None:
    fed = rendered.summary[rendered.summary["inputs"] == "fed"]
    small = fed[(fed["size"] != "large") & (fed["mode"] != "control") & fed["feeding_s"].notna()]
    assert len(small) > 8
    covers = (small["feeding_low_s"] < FED_S) & (small["feeding_high_s"] > FED_S)
    assert covers.mean() >= 0.8
    resident = csv[csv["inputs"] == "resident"]
    assert set(resident["feeding_s"]) == {""}
    assert csv.loc[RETRACED_CELL, "feeding_s"] == ""
    page = rendered.page.read_text(encoding="utf-8")
    assert "What feeding costs" in page
    assert "CPU:0, resident and fed inputs" in page


def test_one_policy_says_nothing_of_feeding(judged: Rendered) -> None:
    assert judged.summary["feeding_s"].isna().all()
    assert "What feeding costs" not in judged.page.read_text(encoding="utf-8")
    assert not [path for path in judged.files if "feeding" in path.name]


def test_peak_memory_by_mode(rendered: Rendered) -> None:
    table = tables.memory(rendered.summary)
    assert [column.name for column in table.columns] == [
        *("scenario", "inputs", "eager", "function", "session")
    ]
    assert table.rows[0] == ("matmul_chain tiny", "resident", *["3.00 MiB"] * 3)
    page = rendered.page.read_text(encoding="utf-8")
    assert "Peak memory" in page
    assert "apart from timing" in page


def test_a_cell_without_comparison_is_not_judged_with_the_others(tmp_path: Path) -> None:
    """A differing cell keeps its latency, and its noise moves no other cell's interval."""
    shape = replace(SMALL, modes=("eager", "function", "session"))
    clean = write_run(tmp_path / "clean", shape)
    mended = write_run(tmp_path / "wild", replace(shape, spreads={"session": 2.0}))
    for folder in (clean, mended):
        parity = json.loads((folder / "parity.json").read_text())
        for entry in parity["cells"]:
            if "/session/" in entry["cell"]:
                entry |= {"status": "differs", "known": "declared"}
        write_json(folder / "parity.json", parity)
    first, second = render(clean).summary, render(mended).summary
    function = first["mode"] == "function"
    names = ["speedup", "speedup_low", "speedup_high", "verdict"]
    pd.testing.assert_frame_equal(first.loc[function, names], second.loc[function, names])
    sessions = second[second["mode"] == "session"]
    assert sessions["median_s"].notna().all()
    assert sessions["speedup"].isna().all()


def test_warnings_of_the_machine_are_said_once(tmp_path: Path) -> None:
    others = "other processes used {}% of the CPU time"
    warnings = {number: (others.format(share),) for number, share in enumerate((12, 9, 35, 20), 1)}
    warnings[3] += ("the CPU's frequency went from 3100 to 2400 MHz",)
    result = render(write_run(tmp_path / "run", replace(SMALL, passes=5, warnings=warnings)))
    assert [note for note in result.notes if note.startswith("in ")] == [
        "in 4 of 5 passes other processes used 9–35% of the CPU time",
        "in 1 of 5 passes the CPU's frequency went from 3100 to 2400 MHz",
    ]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ((11.2, 7.9, 19.3), "pays after ~12 calls [8, 20]"),
        ((11.2, 7.9, np.inf), "pays after ~12 calls [8, never]"),
        ((11.2, np.nan, np.nan), "pays after ~12 calls"),
        ((45_600.0, 9_000.0, 7.89e6), "pays after ~45.6k calls [9000, 7.89M]"),
        ((0.0, 0.0, 0.0), "pays at once"),
        ((0.0, 0.0, 31.0), "pays at once [0, 31]"),
        ((np.inf, np.inf, np.inf), "never pays"),
        ((np.inf, 300.0, np.inf), "never pays [300, never]"),
        ((np.nan, np.nan, np.nan), ""),
    ],
)
def test_break_even_reads_for_people(values: tuple[float, float, float], expected: str) -> None:
    assert text.pays(*values) == expected


@pytest.mark.parametrize(
    ("function", "value", "expected"),
    [
        (text.added, 72.345e-6, "+72.3 µs"),
        (text.added, -5.1e-6, "−5.10 µs"),
        (text.added, float("nan"), ""),
    ],
)
def test_added_time_has_its_sign(function: object, value: float, expected: str) -> None:
    assert function(value) == expected  # type: ignore[operator]
    assert text.added_interval(-1.2e-6, 75.9e-6) == "[−1.20, 75.9] µs"
