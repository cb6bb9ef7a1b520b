"""How long is looked for causes: what is asked for, or what the verb has."""

from __future__ import annotations

from pathlib import Path

import pytest

from eager_vs_graph.catalog.selection import Selection
from eager_vs_graph.results.cells import Cell
from eager_vs_graph.results.record import CellParity
from eager_vs_graph.runs import disagreements
from eager_vs_graph.runs.check import CheckResult
from eager_vs_graph.runs.options import LimitOptions, TimingOptions
from eager_vs_graph.runs.progress import Progress

CELL = "own/tiny/function/CPU:0/resident"


def request(**limits):
    options = LimitOptions(**limits).limits()
    nothing = Selection([], [], [], [], [])
    return TimingOptions().request(nothing, options, default_budget_s=60.0)


def test_a_run_keeps_a_share_of_its_budget_or_what_is_asked_for():
    assert disagreements.seconds_of(60.0, anything_timed=True) == 60.0 * disagreements.SHARE
    assert disagreements.seconds_of(60.0, anything_timed=False) == disagreements.SECONDS
    assert disagreements.seconds_of(60.0, anything_timed=True, explain_s=500.0) == 500.0


@pytest.mark.parametrize(("limits", "seconds"), [({}, 30.0), ({"explain_timeout": 500.0}, 500.0)])
def test_a_check_gives_explanations_what_was_asked_for(monkeypatch, limits, seconds):
    asked = []

    def explain(question, _folder, _progress):
        asked.append(question.seconds)
        return disagreements.inquiry.ExplainResult([])

    monkeypatch.setattr(disagreements.inquiry, "explain", explain)
    checked = CheckResult()
    checked.parity[CELL] = CellParity(CELL, "differs")
    checked.cells.append(Cell.parse(CELL))
    disagreements.explain(request(**limits), checked, Path(), Progress())
    assert asked == [seconds]
