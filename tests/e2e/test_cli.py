"""The whole command line, end to end, from a folder of one's own.

Every run of a test starts when the first test asks for one, two at a time: most of their time is
TensorFlow's import. They say ``--allow-concurrent``, because nothing here looks at a time.
"""

from __future__ import annotations

import csv
import json
import re
import shutil
import subprocess
import sys
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import pytest
from commands import REPOSITORY, harness, python

from eager_vs_graph.modes import DEFAULT_MODES, MODES
from eager_vs_graph.results.cells import CONTROL, Cell
from eager_vs_graph.results.event_files import read_summaries
from eager_vs_graph.results.run import Run

HEAD = "import os\nimport numpy as np\nimport tensorflow as tf\nfrom eager_vs_graph import *\n"

SCENARIO = '''

class {class_name}(Scenario):
    """Doubles <b>a</b> vector."""

    name = "{name}"
    sizes = {{"tiny": Size(n=4)}}
{attributes}
    def inputs(self, rng):
        return [{{"x": np.ones(self.size.n, np.float32)}}]

    def build(self):
        self.total = tf.Variable(tf.zeros(4))
        self.graph = not tf.executing_eagerly()

    def step(self, x):
        {first}
        self.total.assign_add(x)
        return {{"doubled": {doubled}}}

    def reference(self, state, x):
        state["total"] = state["total"] + x
        return {{"{reference}": 2 * x}}
'''

ABORT = "if not (tf.executing_eagerly() or self.graph): os.abort()"
# A block is an item of a pytest session: the cell agrees, is built, and fails while it is timed.
RAISE = """if tf.executing_eagerly() and "PYTEST_CURRENT_TEST" in os.environ:
            raise RuntimeError("too many calls")"""


def source(
    name: str,
    *,
    first: str = "pass",
    doubled: str = "2 * x",
    reference: str = "doubled",
    attributes: str = "",
) -> str:
    """A scenario's source, without the imports."""
    return SCENARIO.format(
        name=name,
        class_name=name.capitalize(),
        first=first,
        doubled=doubled,
        reference=reference,
        attributes=attributes,
    )


KEEPS = """
    parity_steps = 4

    def build(self):
        super().build()
        with open("folders.txt", "a") as file:
            print(self.folder, file=file)
        self.count = tf.Variable(0, dtype=tf.int64)
        self.writer = tf.summary.create_file_writer(str(self.folder))
        self.checkpoint = tf.train.Checkpoint(total=self.total, count=self.count)

    def step(self, x):
        count = self.count.assign_add(1)
        with self.writer.as_default(), tf.summary.record_if(tf.equal(count % 2, 0)):
            tf.summary.scalar("count", tf.cast(count, tf.float32), step=count)
        return super().step(x)

    def reference(self, state, x):
        state["count"] += 1
        return super().reference(state, x)

    def reference_written(self, outputs):
        steps = np.arange(2, len(outputs) + 1, 2)
        return {"summary of count": steps.astype(np.float64), "steps of count": steps}
"""
"""Both a checkpoint and summaries; every program says where its folder was."""

LOSES = """
    def build(self):
        super().build()
        self.checkpoint = Deadly(total=self.total)


class Deadly(tf.train.Checkpoint):
    def write(self, prefix, options=None):
        if not tf.executing_eagerly():
            os.abort()
        return super().write(prefix, options)
"""


def derived(name: str, body: str) -> str:
    """A scenario's source: one that is sound, and another that adds to it."""
    lines = f'class {name.capitalize()}(Sound):\n    """More."""\n\n    name = "{name}"'
    return HEAD + source("sound") + f'\n\n{lines}\n    sizes = {{"tiny": Size(n=4)}}\n{body}'


