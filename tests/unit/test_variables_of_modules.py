"""Environment variables that a module sets before it imports TensorFlow."""

from __future__ import annotations

from pathlib import Path

import pytest

from eager_vs_graph.catalog.user_code import entries_of
from eager_vs_graph.catalog.variables import variables_in, variables_of


def written(folder: Path, *lines: str) -> Path:
    file = folder / "mine.py"
    file.write_text("\n".join(lines), encoding="utf-8")
    return file


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ('os.environ["TF_USE_LEGACY_KERAS"] = "1"', {"TF_USE_LEGACY_KERAS": "1"}),
        ('os.environ.setdefault("XLA_FLAGS", "--a=b")', {"XLA_FLAGS": "--a=b"}),
        ('environ["OMP_NUM_THREADS"] = "1"', {"OMP_NUM_THREADS": "1"}),
        ('os.environ["A"] = str(1)', {}),
        ('os.environ[name] = "1"', {}),
        ('other["A"] = "1"', {}),
        ('settings.setdefault("A", "1")', {}),
        ('def f():\n    os.environ["A"] = "1"', {}),
    ],
)
def test_constant_texts_at_the_top_are_seen(
    tmp_path: Path, line: str, found: dict[str, str]
) -> None:
    assert (
        variables_in(written(tmp_path, "import os", line, "import tensorflow as tf"), {}) == found
    )


@pytest.mark.parametrize(
    "importing",
    ["import tensorflow as tf", "from tensorflow import keras", "import numpy, keras.layers"],
)
def test_what_comes_after_the_import_has_no_effect_here_either(
    tmp_path: Path, importing: str
) -> None:
    lines = ("import os", 'os.environ["A"] = "1"', importing, 'os.environ["B"] = "1"')
    assert variables_in(written(tmp_path, *lines), {}) == {"A": "1"}


def test_a_default_gives_way_to_what_is_set(tmp_path: Path) -> None:
    lines = ('os.environ["A"] = "1"', 'os.environ.setdefault("A", "2")')
    more = ('os.environ.setdefault("B", "3")', 'os.environ["C"] = "4"')
    file = written(tmp_path, *lines, *more)
    assert variables_in(file, {"B": "0", "C": "0"}) == {"A": "1", "C": "4"}


@pytest.mark.parametrize("content", [b"import (", b"\xff\xfe", b"\0"])
def test_a_file_that_is_no_module_sets_nothing(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "mine.py"
    file.write_bytes(content)
    assert variables_in(file, {}) == {}
    assert variables_in(tmp_path / "missing.py", {}) == {}


def test_the_module_of_a_target_is_looked_at(tmp_path: Path) -> None:
    written(tmp_path, "import os", 'os.environ["A"] = "1"', "def f(x): return x")
    entries = entries_of("mine:f", arguments=["float32[2]"], path=[str(tmp_path)])
    assert variables_of(entries) == {"A": "1"}
