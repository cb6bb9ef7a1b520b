"""The command lines that reports print: what they name can be typed where the run was started."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from eager_vs_graph.reports.commands import explain_command, rerun_command
from eager_vs_graph.reports.reasons import without_passing_files
from eager_vs_graph.results.cells import Cell
from eager_vs_graph.results.request import RunRequest

CELL = Cell("sound", "small", "function", "CPU:0", "resident")


@pytest.mark.parametrize(
    ("file", "named"),
    [
        ("mine/failing.py", "mine/failing.py:sound"),
        ("/elsewhere/lib/python3.12/site-packages/eager_vs_graph/scenarios/sound.py", "sound"),
    ],
)
def test_one_scenario_is_named_also_where_its_file_has_several(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: str, named: str
) -> None:
    monkeypatch.chdir(tmp_path)
    entries = [{"name": "other", "file": file}, {"name": "sound", "file": str(tmp_path / file)}]
    request = RunRequest(command="eager-vs-graph bench", entries=entries)
    assert rerun_command(request, CELL, ["eager", "function"]) == (
        f"eager-vs-graph bench --scenarios {named} --sizes small --modes eager,function"
    )
    assert explain_command(CELL, entries, "eager-vs-graph bench").startswith(
        f"eager-vs-graph explain {named} --sizes small"
    )


def test_names_of_files_that_are_gone_are_not_shown() -> None:
    folder = f"{tempfile.gettempdir()}/eager-vs-graph-1-x"
    reason = f'Aborted | File "{folder}/__autograph_generated_filea_b.py", line 18'
    assert without_passing_files(reason) == 'Aborted | File "a generated file", line 18'