DECLARED = '    known_differences = (KnownDifference(("doubled",), "doubles badly"),)\n'
FILES = {
    "fine/fine.py": HEAD + source("fine"),
    "rough/rough.py": HEAD
    + source("aborting", first=ABORT)
    + source("raising", first=RAISE)
    + source("sound"),
    "differing/differing.py": HEAD + source("differing", doubled="2.0002 * x"),
    "declared/declared.py": HEAD + source("declared", doubled="2.0002 * x", attributes=DECLARED),
    "keeping/keeping.py": derived("keeping", KEEPS),
    "losing/losing.py": derived("losing", LOSES),
    "twins/a.py": HEAD + source("twin"),
    "twins/b.py": HEAD + source("twin"),
    "unparsable/bad.py": "class Bad(Scenario:\n",
    "unimportable/bad.py": "import no_such_module_at_all\n" + HEAD + source("unimportable"),
    "reference/bad.py": HEAD + source("reference", reference="twice"),
    "empty/helper.py": "FACTOR = 2\n",
}
FINE = ("--scenarios", "fine")
RUNS = {
    "fine": ("bench", *FINE, "--passes", "2", "--budget", "120s",
             "--inputs", "resident,fed"),
    "rough": ("bench", "--scenarios", "rough", "--passes", "1", "--budget", "120s"),
    "devices": ("bench", *FINE, "--passes", "1", "--budget", "120s", "--logical-cpus", "2",
                "--devices", "CPU:0,CPU:1", "--inputs", "fed"),
    "keeping": ("bench", "--scenarios", "keeping", "--passes", "1", "--budget", "120s"),
    "losing": ("parity", "--scenarios", "losing", "--inputs", "resident"),
    "differing": ("parity", "--scenarios", "differing"),
    "declared": ("parity", "--scenarios", "declared"),
}  # fmt: skip
BAD = {
    "scenario": (("bench", "--scenarios", "matmul_chian"), "did you mean matmul_chain"),
    "no such place": (("bench", "--scenarios", "./nowhere"), "no such file or folder"),
    "mode": (("bench", *FINE, "--modes", "sesion"), "unknown mode 'sesion'; did you mean session"),
    "size": (("bench", *FINE, "--sizes", "tini"), "unknown size 'tini'; did you mean tiny?"),
    "inputs": (("bench", *FINE, "--inputs", "feed"), "unknown inputs policy 'feed'; did you mean"),
    "device": (
        ("bench", *FINE, "--devices", "CPU:7"),
        "unknown device 'CPU:7'; did you mean CPU:0",
    ),
    "no scenario": (("bench", "--scenarios", "empty"), "no scenario found"),
    "twins": (("bench", "--scenarios", "twins"), "two scenarios are named 'twin'"),
    "unparsable": (("bench", "--scenarios", "unparsable"), "bad.py:1: does not parse"),
    "unimportable": (
        ("bench", "--scenarios", "unimportable"),
        "bad.py: does not import: ModuleNotFoundError: No module named 'no_such_module_at_all'",
    ),
    "reference": (
        ("bench", "--scenarios", "reference"),
        "reference: the reference returned twice, but step returns doubled",
    ),
    "no passes": (
        ("bench", *FINE, "--passes", "0"),
        "Invalid value for '--passes': Input should be",
    ),
    "negative": (("bench", *FINE, "--passes=-1"), "Invalid value for '--passes': Input should be"),
    "budget": (("bench", *FINE, "--budget", "soon"), "'soon' should be a positive number"),
    "parity mode": (("parity", *FINE, "--modes", "egaer"), "did you mean eager?"),
    "parity twins": (("parity", "--scenarios", "twins"), "two scenarios are named 'twin'"),
    "list": (("list", "--scenarios", "mnist"), "did you mean mnist_step?"),
    "no run": (("report", "nowhere"), "nowhere: no such folder"),
    "no run yet": (("report",), "no run yet"),
    "no record": (("report", "empty"), "environment.json: no such file"),
}

STAGES = ("importing TensorFlow", "checking outputs")

Done = subprocess.CompletedProcess[str]


class Answer(NamedTuple):
    done: Done
    folder: Path
    """The folder it ran in."""

    @property
    def results(self) -> Path:
        return self.folder / "results"

    @property
    def run(self) -> Path:
        assert self.done.returncode in (0, 1), self.done.stderr
        return (self.results / "latest").resolve()

    def rows(self) -> dict[str, dict[str, str]]:
        """The summary's rows by cell id, without the A/A control."""
        with (self.run / "summary.csv").open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        keys = ("scenario", "size", "mode", "device", "inputs")
        return {"/".join(row[key] for key in keys): row for row in rows if row["mode"] != CONTROL}


