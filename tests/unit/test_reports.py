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
    as_older_version_wrote,
    write_run,
)
from rich.console import Console
from synthetic import blocks

from eager_vs_graph.errors import UsageError
from eager_vs_graph.reports import Rendered, notebook, render, tables, wording
from eager_vs_graph.reports import formatting as text
from eager_vs_graph.reports.charts import CHARTS, break_even, latency, speedup, style
from eager_vs_graph.reports.terminal import run as terminal
from eager_vs_graph.results.codec import write_json
from eager_vs_graph.results.frames import read
from eager_vs_graph.results.run import Run
from eager_vs_graph.statistics.estimates import estimate_cells
from eager_vs_graph.statistics.speedup_rule import BREAK_EVEN
from eager_vs_graph.statistics.summary import COLUMNS, summarise

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
    assert list(csv.columns) == list(COLUMNS)
    units = ("_s", "_bytes", "_calls", "speedup", "speedup_low", "speedup_high", "noise_floor")
    units += ("_passes",)
    counts = ("traces", "retraces", "rounds", "passes")
    floats = rendered.summary.select_dtypes("float").columns
    plain = ("_ulp_", "_scaled_")  # in no unit
    assert all(name.endswith(units) or any(each in name for each in plain) for name in floats)
    assert set(rendered.summary.select_dtypes("Int64").columns) == {*counts, "peak_memory_bytes"}
    assert list(csv.index) == Run(rendered.folder).request.cells


def test_a_timed_cell_has_its_known_ratio(csv: pd.DataFrame) -> None:
    row = csv.loc[TIMED_CELL]
    assert row["status"] == "close"
    assert float(row["speedup_low"]) < 2.5 < float(row["speedup_high"])
    assert float(row["speedup"]) == pytest.approx(2.5, rel=0.1)
    assert float(row["latency_s"]) == pytest.approx(420e-6 / 2.5, rel=0.1)
    assert (row["rounds"], row["passes"], row["traces"]) == ("120", "4", "1")
    assert (row["max_ulp_vs_eager"], row["max_ulp_vs_reference"]) == ("0", "3")
    assert row["baseline"] == "eager"


def test_eager_is_one_without_an_interval(csv: pd.DataFrame) -> None:
    row = csv.loc[TIMED_CELL.replace("session", "eager")]
    assert (row["speedup"], row["speedup_low"], row["verdict"], row["traces"]) == ("1", "", "", "0")


def test_the_control_is_compared_with_its_twin(csv: pd.DataFrame) -> None:
    row = csv.loc[TIMED_CELL.replace("session", "control")]
    assert (row["baseline"], row["parity_status"]) == ("function", "close")
    assert float(row["speedup"]) == pytest.approx(1, rel=0.1)


@pytest.mark.parametrize(
    ("cell", "status", "timed", "reason"),
    [
        (KNOWN_CELL, "differs", True, ""),
        (CRASHED_CELL, "crashed", False, "in pass 1: exit code 134 Fatal: <abort> in op Reader"),
        (UNSUPPORTED_CELL, "unsupported", False, "tf.data iterators need a <session> of their own"),
        (VACUOUS_CELL, "vacuous", False, "every element is NaN"),
        (RETRACED_CELL, "close", True, "no speed-up: traced again twice while it was timed"),
    ],
)
def test_a_cell_that_is_not_comparable_is_empty_not_zero(
    csv: pd.DataFrame, cell: str, status: str, timed: bool, reason: str
) -> None:
    row = csv.loc[cell]
    assert row["status"] == status
    assert bool(row["latency_s"]) is timed
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
    assert row["reason"] == "no speed-up: the status of eager is differs (known)"
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
    # Nothing but the page's own scripts.
    assert page.count("<script") == len(re.findall(r"\n<script>\n// Sorts", page)) == 1
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
    inside = ("data:image/svg+xml;base64,", "#")
    assert all("".join(each).startswith(inside) for each in addresses)
    assert "<link" not in page


