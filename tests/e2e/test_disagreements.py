"""Disagreements in the record and in every report, and the check that explains them."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path

import pytest
from commands import REPOSITORY, UNHURRIED, harness
from record_fixture import HOSTILE, KNOWN_CELL, TIMED_CELL, VACUOUS_CELL, Shape, write_run
from rich.console import Console

from eager_vs_graph.reports import Rendered, render
from eager_vs_graph.reports.charts import disagreement as chart
from eager_vs_graph.reports.disagreements import ALIKE, disagreements
from eager_vs_graph.reports.terminal.explanation import print_short
from eager_vs_graph.results.codec import write_json
from eager_vs_graph.results.explanation import Accuracy, Cause, Explanation, Judgement, Profile
from eager_vs_graph.results.record import TensorComparison
from eager_vs_graph.results.request import RunRequest
from eager_vs_graph.results.run import Run

CAUSES = REPOSITORY / "tests" / "causes"
DIFFERING = TensorComparison(
    "naive", "output", "eager", "differs", dtype="float32", shape=(3,), max_abs=2e-9, max_ulp=8e8,
    worst_step=0, worst_index=(2,), value="2e-09", reference="0.0", first_step=0,
)  # fmt: skip
PROFILE = Profile(
    "naive", "output", "session", 0, 3, (0, 1, 2), ("1.0", "inf", "2e-09"), ("1.0", "nan", "0.0"),
    ("1.0", "100.0", "2e-09"), (0.0, None, 8e8), (2, *[0] * 29, 1),
)  # fmt: skip
TRAINED = Profile(
    "loss", "output", "session", 2, 1, (0,), ("1.0",), ("1.1",), ("1.0",), (9.0,), (0, 0, 0, 0, 1),
    {"session": (0.0, 1e-6, 1e-5), "eager": (0.0, None, 1e-3)},
)  # fmt: skip
LARGE = Profile("w", "variable", "session", 2, 1000, histogram=(900, 50, 30, 20))
CAUSE = Cause(
    "grappler", "arithmetic_optimization", f"it {HOSTILE}", "write log1p", ("naive",),
    ("own.py:3: y = log(1 + x)",), ("without it the value is eager's",),
)  # fmt: skip
JUDGED = Judgement(
    "naive", "output", 0, (2,), "2e-09",
    (Accuracy("session", "2e-09", 1.0, 6.9), Accuracy("eager", "0.0", 8e8, 0.0)),
    "session is right to 1 ULP (6.9 digits), eager has lost all digits",
)  # fmt: skip
FOUND = [
    Explanation(
        KNOWN_CELL, "differs", tensors=(DIFFERING,), judgements=(JUDGED,), profiles=(PROFILE,),
        causes=(CAUSE,), excluded=("random streams: none",),
    ),
    Explanation(
        KNOWN_CELL.replace("session", "eager"), "differs",
        against_reference=(TensorComparison("naive", "output", "reference", "differs"),),
    ),
    Explanation(
        TIMED_CELL, "nondeterministic", tensors=(DIFFERING,), profiles=(TRAINED,),
        unexplained=("naive",), not_tried=("op determinism: out of time",),
    ),
    Explanation(
        VACUOUS_CELL, "differs", tensors=(DIFFERING,), profiles=(LARGE,),
        causes=(Cause("xla", "jit_compile", "fuses", "leave it out", ("naive",)),),
    ),
]  # fmt: skip

EXPLANATIONS = "explanations.json"


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Rendered:
    folder = write_run(tmp_path_factory.mktemp("results") / "run", Shape(passes=2, blocks=2))
    Run(folder).save_explanations(FOUND)
    return render(folder)


def test_what_was_found_is_read_back_as_it_was(rendered: Rendered) -> None:
    assert Run(rendered.folder).explanations() == FOUND


def test_a_newer_record_is_read_and_an_older_one_has_none(rendered: Rendered, tmp_path: Path):
    content = json.loads((rendered.folder / EXPLANATIONS).read_text())
    content["explanations"][0]["mood"] = "new"
    content["explanations"][0]["causes"][0]["colour"] = "new"
    write_json(tmp_path / EXPLANATIONS, content)
    assert Run(tmp_path).explanations() == FOUND
    (tmp_path / EXPLANATIONS).unlink()
    assert Run(tmp_path).explanations() == []


def test_a_damaged_file_is_named_and_the_rest_is_reported(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run", Shape(scenarios=("mnist_step",), passes=1))
    (folder / EXPLANATIONS).write_text('{"explanations": [{"status": "differs"}]}')
    result = render(folder)
    assert any(EXPLANATIONS in warning for warning in result.warnings)
    assert "Why modes disagree" not in result.page.read_text(encoding="utf-8")


def test_the_page_has_a_section_for_each(rendered: Rendered) -> None:
    page = rendered.page.read_text(encoding="utf-8")
    assert page.count('<article class="disagreement"') == len(FOUND)
    for text in (
        "grappler: arithmetic_optimization",
        "own.py:3: y = log(1 + x)",
        "without it the value is eager&#39;s",
        "write log1p",
        "eager has lost all digits",
        "random streams: none",
        "no cause found for naive",
        "op determinism: out of time",
        # The program that made the run is named again.
        "python -m harness explain custom_gradient --sizes guide --modes session",
        "<dt>Declared</dt>",
    ):
        assert text in page
    assert HOSTILE not in page
    charts = [path.name for path in rendered.files if path.name.startswith("disagreement-")]
    assert len(charts) == 6  # three of the four have something to draw, as PNG and SVG


def test_the_pull_request_has_it_in_short(rendered: Rendered) -> None:
    text = (rendered.folder / "summary.md").read_text(encoding="utf-8")
    assert "**Why modes disagree**" in text
    assert "remedy: write log1p" in text
    assert HOSTILE not in text


def test_the_terminal_says_cause_remedy_and_where_to_ask() -> None:
    console = Console(file=io.StringIO(), width=400, color_system=None)
    print_short(disagreements(FOUND, {}), console)
    out = console.file.getvalue()  # type: ignore[attr-defined]
    assert "why: grappler: arithmetic_optimization (naive): " in out
    assert "at own.py:3: y = log(1 + x)" in out
    assert "remedy: write log1p" in out
    assert f"why: {ALIKE}" in out
    assert "more: eager-vs-graph explain mnist_step --sizes small --modes session" in out


@pytest.mark.parametrize(
    ("target", "command"),
    [
        ({"reference": "own:step", "arguments": ["float32[2]"]}, "own:step --arg 'float32[2]'"),
        ({"reference": "step", "payload": "adopted.pkl"}, None),  # of a notebook: no name finds it
    ],
)
def test_code_of_ones_own_is_explained_by_its_target(target: dict, command: str | None) -> None:
    name = FOUND[0].cell.partition("/")[0]
    request = RunRequest(entries=[{"name": name, "target": target}])
    found = disagreements(FOUND, {}, request)
    of_target = {each.command for each in found if each.cell.scenario == name}
    if command is None:
        assert of_target == {""}
    else:
        assert all(each.startswith(f"eager-vs-graph explain {command} ") for each in of_target)
    assert all(each.command for each in found if each.cell.scenario != name)


def test_cells_that_differ_alike_share_a_section() -> None:
    other = KNOWN_CELL.replace("session", "function")
    found = [FOUND[0], Explanation(**{**vars(FOUND[0]), "cell": other}), FOUND[1]]
    together = disagreements(found, {})
    assert [[cell.mode for cell in each.cells] for each in together] == [
        ["session", "function"],
        ["eager"],
    ]
    assert together[0].where == "custom_gradient guide in session, function"


@pytest.mark.parametrize(
    ("profile", "title"),
    [(PROFILE, "Error by element"), (TRAINED, "Error by step"), (LARGE, "Elements by distance")],
)
def test_a_chart_shows_what_there_is(profile: Profile, title: str) -> None:
    (each,) = disagreements([FOUND[0]], {})
    figure = chart.draw(each, profile)
    assert title in [text.get_text() for text in figure.texts]
    (axes,) = figure.axes
    labels = [label.get_text() for label in axes.get_yticklabels()]
    assert ("not finite" in labels) == (profile is PROFILE or profile is TRAINED)
    assert ("0" in labels) == (profile is not LARGE)


def test_bench_keeps_explanations_and_shows_them(tmp_path):
    done = harness(
        "bench", "--passes", "1", "--budget", "1s", "--scenarios", "custom_gradient", "--sizes",
        "guide", "--modes", "eager,function", "--inputs", "resident", "--allow-concurrent",
        *UNHURRIED, cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    folder = (tmp_path / "results" / "latest").resolve()
    found = {each.cell.split("/")[2]: each for each in Run(folder).explanations()}
    assert set(found) == {"eager", "function"}
    assert [cause.what for cause in found["function"].causes] == ["arithmetic_optimization"]
    assert found["function"].profiles[0].elements == 3
    assert found["eager"].against_reference
    assert Run(folder).parity()
    assert "Log1p(" in (folder / "report.html").read_text(encoding="utf-8")
    assert "arithmetic\\_optimization" in (folder / "summary.md").read_text(
        encoding="utf-8"
    ) or "arithmetic_optimization" in (folder / "summary.md").read_text(encoding="utf-8")


def test_parity_prints_the_short_form_and_tries_op_determinism(tmp_path):
    done = harness(
        "parity", "--scenarios", f"{CAUSES / 'kernels.py'},{CAUSES / 'epsilon.py'}",
        "--modes", "eager,function", *UNHURRIED, cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    assert "differs: lost_epsilon tiny in function" in done.stdout
    assert "why: grappler: constant_folding (y): " in done.stdout
    assert re.search(r"more: eager-vs-graph explain .*epsilon\.py:lost_epsilon", done.stdout)
    histogram = done.stdout[done.stdout.index(": weighted_histogram small in eager\n  why:") :]
    assert re.search(r"why: nondeterminism: (op determinism|one thread) \(sums\): ", histogram)
    assert "op determinism" in histogram


def test_parity_can_be_asked_not_to_explain(tmp_path):
    done = harness(
        "parity", "--scenarios", CAUSES / "kernels.py", "--modes", "eager", "--no-explain",
        cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    assert "why:" not in done.stdout
