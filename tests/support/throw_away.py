"""Throw-away projects that are not ours, with names of ours, for an environment with our wheel."""

from __future__ import annotations

from pathlib import Path

OWN_HARNESS = {
    "conftest.py": "# puts this folder on the path, for plain `pytest`\n",
    "harness/__init__.py": "from harness.rig import Rig\n",
    "harness/rig.py": "class Rig:\n    volts = 12\n",
    "tests/test_rig.py": """
from harness import Rig
from harness.rig import Rig as Same


def test_rig():
    assert Rig is Same
    assert Rig().volts == 12
""",
}
"""A package ``harness`` of a project's own."""

OWN_REPORTS = {
    "reports/__init__.py": "def render(rows):\n    return ','.join(rows)\n",
    "scenarios/__init__.py": "NAMES = ['sunny', 'rainy']\n",
    "scenarios/weather.py": "from scenarios import NAMES\n\n\ndef worst():\n    return NAMES[-1]\n",
    "test_reports.py": """
import reports
from scenarios.weather import NAMES, worst


def test_render():
    assert reports.render(NAMES) == "sunny,rainy"
    assert worst() == "rainy"
""",
}
"""Packages ``reports`` and ``scenarios`` of a project's own."""

OWN_MODES = {
    "pytest.ini": """
[pytest]
addopts = --strict-markers --strict-config --modes slow
markers = modes(name): the modes of a test
filterwarnings = error
""",
    "conftest.py": """
import pytest


def pytest_addoption(parser):
    parser.addoption("--modes", default="fast", help="Fast or slow.")


@pytest.fixture
def modes(request):
    return request.config.getoption("--modes")
""",
    "test_modes.py": """
import pytest


def test_the_option_is_the_projects_own(modes):
    assert modes == "slow"


@pytest.mark.modes("fast")
def test_the_marker_is_the_projects_own(request):
    assert request.node.get_closest_marker("modes").args == ("fast",)


@pytest.mark.parametrize("modes", [1, 2])
def test_a_parameter_takes_its_place(modes):
    assert modes in (1, 2)
""",
}
"""An option, a fixture and a marker of a project's own, under the names that ours once had."""

PROJECTS = {"harness": OWN_HARNESS, "reports": OWN_REPORTS, "modes": OWN_MODES}

COMPARES = """
import numpy as np
import tensorflow as tf
from eager_vs_graph import compare
from harness import Rig

weight = tf.Variable(2.0)

if __name__ == "__main__":
    result = compare(lambda x: Rig.volts * weight * x, [np.ones(8, np.float32)], passes=2)
    assert result.verdict("function") in {"faster", "slower", "same", "unclear"}
    print("compared")
"""
"""A script of the first project that uses our package beside its own."""


def write(folder: Path, files: dict[str, str]) -> None:
    """Lay a project out."""
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text.lstrip("\n"), encoding="utf-8")