def _answer(arguments: tuple[str, ...], folder: Path) -> Answer:
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    options = ("--results", "results") if arguments[0] in {"bench", "report"} else ()
    concurrent = ("--allow-concurrent",) if arguments[0] == "bench" else ()
    return Answer(harness(*arguments, *options, *concurrent, cwd=folder), folder)


@pytest.fixture(scope="session")
def answers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Future[Answer]]:
    """What every run and every bad input led to."""
    asked = {**RUNS, **{name: arguments for name, (arguments, _) in BAD.items()}}
    with ThreadPoolExecutor(max_workers=2) as pool:
        yield {
            name: pool.submit(_answer, arguments, tmp_path_factory.mktemp("run"))
            for name, arguments in asked.items()
        }
        pool.shutdown(cancel_futures=True)


@pytest.fixture(scope="session")
def fine(answers) -> Answer:
    return answers["fine"].result()


@pytest.fixture(scope="session")
def rough(answers) -> Answer:
    return answers["rough"].result()


def test_a_run_of_ones_own_scenario_is_complete(fine):
    assert fine.done.returncode == 0, fine.done.stderr
    rows = fine.rows()
    assert rows.keys() == {
        f"fine/tiny/{mode}/CPU:0/{inputs}"
        for mode in DEFAULT_MODES
        for inputs in ("resident", "fed")
    }
    for row in rows.values():
        assert row["status"] == "identical"
        assert row["passes"] == "2"
        assert float(row["latency_s"]) > 0
        assert float(row["build_s"]) > 0
        assert (
            float(row["latency_low_s"]) <= float(row["latency_s"]) <= float(row["latency_high_s"])
        )
        assert int(row["rounds"]) > 0
        assert row["traces"] == ("0" if row["mode"] == "eager" else "1")
        if row["mode"] == "eager":
            assert row["speedup"] == "1"
        else:
            assert float(row["speedup_low"]) <= float(row["speedup"]) <= float(row["speedup_high"])


def test_the_terminal_ends_with_the_table_and_the_path_of_the_report(fine):
    assert all(mode in fine.done.stdout for mode in DEFAULT_MODES)
    assert "fine" in fine.done.stdout
    assert fine.done.stdout.rstrip().endswith("report.html")
    path = fine.done.stdout.rstrip().splitlines()[-1].removeprefix("report: ")
    assert (fine.folder / path).is_file()
    assert "GPU: not found" in fine.done.stdout


def test_a_run_leaves_tables_charts_and_a_page(fine):
    for name in ("summary.csv", "summary.md", "report.html", "parity.json", "environment.json"):
        assert (fine.run / name).stat().st_size > 0
    charts = list((fine.run / "charts").iterdir())
    assert {chart.suffix for chart in charts} == {".png", ".svg"}
    assert (fine.results / "latest").is_symlink()
    page = (fine.run / "report.html").read_text(encoding="utf-8")
    assert "Doubles &lt;b&gt;a&lt;/b&gt; vector." in page
    assert "<b>a</b>" not in page


def test_every_cell_is_timed_in_the_blocks_of_its_group(fine):
    for number in (1, 2):
        blocks = {}
        for timed in Run(fine.run).rounds(number):
            assert timed.seconds.shape[1] == 3
            numbers = range(timed.block, timed.block + len(timed.seconds))
            blocks.setdefault(timed.cell, []).extend(numbers)
        assert blocks.keys() >= fine.rows().keys()
        assert {cell.split("/")[2] for cell in blocks} == {*DEFAULT_MODES, CONTROL}
        of_groups = {Cell.parse(cell).group: sorted(own) for cell, own in blocks.items()}
        assert {cell: sorted(own) for cell, own in blocks.items()} == {
            cell: of_groups[Cell.parse(cell).group] for cell in blocks
        }
        assert all(len(set(own)) == len(own) for own in of_groups.values())


