"""Reports on a fixed record: values, empties, escaping, damage, determinism, no TensorFlow."""

from __future__ import annotations

import io
import json
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from record_fixture import (
    CRASHED_CELL,
    ENVIRONMENT,
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

from harness.errors import UsageError
from harness.record import Run, write_json
from reports import Rendered, render, terminal, text
from reports.charts import CHARTS, latency, style
from reports.verdict import sentences

REPOSITORY = Path(__file__).parents[1]
SMALL = Shape(scenarios=("mnist_step",), inputs=("resident",))
RECORD = ("raw", "parity.json", "environment.json")


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
        "known_difference,max_ulp_eager,max_ulp_oracle,reason,verdict_detail"
    )
    assert ",".join(csv.columns).startswith(first)
    assert list(csv.index) == Run(rendered.folder).request()["cells"]


def test_a_timed_cell_has_its_known_ratio(csv: pd.DataFrame) -> None:
    row = csv.loc[TIMED_CELL]
    assert row["status"] == "close"
    assert float(row["speedup_low"]) < 2.5 < float(row["speedup_high"])
    assert float(row["speedup"]) == pytest.approx(2.5, rel=0.1)
    assert float(row["median_s"]) == pytest.approx(420e-6 / 2.5, rel=0.1)
    assert (row["rounds"], row["passes"], row["traces"]) == ("120", "4", "1")
    assert (row["max_ulp_eager"], row["max_ulp_oracle"]) == ("0", "3")
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
    entry |= {"word": "differs", "known": "the oracle keeps more digits"}
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


def test_rendering_does_not_import_tensorflow(rendered: Rendered) -> None:
    program = (
        "import sys, pathlib, reports, reports.terminal; "
        "reports.render(pathlib.Path(sys.argv[1])); "
        "sys.exit('tensorflow' in sys.modules or 'keras' in sys.modules)"
    )
    child = [sys.executable, "-c", program, str(rendered.folder)]
    assert subprocess.run(child, cwd=REPOSITORY, check=False).returncode == 0


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
    said = ["GPU: not found", "swapped 12 MB", "held_out_accuracy", "0.913", KNOWN, CRASHED_CELL]
    said += [str(value) for key, value in ENVIRONMENT.items() if isinstance(value, str) and value]
    page = page.replace("<wbr>", "")
    for words in [*said, "a_new_key", "every element is NaN"]:
        assert words in page, words


def test_markdown_rows_have_as_many_fields_as_headings(rendered: Rendered) -> None:
    markdown = (rendered.folder / "summary.md").read_text(encoding="utf-8")
    for table in re.findall(r"(?:^\|.*\n)+", markdown, flags=re.MULTILINE):
        assert len({len(re.findall(r"(?<!\\)\|", line)) for line in table.splitlines()}) == 1


def test_a_sentence_in_plain_words(rendered: Rendered) -> None:
    by_cell = {(s.scenario, s.size, s.inputs): s for s in sentences(rendered.summary)}
    sentence = by_cell["mnist_step", "small", "resident"].text()
    assert re.match(r"mnist_step small: session 2\.\d\d× \[2\.\d\d, 2\.\d\d\]", sentence)
    assert sentence.endswith("(bit for bit those of eager, at most 3 ULP from the oracle)")
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
    assert len(charts) == len(CHARTS) * len(shape.inputs)
    if shape.passes < 2 or "eager" not in shape.modes or len(shape.modes) == 1:
        assert result.summary["speedup_low"].isna().all()
    for page in (result.page.read_text(), (result.folder / "summary.csv").read_text()):
        assert not re.search(r"\bnan\b|\bNone\b|<NA>", page)


def test_a_run_without_any_distance_is_drawn(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run", SMALL)
    parity = json.loads((folder / "parity.json").read_text())
    for entry in parity["cells"]:
        entry["tensors"] = []
    write_json(folder / "parity.json", parity)
    assert render(folder).summary[["max_ulp_eager", "max_ulp_oracle"]].isna().all(axis=None)


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
