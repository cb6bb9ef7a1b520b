"""Which mode to use: what is chosen, how it is said, and that figures on a line fit each other."""

from __future__ import annotations

import io
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from record_fixture import Shape, write_run
from rich.console import Console

from eager_vs_graph.reports import Rendered, notebook, render, tables, wording
from eager_vs_graph.reports.formatting import digits
from eager_vs_graph.reports.reasons import of_run
from eager_vs_graph.reports.terminal import run as terminal
from eager_vs_graph.results.cells import CONTROL, Cell
from eager_vs_graph.results.record import CellParity
from eager_vs_graph.results.run import Run
from eager_vs_graph.statistics.choice import CLEAR, NONE, TIED, UNDECIDED, choices, wins
from eager_vs_graph.statistics.speedup_rule import BASELINE
from eager_vs_graph.statistics.summary import COLUMNS


def summary(*groups: dict[str, tuple[float, float, str]]) -> pd.DataFrame:
    """A summary with the modes of every group: speed-up, half-width, verdict; eager beside them."""
    rows = {}
    for number, modes in enumerate(groups):
        for mode, (speedup, half, verdict) in {"eager": (1.0, 0.0, ""), **modes}.items():
            cell = Cell(f"s{number}", "small", mode, "CPU:0", "resident")
            rows[cell.id] = {
                **dict.fromkeys(COLUMNS, np.nan),
                **vars(cell),
                **{"status": "close", "parity_status": "close", "latency_s": 1e-3 / speedup},
                **{"speedup": speedup, "speedup_low": speedup - half},
                **{"speedup_high": speedup + half, "verdict": verdict, "baseline": "eager"},
                **{"verdict_detail": "", "known_difference": "", "unequal_work": ""},
                **{"lost_digits": "", "reason": "", "passes": 3, "retraces": 0},
            }
    return pd.DataFrame.from_dict(rows, orient="index")


