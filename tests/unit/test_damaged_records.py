"""Records with one thing changed: each is reported, or refused in one line that names the file.

``EAGER_VS_GRAPH_EXAMPLES=20000`` tries so many records and options, instead of 300; CI tries 2,000.
"""

from __future__ import annotations

import copy
import json
import os
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from damaged_records import DEEP, HUGE, Files, changes, put, save, sound
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rich.console import Console

from eager_vs_graph.errors import UsageError
from eager_vs_graph.processes.supervise import Limits
from eager_vs_graph.reports import render, report
from eager_vs_graph.reports.charts import Shown
from eager_vs_graph.reports.charts.style import looks_of
from eager_vs_graph.reports.html import page
from eager_vs_graph.reports.terminal.run import print_result
from eager_vs_graph.reports.terminal.run_comparison import print_comparison
from eager_vs_graph.results import codec
from eager_vs_graph.results.frames import read
from eager_vs_graph.results.record import CellParity
from eager_vs_graph.results.run import Run
from eager_vs_graph.runs import bench
from eager_vs_graph.runs.options import (
    GridOptions,
    LimitOptions,
    ScenarioOptions,
    TargetOptions,
    TimingOptions,
)
from eager_vs_graph.runs.passes import PassRunner
from eager_vs_graph.runs.progress import Progress
from eager_vs_graph.runs.quantities import PERCENT, quantity
from eager_vs_graph.statistics.run_comparison import compare

EXAMPLES = int(os.environ.get("EAGER_VS_GRAPH_EXAMPLES", "300"))


def examples(share: float) -> settings:
    """So many of all examples."""
    return settings(
        max_examples=max(1, int(share * EXAMPLES)),
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
    )


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Files]:
    folder = tmp_path_factory.mktemp("record") / "run"
    files = sound(folder)
    for name, content in files.items():
        save(folder / name, content)
    return folder, files


