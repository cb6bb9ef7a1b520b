"""Distributions that ship scenarios, as an installer leaves them."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

HELPER = "FACTOR = 2.0\n"
SCENARIO = '''
import numpy as np

from eager_vs_graph import Scenario, Size

from .helper import FACTOR


class Shipped(Scenario):
    """Doubles what another distribution gave it."""

    name = "{name}"
    sizes = {{"tiny": Size(n=4)}}

    def inputs(self, rng):
        return [{{"x": rng.standard_normal(self.size.n, dtype=np.float32)}}]

    def step(self, x):
        return {{"doubled": FACTOR * x}}

    def reference(self, state, x):
        return {{"doubled": 2 * x}}
'''


def distribution(folder: Path, name: str, points: dict[str, str], files: dict[str, str]) -> None:
    """A distribution as an installer leaves it."""
    info = folder / f"{name.replace('-', '_')}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n", "utf-8")
    lines = [f"{point} = {value}" for point, value in points.items()]
    text = "\n".join(["[eager_vs_graph.scenarios]", *lines, ""])
    (info / "entry_points.txt").write_text(text, "utf-8")
    for path, content in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(dedent(content), "utf-8")


def sound(folder: Path, name: str = "their-scenarios", scenario: str = "shipped") -> str:
    package = name.replace("-", "_")
    files = {
        f"{package}/__init__.py": "raise RuntimeError('executed')\n",
        f"{package}/inner/__init__.py": "",
        f"{package}/inner/helper.py": HELPER,
        f"{package}/inner/_private.py": "this is not python",
        f"{package}/inner/{scenario}.py": SCENARIO.format(name=scenario),
    }
    distribution(folder, name, {"all": f"{package}.inner"}, files)
    return package
