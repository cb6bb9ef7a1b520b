"""``try`` and ``compare`` end to end, in processes of their own, away from the repository."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from commands import harness, python

from eager_vs_graph.results.record import AGREEING
from eager_vs_graph.results.run import Run

USER_CODE = Path(__file__).parents[1] / "user_code"
QUICK = ("--passes", "1", "--budget", "12s", "--allow-concurrent")

SCRIPT = """
import threading
import numpy as np, tensorflow as tf
from eager_vs_graph import UsageError, compare

WEIGHT = tf.Variable([[2.0], [3.0]])

def step(x, power=1):
    WEIGHT.assign_add(tf.ones_like(WEIGHT))
    return {"y": tf.reduce_sum((x @ WEIGHT) ** power)}

if __name__ == "__main__":
    found = []

    def in_a_thread():
        found.append(compare(step, (np.ones((4, 2), np.float32),), {"power": 2}, passes=1,
                             modes=["eager", "function"], allow_concurrent=True))

    thread = threading.Thread(target=in_a_thread)
    thread.start()
    thread.join()
    (result,) = found
    print(result)
    print("parity", result.parity)
    print("verdict", result.verdict("function"))
    print("rows", list(result.to_frame()["mode"]))
    print("untouched", WEIGHT.numpy().tolist())
    html = result._repr_html_()
    print("html", "<table>" in html, "src=\\"data:image/svg+xml" in html, "http" not in html)
    folder = result.folder
    print("saved", result.save("kept"), result.report.is_file())
    del found[:], result
    print("gone", not folder.exists())
    for wrong in (
        lambda: compare(step),
        lambda: compare(step, np.ones(3)),
        lambda: compare(lambda x: object(), (np.ones(3),), allow_concurrent=True),
        lambda: compare(step, (np.ones(3),), modes="egaer"),
    ):
        try:
            wrong()
        except UsageError as error:
            print("refused:", error)
"""


def test_try_writes_a_report_and_can_be_resumed(tmp_path):
    shutil.copy(USER_CODE / "models.py", tmp_path)
    arguments = ("--arg", "float32[16,5]", "--arg", "int32[16] in 0..2")
    done = harness("try", "models:make_step", *arguments, *QUICK, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "make_step" in done.stdout
    assert "no float64 reference: it draws random numbers" in done.stdout
    page = next((tmp_path / "results" / "latest").glob("report.html")).read_text(encoding="utf-8")
    assert "no float64 reference: it draws random numbers" in page
    assert "the reference)" not in page
    (folder,) = (each for each in (tmp_path / "results").iterdir() if not each.is_symlink())
    run = Run(folder)
    assert {cell.status for cell in run.parity()} <= set(AGREEING)
    request = run.request
    assert request.command.endswith("0..2' --passes 1 --budget 12s --allow-concurrent")
    (scenario,) = request.scenarios.values()
    assert scenario.sizes == {"given": "x: float32[16,5], y: int32[16]"}
    again = harness(
        "bench", "--resume", folder, "--passes", "2", "--allow-concurrent", cwd=tmp_path
    )
    assert again.returncode == 0, again.stderr
    assert run.pass_numbers() == [1, 2]


def test_refusals_are_one_line(tmp_path):
    shutil.copy(USER_CODE / "broken_import.py", tmp_path)
    for target, expected in {
        "plain": "should be MODULE:FUNCTION",
        "missing.keras": "no such file",
        "broken_import:f": "broken_import.py:5",
    }.items():
        done = harness("try", target, "--allow-concurrent", cwd=tmp_path)
        assert done.returncode == 2
        (line,) = [each for each in done.stderr.splitlines() if each.startswith("error:")]
        assert expected in line
        assert "Traceback" not in done.stderr
    assert not (tmp_path / "results").exists()


@pytest.fixture(scope="module")
def compared(tmp_path_factory):
    folder = tmp_path_factory.mktemp("script")
    (folder / "script.py").write_text(SCRIPT, encoding="utf-8")
    done = python("script.py", cwd=folder)
    assert done.returncode == 0, done.stderr
    return folder, done.stdout


def test_compare_in_a_script(compared):
    _, output = compared
    lines = output.splitlines()
    assert "parity {'eager': 'identical', 'function': 'identical'}" in lines
    assert "verdict unclear" in lines  # one pass gives no interval
    assert "untouched [[2.0], [3.0]]" in lines
    assert "html True True True" in lines
    assert "saved kept True" in lines
    assert "gone True" in lines
    assert next(line for line in lines if line.startswith("rows")).count("function") == 1


def test_compare_refuses_in_a_line(compared):
    _, output = compared
    refused = [line for line in output.splitlines() if line.startswith("refused:")]
    expected = ("missing a required argument: 'x'", "args is ndarray", "object", "did you mean")
    assert len(refused) == len(expected)
    for line, part in zip(refused, expected, strict=True):
        assert part in line


def test_a_saved_comparison_renders_and_resumes_where_it_is(compared):
    folder, _ = compared
    rendered = harness("report", "kept", cwd=folder)
    assert rendered.returncode == 0, rendered.stderr
    moved = folder / "moved"
    (folder / "kept").rename(moved)
    more = harness("bench", "--resume", moved, "--passes", "2", "--allow-concurrent", cwd=folder)
    assert more.returncode == 0, more.stderr
    assert Run(moved).pass_numbers() == [1, 2]
    command = json.loads((moved / "environment.json").read_text())["request"]["command"]
    assert command.startswith("eager_vs_graph.compare(step, ")
