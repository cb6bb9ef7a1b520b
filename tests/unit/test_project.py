"""What a reader of the repository is told is so: floors, versions, what is tested."""

from __future__ import annotations

import re
import tomllib

import pytest
import rooms
from commands import REPOSITORY

from eager_vs_graph.version import __version__

PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))
LOADS = re.compile(r"""<(?:script|img|link)\b[^>]*\b(?:src|href)=["'](?!data:)""")


def text(path: str) -> str:
    return (REPOSITORY / path).read_text("utf-8")


@pytest.fixture(scope="module")
def arrows() -> rooms.Arrows:
    return rooms.between_rooms(rooms.imports(["eager_vs_graph"]))


def test_no_room_is_in_a_circle_and_there_are_ten_floors_at_most(arrows):
    assert rooms.circles(arrows) == []
    assert len(rooms.floors(arrows)) <= 10


def test_the_rooms_of_an_example():
    modules = {
        "cli.main": {"runs.bench", "errors"},
        "runs.bench": {"child.parity.check"},
        "child.parity.check": {"errors"},
        "child": set(),
        "errors": set(),
    }
    found = rooms.between_rooms(modules)
    assert found == {
        "cli": {"runs", "errors"},
        "runs": {"child.parity"},
        "child.parity": {"errors"},
        "errors": set(),
    }
    assert rooms.floors(found) == [["errors"], ["child.parity"], ["runs"], ["cli"]]
    round_ = {**found, "errors": {"runs"}}
    assert rooms.circles(round_) == [{"runs", "child.parity", "errors"}]
    assert len(rooms.floors(round_)) == 4  # without the one arrow that closes the circle


def test_the_architecture_page_names_every_room(arrows):
    page = text("docs/architecture.md")
    for room in arrows:
        name = room.removeprefix("child.")
        assert f"`{name}/`" in page or f"`{name}.py`" in page or name == "__main__", room


def test_the_version_has_one_source_and_a_section_in_the_changelog():
    assert "version" in PROJECT["project"]["dynamic"]
    assert f"({__version__})" in text("CHANGELOG.md") or f"[{__version__}]" in text("CHANGELOG.md")
    told = re.compile(re.escape(__version__))
    assert not told.search(text("pyproject.toml"))
    assert not told.search(text("harness/__init__.py"))


def test_the_hooks_have_the_ruff_of_the_lock_file():
    (locked,) = re.findall(r"^ruff==(\S+)", text("requirements.lock"), re.MULTILINE)
    hooks = text(".pre-commit-config.yaml")
    assert set(re.findall(r"ruff==([\d.]+)", hooks)) == {locked}
    assert ".venv" not in hooks


def test_the_classifiers_name_the_pythons_that_ci_tests():
    named = {
        line.rpartition(" ")[2]
        for line in PROJECT["project"]["classifiers"]
        if re.search(r"Python :: 3\.\d+$", line)
    }
    assert named == set(re.findall(r"\b3\.\d\d\b", text(".github/workflows/ci.yml")))


def test_the_readme_is_short():
    assert len(text("README.md").split()) <= 1300


def test_the_gallery_shows_five_reports_that_need_no_other_file():
    reports = sorted((REPOSITORY / "docs" / "gallery").iterdir())
    assert [report.suffix for report in reports] == [".html"] * 5
    page = text("docs/gallery.md")
    for report in reports:
        assert f"(gallery/{report.name})" in page
        loaded = LOADS.findall(report.read_text("utf-8"))
        assert not loaded, report.name
