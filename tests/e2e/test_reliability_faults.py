"""One run of scenarios that are broken in every way, beside a sound one: each costs its own cells.

And a check that is killed from outside, interrupted, and resumed. Nothing here looks at a time: the
limits only end what hangs.
"""

from __future__ import annotations

import csv
import json
import re
import signal
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest
from watched_runs import Done, Started, harness, latest, scratch_of

from eager_vs_graph.results.run import Run

HEAD = """
import os, sys, threading, time
from pathlib import Path
import numpy as np
import tensorflow as tf
from eager_vs_graph import Scenario, Size

HERE = Path(__file__).parent
IN_A_BLOCK = lambda: "PYTEST_CURRENT_TEST" in os.environ  # a block is an item of a pytest session
"""
SCENARIO = '''

class {class_name}(Scenario):
    """Doubles a vector."""

    name = "{name}"
    sizes = {{"tiny": Size(n=4)}}

    def inputs(self, rng):
        return [{{"x": np.ones(self.size.n, np.float32)}}]

    def build(self):
        {build}

    def step(self, x):
        y = 2.0 * x
        {step}
        return {{"doubled": y}}

    def reference(self, state, x):
        return {{"doubled": {right}}}
'''
GRAPH = "if not tf.executing_eagerly(): "
IMPORTS = {
    "import_raises": "raise RuntimeError('no licence')",
    "import_exits": "os._exit(7)",
    "import_hangs": "time.sleep(36000)",
    "import_aborts": "os.abort()",
}
"""Files that cannot be imported."""
STEPS = {
    "sound": "pass",
    "hangs": f"{GRAPH}time.sleep(36000)",
    "raises": f"{GRAPH}raise RuntimeError('not in a graph')",
    "exits": f"{GRAPH}os._exit(5)",
    "differs": f"{GRAPH}y = y + 1.0",
    "nan": f"{GRAPH}y = y * float('nan')",
    "vacuous": "y = y * float('nan')",
    "dtype": f"{GRAPH}y = tf.cast(y, tf.float64)",
    "raises_late": "if tf.executing_eagerly() and IN_A_BLOCK(): raise RuntimeError('too many')",
    "aborts_late": "if tf.executing_eagerly() and IN_A_BLOCK(): os.abort()",
    "asserts_late": "if tf.executing_eagerly() and IN_A_BLOCK(): tf.debugging.assert_less(x, 0.0)",
}
"""What a step does besides."""
BUILDS = {
    "leaks": "threading.Thread(target=time.sleep, args=(36000,)).start()",
    "build_raises": "raise RuntimeError('no weights')",
    "build_raises_in_session": f"{GRAPH}raise RuntimeError('no weights in a graph')",
}


def source(name: str, step: str = "pass", build: str = "pass") -> str:
    class_name = name.title().replace("_", "")
    right = "x * np.nan" if name == "vacuous" else "2.0 * x"
    return SCENARIO.format(name=name, class_name=class_name, step=step, build=build, right=right)


@dataclass
class Story:
    """Runs in one folder."""

    folder: Path
    done: dict[str, Done] = field(default_factory=dict)

    @property
    def run(self) -> Run:
        folder = latest(self.folder)
        assert folder is not None
        return Run(folder)

    def rows(self) -> dict[tuple[str, str], dict[str, str]]:
        with (self.run.folder / "summary.csv").open(encoding="utf-8", newline="") as file:
            return {(row["scenario"], row["mode"]): row for row in csv.DictReader(file)}


@pytest.fixture(scope="module")
def faults(tmp_path_factory: pytest.TempPathFactory) -> Story:
    folder = tmp_path_factory.mktemp("faults")
    scenarios = folder / "scenarios"
    scenarios.mkdir()
    for name, line in IMPORTS.items():
        text = HEAD + source(name) + f"\n{line}\n"
        (scenarios / f"{name}.py").write_text(text, encoding="utf-8")
    text = HEAD + "".join(source(name, step) for name, step in STEPS.items())
    text += "".join(source(name, build=build) for name, build in BUILDS.items())
    (scenarios / "kinds.py").write_text(text, encoding="utf-8")
    done = harness(
        folder,
        *("bench", "--scenarios", "scenarios", "--modes", "eager,function,session"),
        *("--inputs", "resident", "--passes", "1", "--budget", "1s", "--cell-timeout", "15"),
        "--no-explain",
    )
    return Story(folder, {"bench": done})


MODES = ("eager", "function", "session")
AGREES = dict.fromkeys(MODES, "identical")


@pytest.mark.parametrize(
    ("scenario", "statuses", "reason"),
    [
        ("sound", AGREES, ""),
        ("leaks", AGREES, ""),
        ("import_raises", dict.fromkeys(MODES, "error"), "RuntimeError: no licence"),
        ("import_exits", dict.fromkeys(MODES, "crashed"), "exit code 7"),
        ("import_hangs", dict.fromkeys(MODES, "timeout"), "no sign of progress for"),
        ("import_aborts", dict.fromkeys(MODES, "crashed"), "SIGABRT"),
        ("hangs", {**AGREES, "function": "timeout", "session": "timeout"}, "no sign of progress"),
        ("raises", {**AGREES, "function": "differs", "session": "differs"}, "not in a graph"),
        ("exits", {**AGREES, "function": "crashed", "session": "crashed"}, "exit code 5"),
        ("differs", {**AGREES, "function": "differs", "session": "differs"}, ""),
        ("nan", {**AGREES, "function": "differs", "session": "differs"}, ""),
        ("dtype", {**AGREES, "function": "differs", "session": "differs"}, "float64"),
        ("build_raises", dict.fromkeys(MODES, "error"), "RuntimeError: no weights"),
        ("build_raises_in_session", {**AGREES, "session": "differs"}, "no weights in a graph"),
        ("raises_late", {**AGREES, "eager": "error"}, "RuntimeError: too many"),
        ("aborts_late", {**AGREES, "eager": "crashed"}, "SIGABRT"),
        ("asserts_late", {**AGREES, "eager": "error"}, "InvalidArgumentError"),
    ],
)
def test_a_fault_costs_its_own_cells(
    faults: Story, scenario: str, statuses: dict[str, str], reason: str
) -> None:
    rows = faults.rows()
    assert {mode: rows[scenario, mode]["status"] for mode in MODES} == statuses
    failed = [mode for mode in MODES if statuses[mode] != "identical"]
    for mode in failed:
        assert reason in rows[scenario, mode]["reason"]
        assert rows[scenario, mode]["latency_s"] == ""
    if "eager" not in failed:
        assert float(rows[scenario, "eager"]["latency_s"]) > 0


