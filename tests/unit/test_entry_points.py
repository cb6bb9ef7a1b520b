"""Scenarios that other distributions ship: found, run, refused, and never executed to be listed."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from distributions import SCENARIO, distribution, sound

from eager_vs_graph.catalog import find as catalog
from eager_vs_graph.child.adopt.loading import load
from eager_vs_graph.errors import ScenarioError, UsageError


@pytest.fixture
def site(tmp_path, monkeypatch) -> Path:
    """A folder of installed distributions."""
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(folder)
    return folder


def test_the_scenarios_of_a_distribution_are_found_without_executing_it(site):
    package = sound(site)
    found, broken = catalog.installed()
    (entry,) = [entry for entry in found if entry.name == "shipped"]
    assert not broken
    assert entry.distribution == "their-scenarios"
    assert entry.module == f"{package}.inner.shipped"
    assert entry.file == site / package / "inner" / "shipped.py"
    assert not [name for name in sys.modules if name.startswith(package)]
    assert catalog.select(["shipped"]) == [entry]
    assert catalog.select(["their-scenarios"]) == [entry]
    assert entry in catalog.select(["all"])
    assert entry not in catalog.select([])


def test_a_single_module_and_a_package_that_is_one_file(site):
    source = SCENARIO.replace("from .helper import FACTOR", "FACTOR = 2.0")
    distribution(site, "one", {"a": "one_file"}, {"one_file.py": source.format(name="single")})
    init = {"in_init/__init__.py": source.format(name="initial")}
    distribution(site, "two", {"a": "in_init"}, init)
    found, broken = catalog.installed()
    assert {e.name: e.module for e in found} == {"single": "one_file", "initial": "in_init"}
    assert not broken
    assert [load(entry).name for entry in found] == ["single", "initial"]


BROKEN = {
    "no module": ({"x": "nowhere.at.all"}, {}, "there is no module nowhere.at.all"),
    "an object": ({"x": "thing:Scenario"}, {"thing.py": ""}, "should name a module or package"),
    "no scenario": ({"x": "empty"}, {"empty.py": "FACTOR = 2\n"}, "no scenario found"),
    "does not parse": ({"x": "bad"}, {"bad.py": "class Bad(:\n"}, "bad.py:1: does not parse"),
    "incomplete": (
        {"x": "part"},
        {"part.py": "class A:\n    name = 'A-b'\n    sizes = {'a': Size()}\n"},
        "should have a name of a-z",
    ),
    "no source": ({"x": "_struct"}, {}, "_struct has no Python source"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_distribution_is_named_and_takes_nothing_down(site, case):
    points, files, message = BROKEN[case]
    distribution(site, "broken-one", points, files)
    sound(site)
    found, (line,) = catalog.installed()
    assert [entry.name for entry in found] == ["shipped"]
    assert line.startswith(f"distribution broken-one, entry point x = {points['x']}: ")
    assert message in line
    assert catalog.select(["shipped"])
    with pytest.raises(UsageError, match=r"unknown scenario 'nothing'.*distribution broken-one"):
        catalog.select(["nothing"])


def test_one_name_in_two_places_is_refused_with_both(site):
    sound(site, "one", "mnist_step")
    sound(site, "two", "shipped")
    sound(site, "three", "shipped")
    built_in = catalog.BUILT_IN / "mnist_step.py"
    with pytest.raises(ScenarioError) as raised:
        catalog.select(["mnist_step"])
    assert str(raised.value) == (
        f"two scenarios are named 'mnist_step': MnistStep in {built_in} and Shipped in "
        f"{site}/one/inner/mnist_step.py (distribution one); rename one"
    )
    with pytest.raises(ScenarioError, match=r"distribution three\).*distribution two\)"):
        catalog.select(["shipped"])
    # What was not asked for is not in the way.
    assert [entry.name for entry in catalog.select(["hello_matmul"])] == ["hello_matmul"]
    assert [entry.distribution for entry in catalog.select(["two"])] == ["two"]
    assert "mnist_step" in [entry.name for entry in catalog.select([])]


def test_a_folder_of_a_known_name_does_not_hide_it(site, tmp_path, monkeypatch):
    sound(site)
    (tmp_path / "shipped").mkdir()
    (tmp_path / "hello_matmul").mkdir()
    monkeypatch.chdir(tmp_path)
    assert [e.name for e in catalog.select(["shipped", "hello_matmul"])] == [
        *("hello_matmul", "shipped")
    ]
    with pytest.raises(UsageError, match="no scenario found"):
        catalog.select(["./shipped"])