CASES = {
    "one is ahead of all": (
        {"function": (1.5, 0.1, "faster"), "session": (3.0, 0.2, "faster")},
        (CLEAR, ("session",)),
        "Use session: 3.00× [2.80, 3.20] the speed of eager. Faster than eager: function 1.50×",
    ),
    "two are not told apart": (
        {"function": (2.9, 0.2, "faster"), "session": (3.0, 0.2, "faster")},
        (TIED, ("session", "function")),
        "Use session or function: 3.00× [2.80, 3.20] and 2.90× [2.70, 3.10] the speed of eager; "
        "which of them is fastest is not settled.",
    ),
    "eager is ahead": (
        {"function": (0.5, 0.1, "slower")},
        (CLEAR, ("eager",)),
        "Use eager: no other mode is as fast. Slower than eager: function 0.500×",
    ),
    "as fast as eager": (
        {"function": (1.0, 0.01, "same"), "session": (0.9, 0.01, "slower")},
        (TIED, ("eager", "function")),
        "Use eager: no mode is faster, and function is as fast (within 3%). Slower than eager: ",
    ),
    "nothing is known": (
        {"function": (1.1, 0.5, "unclear"), "session": (0.9, 0.01, "slower")},
        (UNDECIDED, ()),
        "Undecided: no mode is known to be faster than eager. Unclear: function 1.10×",
    ),
    "one pass": (
        {"function": (1.5, np.nan, ""), "session": (3.0, np.nan, "")},
        (NONE, ()),
        "No verdict after one pass: it gives no interval. The speed of eager, roughly: function",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_comparison_says_which_mode_to_use(case: str) -> None:
    modes, expected, words = CASES[case]
    table = summary(modes)
    (chosen,) = choices(table)
    assert (chosen.kind, chosen.modes) == expected
    assert wording.answer(table).startswith(words)


def test_many_comparisons_are_counted_by_their_fastest_mode() -> None:
    table = summary(*(modes for modes, *_ in CASES.values()), CASES["one is ahead of all"][0])
    assert wording.answer(table) == (
        "session is fastest in 2 of 6 workloads (3.00×) and eager in 1. 2 have several fastest "
        "modes, 1 is undecided and 1 could not be compared."
    )
    ordered = wins(choices(table), ["eager", "function", "session"])
    assert [each.mode for each in ordered] == ["session", "eager", "function"]
    by_mode = tables.by_mode(table)
    rows = {
        row[0]: dict(zip([c.name for c in by_mode.columns], row, strict=True))
        for row in by_mode.rows
    }
    assert rows["session"]["fastest in"] == "2"
    assert rows["session"]["tied in"] == "1"
    assert rows["session"]["faster"] == "3"
    assert rows["eager"]["fastest in"] == "1"
    assert "eager is fastest in s2 small." in wording.headline(table)


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Rendered:
    return render(write_run(tmp_path_factory.mktemp("results") / "run"))


def test_latency_and_speedup_of_a_line_fit_each_other(rendered: Rendered) -> None:
    found = rendered.summary
    compared = found[
        found["speedup"].notna() & (found["baseline"] == BASELINE) & (found["mode"] != CONTROL)
    ]
    assert len(compared) > 20
    for row in compared.itertuples():
        eager = found.loc[Cell.parse(str(row.Index)).in_mode(BASELINE).id, "latency_s"]
        assert row.latency_s == pytest.approx(eager / row.speedup, rel=1e-12)
        assert row.latency_low_s < row.latency_s < row.latency_high_s
        assert row.median_s >= row.latency_s


def test_a_reason_of_each_mode_is_said_once(tmp_path: Path) -> None:
    found = render(write_run(tmp_path / "run", Shape(scenarios=("mnist_step",), trouble=False)))
    parity = dict(found.frames.parity)
    broken = found.summary.copy()
    for mode, number in (("function", 1), ("session", 2)):
        cell = f"mnist_step/small/{mode}/CPU:0/resident"
        reason = f"{mode} gives 3; /tmp/eager-{number}/x.py is gone, not tf.function"
        parity[cell] = CellParity(cell, "crashed", reason=reason)
        broken.loc[cell, ["status", "parity_status", "reason"]] = ["crashed", "crashed", reason]
        broken.loc[cell, "speedup"] = np.nan
    (one,) = [each for each in of_run(broken, parity) if each.status == "crashed"]
    assert one.cells == "mnist_step small in function (resident), session (resident)"
    assert one.text.startswith("each mode gives 3; ")
    assert one.text.endswith("not tf.function")


@pytest.mark.parametrize(
    ("error", "words"),
    [(0.0, "all digits"), (1.2e-7, "6 digits"), (0.04, "1 digit"), (0.3, "no digit"),
     (np.inf, "no digit"), (None, "")],
)  # fmt: skip
def test_distances_are_said_in_digits(error: float | None, words: str) -> None:
    assert digits(error) == words


def test_a_notebook_shows_the_colours_of_the_page(rendered: Rendered) -> None:
    shown = notebook.html(rendered)
    colours = dict(re.findall(r"\.eager-vs-graph \.(m\d) \{ --c: (#[0-9a-f]{6}); \}", shown))
    dots = set(re.findall(r'class="dot (m\d)"', shown))
    assert len(dots) == 3
    assert dots <= colours.keys()
    page = rendered.page.read_text(encoding="utf-8")
    assert all(f".{name}{{--c:{colour}}}" in page for name, colour in colours.items())


@pytest.mark.parametrize("width", [80, 100])
def test_the_results_fit_the_terminal(rendered: Rendered, width: int) -> None:
    console = Console(
        file=io.StringIO(), width=width, force_terminal=True, color_system=None, highlight=False
    )
    terminal.print_result(rendered, console)
    lines = console.file.getvalue().splitlines()  # type: ignore[attr-defined]
    commands = [line for line in lines if line.startswith("  more: ")]
    assert max(len(line) for line in lines if line not in commands) <= width
    table = lines.index(next(line for line in lines if line.startswith("mode ")))
    failures = lines.index("crashed: matmul_chain large in session (fed)")
    answer = next(n for n, line in enumerate(lines) if line.startswith("session is fastest in"))
    assert table < failures < answer


def test_of_very_many_cells_the_terminal_prints_the_modes(
    rendered: Rendered, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(terminal, "MOST_CELLS", 10)
    console = Console(file=io.StringIO(), width=100)
    terminal.print_result(rendered, console)
    printed = console.file.getvalue()  # type: ignore[attr-defined]
    assert "All 42 cells are in the report and in summary.csv." in printed
    assert "fastest in" in printed
    assert Run(rendered.folder).request.cells