def test_pytest_benchmark_reads_the_exported_files(fine):
    files = [fine.folder / name for name in ("one.json", "two.json")]
    for file in files:
        done = harness("report", fine.run, "--pytest-benchmark", file, cwd=fine.folder)
        assert done.returncode == 0, done.stderr
    done = python("-m", "pytest_benchmark", "compare", *files, cwd=fine.folder)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("fine/tiny/session/CPU:0/resident") >= 2


def test_the_environment_says_where_it_ran(fine):
    content = json.loads((fine.run / "environment.json").read_text("utf-8"))
    environment = content["environment"]
    assert environment["tensorflow"].startswith("2.")
    assert environment["cores"] >= 1
    assert {"cpu", "numpy", "python", "onednn", "xla_flags", "load_1min", "revision"} <= (
        environment.keys()
    )


def test_the_record_alone_gives_the_same_report_again_without_tensorflow(fine, tmp_path):
    run = shutil.copytree(fine.run, tmp_path / "run")
    for made in run.iterdir():
        if made.name in {"raw", "parity.json", "environment.json", "mark"}:
            continue
        shutil.rmtree(made) if made.is_dir() else made.unlink()
    without = (
        "import sys; sys.modules.update(tensorflow=None, keras=None);"
        "sys.argv = ['harness', 'report', 'run']; from eager_vs_graph.cli import main; main()"
    )
    done = python("-c", without, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    for name in ("summary.csv", "summary.md"):
        assert (run / name).read_bytes() == (fine.run / name).read_bytes()
    assert {p.name for p in run.rglob("*")} == {p.name for p in fine.run.rglob("*")}


@pytest.mark.parametrize(
    ("damaged", "damage"),
    [
        ("environment.json", lambda file: file.write_text(file.read_text("utf-8")[:100])),
        ("environment.json", lambda file: file.write_text('{"schema": 99}')),
        ("parity.json", lambda file: file.unlink()),
        ("parity.json", lambda file: file.write_text('{"cells": [{"cell": "x"}]}')),
    ],
)
def test_a_damaged_record_is_one_line_that_names_the_file(fine, tmp_path, damaged, damage):
    run = shutil.copytree(fine.run, tmp_path / "run")
    damage(run / damaged)
    done = harness("report", "run", cwd=tmp_path)
    assert_one_line(done, damaged)


def test_a_cell_that_fails_costs_that_cell_only(rough):
    assert rough.done.returncode == 1, rough.done.stderr
    rows = rough.rows()
    assert rows.keys() == {
        f"{name}/tiny/{mode}/CPU:0/resident"
        for name in ("aborting", "raising", "sound")
        for mode in DEFAULT_MODES
    }
    status = {cell: row["status"] for cell, row in rows.items()}
    assert status.pop("aborting/tiny/function/CPU:0/resident") == "crashed"
    assert status.pop("raising/tiny/eager/CPU:0/resident") == "error"
    assert set(status.values()) == {"identical"}
    for cell in status:
        assert float(rows[cell]["latency_s"]) > 0, cell


def test_a_failed_cell_has_its_reason_and_no_time(rough):
    rows = rough.rows()
    crashed = rows["aborting/tiny/function/CPU:0/resident"]
    assert "SIGABRT" in crashed["reason"]
    assert crashed["latency_s"] == crashed["speedup"] == crashed["latency_low_s"] == ""
    raised = rows["raising/tiny/eager/CPU:0/resident"]
    assert "RuntimeError: too many calls" in raised["reason"]
    assert "(rough.py:" in raised["reason"]
    # Without eager's time there is nothing to be faster than.
    assert rows["raising/tiny/session/CPU:0/resident"]["speedup"] == ""
    page = (rough.run / "report.html").read_text("utf-8")
    assert "SIGABRT" in page
    assert "too many calls" in page


def test_both_logical_devices_are_measured(answers):
    answer = answers["devices"].result()
    assert answer.done.returncode == 0, answer.done.stderr
    rows = answer.rows()
    assert rows.keys() == {
        f"fine/tiny/{mode}/{device}/fed" for mode in DEFAULT_MODES for device in ("CPU:0", "CPU:1")
    }
    for row in rows.values():
        assert row["status"] == "identical"
        assert float(row["latency_s"]) > 0
        assert row["traces"] == ("0" if row["mode"] == "eager" else "1")


def test_files_of_the_compared_steps_are_kept_and_those_of_timed_ones_are_not(answers):
    answer = answers["keeping"].result()
    assert answer.done.returncode == 0, answer.done.stdout + answer.done.stderr
    for mode in DEFAULT_MODES:
        found = read_summaries(answer.run / "files" / f"keeping/tiny/{mode}/CPU-0/resident")
        assert found["steps of count"].tolist() == [2, 4]
    assert not (answer.run / "files" / "sound").exists()
    folders = (answer.folder / "folders.txt").read_text("utf-8").split()
    # The check's programs, those that exchanged checkpoints, and the pass's, with the A/A control.
    assert len(set(folders)) == len(folders) >= 3 * len(DEFAULT_MODES) + 1
    assert not [folder for folder in folders if Path(folder).parent.exists()]


def test_checkpoints_are_in_the_record_and_in_the_report(answers):
    run = answers["keeping"].result().run
    pairs = {(p.wrote.split("/")[2], p.read.split("/")[2]): p for p in Run(run).checkpoints()}
    assert pairs.keys() == {(wrote, read) for wrote in DEFAULT_MODES for read in DEFAULT_MODES}
    assert {pair.status for pair in pairs.values()} == {"identical"}
    assert "| keeping tiny | eager | identical |" in (run / "summary.md").read_text("utf-8")
    assert 'id="checkpoints"' in (run / "report.html").read_text("utf-8")


def test_a_checkpoint_that_ends_the_process_costs_its_mode_only(answers):
    done = answers["losing"].result().done
    assert done.returncode == 1, done.stderr
    assert re.search(r"losing tiny\n +eager +identical +identical +crashed", done.stdout)
    assert re.search(r"function +identical +identical +crashed", done.stdout)
    assert re.search(r"session +crashed +crashed +crashed", done.stdout)
    assert re.search(r"crashed: losing tiny in session\n +.*SIGABRT", done.stdout)


@pytest.mark.parametrize(("name", "code"), [("differing", 1), ("declared", 0)])
def test_parity_fails_on_what_nobody_declared(answers, name, code):
    done = answers[name].result().done
    assert done.returncode == code, done.stderr
    assert "differs" in done.stdout
    assert "doubled" in done.stdout
    assert ("doubles badly" in done.stdout) == (name == "declared")
    assert not answers[name].result().results.exists()


def assert_one_line(done: Done, message: str) -> None:
    assert done.returncode == 2, done.stderr
    # Off a terminal, progress is told in lines: what needs TensorFlow to be found comes after them.
    line, *more = [line for line in done.stderr.splitlines() if not line.startswith(STAGES)]
    assert not more, done.stderr
    assert line.startswith("error: ")
    assert message in line
    assert done.stderr.endswith(f"{line}\n")


@pytest.mark.parametrize("case", BAD)
def test_a_mistake_is_one_line_and_leaves_nothing(answers, case):
    answer = answers[case].result()
    assert_one_line(answer.done, BAD[case][1])
    assert not answer.results.exists() or not list(answer.results.iterdir())


def test_list_tells_scenarios_sizes_and_modes(tmp_path):
    done = harness("list", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert all(mode in done.stdout for mode in MODES)
    assert "matmul_chain" in done.stdout
    content = json.loads(harness("list", "--format", "json", cwd=tmp_path).stdout)
    assert "guide" in {size for entry in content["scenarios"] for size in entry["sizes"]}


def test_a_traceback_is_there_for_who_asks(tmp_path, monkeypatch):
    monkeypatch.setenv("EAGER_VS_GRAPH_TRACEBACK", "1")
    done = harness("list", "--scenarios", "nothing_like_it", cwd=tmp_path)
    assert "Traceback" in done.stderr
    assert "UsageError: unknown scenario 'nothing_like_it'" in done.stderr


def test_the_tests_run_the_harness_of_this_repository(tmp_path):
    done = python("-c", "import eager_vs_graph; print(eager_vs_graph.__file__)", cwd=tmp_path)
    assert Path(done.stdout.strip()).resolve() == REPOSITORY / "harness" / "__init__.py"
    assert sys.prefix == sys.exec_prefix