@pytest.fixture(scope="module")
def other(record: tuple[Path, Files], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same run once more, to compare with."""
    return shutil.copytree(record[0], tmp_path_factory.mktemp("other") / "run")


def require_one_line(message: str, name: str = "") -> None:
    assert "\n" not in message
    assert name in message


def words(folder: Path) -> None:
    """Everything of a report but its charts."""
    found = report.findings(folder)
    report._csv(found.summary).encode()
    report._pull_request(found)
    print_result(found, Console(quiet=True))
    with looks_of(found.frames.request):
        shown = [Shown(group) for group in found.disagreements]
        page("run", found.summary, found.frames, [], found.notes, found.reasons, shown)


@examples(0.855)
@given(data=st.data())
def test_every_record_is_read_or_named(record: tuple[Path, Files], data: st.DataObject) -> None:
    folder, files = record
    name, content = data.draw(changes(files))
    restore = put(folder, name, content)
    try:
        frames = read(folder)
        bench._entries(Run(folder))
    except UsageError as error:
        told = str(error)
        require_one_line(told, "" if "an entry of the run is damaged" in told else name)
    else:
        for warning in frames.warnings:
            require_one_line(warning, name.split(".")[0])
    finally:
        restore()


@examples(0.015)
@given(data=st.data())
def test_every_record_that_is_read_is_told(record: tuple[Path, Files], data: st.DataObject) -> None:
    folder, files = record
    restore = put(folder, *data.draw(changes(files)))
    try:
        words(folder)
    except UsageError as error:
        require_one_line(str(error))
    finally:
        restore()


@examples(0.01)
@given(data=st.data())
def test_every_record_is_compared(
    record: tuple[Path, Files], other: Path, data: st.DataObject
) -> None:
    folder, files = record
    restore = put(folder, *data.draw(changes(files)))
    try:
        for runs in ((folder, other), (other, folder)):
            comparison = compare(*runs, across_machines=True)
            print_comparison(comparison, 0.05, Console(quiet=True))
    except UsageError as error:
        require_one_line(str(error))
    finally:
        restore()


@examples(0.02)
@given(data=st.data())
def test_every_record_is_resumed_or_named(record: tuple[Path, Files], data: st.DataObject) -> None:
    """As far as the first pass would begin."""
    folder, files = record
    restore = put(folder, *data.draw(changes(files)))
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(bench, "_measure", planned)
            patch.setattr(bench, "check", lambda request, scratch, progress, known: known)
            bench.resume(folder, Progress(), Limits(), TimingOptions(), trust=True)
    except UsageError as error:
        require_one_line(str(error))
    finally:
        restore()


def planned(passes: PassRunner) -> None:
    for number in passes.run.pass_numbers():
        passes._learn(passes.run.pass_record(number))
    passes._needs()


@examples(0.002)
@given(data=st.data())
def test_every_record_that_is_read_is_drawn(
    record: tuple[Path, Files], data: st.DataObject
) -> None:
    folder, files = record
    drawn = {name: files[name] for name in ("parity.json", "explanations.json")}
    restore = put(folder, *data.draw(changes(drawn)))
    try:
        render(folder)
    except UsageError as error:
        require_one_line(str(error))
    finally:
        restore()


typed = st.one_of(
    st.text(max_size=12),
    st.sampled_from(["all", "90s", "5m", "4GiB", "nan", "inf", "-1s", "1e400s", "x" * 5000, "%"]),
    st.sampled_from(["eager", "CPU:0", "resident", "tiny", "../..", "a:b", "a.py:b", "\ud800"]),
    st.builds("{}{}".format, st.floats(), st.sampled_from(["s", "m", "h", "GiB", "%", ""])),
    st.lists(st.sampled_from(["eager", "", "fed", "xla", "guide", " "]), max_size=4).map(",".join),
)


@examples(0.1)
@given(data=st.data())
def test_every_option_is_understood_or_named(data: st.DataObject) -> None:
    def text() -> str:
        return data.draw(typed)

    kind = data.draw(st.integers(0, 5))
    try:
        if kind == 0:
            GridOptions(modes=text(), devices=text(), inputs=text()).selection([])
        elif kind == 1:
            LimitOptions(memory_limit=text()).limits()
        elif kind == 2:
            TimingOptions(budget=text()).budget_s(1.0)
        elif kind == 3:
            which = ScenarioOptions(text(), text())
            which.chosen_sizes(which.entries())
        elif kind == 4:
            TargetOptions(arg=[text()], label=text(), loss=text()).entries(text())
        else:
            quantity(text(), PERCENT)
    except UsageError as error:
        require_one_line(str(error))


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("status", "splendid", r"`str` matching regex .* at `\$\.cells\[0\]\.status`"),
        ("cell", "no id", r"at `\$\.cells\[0\]\.cell`"),
        ("reason", 7, r"Expected `str`, got `int` - at `\$\.cells\[0\]\.reason`"),
        ("tensors", {"a": 1}, r"Expected `array`, got `object` - at `\$\.cells\[0\]\.tensors`"),
        ("traces", HUGE, r"at `\$\.cells\[0\]\.traces`"),
        ("call_s", "soon", r"at `\$\.cells\[0\]\.call_s`"),
    ],
)
def test_a_damaged_field_is_named(
    record: tuple[Path, Files], field: str, value: Any, reason: str
) -> None:
    folder, files = record
    content = json.loads(json.dumps(files["parity.json"]))
    content["cells"][0][field] = value
    restore = put(folder, "parity.json", content)
    try:
        with pytest.raises(UsageError, match=rf"parity\.json: damaged: .*{reason}"):
            read(folder)
    finally:
        restore()


@pytest.mark.parametrize("before", ['{"schema": 3, "cells": ', '{"cells": [], "new": '])
def test_a_record_that_is_nested_deeply_is_named(tmp_path: Path, before: str) -> None:
    (tmp_path / "parity.json").write_text(before + "[" * 100_000, encoding="utf-8")
    with pytest.raises(UsageError, match=r"parity\.json: damaged: ") as raised:
        Run(tmp_path).parity()
    require_one_line(str(raised.value))


def test_what_is_nested_deeply_where_anything_may_be_is_cut(
    record: tuple[Path, Files],
) -> None:
    folder, files = record
    content = json.loads(json.dumps(files["environment.json"]))
    content["environment"]["a_new_key"] = DEEP
    restore = put(folder, "environment.json", content)
    try:
        words(folder)
    finally:
        restore()


def test_a_field_of_a_newer_version_is_left_out(record: tuple[Path, Files]) -> None:
    folder, files = record
    for name in files:
        content = copy.deepcopy(files[name])
        content["a_new_field"] = {"of": "a newer version"}
        for key in ("cells", "pairs", "explanations", "benchmarks"):
            for each in content[key] if isinstance(content.get(key), list) else ():
                if isinstance(each, dict):
                    each["a_new_field"] = 7
        for each in content.get("rounds", ()):
            each.append("of a newer version")
        restore = put(folder, name, content)
        try:
            assert read(folder).warnings == []
        finally:
            restore()


def test_a_newer_schema_is_named_without_the_advice_to_delete(tmp_path: Path) -> None:
    (tmp_path / "parity.json").write_text(json.dumps({"schema": codec.SCHEMA + 1}), "utf-8")
    with pytest.raises(UsageError, match=r"this version reads schemas up to \d+; use") as raised:
        Run(tmp_path).parity()
    assert "delete" not in str(raised.value)


def test_a_message_that_is_no_text_is_kept(tmp_path: Path) -> None:
    run = Run(tmp_path)
    cell = CellParity("a/b/c/d/e", "error", "cannot open '\udcff.bin'", learned={"\udcff": 1.0})
    run.save_parity([cell])
    assert run.parity() == [replace(cell, reason="cannot open '?.bin'", learned={"?": 1.0})]