def test_the_page_says_what_a_reader_needs(rendered: Rendered) -> None:
    page = rendered.page.read_text(encoding="utf-8")
    said = [
        "GPU: not found",
        "in 1 of 4 passes the machine swapped 12 MB",
        "held_out_accuracy",
        "0.913",
        KNOWN,
        "matmul_chain large in session (fed)",
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
    section = page[page.index('<details id="checkpoints">') :].partition("</details>")[0]
    for writer, words in MATRIX.items():
        row = re.search(rf'<th scope="row"[^>]*>{writer}</th>(.*?)</tr>', section, re.DOTALL)
        assert row is not None
        assert re.findall(r'class="status (\w+)"', row[1]) == words
    problems = page[page.index('<section id="problems">') :].partition("</section>")[0]
    assert "eager → session" in problems
    assert "5 pairs" in problems
    assert "remote: its variables cannot be reached" in problems
    assert "restored, &lt;script&gt;" in problems

    markdown = (rendered.folder / "summary.md").read_text(encoding="utf-8")
    assert "| mnist_step small | eager | identical | differs | unsupported |" in markdown

    console = Console(file=io.StringIO(), width=140)
    terminal.print_parity([], console, checkpoints=pairs)
    printed = console.file.getvalue()
    for writer, words in MATRIX.items():
        assert re.search(rf"{writer} +{' +'.join(words)}", printed)
    assert "unsupported: mnist_step small, checkpoint 5 pairs\n  remote: its variables" in printed


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


def test_the_page_begins_with_question_answer_and_failures(rendered: Rendered) -> None:
    page = rendered.page.read_text(encoding="utf-8")
    at = [
        page.index(part)
        for part in (
            "<h1>Which mode is fastest for matmul_chain, mnist_step and custom_gradient: eager, ",
            '<p class="answer">session is fastest in 10 of 14 comparisons (',
            "Outputs agree with eager in 39 of 42 cells; 1 differs as declared, 1 is unsupported, ",
            '<nav aria-label="Contents">',
            '<section id="problems">',
            ">crashed</span>",
            ">vacuous</span>",
            ">unsupported</span>",
            '<section id="overview">',
            '<section id="results">',
            '<section id="comparisons">',
            '<section id="charts">',
            '<section id="details">',
        )
    ]
    assert at == sorted(at)
    contents = page[page.index("<nav") : page.index("</nav>")]
    for target in re.findall(r'href="#([^"]+)"', contents):
        assert f'id="{target}"' in page
    assert rendered.folder.name not in page[page.index("<h1>") : page.index("</h1>")]


def test_each_reason_is_said_once_with_its_cells(rendered: Rendered) -> None:
    found = [(each.status, each.cells) for each in rendered.reasons]
    assert found == [
        ("crashed", "matmul_chain large in session (fed)"),
        ("differs", "mnist_step small, checkpoint eager → session"),
        ("vacuous", "custom_gradient large in function (fed)"),
        ("close (retraced)", "mnist_step small in function (fed)"),
        ("differs (known)", "custom_gradient guide in session (resident)"),
        ("unsupported", "mnist_step large in session (fed)"),
        ("unsupported", "mnist_step small, checkpoint 5 pairs"),
    ]
    assert [each.failed for each in rendered.reasons] == [True] * 3 + [False] * 4


@pytest.fixture(scope="module")
def own_code(tmp_path_factory: pytest.TempPathFactory) -> Rendered:
    """A run of code of a user's own, which has no size."""
    folder = write_run(tmp_path_factory.mktemp("own") / "run", SMALL)
    for file in [folder / "parity.json", folder / "environment.json", *folder.glob("raw/*.json")]:
        content = file.read_text(encoding="utf-8")
        content = content.replace("mnist_step/small/", "make_step/given/")
        content = content.replace('"mnist_step"', '"make_step"').replace('"small"', '"given"')
        file.write_text(content, encoding="utf-8")
    environment = json.loads((folder / "environment.json").read_text(encoding="utf-8"))
    request = environment["request"]
    request["cells"] = [cell for cell in request["cells"] if "/given/" in cell]
    del request["scenarios"]["make_step"]["sizes"]["large"]
    write_json(folder / "environment.json", environment)
    parity = json.loads((folder / "parity.json").read_text(encoding="utf-8"))
    parity["cells"] = [cell for cell in parity["cells"] if "/given/" in cell["cell"]]
    write_json(folder / "parity.json", parity)
    (folder / "checkpoints.json").unlink()
    run = Run(folder)
    for number in run.pass_numbers():
        timed = [
            replace(
                each,
                cell=each.cell.replace("mnist_step/small/", "make_step/given/"),
                group=each.group.replace("mnist_step/small/", "make_step/given/"),
            )
            for each in run.rounds(number)
        ]
        run.save_rounds(number, timed)
    return render(folder)


def test_nothing_displays_the_size_of_code_that_has_none(own_code: Rendered) -> None:
    console = Console(file=io.StringIO(), width=80)
    terminal.print_result(own_code, console)
    terminal.print_parity(own_code.frames.parity.values(), console)
    surfaces = {
        "terminal": console.file.getvalue(),  # type: ignore[attr-defined]
        "notebook": notebook.text(own_code) + notebook.html(own_code),
        "page": own_code.page.read_text(encoding="utf-8"),
        "summary.md": (own_code.folder / "summary.md").read_text(encoding="utf-8"),
        "summary.csv": (own_code.folder / "summary.csv").read_text(encoding="utf-8"),
        "files": " ".join(path.name for path in own_code.files),
    }
    for name, content in surfaces.items():
        shown = re.sub(
            r'base64,[^"]*|(id|href)="[^"]*"|<script.*</script>', "", content, flags=re.S
        )
        assert not re.search(r"\bgiven\b", shown), name
    assert "make_step on CPU:0, resident inputs" in surfaces["terminal"]
    assert own_code.summary.loc["make_step/given/session/CPU:0/resident", "speedup"] > 1


def test_one_comparison_is_answered_mode_by_mode(own_code: Rendered) -> None:
    assert wording.question(own_code.summary) == (
        "Which mode is fastest for make_step: eager, function or session?"
    )
    assert re.match(
        r"Use session: 2\.\d\d× \[2\.\d\d, \d\.\d\d\] the speed of eager\. "
        r"Faster than eager: function 1\.\d\d× \[",
        own_code.headline[0],
    )
    assert re.match(
        r"Break-even: function \d+ calls \[\d+, \d+\], session \d+ calls", own_code.headline[1]
    )
    assert own_code.headline[2] == "Outputs agree with eager in 3 of 3 cells."


def test_one_size_is_no_line_and_nothing_to_show_is_no_chart(own_code: Rendered) -> None:
    names = {path.stem for path in own_code.files if path.suffix == ".svg"}
    assert names == {
        f"{chart}-cpu0-resident" for chart in ("speedup", "first-call", "break-even", "parity")
    }


def test_a_noise_floor_beyond_all_bounds_is_a_factor() -> None:
    assert text.noise(0.05) == "±5.0%"
    assert text.noise(3489.68) == "a factor of 3,490"


def test_a_cell_without_a_right_digit_is_marked_and_says_where(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run", SMALL)
    parity = json.loads((folder / "parity.json").read_text(encoding="utf-8"))
    (entry,) = [cell for cell in parity["cells"] if cell["cell"] == TIMED_CELL]
    entry["tensors"][1] |= {"lost": 3, "lost_detail": "loss[2]: eager 1e-9, session -2e-9"}
    write_json(folder / "parity.json", parity)
    result = render(folder)
    row = result.summary.loc[TIMED_CELL]
    assert row["status"] == "close"
    assert row["speedup"] > 1
    (reason,) = [each for each in result.reasons if "no right digit" in each.status]
    assert (reason.cells, reason.text) == ("mnist_step small in session", row["lost_digits"])
    console = Console(file=io.StringIO(), width=80)
    terminal.print_result(result, console)
    printed = console.file.getvalue()  # type: ignore[attr-defined]
    for content in (printed, result.page.read_text(encoding="utf-8")):
        assert "close (no right digit)" in content
        assert "loss[2]: eager 1e-9, session -2e-9" in content


def test_internal_lists_are_not_shown_and_a_seed_of_zero_is_a_number(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run", SMALL)
    content = json.loads((folder / "environment.json").read_text(encoding="utf-8"))
    content["request"] |= {
        "seed": 0,
        "timed": [{"cell": TIMED_CELL, "mode": "session", "group": "x"}],
        "entries": [],
    }
    write_json(folder / "environment.json", content)
    result = render(folder)
    rows = dict(tables.environment(result.frames).rows)
    assert rows["seed"] == "0"
    assert not {"timed", "entries", "cells", "bare_loops"} & set(rows)
    assert "bare_loops" not in result.page.read_text(encoding="utf-8")


@pytest.mark.parametrize("older", [False, True])
@pytest.mark.parametrize("damage", ["{", '{"benchmarks": [{"stats": {}}]}', "[]"])
def test_a_damaged_pass_is_named_and_the_rest_is_reported(
    tmp_path: Path, damage: str, older: bool
) -> None:
    folder = write_run(tmp_path / "run", SMALL)
    if older:
        as_older_version_wrote(Run(folder), 3)
    name = Run(folder).rounds_file(3).name
    (folder / "raw" / name).write_text(damage)
    (folder / "raw" / "pass-4.cells.json").write_text(damage)
    result = render(folder)
    assert [Path(line.split(": ")[0]).name for line in result.warnings] == [
        name,
        "pass-4.cells.json",
    ]
    assert result.summary.loc[TIMED_CELL, "passes"] == 3
    page = result.page.read_text(encoding="utf-8")
    assert name in page
    assert "3 of 4 passes were recorded" in page


@pytest.mark.parametrize("older", [False, True])
@pytest.mark.parametrize("seconds", [float("inf"), float("nan"), -1.0, 0.0])
def test_an_impossible_round_damages_its_pass(tmp_path: Path, seconds: float, older: bool) -> None:
    run = Run(write_run(tmp_path / "run", replace(SMALL, passes=2)))
    timed = run.rounds(2)
    timed[0].seconds[0, 0] = seconds
    run.save_rounds(2, timed)
    if older:
        timed[0].seconds[0, 0] = 1.0
        run.save_rounds(2, timed)
        path = as_older_version_wrote(run, 2)
        content = json.loads(path.read_text())
        content["benchmarks"][0]["stats"]["data"][0] = seconds
        path.write_text(json.dumps(content))
    result = render(run.folder)
    assert len(result.warnings) == 1
    assert result.summary.loc[TIMED_CELL, "passes"] == 1


def test_a_record_of_an_older_version_gives_the_same_figures(tmp_path: Path) -> None:
    run = Run(write_run(tmp_path / "run", SMALL))
    now = summarise(read(run.folder))
    for number in run.pass_numbers():
        as_older_version_wrote(run, number)
    assert not list(run.raw.glob("*.rounds"))
    pd.testing.assert_frame_equal(summarise(read(run.folder)), now)


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
    speedups = result.summary.loc[~result.summary["mode"].isin(["eager", "control"]), "speedup"]
    drawn = [path for path in result.files if path.name.startswith("speedup")]
    assert len(drawn) == (2 * len(shape.inputs) if speedups.notna().any() else 0)
    assert {path.name.split("-cpu")[0] for path in result.files if path.suffix == ".svg"} <= {
        chart.name for chart in CHARTS
    }
    if shape.passes < 2 or "eager" not in shape.modes or len(shape.modes) == 1:
        assert result.summary[["speedup_low", "break_even_low_calls"]].isna().all(axis=None)
    for page in (result.page.read_text(), (result.folder / "summary.csv").read_text()):
        assert not re.search(r"\bnan\b|\bNone\b|<NA>", page)


def test_a_run_without_any_distance_is_drawn(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run", SMALL)
    parity = json.loads((folder / "parity.json").read_text())
    for entry in parity["cells"]:
        entry["tensors"] = []
    write_json(folder / "parity.json", parity)
    assert (
        render(folder).summary[["max_ulp_vs_eager", "max_ulp_vs_reference"]].isna().all(axis=None)
    )


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
    floor = text.noise(judged.summary["noise_floor"].max())
    console = Console(file=io.StringIO(), width=250)
    terminal.print_result(judged, console)
    surfaces = {
        "terminal": console.file.getvalue(),  # type: ignore[attr-defined]
        "page": judged.page.read_text(encoding="utf-8"),
        "summary.md": (judged.folder / "summary.md").read_text(encoding="utf-8"),
    }
    needed = re.compile(r"7 unclear comparisons need about \d+ to \d+ more passes")
    for name, content in surfaces.items():
        assert "function is fastest in 7 of 7 workloads (" in content
        assert "95% intervals from 6 passes" in content
        assert f"Noise floor: {floor} (one mode timed twice under two names)." in content
        assert needed.search(content), name
        assert all(status in content for status in EXPECTED.values()), name


def test_no_break_even_where_the_speed_may_be_the_same(judged: Rendered) -> None:
    table = tables.results(judged.summary)
    names = [column.name for column in table.columns]
    mode, repaid = names.index("mode"), names.index("break-even (calls)")
    found = {
        verdict: [r[repaid] for r in table.rows if r[mode] == m] for m, verdict in EXPECTED.items()
    }
    assert all(re.match(r"\d+ \[", each) for each in found["faster"])
    assert set(found["slower"]) == {"never"}
    assert set(found["same"]) == set(found["unclear"]) == {""}


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
    assert bands == {round(1 + floor - 1 / (1 + floor), 6)}
    words = [each.get_text() for each in axes.texts]
    assert all(any(each.endswith(status) for each in words) for status in EXPECTED.values())


def test_break_even_in_every_surface(rendered: Rendered, csv: pd.DataFrame) -> None:
    later = 2 * BUILD_S + 3 * FIRST_CALL_S - BUILD_S - FIRST_CALL_S
    truth = 1 + later / (420e-6 * (1 - 1 / 2.5))
    row = csv.loc[TIMED_CELL]
    assert float(row["break_even_calls"]) == pytest.approx(truth, rel=0.1)
    assert float(row["break_even_low_calls"]) < truth < float(row["break_even_high_calls"])
    slower = csv.loc["custom_gradient/guide/function/CPU:0/resident"]
    assert set(slower[BREAK_EVEN]) == {"inf"}
    for cell in (RETRACED_CELL, KNOWN_CELL, TIMED_CELL.replace("session", "eager")):
        assert csv.loc[cell, "break_even_calls"] == ""
    shown = text.break_even(*(rendered.summary.loc[TIMED_CELL, name] for name in BREAK_EVEN))
    console = Console(file=io.StringIO(), width=250)
    terminal.print_result(rendered, console)
    for content, found in (
        (console.file.getvalue(), shown.partition(" ")[0]),  # type: ignore[attr-defined]
        (rendered.page.read_text(encoding="utf-8"), shown),
        (
            (rendered.folder / "summary.md").read_text(encoding="utf-8").replace("\\", ""),
            shown,
        ),
    ):
        assert found in content
        assert "never" in content
        assert re.search(r"Break-even: median \d+ calls, maximum \d+\.", content)


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


def test_peak_memory_is_in_the_details(rendered: Rendered) -> None:
    page = rendered.page.read_text(encoding="utf-8")
    of = page[page.index('<details class="comparison" id="matmul_chain/tiny/CPU:0/resident"') :]
    of = of[: of.index("</details>")]
    assert "peak memory" in of
    assert of.count(">3.00 MiB<") == 3
    assert "nothing was timed meanwhile" in page


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
    assert sessions["latency_s"].notna().all()
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
        ((11.2, 7.9, 19.3), "12 calls [8, 20]"),
        ((1.0, 1.0, 1.0), "1 call"),
        ((11.2, 7.9, np.inf), "12 calls [8, never]"),
        ((11.2, np.nan, np.nan), "12 calls"),
        ((45_600.0, 9_000.0, 7.89e6), "45.6k calls [9000, 7.89M]"),
        ((0.0, 0.0, 0.0), "from the first call"),
        ((0.0, 0.0, 31.0), "from the first call [0, 31]"),
        ((np.inf, np.inf, np.inf), "never"),
        ((np.inf, 300.0, np.inf), "never [300, never]"),
        ((np.nan, np.nan, np.nan), ""),
    ],
)
def test_break_even_reads_for_people(values: tuple[float, float, float], expected: str) -> None:
    assert text.break_even_phrase(*values) == expected


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


@pytest.mark.parametrize(
    ("noisy", "told"),
    [
        ({"spread": 0.08, "scatter": 0.01}, r"speed-ups themselves moved from pass to pass by \d"),
        (
            {"spread": 0.001, "scatter": 0.3},
            r"Most of it is noise within passes \(\d",
        ),
    ],
)
def test_what_makes_intervals_wide_is_said(noisy: dict[str, float], told: str) -> None:
    frame = blocks({"function": 2.0, "session": 3.0}, groups=6, passes=6, count=60, **noisy)
    table = estimate_cells(frame, control_of="function")
    modes = frame.drop_duplicates("cell").set_index("cell")["mode"]
    summary = table.assign(mode=modes, baseline="eager")
    (line,) = wording.how_sure(summary)
    assert re.search(told, line)
    few = estimate_cells(frame[frame["pass"] < 3], control_of="function")
    (line,) = wording.how_sure(few.assign(mode=modes, baseline="eager"))
    assert "moved" not in line
    assert "Most of it" not in line