def test_what_is_nowhere_finite_is_not_compared(faults: Story) -> None:
    rows = faults.rows()
    assert {rows["vacuous", mode]["status"] for mode in MODES} == {"vacuous"}
    assert {rows["vacuous", mode]["latency_s"] for mode in MODES} == {""}


def test_a_run_with_faults_ends_with_its_report_and_exit_code_1(faults: Story) -> None:
    done = faults.done["bench"]
    assert done.code == 1, done.err
    assert "Traceback" not in done.out + done.err
    assert done.out.rstrip().endswith("report.html")
    page = (faults.run.folder / "report.html").read_text("utf-8")
    for file in IMPORTS:
        assert f"{file}.py" in page
    assert not [line for line in done.out.splitlines() if "Extension modules" in line]


def test_a_run_with_faults_leaves_nothing_behind(faults: Story) -> None:
    assert scratch_of(faults.folder) == []
    assert not faults.run.work.exists()
    assert not list(faults.run.folder.rglob("*.partial"))


HELD = """
        if (HERE / "hold").exists():
            mode = "eager" if tf.executing_eagerly() else "graph"
            (HERE / f"arrived-{mode}").write_text(str(os.getpid()))
            while (HERE / "hold").exists(): time.sleep(0.05)"""


@pytest.fixture(scope="module")
def checked(tmp_path_factory: pytest.TempPathFactory) -> Story:
    """A check whose process is killed, that is interrupted, and resumed; then `parity`."""
    folder = tmp_path_factory.mktemp("checked")
    held = source("held").replace("\n        pass\n        return", f"{HELD}\n        return")
    (folder / "two.py").write_text(HEAD + source("first") + held, encoding="utf-8")
    story = Story(folder)
    options = ("--scenarios", "two.py", "--modes", "eager,function", "--inputs", "resident")
    at_eager, at_graph, hold = (folder / n for n in ("arrived-eager", "arrived-graph", "hold"))

    hold.touch()
    started = Started(folder, "bench", *options, "--passes", "1", "--budget", "1s")
    started.until(at_eager.exists, "the second scenario's first cell is checked")
    started.until(lambda: at_eager.read_text("utf-8").isdecimal(), "it says which process it is")
    psutil.Process(int(at_eager.read_text("utf-8"))).kill()
    started.until(at_graph.exists, "the check goes on with another process")
    story.done["interrupted"] = started.interrupt(signal.SIGTERM)
    story.done["parity before"] = Done(0, (story.run.folder / "parity.json").read_text("utf-8"), "")

    hold.unlink()
    story.done["resumed"] = harness(folder, "bench", "--resume", story.run.folder)

    at_eager.unlink()
    hold.touch()
    started = Started(folder, "parity", *options)
    started.until(at_eager.exists, "the second scenario's first cell is checked")
    story.done["parity"] = started.interrupt()
    return story


FIRST = "first/tiny/eager/CPU:0/resident"
KILLED = "held/tiny/eager/CPU:0/resident"


def test_a_check_that_is_interrupted_is_kept_and_says_how_to_resume(checked: Story) -> None:
    done = checked.done["interrupted"]
    assert done.code == 130, done.err
    assert "Traceback" not in done.err
    assert re.search(rf"bench --resume \S*{checked.run.id}`", done.err)
    assert "report.html" in done.out


def test_a_process_of_the_check_that_is_killed_costs_its_cell(checked: Story) -> None:
    cells = json.loads(checked.done["parity before"].out)["cells"]
    found = {cell["cell"]: cell for cell in cells}
    assert found[FIRST]["status"] == "identical"
    assert found[KILLED]["status"] == "crashed"
    assert "SIGKILL" in found[KILLED]["reason"]


def test_resuming_a_check_keeps_what_was_finished(checked: Story) -> None:
    done = checked.done["resumed"]
    assert done.code == 1, done.err  # the cell whose process was killed
    before = {c["cell"]: c for c in json.loads(checked.done["parity before"].out)["cells"]}
    after = json.loads((checked.run.folder / "parity.json").read_text("utf-8"))["cells"]
    found = {cell["cell"]: cell for cell in after}
    assert len(found) == 4
    assert {name: found[name] for name in before} == before
    assert float(checked.rows()["first", "function"]["speedup"]) > 0
    assert not checked.run.work.exists()


def test_parity_that_is_interrupted_prints_what_is_finished(checked: Story) -> None:
    done = checked.done["parity"]
    assert done.code == 130, done.err
    assert "Traceback" not in done.err
    assert "first" in done.out
    assert "interrupted: 2 of 4 cells were not checked" in done.out


def test_interrupted_checks_leave_no_temporary_folders(checked: Story) -> None:
    assert scratch_of(checked.folder) == []
