"""``compare`` in a project that has packages named like our folders, and its mistakes."""

from __future__ import annotations

import json

import pytest
from commands import python

PROJECT = {
    "harness/__init__.py": "SCALE = 2.0",
    "reports/__init__.py": "SCALE = 3.0",
    "scenarios/__init__.py": "",
    "scenarios/mine.py": "SCALE = 4.0",
}
SCRIPT = """
import json, sys
import harness, reports, scenarios.mine
import numpy as np, tensorflow as tf
from eager_vs_graph import UsageError, compare

scale = tf.Variable(harness.SCALE)

def helper(x):
    return scale * x + reports.SCALE

def f(x):
    if tf.reduce_sum(x) > 0:
        return helper(x) * scenarios.mine.SCALE
    return x

X = np.ones(4, np.float32)
result = compare(f, (X,), modes="eager,function", passes=1, results="kept", allow_concurrent=True)
short = compare(f, (X,), modes="eager,function", budget=1, allow_concurrent=True)
mistakes = {}
for name, wrong in {
    "compare was given int, but": lambda: compare(3, (X,)),
    "args is generator, but": lambda: compare(f, (x for x in [X])),
    "kwargs is list, but": lambda: compare(f, (X,), [1]),
    "got an unexpected keyword argument 'y'": lambda: compare(f, (X,), {"y": 1}),
    "modes is ['eager', 3], but": lambda: compare(f, (X,), modes=["eager", 3]),
    "budget is 0, but": lambda: compare(f, (X,), budget=0),
    "budget is 'soon', but": lambda: compare(f, (X,), budget="soon"),
    "passes is 0, but": lambda: compare(f, (X,), passes=0),
    "precision is '5%', but": lambda: compare(f, (X,), precision="5%"),
    "script.py: is a file, but": lambda: compare(f, (X,), results="script.py"),
    "results is 3, but": lambda: compare(f, (X,), results=3),
    "is an array of Python objects": lambda: compare(f, (np.array([object()]),)),
    "unknown device 'TPU:0'; did you mean CPU:0?": lambda: compare(
        f, (X,), devices="TPU:0", allow_concurrent=True
    ),
    "no verdict for 'session'; there is one for: function": lambda: result.verdict("session"),
}.items():
    try:
        wrong()
    except UsageError as error:
        mistakes[name] = str(error)
print(json.dumps({
    "parity": result.parity,
    "verdict": result.verdict(),
    "text": str(result),
    "html": result._repr_html_(),
    "folder": str(result.folder),
    "short": short.verdict("function"),
    "short text": str(short),
    "short html": short._repr_html_(),
    "mistakes": mistakes,
}))
"""


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """What a script of the project prints: one without ``if __name__ == "__main__"``."""
    folder = tmp_path_factory.mktemp("project")
    for name, text in {**PROJECT, "script.py": SCRIPT}.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    done = python("script.py", cwd=folder)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_it_works_to_the_end(found):
    assert found["parity"] == {"eager": "identical", "function": "identical"}
    assert found["verdict"] == {"function": "unclear"}
    assert "one pass gives no interval and no verdict" in found["text"]
    assert "<table>" in found["html"]
    assert found["folder"].startswith("kept/")


def test_why_nothing_was_timed_is_said(found):
    assert found["short"] == "not timed"
    why = "no verdict: the budget of 1 s ended before anything was timed; give a larger budget"
    assert why in found["short text"]
    assert why in found["short html"]


def test_a_mistake_is_one_line(found):
    for says, message in found["mistakes"].items():
        assert says in message
        assert len(message.splitlines()) == 1
    assert len(found["mistakes"]) == SCRIPT.count("lambda: ")
