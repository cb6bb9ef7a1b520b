"""A new mode on the command line: one file and one entry in a copy of the package."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from commands import harness

import eager_vs_graph

MODE = """
from eager_vs_graph.modes.function import FunctionProgram


class OtherProgram(FunctionProgram):
    pass


build = OtherProgram
"""
SELECTED = ("--scenarios", "matmul_chain", "--sizes", "tiny", "--modes", "eager,other")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Where commands find the copy."""
    folder = tmp_path_factory.mktemp("copy")
    package = folder / "eager_vs_graph"
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(Path(eager_vs_graph.__file__).parent, package, ignore=ignored)
    (package / "modes" / "other.py").write_text(MODE, encoding="utf-8")
    registry = package / "modes" / "__init__.py"
    text = registry.read_text(encoding="utf-8")
    before, start, entries = text.partition("    for mode in (\n")
    entry = '        Mode(name="other", summary="a function by another name"),\n'
    registry.write_text(before + start + entry + entries, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(folder))
        yield folder


def test_it_is_listed(folder):
    done = harness("list", "--format", "json", cwd=folder)
    assert json.loads(done.stdout)["modes"]["other"]["summary"] == "a function by another name"


def test_it_is_compared(folder):
    done = harness("parity", *SELECTED, cwd=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "other" in done.stdout


def test_it_is_timed_and_reported(folder):
    options = ("--passes", "1", "--budget", "60s", "--no-explain", "--allow-concurrent")
    done = harness("bench", *SELECTED, *options, cwd=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    done = harness("report", cwd=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    page = (folder / "results" / "latest" / "report.html").read_text(encoding="utf-8")
    assert "a function by another name" in page
    summary = (folder / "results" / "latest" / "summary.csv").read_text(encoding="utf-8")
    assert "\nmatmul_chain,tiny,other,CPU:0,resident," in summary
